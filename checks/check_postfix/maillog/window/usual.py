"""The usual level: what a number is on this host when nothing is wrong.

How much mail there is depends on the time of day. So the window is compared with equally
long ones at the same time on earlier days. With too few days it is compared with the
preceding hours; with too few of these, with nothing. Only windows whose lines were all read
take part. The level is their median, which one bad day does not raise.
"""

from __future__ import annotations

from datetime import datetime, timedelta

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import tzinfo

    from check_postfix.maillog.window.coverage import Coverage

DAYS = 28
# With fewer windows, nobody can tell what is usual.
LEAST_DAYS = 3
LEAST_PRECEDING = 4
HOURS = 24


class Usual:
    """A usual level.

    level: the median, None if there is too little history
    basis: of which windows it is the median, in words: `28 days` are those at the same
           time of day, `last 24 h` those right before
    """

    __slots__ = ("basis", "level")

    def __init__(self, level: float | None, basis: str) -> None:
        self.level = level
        self.basis = basis


def usual(
    start: int,
    end: int,
    zone: tzinfo | None,
    coverage: Coverage,
    count: Callable[[int, int], int | None],
) -> Usual:
    """Return what the numbers of a window usually come to.

    start, end: its minutes
    zone:       whose time of day counts; None for the machine's
    count:      from (start, end) to what these minutes came to; None where nothing was logged
                then, which says nothing of what is usual
    """

    def counted(spans: Iterator[tuple[int, int]]) -> list[int]:
        numbers = (count(*span) for span in spans if coverage.includes(*span))
        return [number for number in numbers if number is not None]

    earlier = counted(same_time(start, end, zone))
    if len(earlier) >= LEAST_DAYS:
        return Usual(_median(earlier), f"{len(earlier)} days")
    preceding = counted(_preceding(start, end))
    if len(preceding) >= LEAST_PRECEDING:
        minutes = len(preceding) * (end - start)
        span = f"{minutes} min" if minutes % 60 else f"{minutes // 60} h"
        return Usual(_median(preceding), f"last {span}")
    return Usual(None, "usual not known yet")


def same_time(start: int, end: int, zone: tzinfo | None) -> Iterator[tuple[int, int]]:
    """Yield a window's minutes of each earlier day, yesterday's first."""
    # On the wall clock: with daylight saving in between, a day is not 24 hours.
    there = datetime.fromtimestamp(start * 60, zone)
    for days in range(1, DAYS + 1):
        then = int((there - timedelta(days=days)).timestamp()) // 60
        if then + end - start <= start:  # a window of days must not be compared with itself
            yield then, then + end - start


def _preceding(start: int, end: int) -> Iterator[tuple[int, int]]:
    length = end - start
    for earlier in range(start - length, start - HOURS * 60 - 1, -length):
        yield earlier, earlier + length


def _median(numbers: list[int]) -> float:
    ordered = sorted(numbers)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2
