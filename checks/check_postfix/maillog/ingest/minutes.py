"""Minutes: when lines of a log say that they were written."""

from __future__ import annotations

import time

from check_postfix.maillog.syntax import frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from check_postfix.maillog.source.stream import Stream
    from check_postfix.maillog.syntax.timestamps import Timestamps

# Lines at either end of a block that are asked for their time.
_LINES_ASKED = 20
# From one line to the next, the time steps back by less than this, and ahead by less than that.
# Else a clock was set in between, or is another host's. In minutes.
_BACK = 5
_AHEAD = 24 * 60
# So many times as many lines must follow with another time for the first ones to be wrong.
_MANY_TIMES = 3
# So many bytes are asked for the minute before a piece, and of so many lines each.
_NEARBY_BYTES = 64 * 1024
_ASKED_NEARBY = 10_000


def minute_of(line: bytes, timestamps: Timestamps) -> int | None:
    """Return the minute of a line, None if it has none."""
    record = frame.parse(line)
    return timestamps.minute(record.stamp, record.zone) if record else None


def last_minute(block: bytes, timestamps: Timestamps) -> int | None:
    """Return the minute of the last line of a block that has one, None if none near its end has."""
    for line in reversed(block.rsplit(b"\n", _LINES_ASKED)):
        minute = minute_of(line, timestamps)
        if minute is not None:
            return minute
    return None


def first_minute(data: bytes, timestamps: Timestamps, now: int) -> int | None:
    """Return the minute from which on some bytes of a log tell what happened, None for none.

    That is the first line's, unless those that follow have other times: a machine without a
    clock writes of years ago when it starts, and a host whose clock is wrong of another day.
    Then it is that of the first line of the longest run of lines whose times follow each other,
    if that is several times as long as the first one, or the first one lies in the future; of
    runs that are as long the last one, if it is not in the future.

    now: minutes since 1970
    """
    lines = data.split(b"\n")
    # Nearly always the lines at both ends tell that all is well.
    runs = _runs(lines[:_LINES_ASKED] + lines[_LINES_ASKED:][-_LINES_ASKED:], timestamps)
    if len(runs) > 1:
        runs = _runs(lines, timestamps)
    if not runs:
        return None
    first = runs[0]
    longest = max(runs, key=lambda run: (len(run), run[0] <= now + _BACK, run[0]))
    # A quiet host may write a few lines on Friday and many on Monday.
    is_quiet = first[0] <= now + _BACK and len(longest) < _MANY_TIMES * len(first)
    return first[0] if is_quiet else longest[0]


def _runs(lines: Iterable[bytes], timestamps: Timestamps) -> list[list[int]]:
    """Return the minutes of lines, in runs in which one follows the other."""
    runs: list[list[int]] = []
    for line in lines:
        minute = minute_of(line, timestamps)
        if minute is None:
            continue
        if runs and -_BACK <= minute - runs[-1][-1] <= _AHEAD:
            runs[-1].append(minute)
        else:
            runs.append([minute])
    return runs


def minute_before(
    stream: Stream, offset: int, timestamps: Timestamps, deadline: float
) -> int | None:
    """Return the minute of the line before an offset of a plain file, None if that has none.

    A stamp of the hour that daylight saving repeats means its first or its second round;
    the lines before it tell. So some of those are asked, back to one that means one minute
    only: all of them nearby, where little may be logged, and then one here and there.

    timestamps: has read nothing yet
    deadline:   time.monotonic() at which to ask no more
    """
    asked: list[bytes] = []
    size = _NEARBY_BYTES
    while offset > 0 and time.monotonic() < deadline:
        start = max(0, offset - size)
        stream.go_to(start)
        # the first line is cut
        lines = stream.read_whole(min(offset - start, _NEARBY_BYTES)).split(b"\n")[1:]
        if size > _NEARBY_BYTES:
            lines = lines[:1]
        asked = [*lines, *asked]
        if any(_means_one_minute(line, timestamps) for line in lines):
            break
        offset = start
        size = _NEARBY_BYTES if len(asked) < _ASKED_NEARBY else 2 * _NEARBY_BYTES
    last = None
    for line in asked:
        minute = minute_of(line, timestamps)
        last = last if minute is None else minute
    return last


def _means_one_minute(line: bytes, timestamps: Timestamps) -> bool:
    record = frame.parse(line)
    return record is not None and timestamps.is_definite(record.stamp, record.zone)
