"""A stream: the bytes of a log file, uncompressed where the file is compressed."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import contextmanager
from io import FileIO
from time import monotonic

from check_postfix.maillog.errors import LogError
from check_postfix.maillog.source.refusal import UnreadableNow, unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from check_postfix.maillog.source.gzipped import Readable


# A deadline that never comes. From Python 3.13 on nothing else would have math loaded.
NEVER = float("inf")
# Where the program zstd is, if PATH does not say so.
_ZSTD_PLACES = ("/usr/bin", "/usr/local/bin")
# Read, or passed over, at a time in a compressed file.
_CHUNK_BYTES = 64 * 1024
# NUL bytes are passed over so many at a time.
_BLANK_BYTES = 1024 * 1024
# Bytes are passed over for as long as this, however little time there is.
_LEAST_SECONDS = 0.1
# What grows to more than so many times its size, and to more than so many bytes, is no log:
# a log of nothing but repeated lines grows to 300 times its size with gzip, to 1,000 with xz.
_RATIO = 2_000
_RATIO_FROM_BYTES = 64 * 1024 * 1024
# What zstd says of a file that ends too early, and of others that will not get better.
_CUT = b"premature end"
_BROKEN = (b"corrupt", b"unsupported", b"checksum", b"unknown")


class Unfinished(LogError):
    """A compressed file that ends before its end mark: somebody is still writing it."""


class TooLong(UnreadableNow):
    """A file that takes longer than there is time for to get to where it is to be read."""


class Stream:
    """The uncompressed bytes of a log file.

    deadline: time.monotonic() at which to give up passing over bytes

    `blank` is how many NUL bytes stand in front of its first other byte, once its head was read.
    """

    def __init__(self, path: str, deadline: float = NEVER) -> None:
        """Open the file.

        Raises: LogError where the system refuses, FileNotFoundError where it
                has been renamed or removed since it was listed
        """
        self.path = path
        self.blank = 0
        self._deadline = deadline
        self._child: subprocess.Popen[bytes] | None = None
        try:
            # O_NONBLOCK: a FIFO put in the file's place must not hang the check
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise unreadable(path, error) from None
        self._disk = _Disk(fd, "rb")
        try:
            self._file = self._uncompressed()
        except BaseException:
            self._disk.close()
            raise
        self._offset = 0

    def _uncompressed(self) -> Readable:
        if self.path.endswith(".gz"):
            from check_postfix.maillog.source.gzipped import Gunzip

            return Gunzip(self._disk)
        if self.path.endswith(".xz"):
            import lzma

            return lzma.LZMAFile(self._disk)
        if self.path.endswith(".bz2"):
            import bz2

            return bz2.BZ2File(self._disk)
        if self.path.endswith(".zst"):
            return self._zstd()
        return self._disk

    def _zstd(self) -> Readable:
        # Python before 3.14 has no zstd; who compresses with it has the program.
        import subprocess

        from check_postfix import child

        program = child.find("zstd", _ZSTD_PLACES)
        if program is None:
            raise UnreadableNow(
                f"cannot read {self.path}: the program zstd is missing; install the package zstd"
            )
        try:
            self._child = subprocess.Popen(
                [program, "-dcq"],
                stdin=self._disk,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=child.environment(),
            )
        except OSError as error:
            raise unreadable(self.path, error) from None
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
            assert self._child.stderr is not None
            self._child.stdout.close()
            self._child.stderr.close()
            self._child.kill()
            self._child.wait()
            self._child = None

    def read(self, size: int) -> bytes:
        """Return at most `size` further bytes, b"" at the end.

        Raises: Unfinished; LogError, which is UnreadableNow if it may be read at another time
        """
        try:
            data = self._file.read(size)
        except EOFError:
            raise self._unfinished() from None
        except MemoryError:
            raise UnreadableNow(
                f"cannot read {self.path}: not enough memory; give the check more memory"
            ) from None
        except OSError as error:
            if error.errno:
                raise unreadable(self.path, error) from None
            raise self._damaged(error) from None
        except _decompression_errors() as error:
            raise self._damaged(error) from None
        if not data and self._child:
            self._see_how_it_ended(self._child)
        self._offset += len(data)
        if self._offset > _RATIO_FROM_BYTES and self.compressed:
            self._see_that_it_is_no_bomb()
        return data

    def _see_how_it_ended(self, child: subprocess.Popen[bytes]) -> None:
        """Raise what zstd says, if it has not come to the end of the file."""
        assert child.stderr is not None
        said = child.stderr.read()
        if child.wait() == 0:
            return
        words = said.lower()
        if _CUT in words or (not words and child.returncode > 0):
            raise self._unfinished()
        what = said.decode("utf-8", "replace").strip().rpartition(" : ")[2] or "it was ended"
        if any(word in words for word in _BROKEN):
            raise self._damaged(what)
        raise UnreadableNow(f"cannot read {self.path}: zstd: {what}; see what zstd -t says of it")

    def _see_that_it_is_no_bomb(self) -> None:
        size = self.status().st_size
        if self._offset > size * _RATIO:
            raise LogError(
                f"{self.path}: grows to more than {_RATIO} times its size, as no log does;"
                " remove it, or uncompress it"
            )

    def _unfinished(self) -> Unfinished:
        return Unfinished(
            f"{self.path}: ends too early; if nobody is writing it, restore it from a backup,"
            " or remove it"
        )

    def _damaged(self, why: object) -> LogError:
        return LogError(f"{self.path}: damaged ({why}); restore it from a backup, or remove it")

    @property
    def compressed(self) -> bool:
        """Whether it can only be read from its beginning."""
        return self._file is not self._disk

    def status(self) -> os.stat_result:
        """Return what the system says of the open file, whatever its name is by now.

        Raises: UnreadableNow
        """
        try:
            return os.fstat(self._disk.fileno())
        except OSError as error:
            raise unreadable(self.path, error) from None

    def read_at(self, offset: int, size: int) -> bytes:
        """Return so many bytes from an offset of a plain file on, less only at its two ends.

        Where it stands is the same then. Processes that share it may do so at the same time.

        offset: those before the file, where it is negative, are left out

        Raises: UnreadableNow
        """
        try:
            return os.pread(self._disk.fileno(), size + min(offset, 0), max(offset, 0))
        except OSError as error:
            raise unreadable(self.path, error) from None

    @contextmanager
    def elsewhere(self) -> Iterator[None]:
        """Let it be read elsewhere, and stand where it stood before; a plain file only."""
        offset = self._disk.tell()
        try:
            yield
        finally:
            self._seek(offset)

    def read_whole(self, size: int) -> bytes:
        """Return `size` further bytes, less only at the end."""
        data = b""
        while len(data) < size and (more := self.read(size - len(data))):
            data += more
        return data

    def read_head(self, size: int) -> bytes:
        """Return `size` bytes from the beginning, less only at the end.

        The NUL bytes that truncation leaves in front of a log are all alike and
        say nothing of which log it is: they are passed over.

        Raises: TooLong, Unfinished or LogError
        """
        self.go_to(0)
        started = monotonic()
        data = self.read(size)
        blank = 0
        while data and not (rest := data.lstrip(b"\0")):
            blank += len(data)
            if not self.compressed:
                blank = self._go_to_data(blank)
            self._see_the_time(started, blank)
            data = self.read(_CHUNK_BYTES if self.compressed else _BLANK_BYTES)
        if data:
            blank += len(data) - len(rest)
            data = rest
        self.blank = blank
        return data[:size] if len(data) >= size else data + self.read_whole(size - len(data))

    def _go_to_data(self, offset: int) -> int:
        """Go on behind the hole in the file that may begin at this offset; return where that is.

        A log truncated under its writer begins with one, of any size, that takes no room.
        """
        try:
            offset = os.lseek(self._disk.fileno(), offset, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:  # nothing but a hole, up to the end
                offset = max(offset, self.status().st_size)
        self.go_to(offset)
        return offset

    def _see_the_time(self, started: float, offset: int) -> None:
        if monotonic() > max(self._deadline, started + _LEAST_SECONDS):
            raise TooLong(
                f"{self.path}: is too big to be read within the timeout; uncompress it,"
                " or run once with a longer --timeout"
                if self.compressed
                else f"{self.path}: begins with more than {offset} NUL bytes, which cannot be"
                " passed over within the timeout; run once with a longer --timeout"
            )

    def go_to(self, offset: int) -> bool:
        """Go on from this offset; in a compressed file by reading up to it.

        Returns:  False if the stream ends before it
        Raises:   TooLong, Unfinished or LogError
        """
        if not self.compressed:
            self._seek(offset)
            return offset <= self.status().st_size
        if offset < self._offset:
            self._end_child()
            self._seek(0)
            self._file = self._uncompressed()
            self._offset = 0
        started = monotonic()
        while self._offset < offset:
            if not self.read(min(offset - self._offset, _CHUNK_BYTES)):
                return False
            if self._offset < offset:
                self._see_the_time(started, self._offset)
        return True

    def _seek(self, offset: int) -> None:
        try:
            self._disk.seek(offset)
        except OSError as error:
            raise unreadable(self.path, error) from None

    def ends_at(self, offset: int) -> bool:
        """Tell whether the stream is sure to end at this offset, without uncompressing it."""
        if not self.path.endswith(".gz"):
            return False
        from check_postfix.maillog.source.gzipped import SMALLEST, is_one_member

        # A member ends with how long it was, modulo 2**32.
        fd = self._disk.fileno()
        size = self.status().st_size
        try:
            trailer = os.pread(fd, 4, max(0, size - 4))
        except OSError as error:
            raise unreadable(self.path, error) from None
        if int.from_bytes(trailer, "little") != offset % 2**32:
            return False
        if size * SMALLEST >= offset + 2**32:
            return False
        place = 0

        def read(most: int) -> bytes:
            nonlocal place
            try:
                data = os.pread(fd, most, place)
            except OSError as error:
                raise unreadable(self.path, error) from None
            place += len(data)
            return data

        return is_one_member(read, lambda: monotonic() > self._deadline)


class _Disk(FileIO):
    """The bytes on disk."""

    def read(self, size: int | None = -1, /) -> bytes:
        data: bytes | None = super().read(size)
        if data is None:  # which would be taken for the end of the file
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        return data


def _decompression_errors() -> tuple[type[Exception], ...]:
    """Return what zlib and lzma raise of what is damaged, as far as they are loaded."""
    return tuple(
        getattr(sys.modules[module], name)
        for module, name in (("zlib", "error"), ("lzma", "LZMAError"))
        if module in sys.modules
    )
