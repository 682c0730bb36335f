"""Offsets: where lines begin in a file, and the bytes before one of them."""

from __future__ import annotations

from check_postfix.maillog.source.lines import LONGEST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from check_postfix.maillog.source.stream import Stream

# Enough before an offset to hold the longest line that Postfix writes, whatever the
# frame: what a line says can depend on the line before it.
BYTES_BEFORE = 4096


def approach(stream: Stream, offset: int) -> bytes:
    """Go to an offset; return the bytes before it."""
    start = max(0, offset - BYTES_BEFORE)
    stream.go_to(start)
    return stream.read_whole(offset - start)


def start_of_line(stream: Stream, offset: int, stop: int) -> int | None:
    """Return the offset of the first line that begins at or after one, None if none before stop."""
    stream.go_to(offset - 1)
    while offset < stop:
        data = stream.read(min(LONGEST, stop - offset))
        if not data:
            break
        cut = data.find(b"\n")
        if cut >= 0:
            return offset + cut
        offset += len(data)
    return None


def at_most(stream: Stream, left: int) -> Callable[[int], bytes]:
    """Return a `read` that ends after so many bytes."""

    def read(size: int) -> bytes:
        nonlocal left
        data = stream.read(min(size, left))
        left -= len(data)
        return data

    return read
