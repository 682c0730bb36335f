"""A stream: the bytes of a log file, uncompressed where the file is compressed."""

from __future__ import annotations

import os
from math import inf
from time import monotonic

from check_postfix.maillog.errors import LogError
from check_postfix.maillog.source.refusal import unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from typing import Protocol

    class _Readable(Protocol):
        def read(self, size: int, /) -> bytes: ...


# How the names of compressed files end.
COMPRESSED = (".gz", ".xz", ".bz2", ".zst")
# Read or passed over at a time in a compressed file.
_CHUNK_BYTES = 64 * 1024


class Unfinished(LogError):
    """A compressed file that ends before its end mark: somebody is still writing it."""


class TooLong(LogError):
    """A compressed file: there is not enough time to get to the offset where reading stopped."""


class Stream:
    """The uncompressed bytes of a log file."""

    def __init__(self, path: str) -> None:
        """Open the file.

        Raises: LogError where the system refuses, FileNotFoundError where it
                has been renamed or removed since it was listed
        """
        self.path = path
        self._child: subprocess.Popen[bytes] | None = None
        try:
            # O_NONBLOCK: a FIFO put in the file's place must not hang the check
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise unreadable(path, error) from None
        self._disk = os.fdopen(fd, "rb", buffering=0)
        self._file = self._uncompressed()
        self._offset = 0

    def _uncompressed(self) -> _Readable:
        if self.path.endswith(".gz"):
            return _Gunzip(self._disk)
        if self.path.endswith(".xz"):
            import lzma

            return lzma.LZMAFile(self._disk)
        if self.path.endswith(".bz2"):
            import bz2

            return bz2.BZ2File(self._disk)
        if self.path.endswith(".zst"):
            return self._zstd()
        return self._disk

    def _zstd(self) -> _Readable:
        # Python before 3.14 has no zstd; whoever compresses with it has the program.
        import subprocess

        try:
            self._child = subprocess.Popen(
                ["zstd", "-dcq"],
                stdin=self._disk,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError:
            raise LogError(
                f"cannot read {self.path}: the program zstd is missing; install the package zstd"
            ) from None
        assert self._child.stdout is not None
        return self._child.stdout

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self._end_child()
        self._disk.close()

    def _end_child(self) -> None:
        if self._child:
            assert self._child.stdout is not None
            self._child.stdout.close()
            self._child.kill()
            self._child.wait()
            self._child = None

    def read(self, size: int) -> bytes:
        """Return at most `size` further bytes, b"" at the end.

        Raises: Unfinished or LogError
        """
        try:
            data = self._file.read(size)
        except EOFError:
            raise self._unfinished() from None
        except OSError as error:
            if error.errno:
                raise unreadable(self.path, error) from None
            raise self._damaged(error) from None
        except Exception as error:  # noqa: BLE001 - zlib.error, LZMAError: known once imported
            raise self._damaged(error) from None
        if not data and self._child and self._child.wait() != 0:
            raise self._unfinished()
        self._offset += len(data)
        return data

    def _unfinished(self) -> Unfinished:
        return Unfinished(
            f"{self.path}: ends too early; if nobody is writing it, restore it from a backup,"
            " or remove it"
        )

    def _damaged(self, error: Exception) -> LogError:
        return LogError(f"{self.path}: damaged ({error}); restore it from a backup, or remove it")

    @property
    def compressed(self) -> bool:
        """Whether it can only be read from its beginning."""
        return self._file is not self._disk

    def status(self) -> os.stat_result:
        """Return what the system says of the open file, whatever its name is by now."""
        return os.fstat(self._disk.fileno())

    def read_whole(self, size: int) -> bytes:
        """Return `size` further bytes, less only at the end."""
        data = b""
        while len(data) < size and (more := self.read(size - len(data))):
            data += more
        return data

    def read_head(self, size: int) -> bytes:
        """Return `size` bytes from the beginning, less only at the end.

        Truncation leaves NUL bytes at the start of a log. They do not tell one log from
        another, so they are passed over.
        """
        self.go_to(0)
        data = self.read(size).lstrip(b"\0")
        while not data and (more := self.read(_CHUNK_BYTES)):
            data = more.lstrip(b"\0")
        return data[:size] if len(data) >= size else data + self.read_whole(size - len(data))

    def go_to(self, offset: int, deadline: float = inf) -> bool:
        """Go on from this offset; in a compressed file by reading up to it.

        deadline: time.monotonic() at which to give up
        Returns:  False if the stream ends before it
        Raises:   TooLong, Unfinished or LogError
        """
        if not self.compressed:
            self._disk.seek(offset)
            return offset <= self.status().st_size
        if offset < self._offset:
            self._end_child()
            self._disk.seek(0)
            self._file = self._uncompressed()
            self._offset = 0
        while self._offset < offset:
            if not self.read(min(offset - self._offset, _CHUNK_BYTES)):
                return False
            if monotonic() > deadline and self._offset < offset:
                raise TooLong(
                    f"{self.path}: is too big to be read within the timeout; uncompress it,"
                    " or run once with a longer --timeout"
                )
        return True

    def ends_at(self, offset: int) -> bool:
        """Tell whether the stream is sure to end at this offset, without reading up to it."""
        if not self.path.endswith(".gz"):
            return False
        # A gzip file ends with its uncompressed length, modulo 2**32.
        fd = self._disk.fileno()
        trailer = os.pread(fd, 4, max(0, self.status().st_size - 4))
        return int.from_bytes(trailer, "little") == offset % 2**32


class _Gunzip:
    """The uncompressed bytes of a gzip file, of all its members."""

    def __init__(self, disk: _Readable) -> None:
        import zlib

        self._disk = disk
        self._new = zlib.decompressobj
        self._member = self._new(_GZIP)
        self._pending = b""  # compressed
        self._inside = False  # a member

    def read(self, size: int) -> bytes:
        """Return at most `size` further bytes, b"" at the end.

        Raises: EOFError inside a member, zlib.error
        """
        while size:  # to zlib, 0 means no limit
            if self._inside:
                data = self._member.decompress(self._pending, size)
                self._pending = self._member.unconsumed_tail
                if self._member.eof:
                    self._inside = False
                    self._pending = self._member.unused_data
                    self._member = self._new(_GZIP)
                if data:
                    return data
            if not self._inside:
                # members may be padded with NUL bytes
                self._pending = self._pending.lstrip(b"\0")
                self._inside = bool(self._pending)
            if not self._pending:
                self._pending = self._disk.read(_CHUNK_BYTES)
                if not self._pending:
                    if self._inside:
                        raise EOFError
                    break
        return b""


# zlib's name for: a gzip header and trailer, the largest window
_GZIP = 31
