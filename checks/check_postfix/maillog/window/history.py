"""History: the quarter-hours of the days before, as the clock on the wall had them.

Counts are kept by quarter-hours of UTC. A day on which the clock is changed has 92 or 100 of them.
An hour that is not there is not known. Of one that is there twice the first counts.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from check_postfix.maillog.window.usual import DAYS, QUARTER, QUARTERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import tzinfo

    from check_postfix.maillog.window.coverage import Coverage
    from check_postfix.maillog.window.usual import Day


def on_the_wall(minute: int, zone: tzinfo | None) -> datetime:
    """Return what the clock on the wall shows in a minute.

    zone: None for the machine's
    """
    return datetime.fromtimestamp(minute * 60, zone)


def quarter_of(time: datetime) -> int:
    """Return the quarter-hour of the day that a time by the clock on the wall is in."""
    return (time.hour * 60 + time.minute) // QUARTER


class History:
    """The days before the one that a time is in, and their quarter-hours.

    time: by the clock on the wall
    zone: whose clock that is; None for the machine's

    first, last: quarter-hours since 1970 from which on, and up to which, they are
    moved: by how many of them the clock has been put forward since each day, today included
    """

    def __init__(self, time: datetime, zone: tzinfo | None) -> None:
        self._zone = zone
        today = time.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        *self._midnights, tomorrow = [
            int((today - timedelta(days=days)).timestamp()) // 60 // QUARTER
            for days in range(DAYS, -2, -1)
        ]
        self.first, self.last = self._midnights[0], self._midnights[-1]
        self.moved = [
            (DAYS - n) * QUARTERS - (tomorrow - after)
            for n, after in enumerate(self._midnights[1:])
        ]

    def days(self, numbers: Mapping[int, int], coverage: Coverage, since: int) -> list[Day]:
        """Return the days, the oldest first.

        numbers: quarter-hour since 1970 -> number, where there is any
        since:   quarter-hour from which on who is looked at has been writing
        """
        unread = _unread(coverage, self.first, self.last)
        start = max(since, self.last if coverage.start is None else -(-coverage.start // QUARTER))
        end = coverage.end // QUARTER

        def number(quarter: int) -> int | None:
            if quarter < start or quarter >= end or quarter in unread:
                return None
            return numbers.get(quarter, 0)

        return [
            [number(quarter) for quarter in range(begin, after)]
            if after - begin == QUARTERS
            else self._of_changed_clock(begin, [number(quarter) for quarter in range(begin, after)])
            for begin, after in self._spans()
        ]

    def _spans(self) -> Iterator[tuple[int, int]]:
        return zip(self._midnights, self._midnights[1:], strict=False)

    def _of_changed_clock(self, begin: int, numbers: Day) -> Day:
        """Return the numbers of a day on which the clock is changed, by the clock."""
        day: list[int | None] = [None] * QUARTERS
        # From its end, so that of two the first counts.
        for quarter, number in reversed(list(enumerate(numbers, begin))):
            day[quarter_of(on_the_wall(quarter * QUARTER, self._zone))] = number
        return day


def _unread(coverage: Coverage, first: int, last: int) -> set[int]:
    """Return the quarter-hours between two of which lines are missing."""
    spans = [*coverage.gaps, *((file.first, file.last) for file in coverage.unread)]
    found: set[int] = set()
    for begin, end in spans:
        found.update(range(max(begin // QUARTER, first), min(end // QUARTER + 1, last)))
    return found
