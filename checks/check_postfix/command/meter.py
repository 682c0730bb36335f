"""Meter: a line on a terminal that tells how far something long is, written over and over."""

from __future__ import annotations

import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

# In seconds
_PATIENCE = 1
_STEP = 0.2
_MEGABYTE = 1_000_000
_CLEAR = "\r\033[K"


class Meter:
    """Tells on standard error how far it is. Use it as a context manager.

    Nothing is told where standard error is no terminal.

    started: when it began, in monotonic seconds
    """

    def __init__(self) -> None:
        self.started = time.monotonic()
        self._next = self.started + _PATIENCE
        self._is_shown = sys.stderr.isatty()
        self._has_told = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the line to others."""
        if self._has_told:
            self._write("")

    def is_due(self) -> bool:
        """Tell whether to tell it now: from time to time, once it takes longer."""
        return self._is_shown and time.monotonic() >= self._next

    def tell(self, how_far: str) -> None:
        """Tell it now, whether it is due or not."""
        if self._is_shown:
            self._next = time.monotonic() + _STEP
            self._has_told = True
            self._write(f"{how_far}; Ctrl-C ends it")

    def _write(self, line: str) -> None:
        sys.stderr.write(_CLEAR + line)
        sys.stderr.flush()


class BytesRead(Meter):
    """Tells what is read of files.

    total: bytes there are to read, 0 if that is not known
    """

    def __init__(self, total: int = 0) -> None:
        super().__init__()
        self._total = total
        self._bytes = 0

    def read(self, name: str, size: int) -> None:
        """Tell that so many bytes of a file were read."""
        self._bytes += size
        if not self.is_due():
            return
        rate = self._bytes / _MEGABYTE / (time.monotonic() - self.started)
        left = ""
        if self._total > self._bytes:
            seconds = (self._total - self._bytes) / _MEGABYTE / rate
            left = f" of {self._total // _MEGABYTE}, {seconds:.0f} s left"
        self.tell(f"{name}: {self._bytes // _MEGABYTE} MB read{left}, {rate:.0f} MB/s")
