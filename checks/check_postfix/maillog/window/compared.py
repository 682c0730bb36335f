"""Compared: what has come lately of a series, held against what is usual on this host."""

from __future__ import annotations

from collections import namedtuple

from check_postfix.maillog.counts.series import (
    CONNECTED,
    FLOODED,
    SCREENED,
    counters,
    watched_in,
)
from check_postfix.maillog.window import usual
from check_postfix.maillog.window.history import History, on_the_wall, quarter_of
from check_postfix.maillog.window.usual import QUARTER, QUARTERS, Range, Recent, Usual, Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence
    from datetime import tzinfo
    from typing import Any

    from check_postfix.maillog.store.answers import Answers
    from check_postfix.maillog.window.coverage import Coverage

# Where postscreen has said nothing for so long it does not run, in quarter-hours.
_SCREENED_LATELY = 2 * QUARTERS


class Compared(namedtuple("Compared", "verdict range recent last_day")):
    """What has come lately, and what is usual.

    last_day: numbers of the 96 quarter-hours before the end of the window, the oldest first
    """

    __slots__ = ()

    verdict: Verdict
    range: Range
    recent: Recent
    last_day: Sequence[int | None]

    def without_too_few(self) -> Compared:
        """Return what it is if too few are no trouble."""
        verdict, high = self.verdict, self.range.high
        if verdict.how == usual.LESS:
            last = self.recent.quarters[0]
            how = usual.UNJUDGED if last is None else usual.WITHIN
            verdict = Verdict(how, 1.0, last, 1, self.range.usual(high), high, 0.0)
        return self._replace(verdict=verdict)

    def of_part(self, quarters: Sequence[int]) -> Compared:
        """Return what a part of what has come would be: too much of it is too much of all.

        quarters: as in Recent, but only LASTING of them
        """
        recent = Recent(quarters, 0)
        return self._replace(
            recent=recent, verdict=usual.judge(recent, self.range)
        ).without_too_few()

    def with_more(self, number: int) -> Compared:
        """Return what it would be if so many more had come in the last 15 minutes."""
        last, *before = self.recent.quarters
        recent = self.recent._replace(quarters=[(last or 0) + number, *before], silence=0)
        return self._replace(recent=recent, verdict=usual.judge(recent, self.range))


class Counted:
    """What was counted of some origins up to a minute.

    whole:  whether they are all that the log has told of. Else they may have begun later than it
    in_all: see View: finds what is the same up to other minutes
    watched_since: tells since which minute each message for an address is known
    """

    def __init__(
        self,
        answers: Answers,
        origins: Sequence[int],
        end: int,
        coverage: Coverage,
        zone: tzinfo | None,
        whole: bool,
        in_all: Callable[[Hashable, Callable[[], Any]], Any],
        watched_since: Callable[[str], int | None],
    ) -> None:
        self._answers = answers
        self._watched_since = watched_since
        self._origins = origins
        self._end = end
        self._coverage = coverage
        # The last quarter of an hour lies across two of the clock's; it is the one of its middle.
        time = on_the_wall(end - QUARTER // 2 - 1, zone)
        self._quarter = quarter_of(time)
        self._history: History = in_all(("history", time.date()), lambda: History(time, zone))
        self._whole = whole
        self._in_all = in_all

    def compared(self, series: str, enough: int | None) -> Compared:
        """Hold what has come lately of a series against what is usual.

        enough: a number below this is never too much; None for what holds for most
        """
        parts = self._parts(series)
        last = -(-self._end // QUARTER)
        numbers: Mapping[int, int] = {}
        for name, origins in parts:
            found = self._answers.quarters(name, self._history.first, last, origins)
            numbers = _added(numbers, found) if numbers and found else numbers or found
        since = self._history.first
        if not self._whole:
            since = self._answers.quarters_since(since, last, self._origins)
        if series in (CONNECTED, FLOODED):
            # Older versions did not count them, and postscreen may have come yesterday.
            since = max(since, min(numbers, default=last))
        address = watched_in(series)
        if address is not None:
            asked = self._watched_since(address)
            since = max(since, last if asked is None else -(-asked // QUARTER))
            # Where one is taken back, what it was part of may have been forgotten.
            numbers = {quarter: max(0, number) for quarter, number in numbers.items()}
        enough = usual.ENOUGH if enough is None else enough
        range_ = self._range(parts, numbers, min(since, self._history.last), enough)
        recent = self._recent(parts, numbers, max(usual.LASTING, range_.spans))
        last_day = self._last_day(numbers, last)
        return Compared(usual.judge(recent, range_), range_, recent, last_day)

    def _range(
        self,
        parts: Sequence[tuple[str, Sequence[int]]],
        numbers: Mapping[int, int],
        since: int,
        enough: int,
    ) -> Range:
        """Return what is usual at this time: on all days the same, whatever the minute.

        numbers: of quarter-hours; those of today make no difference
        """
        asked = self._history.first, since, *((name, tuple(origins)) for name, origins in parts)
        learned: Usual = self._in_all(
            ("usual", asked),
            lambda: Usual(self._history.days(numbers, self._coverage, since), self._history.moved),
        )
        found: Range = self._in_all(
            ("range", asked, self._quarter, enough), lambda: learned.at(self._quarter, enough)
        )
        return found

    def _last_day(self, numbers: Mapping[int, int], last: int) -> list[int | None]:
        quarters = range(last - QUARTERS, last)
        if self._coverage.includes(quarters[0] * QUARTER, self._end):  # as mostly
            return [numbers.get(quarter, 0) for quarter in quarters]
        return [
            numbers.get(quarter, 0) if self._is_known(quarter) else None for quarter in quarters
        ]

    def number(self, series: str, start: int) -> int:
        """Return what a series came to from a minute up to the end."""
        return sum(
            self._answers.totals(start, self._end, origins).get(counter, 0)
            for name, origins in self._parts(series)
            for counter in counters(name)
        )

    def _parts(self, series: str) -> list[tuple[str, Sequence[int]]]:
        """Return of which origins which series are looked at.

        Where postscreen runs, its connections are counted, else smtpd's.
        """
        if series != CONNECTED:
            return [(series, self._origins)]
        last = -(-self._end // QUARTER)
        screened = self._answers.origins_of(SCREENED, last - _SCREENED_LATELY, last)
        return [
            (SCREENED, [origin for origin in self._origins if origin in screened]),
            (CONNECTED, [origin for origin in self._origins if origin not in screened]),
        ]

    def _is_known(self, quarter: int) -> bool:
        begin = quarter * QUARTER
        return self._coverage.includes(begin, min(begin + QUARTER, self._end))

    def _by_minute(
        self, parts: list[tuple[str, Sequence[int]]], start: int, end: int
    ) -> dict[int, int]:
        found: dict[int, int] = {}
        for name, origins in parts:
            if origins:
                of_part = self._answers.by_minute(counters(name), start, end, origins)
                for minute, number in of_part.items():
                    found[minute] = found.get(minute, 0) + number
        return found

    def _recent(
        self, parts: list[tuple[str, Sequence[int]]], numbers: Mapping[int, int], spans: int
    ) -> Recent:
        start = self._end - spans * QUARTER
        minutes = self._by_minute(parts, start, self._end)
        sums = [0] * spans
        for minute, number in minutes.items():
            sums[(self._end - 1 - minute) // QUARTER] += number
        quarters: Sequence[int | None] = sums
        if not self._coverage.includes(start, self._end):
            quarters = [
                number if self._coverage.includes(end - QUARTER, end) else None
                for number, end in zip(sums, range(self._end, start, -QUARTER), strict=True)
            ]
        if minutes:
            return Recent(quarters, self._end - 1 - max(minutes))
        return Recent(quarters, self._silence(parts, numbers))

    def _silence(self, parts: list[tuple[str, Sequence[int]]], numbers: Mapping[int, int]) -> int:
        """Return for how many minutes nothing has come; those that are not read are left out."""
        for quarter in sorted(numbers, reverse=True):
            begin, end = quarter * QUARTER, quarter * QUARTER + QUARTER
            minutes = (
                self._by_minute(parts, begin, min(end, self._end)) if begin < self._end else ()
            )
            # In the quarter-hour of the end, all may have come after it.
            if minutes or end <= self._end:
                last = max(minutes, default=begin)
                break
        else:
            start = self._coverage.start
            last = (self._end if start is None else start) - 1
        return self._coverage.read_of(max(last + 1, self._history.first * QUARTER), self._end)


def _added(numbers: Mapping[int, int], others: Mapping[int, int]) -> dict[int, int]:
    return {at: numbers.get(at, 0) + others.get(at, 0) for at in numbers.keys() | others.keys()}
