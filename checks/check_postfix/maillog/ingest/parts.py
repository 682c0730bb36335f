"""Parts: where a piece is cut, so that several processes can read it.

A part begins behind a line that tells of an event, and whose stamp means one minute and no other.
Then what stands before it is told by that minute and the bytes before, and nothing has to wait
for the time of another line. One process hands over what it has counted at the same places, so
that the store is told the same by any number of processes.
"""

from __future__ import annotations

from collections import namedtuple
from math import inf

from check_postfix.maillog.events.recogniser import recognise
from check_postfix.maillog.source.lines import BLOCK
from check_postfix.maillog.syntax import frame
from check_postfix.maillog.syntax.partial_lines import is_of_container

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from check_postfix.maillog.syntax.timestamps import Timestamps

# A part has at least so many bytes, blocks as they are read: what closes a hole is one part.
PART_BYTES = 70 * BLOCK
# Of a compressed log so much is kept unpacked, for each part that is begun. What cannot be cut is
# read by one process.
LONGEST_PART = PART_BYTES + 10 * BLOCK
# The longest line behind which a piece is cut, and the longest rest of a line in a block.
LONGEST_LINE = 4096


class Part(namedtuple("Part", "piece start end first before previous minute last")):
    """A part of a piece, in offsets of its file.

    piece:    where the piece begins
    start:    where its first line begins
    end:      up to where it is read; a line that is cut there is the next part's
    first:    bytes that are read at first, so that its blocks are those of the whole piece
    before:   the bytes before it
    previous: minute of the line before it, as far as that is known
    minute:   the same, if the line tells of an event; None at the beginning of a piece
    last:     minute of its last line, behind which it is cut; None at the end of a piece
    """

    __slots__ = ()

    piece: int
    start: int
    end: int
    first: int
    before: bytes
    previous: int | None
    minute: int | None
    last: int | None


class Cuts:
    """Where a piece is cut.

    start: offset at which it begins
    timestamps: reads its stamps
    """

    def __init__(self, start: int, timestamps: Timestamps) -> None:
        self._start = start
        self._timestamps = timestamps
        self._due = start + PART_BYTES

    def minute_at(self, end: int, block: bytes) -> int | None:
        """Return the minute of the last line of a block if the piece is cut behind it, else None.

        end: offset after that line
        """
        # Up to here whole blocks were read.
        read = self._start - (self._start - end) // BLOCK * BLOCK
        if read < self._due or read - end > LONGEST_LINE:
            return None
        line = block[block.rfind(b"\n") + 1 :]
        minute = _minute(line, self._timestamps)
        if minute is not None:
            self._due = read + PART_BYTES
        return minute

    def parts(
        self,
        read_at: Callable[[int, int], bytes],
        end_before: Callable[[int], int | None],
        before: bytes,
        previous: int | None,
        longest: float = inf,
    ) -> Iterator[Part]:
        """Yield the parts up to the end of the piece, or up to one that is too long.

        read_at: returns so many bytes from an offset on
        end_before: returns where the piece ends if that is at an offset or before it, else None
        before:  the bytes before the piece
        previous: minute of the line before it
        """
        if end_before(self._start) is not None:
            return
        start, first, minute = self._start, BLOCK, None
        at = self._due
        while (stop := end_before(at)) is None:
            if at - start > longest:
                return
            # two lines, each with its newline
            data = read_at(at - 2 * LONGEST_LINE - 2, 2 * LONGEST_LINE + 2)
            lines, _, rest = data.rpartition(b"\n")
            end = at - len(rest)
            found = self.minute_at(end, lines) if b"\n" in lines else None
            if found is not None:
                yield Part(self._start, start, at, first, before, previous, minute, found)
                start, first = end, len(rest) + BLOCK
                before = read_at(end - LONGEST_LINE, LONGEST_LINE)
                previous = minute = found
                at = self._due
            else:
                at += BLOCK
        yield Part(self._start, start, stop, first, before, previous, minute, None)


def up_to(stop: int) -> Callable[[int], int | None]:
    """Return an `end_before` of what ends at an offset."""
    return lambda offset: stop if stop <= offset else None


def _minute(line: bytes, timestamps: Timestamps) -> int | None:
    """Return the minute of a line that tells of an event, None if that is not sure."""
    if len(line) > LONGEST_LINE or is_of_container(line, 0):
        return None  # a container's lines may come in several parts
    record = frame.parse(line)
    if record is None or not timestamps.is_definite(record.stamp, record.zone):
        return None
    if recognise(record) is None:
        return None
    return timestamps.minute(record.stamp, record.zone)
