"""The clock offset: how far the stamps of a log run off this machine's clock.

A line that comes in between two runs was written between them, or a little before. What its
stamp says beyond that is an offset. One line can come late, by any time. But what is late by
the same half hours again and again is not late: it is stamped in another time zone.
"""

from __future__ import annotations

from collections import namedtuple

from check_postfix.maillog.store.store import NO_OFFSET

TYPE_CHECKING = False
if TYPE_CHECKING:
    from check_postfix.maillog.store.store import Log

# Zones differ by quarters of an hour, and by less than half an hour none in use does.
_QUARTER = 15
_LEAST = 30
# So many times in a row, in which lines were seen coming.
_TIMES = 3
# Lines are this late without anything being wrong. In minutes.
_LATE = 1
# What is ahead by less is a clock that is not quite right.
_AHEAD = 10
_ANY = 10**9


class ClockOffset(namedtuple("ClockOffset", "low high times")):
    """Between which numbers of minutes the stamps run ahead; behind, if negative.

    times: how often lines were seen coming for which both hold
    """

    __slots__ = ()

    low: int
    high: int
    times: int

    def after(self, newest: int, seen: int | None, now: int) -> ClockOffset:
        """Return what is known after some more lines.

        newest: the stamp of the last one, in minutes since 1970
        seen:   minute in which a run of ours saw that it was not there yet, None if none did
        now:    the minute of this run
        """
        is_seen = seen is not None and seen <= now
        low = newest - now - 1
        high = newest - seen + 1 + _LATE if seen is not None and is_seen else _ANY
        times = int(is_seen)
        if max(low, self.low) > min(high, self.high):
            return ClockOffset(low, high, times)
        return ClockOffset(max(low, self.low), min(high, self.high), self.times + times)

    @property
    def proven(self) -> int:
        """Minutes that stamps run ahead for certain, negative if behind; 0 if none do."""
        if self.times < _TIMES or self.low <= 0 <= self.high:
            return 0
        first = -(-self.low // _QUARTER) * _QUARTER
        is_one = first <= self.high < first + _QUARTER
        return first if is_one and abs(first) >= _LEAST else 0

    @property
    def ahead(self) -> int:
        """Minutes that the newest stamp lies in the future, 0 if it does not."""
        return self.low + 1 if self.low >= _AHEAD else 0


UNKNOWN = ClockOffset(-_ANY, _ANY, 0)


def of(log: Log) -> ClockOffset:
    """Return what is known of a log."""
    return UNKNOWN if log.offset == NO_OFFSET else ClockOffset(*log.offset)
