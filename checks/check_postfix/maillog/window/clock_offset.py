"""The clock offset: how far the stamps of a log run off this machine's clock.

A line that comes in between two runs was written between them, or a little before. What its
stamp says beyond that is an offset. One line can come late, by any time. But what is late by
the same half hours again and again is not late: it is stamped in another time zone.

Until that is proven, the stamp of the newest line is compared with the time at which the file
was written. A file can be copied or touched, and a line can come late, so what is behind is
only said. But nothing comes before it is written: a stamp in the future, and ahead of the
file's own time by quarters of an hour, is in another zone.
"""

from __future__ import annotations

from collections import namedtuple

from check_postfix.maillog.store.logs import NO_OFFSET

TYPE_CHECKING = False
if TYPE_CHECKING:
    from check_postfix.maillog.store.logs import Log

# Zones differ by quarters of an hour, and by less than half an hour none in use does.
_QUARTER = 15
LEAST = 30
# So many times in a row, in which lines were seen coming.
TIMES = 3
# Lines are this late without anything being wrong. In minutes.
LATE = 1
# What is ahead by less is a clock that is not quite right.
_AHEAD = 10
# Zones that are in use differ by no more, but across the date line.
_MOST = 14 * 60
_ANY = 10**9


class ClockOffset(namedtuple("ClockOffset", "low high times")):
    """Between which numbers of minutes the stamps run ahead; behind, if negative.

    times: how often lines were seen coming for which both hold
    """

    __slots__ = ()

    low: int
    high: int
    times: int

    def after(self, newest: int, seen: int | None, now: int, written: int) -> ClockOffset:
        """Return what is known after some more lines.

        newest:  the stamp of the last one, in minutes since 1970
        seen:    minute in which a run of ours saw that it was not there yet, None if none did
        now:     the minute of this run
        written: the minute in which the file says that it was written
        """
        zone = zone_of(newest - written)
        if zone and newest - now >= _AHEAD:
            return ClockOffset(zone - LATE, zone + LATE, TIMES)
        is_seen = seen is not None and seen <= now
        low = newest - now - 1
        high = newest - seen + 1 + LATE if seen is not None and is_seen else _ANY
        times = int(is_seen)
        if max(low, self.low) > min(high, self.high):
            return ClockOffset(low, high, times)
        return ClockOffset(max(low, self.low), min(high, self.high), self.times + times)

    @property
    def proven(self) -> int:
        """Minutes that stamps run ahead for certain, negative if behind; 0 if none do."""
        if self.times < TIMES or self.low <= 0 <= self.high:
            return 0
        first = -(-self.low // _QUARTER) * _QUARTER
        is_one = first <= self.high < first + _QUARTER
        return first if is_one and abs(first) >= LEAST else 0

    def seems(self, newest: int, written: int) -> int:
        """Return minutes that stamps seem to run behind, as a negative number; 0 if they do not.

        newest:  the newest stamp, in minutes since 1970
        written: the minute in which the file says that it was written
        """
        zone = zone_of(newest - written)
        return zone if zone < 0 and self.low <= zone <= self.high else 0

    def ahead(self, elapsed: int) -> int:
        """Return minutes that the newest stamp lies in the future, 0 if it does not.

        elapsed: minutes since the run that has read it
        """
        ahead = self.low + 1 - elapsed
        return ahead if ahead > _AHEAD else 0


def zone_of(off: int) -> int:
    """Return by how many minutes two zones differ if stamps are so many off, 0 if none do."""
    nearest = (off + LATE) // _QUARTER * _QUARTER
    is_near = abs(off - nearest) <= LATE
    return nearest if is_near and LEAST <= abs(nearest) <= _MOST else 0


UNKNOWN = ClockOffset(-_ANY, _ANY, 0)


def of(log: Log) -> ClockOffset:
    """Return what is known of a log."""
    return UNKNOWN if log.offset == NO_OFFSET else ClockOffset(*log.offset)
