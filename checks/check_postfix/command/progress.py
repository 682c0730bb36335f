"""Progress: how far a long reading is, on a terminal."""

from __future__ import annotations

import sys
import time

# In seconds
_PATIENCE = 1
_STEP = 0.2
_MEGABYTE = 1_000_000


class Progress:
    """Tells on standard error what is read, once that takes longer. Use it as a context manager.

    Nothing is told where standard error is no terminal.

    total: bytes there are to read, 0 if that is not known
    """

    def __init__(self, total: int = 0) -> None:
        self._total = total
        self._is_shown = sys.stderr.isatty()
        self._started = time.monotonic()
        self._next = self._started + _PATIENCE
        self._bytes = 0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_shown and time.monotonic() > self._started + _PATIENCE:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()

    def read(self, name: str, size: int) -> None:
        """Tell that so many bytes of a file were read."""
        self._bytes += size
        if not self._is_shown or (now := time.monotonic()) < self._next:
            return
        self._next = now + _STEP
        rate = self._bytes / _MEGABYTE / (now - self._started)
        left = ""
        if self._total > self._bytes:
            seconds = (self._total - self._bytes) / _MEGABYTE / rate
            left = f" of {self._total // _MEGABYTE}, {seconds:.0f} s left"
        sys.stderr.write(
            f"\r\033[K{name}: {self._bytes // _MEGABYTE} MB read{left}, {rate:.0f} MB/s;"
            " Ctrl-C ends it"
        )
        sys.stderr.flush()
