"""The ground: the logs that a race is run on, and their truth."""

from __future__ import annotations

import gzip
import os
import shutil
import time
from pathlib import Path

from .workload import ISO, Form, Workload

MEGABYTE = 1_000_000
_DAY = 86400


class Log:
    """A log on disk, and the workload that wrote it, which goes on writing."""

    def __init__(self, path: Path, form: Form = ISO, truth: Workload | None = None) -> None:
        self.path = path
        self.truth = truth or Workload(form)

    def write(self, size: int, start: float, end: float) -> None:
        """Append lines of about so many bytes."""
        with self.path.open("ab") as file:
            file.writelines(self.truth.log(size, start, end))

    def write_now(self, size: int) -> None:
        """Append lines of the last minute."""
        now = time.time()
        self.write(size, now - 60, now)


def one_day(path: Path, size: int, form: Form = ISO, truth: Workload | None = None) -> Log:
    """Return a log of so many bytes over the last day.

    truth: what writes it; None for an ordinary day
    """
    log = Log(path, form, truth)
    now = time.time()
    log.write(size, now - _DAY, now - 1)
    return log


def history(path: Path, size: int, days: int, rotations: int) -> Log:
    """Return a log of so many bytes over the last days, rotated so many times as logrotate does.

    The newest archive is plain, the others are compressed. Their times of change
    are those of their last lines.
    """
    log = Log(path)
    end = time.time() - 1
    part = days * _DAY / (rotations + 1)
    for number in range(rotations, 0, -1):
        stop = end - number * part
        log.write(size // (rotations + 1), stop - part, stop)
        archive = path.with_name(f"{path.name}.{number}")
        path.rename(archive)
        if number > 1:
            archive = _compressed(archive)
        _touch(archive, stop)
    log.write(size // (rotations + 1), end - part, end)
    return log


def compressed(log: Path, directory: Path) -> Path:
    """Return the path of a small live log whose archive is a compressed copy of this log."""
    directory.mkdir()
    copy = directory / "mail.log.1"
    shutil.copy(log, copy)
    _touch(_compressed(copy), time.time() - 60)
    Log(directory / "mail.log").write_now(10_000)
    return directory / "mail.log"


def _compressed(path: Path) -> Path:
    packed = path.with_name(path.name + ".gz")
    with path.open("rb") as plain, gzip.open(packed, "wb", compresslevel=6) as archive:
        shutil.copyfileobj(plain, archive, MEGABYTE)
    path.unlink()
    return packed


def _touch(path: Path, seconds: float) -> None:
    os.utime(path, (seconds, seconds))
