"""A log directory for each test of the reader."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from check_postfix.maillog.source import stream
from check_postfix.maillog.source.refusal import unreadable
from check_postfix.maillog.window.coverage import Coverage
from tests.support import logbook


class Place:
    """A log and a store in a directory of their own.

    Minutes are counted from the log's first one, 0.
    """

    def __init__(self, directory: str) -> None:
        self.log = os.path.join(directory, "mail.log")
        self.store = os.path.join(directory, "state.sqlite")

    def write(self, *minutes: int, to: str = "", size: int = 0) -> None:
        """Append a line for each minute to the live log, or to its copy with this ending."""
        data = b"".join(logbook.line(logbook.FIRST + minute, size) for minute in minutes)
        logbook.write(self.log + to, data)

    def write_bytes(self, data: bytes, to: str = "") -> None:
        """Append any bytes."""
        logbook.write(self.log + to, data)

    def rename(self, new: str, old: str = "") -> None:
        """Rename the live log, or a copy of it, to a name with this ending."""
        os.rename(self.log + old, self.log + new)

    def compress(self, name: str, extension: str, keep: bool = False, part: float = 1) -> None:
        """Compress a copy; or only write the first part of that."""
        with open(self.log + name, "rb") as file:
            data = logbook.compressed(file.read(), extension)
        logbook.write(self.log + name + extension, data[: int(len(data) * part)], "wb")
        if not keep:
            os.remove(self.log + name)

    def move(self, name: str, directory: str) -> str:
        """Move a copy of the log to a directory below this one; return where that is."""
        where = os.path.join(os.path.dirname(self.log), directory)
        os.makedirs(where, exist_ok=True)
        os.rename(self.log + name, os.path.join(where, os.path.basename(self.log + name)))
        return where

    @contextmanager
    def failing(self, name: str, error: int = errno.EIO, read: bool = False) -> Iterator[list[str]]:
        """Let the opening of a copy of the log fail, or the reading of it; give what was tried."""
        path = self.log + name
        tried: list[str] = []
        with pytest.MonkeyPatch.context() as patch:
            whole = stream.Stream.read

            def read_none(self: stream.Stream, size: int) -> bytes:
                if self.path == path and read:
                    raise unreadable(path, OSError(error, os.strerror(error)))
                return whole(self, size)

            patch.setattr(stream.Stream, "read", read_none)
            open_ = os.open

            def failing(where: str, *arguments: int, **more: int) -> int:
                if where == path and not read:
                    tried.append(where)
                    raise OSError(error, os.strerror(error))
                return open_(where, *arguments, **more)

            patch.setattr(os, "open", failing)
            yield tried

    def run(self, at: int = 100, seconds: float = 60, archives: Sequence[str] = ()) -> Coverage:
        """Ingest as a check does that runs in this minute."""
        return logbook.ingest(
            self.store, self.log, logbook.FIRST + at, seconds, archives=archives
        )  # fmt: skip

    def counted(self) -> dict[int, int]:
        """Return how many lines of each minute are counted."""
        return {minute - logbook.FIRST: n for minute, n in logbook.counted(self.store).items()}

    def gaps(self, coverage: Coverage) -> list[tuple[int, int]]:
        """Return the gaps, in this place's minutes."""
        return [(first - logbook.FIRST, last - logbook.FIRST) for first, last in coverage.gaps]


@pytest.fixture
def place(tmp_path: os.PathLike[str]) -> Place:
    """Return an empty log directory."""
    return Place(os.fspath(tmp_path))


def once(*minutes: int) -> dict[int, int]:
    """Return what is counted if each of these lines is counted once."""
    return dict.fromkeys(minutes, 1)
