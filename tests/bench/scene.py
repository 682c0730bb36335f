"""A scene: a mail log, what its writer and its rotation do to it, and the truth about it.

Nothing depends on how fast anybody is: the clock is the scene's own, each line
takes a minute of it and each rotation the rest of the day, and files get their times
of change from it. Every line has a number, which is the minute of its stamp.
"""

from __future__ import annotations

import gzip
import os
import random
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

_MINUTE = 60
_DAY = 86400
_FRONT = re.compile(rb"\]: ([0-9A-F]{8}): to=<")
_BACK = re.compile(rb"queued as ([0-9A-F]{8})\)")
NEVER, DELAYED, AT_ONCE = "never", "delayed", "at once"


def line(number: int, filling: int = 0) -> bytes:
    """Return the line of this number, which it has in front of its status and behind it.

    filling: bytes more than it needs
    """
    stamp = datetime.fromtimestamp(number * _MINUTE, UTC).isoformat()
    recipient = f"ann+{'x' * filling}@example.net"
    return (
        f"{stamp} mx1 postfix/smtp[2211]: {number:08X}: to=<{recipient}>,"
        " relay=mail.example.net[192.0.2.25]:25, delay=2.1, delays=0.06/0.01/1.2/0.83,"
        f" dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as {number:08X})\n"
    ).encode()


def numbers(output: bytes) -> list[int]:
    """Return the numbers of all that says `status=sent`, whole lines or parts of them."""
    found = []
    for part in output.split(b"\n"):
        if b"status=sent" in part:
            number = _FRONT.search(part) or _BACK.search(part)
            assert number, part
            found.append(int(number[1], 16))
    return found


class Follower(Protocol):
    """Who follows a log; `now` is the scene's time."""

    def run(self, now: float) -> None:
        """Run once."""

    def run_while(self, now: float, meanwhile: Callable[[], None], at: int) -> None:
        """Run, and have something happen when it opens or reads a log for this time."""

    def be_killed(self, now: float, part: float) -> None:
        """Run, and be killed after this part of the time that it usually takes."""


class Scene:
    """One mail log.

    log, old: the live log, and the directory of its archives
    now:      the scene's time, in seconds
    choice:   of what is left to chance
    truth:    the numbers of all lines that stood in a file when somebody ran
    follower: who is put to the test
    """

    follower: Follower

    def __init__(self, directory: Path, start: float, seed: int, old: str = "") -> None:
        """Make an empty log in an empty directory.

        start: a time that leaves room, in the 30 days up to now, for what will be played
        old:   directory of the archives, as seen from the log's
        """
        self.log = directory / "log" / "mail.log"
        self.log.parent.mkdir()
        self.old = (self.log.parent / old).resolve()
        self.old.mkdir(exist_ok=True)
        self._removed = directory / "removed"
        self._removed.mkdir()
        self.now = start - start % _DAY
        self.choice = random.Random(seed)
        self.truth: set[int] = set()
        self.archives: list[Path] = []  # newest first
        self._live: set[int] = set()
        self._kept: set[int] = set()
        self._rest = b""  # of a line that is written in part
        self._unfinished = 0
        self.log.touch()

    # -- the writer

    def write(self, least: int = 1, most: int = 12) -> None:
        """Append some lines; makes the log if there is none."""
        self.finish()
        data = b""
        for _ in range(self.choice.randint(least, most)):
            data += line(self._next(), self.choice.randrange(80))
            self._live.add(self._minute)
        self._append(data)

    def write_in_part(self) -> None:
        """Append the first part of a line, which stands in the log once it is finished."""
        whole = line(self._next(), self.choice.randrange(80))
        cut = self.choice.randrange(1, len(whole))
        self._append(whole[:cut])
        self._rest, self._unfinished = whole[cut:], self._minute

    def finish(self) -> None:
        """Append the rest of the line."""
        if self._rest:
            self._append(self._rest)
            self._live.add(self._unfinished)
            self._rest = b""

    def _next(self) -> int:
        self.now += _MINUTE
        return self._minute

    @property
    def _minute(self) -> int:
        return int(self.now) // _MINUTE

    def _append(self, data: bytes) -> None:
        with self.log.open("ab") as file:
            file.write(data)
        self.touch(self.log)

    def touch(self, path: Path) -> None:
        """Let a file have been changed now."""
        os.utime(path, (self.now, self.now))

    # -- the rotation, as logrotate does it

    def rename(self, compress: str = NEVER, dated: bool = False, create: bool = True) -> None:
        """Rotate by renaming.

        compress: NEVER, DELAYED (by one rotation) or AT_ONCE
        dated:    whether archives are named by the day
        create:   whether an empty log is made, or left to the writer
        """
        self._next_day()
        self._make_room(dated)
        self.log.rename(self.archives[0])
        self._kept |= self._live
        self._live = set()
        if create:
            self.make()
        self._compress(compress)

    def recycle(self) -> None:
        """Rotate by renaming, compress, and give the new log the inode of the compressed one."""
        self.rename(AT_ONCE, create=False)
        newest = max(self._removed.iterdir(), key=lambda path: int(path.name))
        os.truncate(newest, 0)
        newest.rename(self.log)
        self.touch(self.log)

    def copy(self) -> None:
        """Copy the log to an archive: the first half of copytruncate."""
        self._next_day()
        self._make_room(dated=False)
        shutil.copyfile(self.log, self.archives[0])
        self.touch(self.archives[0])
        self._kept |= self._live

    def truncate(self) -> None:
        """Cut the log to nothing: the other half."""
        os.truncate(self.log, 0)
        self.touch(self.log)
        self._live = set()

    def make(self) -> None:
        """Make an empty log."""
        self.log.touch()
        self.touch(self.log)

    def compress(self) -> None:
        """Compress the newest archive but one."""
        self._compress(DELAYED)

    def _next_day(self) -> None:
        self.finish()
        self.now += _DAY - self.now % _DAY

    def _make_room(self, dated: bool) -> None:
        if dated:
            name = f"mail.log-{datetime.fromtimestamp(self.now, UTC):%Y%m%d}"
        else:
            name = "mail.log.1"
            for place in range(len(self.archives), 0, -1):
                path = self.archives[place - 1]
                packed = ".gz" if path.suffix == ".gz" else ""
                further = path.with_name(f"mail.log.{place + 1}{packed}")
                self.archives[place - 1] = path.rename(further)
        self.archives.insert(0, self.old / name)

    def _compress(self, when: str) -> None:
        place = {NEVER: len(self.archives), DELAYED: 1, AT_ONCE: 0}[when]
        if place >= len(self.archives):
            return
        plain = self.archives[place]
        if plain.suffix == ".gz":
            return
        packed = plain.with_name(plain.name + ".gz")
        packed.write_bytes(gzip.compress(plain.read_bytes(), mtime=0))
        shutil.copystat(plain, packed)
        self.archives[place] = packed
        # Kept aside: were it removed, a system would use its inode again, or not, as it likes.
        plain.rename(self._removed / str(len(os.listdir(self._removed))))

    # -- the follower

    def look(self) -> None:
        """Let it run; what stands in a file now is to be counted."""
        self._note()
        self.follower.run(self.now)

    def look_while(self, meanwhile: Callable[[], None], at: int) -> None:
        """Let it run, and something happen when it opens or reads a log for this time."""
        self._note()
        self.follower.run_while(self.now, meanwhile, at)

    def look_and_be_killed(self, part: float) -> None:
        """Let it run, and kill it after this part of the time that it usually takes."""
        self._note()
        self.follower.be_killed(self.now, part)

    def _note(self) -> None:
        self.truth |= self._live | self._kept
