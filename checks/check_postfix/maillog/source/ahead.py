"""Ahead: the uncompressed bytes of a log, unpacked ahead of those who read them.

A compressed file can only be read from its beginning, by one process. That lays what it unpacks
down in a nameless temporary file, where all others can read it. Of a long log that keeps the bytes
that were unpacked last.
"""

from __future__ import annotations

import os
import tempfile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from check_postfix.maillog.source.stream import Stream

_CHUNK_BYTES = 1 << 20


class Ahead:
    """The bytes of a stream from where it stands on. Use it as a context manager.

    start: the offset where it stands
    kept:  how many bytes are kept. There is room for them, or no such file
    """

    def __init__(self, stream: Stream, start: int, kept: int) -> None:
        """Make room.

        Raises: OSError where there is none
        """
        self._stream = stream
        self._kept = kept
        self._start = self._end = self._offset = start
        self._is_over = False
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  # closed by __exit__
        try:
            # Else it could be full in the midst of a log.
            os.posix_fallocate(self._file.fileno(), 0, kept)
        except OSError:
            self._file.close()
            raise

    def __enter__(self) -> Ahead:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def end_before(self, offset: int) -> int | None:
        """Return where the stream ends if that is at an offset or before it, else None.

        Raises: LogError, as Stream.read
        """
        self._unpack(offset + 1)
        return self._end if self._end <= offset else None

    def read(self, size: int) -> bytes:
        """Return so many further bytes, less only at the end.

        Raises: LogError, as Stream.read
        """
        self._unpack(self._offset + size)
        data = self.read_at(self._offset, min(size, self._end - self._offset))
        self._offset += len(data)
        return data

    def read_at(self, offset: int, size: int) -> bytes:
        """Return bytes from an offset on that are unpacked and kept; in any process.

        Those before the start are left out.
        """
        size += min(offset - self._start, 0)
        offset = max(offset, self._start)
        data = b""
        while size > 0:
            place = offset % self._kept
            part = os.pread(self._file.fileno(), min(size, self._kept - place), place)
            data += part
            offset += len(part)
            size -= len(part)
        return data

    def _unpack(self, end: int) -> None:
        """Unpack up to an offset, as far as there is anything."""
        while self._end < end and not self._is_over:
            data = self._stream.read(_CHUNK_BYTES)
            self._is_over = not data
            while data:
                place = self._end % self._kept
                written = os.pwrite(self._file.fileno(), data[: self._kept - place], place)
                self._end += written
                data = data[written:]
            assert self._end - self._offset <= self._kept, "something was not read in time"
