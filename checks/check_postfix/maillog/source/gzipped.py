"""gzip: the uncompressed bytes of a gzip file, read as gzip reads it.

That is: of all its members; NUL bytes behind one are padding, and anything else there that
is no member is passed over. (gzip then says "trailing garbage ignored".)
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class Readable(Protocol):
        """A source of bytes."""

        def read(self, size: int, /) -> bytes:
            """Return at most so many further bytes, none at the end."""


# What each member begins with: gzip's name, and that of the only method there is.
MEMBER = b"\x1f\x8b\x08"
# Deflate makes a file at most so many times smaller.
SMALLEST = 1032
_CHUNK_BYTES = 64 * 1024
# zlib's name for: a gzip header and trailer, the largest window
_GZIP = 31


class Gunzip:
    """The uncompressed bytes of a gzip file, of all its members."""

    def __init__(self, disk: Readable) -> None:
        import zlib

        self._disk = disk
        self._new = zlib.decompressobj
        self._member = self._new(_GZIP)
        self._pending = b""  # compressed
        self._inside = False  # a member
        self._is_first = True  # member
        self._is_over = False

    def read(self, size: int) -> bytes:
        """Return at most `size` further bytes, b"" at the end.

        Raises: EOFError inside a member, zlib.error
        """
        while size and not self._is_over:  # to zlib, none is no limit
            if self._inside:
                data = self._member.decompress(self._pending, size)
                self._pending = self._member.unconsumed_tail
                if self._member.eof:
                    self._inside = self._is_first = False
                    self._pending = self._member.unused_data
                    self._member = self._new(_GZIP)
                if data:
                    return data
            if not self._inside:
                self._find_member()
            elif not self._pending and not self._more():
                raise EOFError
        return b""

    def _find_member(self) -> None:
        """Go to where the next member begins, or to the end."""
        self._pending = self._pending.lstrip(b"\0")
        while len(self._pending) < len(MEMBER):
            if not self._more():
                break
            self._pending = self._pending.lstrip(b"\0")
        # Before the first member there can be no garbage: that is no gzip file.
        begins = self._pending.startswith(MEMBER) or (self._is_first and bool(self._pending))
        self._inside = begins
        self._is_over = not begins

    def _more(self) -> bool:
        data = self._disk.read(_CHUNK_BYTES)
        self._pending += data
        return bool(data)


def is_one_member(read: Callable[[int], bytes], deadline_passed: Callable[[], bool]) -> bool:
    """Tell whether a gzip file surely has one member only; False where that is open.

    read:            returns at most so many further bytes of the file, from its beginning
    deadline_passed: whether to give up
    """
    data = b""
    first = True
    while more := read(16 * _CHUNK_BYTES):
        data = data[-len(MEMBER) + 1 :] + more
        if data.find(MEMBER, 1 if first else 0) >= 0 or deadline_passed():
            return False
        first = False
    return not first
