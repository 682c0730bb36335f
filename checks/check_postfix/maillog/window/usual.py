"""The usual level: what a number is on this host at this time when nothing is wrong.

Numbers are of quarter-hours, and compared by their square roots, since chance moves the root of
any number about equally far. What is usual is learned from the 28 whole local days before today:

- The *level* is the median of the same weekday at this time, or a quarter of an hour to either
  side, whichever is most. Where the clock has been changed since, programs that run by UTC do not
  follow: then the same instant of those days counts as well.
- *Too much* lies beyond the level by more than this server strays anyway: by 1.2 times as much as
  it did on 3 of the 28 days, at any hour about as busy, and by 25. Bursts are short and floods are
  not, so what each quarter of an hour has at least is held against what such hours had at least.
  How many times the usual it is, is told by the mean of these three medians: where the morning
  rises, the most of them is nearly twice what comes.
- *Too few* lies below the least of any day but 2 around this time: in the shortest span, of 15
  minutes to 4 hours, in which enough is usual to tell. Where weekdays as busy as this one tell
  sooner, next to nothing is too few by these; but it may be a holiday, so that is a WARNING.
- *Nothing* is told by how long it lasts: longer than on any day but 1.

So a weekly burst is usual, and an attack of two days does not become it. All of it is arithmetic
over values. Where they come from, and by which clock a day is one, stands in history.py.
"""

from __future__ import annotations

from collections import namedtuple
from functools import cached_property
from itertools import compress
from operator import sub

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    # 96 quarter-hours by the wall clock; None is one of which not all lines were read
    Day = Sequence[int | None]

DAYS = 28
QUARTERS = 96  # of a day
QUARTER = 15  # minutes
# With fewer known days nothing is judged.
LEAST_DAYS = 7
# On so many days of 28 it may have been as bad as that: a weekly burst is, an attack of two days
# is not, once 24 days are known.
RARE = 3
# Hours are about as busy if their levels differ by no more than this factor.
ALIKE = 8
# A good day is more of a busy hour than of a quiet one, even by its root: how far hours stray that
# are more than so many times as busy says nothing of this one.
BUSIER = 4
# Bursts differ much in size. One is no news until it strays so many times as far as those known.
BEYOND = 1.2
# Chance alone moves a root by half, and hardly ever by three times that.
CHANCE = 1.5
# A number is too much only if it is so many more. Where fewer are usual, none are too few: a third,
# or three times, of a handful is chance.
ENOUGH = 25
# In so many quarter-hours too few is looked for.
SPANS = (1, 2, 4, 8, 16)
# So many quarter-hours in a row make what lasts. History has them by the clock, and those that are
# judged lie anywhere: so many whole ones surely lie in them.
LASTING = 4
_WHOLE = LASTING - 1
# What is usual is no less than this part of what is usual at most. Where bursts are many times the
# level, one that is a little larger is not many times the usual.
PART = 1 / 3
# By days of the same kind, less than this part of what is usual at least is next to nothing, and
# makes this factor.
NOTHING = 0.1
WEAK = 0.2
# So many times the longest usual silence is told, by default.
SILENT = 2.5
# Quarter-hours to either side that are around the same time.
_AROUND = 4
# A weekday has its own level if so many of it are known, a time of day if so many days are.
_LEAST = 3
_WEEK = 7
_UNKNOWN = -1e9


def rare(known: int) -> int:
    """Return on how many of so many known days it may have been worse than what is usual."""
    return max(1, (RARE * known + DAYS // 2) // DAYS)


def bar(strays: Iterable[float], rare: int, level: float = 0.0) -> float:
    """Return up to which number is no news.

    strays: how far the root of a number lay above its level on each known day, at most
    rare:   on so many days it may have been worse
    level:  root of the level
    """
    usual = sorted(strays, reverse=True)[rare - 1 : rare]
    most: float = (level + BEYOND * max([CHANCE, *usual])) ** 2
    return most


class Range(namedtuple("Range", "days level high high_lasting lows of_kind silence")):
    """What is usual at one time of day.

    days:         that are known
    level:        what comes on average in a quarter-hour, as are the next two; None if not known
    high:         at most
    high_lasting: at most, in each quarter-hour of an hour
    lows:         number of quarter-hours -> at least, in so many of them together
    of_kind:      one such pair, if on days of the same kind enough is usual in fewer of them
    silence:      minutes for which nothing comes at most, None if that is not known
    """

    __slots__ = ()

    days: int
    level: float | None
    high: float
    high_lasting: float
    lows: dict[int, int]
    of_kind: tuple[int, int] | None
    silence: int | None

    @property
    def is_known(self) -> bool:
        """Whether anything can be judged by it."""
        return self.days >= LEAST_DAYS and self.level is not None

    @property
    def telling(self) -> int | None:
        """In how many quarter-hours enough is usual to tell that too few came."""
        return _telling(self.lows)

    @property
    def spans(self) -> int:
        """How many quarter-hours are looked at to tell that too few came."""
        return max(self.telling or 0, self.of_kind[0] if self.of_kind else 0)

    @property
    def stop_shows(self) -> int | None:
        """After how many minutes without anything a stop is told; None if it never is."""
        after = [QUARTER * self.telling] if self.telling else []
        after += [QUARTER * self.of_kind[0]] if self.of_kind else []
        after += [int(SILENT * self.silence)] if self.silence else []
        return min(after, default=None)

    def usual(self, high: float) -> float:
        """Return what is usual, where at most so much is."""
        return max(self.level or 0.0, high * PART, 1.0)


class Recent(namedtuple("Recent", "quarters silence")):
    """What has come lately.

    quarters: in each 15 minutes before the end of the window, the last ones first; None where not
              all lines were read
    silence:  for how many minutes nothing has come; without those whose lines were not all read
    """

    __slots__ = ()

    quarters: Sequence[int | None]
    silence: int


class Verdict(namedtuple("Verdict", "how factor number quarters usual limit silence")):
    """What has come lately, held against what is usual.

    how:      WITHIN the range, MORE, LASTING or LESS, or UNJUDGED
    factor:   of the number to `usual`; 1 within the range
    number:   the one that decided, None if it is not known
    quarters: in how many quarter-hours it came; of LASTING, in each of how many
    usual:    what it usually is; of LESS, at least
    limit:    what it is at most, or at least
    silence:  the silence as a multiple of the longest usual one
    """

    __slots__ = ()

    how: str
    factor: float
    number: int | None
    quarters: int
    usual: float
    limit: float
    silence: float


WITHIN, MORE, LASTING_MORE, LESS, UNJUDGED = "within", "more", "lasting", "less", "unjudged"


def judge(recent: Recent, usual: Range) -> Verdict:
    """Hold what has come lately against what is usual."""
    last = recent.quarters[0]
    if not usual.is_known:
        return Verdict(UNJUDGED, 1.0, last, 1, 0.0, 0.0, 0.0)
    silence = recent.silence / usual.silence if usual.silence else 0.0
    if last is not None and last > usual.high:
        of = usual.usual(usual.high)
        return Verdict(MORE, last / of, last, 1, of, usual.high, silence)
    least = _together(min, recent.quarters[:LASTING], LASTING)
    if least is not None and least > usual.high_lasting:
        high = usual.high_lasting
        of = usual.usual(high)
        return Verdict(LASTING_MORE, least / of, least, LASTING, of, high, silence)
    if span := usual.telling:
        low = usual.lows[span]
        number = _together(sum, recent.quarters[:span], span)
        if number is not None and number < low:
            return Verdict(LESS, number / low, number, span, low, low, silence)
    if usual.of_kind:
        span, low = usual.of_kind
        number = _together(sum, recent.quarters[:span], span)
        if number is not None and number < low * NOTHING:
            return Verdict(LESS, WEAK, number, span, low, low, silence)
    how = UNJUDGED if last is None else WITHIN
    return Verdict(how, 1.0, last, 1, usual.usual(usual.high), usual.high, silence)


def _together(
    join: Callable[[Iterable[int]], int], numbers: Sequence[int | None], wanted: int
) -> int | None:
    """Return what so many numbers come to, None if not all of them are known."""
    known = [number for number in numbers if number is not None]
    return join(known) if len(known) == wanted else None


def _telling(lows: Mapping[int, int]) -> int | None:
    """Return the first number of quarter-hours in which enough is usual."""
    return next((span for span, low in lows.items() if low >= ENOUGH), None)


class Usual:
    """What is usual on a host, learned from the days before today.

    days:  the 28 days before today, the oldest first; the last one is yesterday
    moved: by how many quarter-hours the clock has been put forward since each of them
    """

    def __init__(self, days: Sequence[Day], moved: Sequence[int] = ()) -> None:
        self._days = days
        self._known = [n for n, day in enumerate(days) if day.count(None) < QUARTERS / 2]
        self._rare = rare(len(self._known))
        self._today = len(days) % _WEEK
        medians = _medians(days)
        self._levels = [_levels(of_weekday) for of_weekday in medians]
        self._medians_today = medians[self._today]
        if any(moved):
            by_utc = _medians(_by_utc(days, moved))[self._today]
            self._medians_today = list(map(_larger, self._medians_today, by_utc))
        self._levels_today = _levels(self._medians_today)
        # Of each quarter-hour that has ever been: 1 more than its level, so that 0 is like 1.
        self._busy = [
            [_UNKNOWN if level is None else level**2 + 1 for level in of_weekday]
            for of_weekday in self._levels
        ]
        self._add_up()

    def _add_up(self) -> None:
        """Add up, for each instant between two quarter-hours, what was before it."""
        self._sums, self._unread, self._empty = [0], [0], [0]
        total = unread = empty = 0
        for day in self._days:
            for number in day:
                if number is None:
                    unread += 1
                    empty = 0
                else:
                    total += number
                    empty = 0 if number else empty + 1
                self._sums.append(total)
                self._unread.append(unread)
                self._empty.append(empty)

    def at(self, quarter: int, enough: int = ENOUGH) -> Range:
        """Return what is usual today at a quarter-hour of the day.

        enough: a number is too much only if it is so many more
        """
        level = self._levels_today[quarter]
        if level is None or len(self._known) < LEAST_DAYS:
            return Range(len(self._known), None, 0.0, 0.0, {}, None, None)
        short, lasting = self._strays(level**2 + 1)
        least = self._least(quarter)
        return Range(
            len(self._known),
            _expected(self._medians_today, quarter) ** 2,
            bar(short, self._rare, level) + enough,
            bar(lasting, self._rare, level) + enough,
            lows := self._lows(least, self._known),
            self._of_kind(quarter, least, _telling(lows) or QUARTERS),
            self._silence(quarter),
        )

    @cached_property
    def _strayed(self) -> list[tuple[list[float], list[float]]]:
        """How far each known day strayed: in each quarter-hour, and in as many as make what lasts.

        These are in a row, and the first of them names them.
        """
        found = []
        for n in self._known:
            strayed = [
                _UNKNOWN if number is None or level is None else number**0.5 - level
                for number, level in zip(self._days[n], self._levels[n % _WEEK], strict=True)
            ]
            in_a_row = list(map(min, *(strayed[n:] for n in range(_WHOLE))))
            found.append((strayed, in_a_row))
        return found

    def _strays(self, busy: float) -> tuple[list[float], list[float]]:
        """Return how far each known day strayed at most where it was about as busy.

        Returns: for a quarter-hour, and for as many in a row as make what lasts
        """
        least, most = busy / ALIKE, busy * BUSIER
        alike = [[least <= then <= most for then in of_weekday] for of_weekday in self._busy]
        short, lasting = [], []
        for n, (strayed, in_a_row) in zip(self._known, self._strayed, strict=True):
            short.append(max(compress(strayed, alike[n % _WEEK]), default=_UNKNOWN))
            lasting.append(max(compress(in_a_row, alike[n % _WEEK]), default=_UNKNOWN))
        return short, lasting

    def _of_kind(
        self, quarter: int, least: Mapping[int, Mapping[int, int]], otherwise: int
    ) -> tuple[int, int] | None:
        """Return in how many quarter-hours, and how much of, enough comes on days of this kind.

        least:     see `_least`
        otherwise: in how many it does on all days; None if it is no sooner
        """
        if otherwise == 1:
            return None
        busy = self._busy[self._today][quarter]
        alike = [
            n for n in self._known if busy / ALIKE <= self._busy[n % _WEEK][quarter] <= busy * ALIKE
        ]
        lows = self._lows(least, alike)
        span = _telling(lows)
        return (span, lows[span]) if span and span < otherwise else None

    def _least(self, quarter: int) -> dict[int, dict[int, int]]:
        """Return span -> known day -> what came at least in spans that end around this time."""
        sums, unread = self._sums, self._unread
        found: dict[int, dict[int, int]] = {span: {} for span in SPANS}
        for day in self._known:
            ends = self._around(day, quarter)
            for span in SPANS:
                first, after = max(ends.start, span), ends.stop
                if first >= after:
                    continue
                if unread[first - span] == unread[after - 1]:  # as mostly
                    came = map(sub, sums[first:after], sums[first - span : after - span])
                    found[span][day] = min(came)
                    continue
                known = [
                    sums[end] - sums[end - span]
                    for end in range(first, after)
                    if unread[end] == unread[end - span]
                ]
                if known:
                    found[span][day] = min(known)
        return found

    def _lows(self, least: Mapping[int, Mapping[int, int]], days: Sequence[int]) -> dict[int, int]:
        """Return what came at least, on some days, in spans that end around this time.

        least: see `_least`
        """
        lows = {}
        for span, of_day in least.items():
            of_days = [of_day[day] for day in days if day in of_day]
            if len(of_days) >= LEAST_DAYS:
                of_days.sort()
                lows[span] = of_days[self._rare - 1]
        return lows

    def _silence(self, quarter: int) -> int:
        """Return for how many minutes nothing has come, on any day but 1, around this time."""
        empty = self._empty
        around = (self._around(day, quarter) for day in self._known)
        longest = [max(empty[ends.start : ends.stop]) for ends in around]
        # One more: a silence begins and ends somewhere in a quarter-hour.
        return QUARTER * (1 + sorted(longest, reverse=True)[min(self._rare, 2) - 1])

    def _around(self, day: int, quarter: int) -> range:
        """Return the ends of the quarter-hours around this time of a day."""
        end = day * QUARTERS + quarter + 1
        return range(max(end - _AROUND, 1), min(end + _AROUND + 1, len(self._sums)))


def _by_utc(days: Sequence[Day], moved: Sequence[int]) -> list[Day]:
    """Return the days as a clock that is never changed, and shows today's time, had them."""
    numbers = [number for day in days for number in day]
    begins = [n * QUARTERS - quarters for n, quarters in enumerate(moved)]
    # What lies outside of all the days is not known.
    return [
        [numbers[at] if 0 <= at < len(numbers) else None for at in range(begin, begin + QUARTERS)]
        for begin in begins
    ]


def _larger(one: float | None, other: float | None) -> float | None:
    """Return the larger of two medians; where one is not known, the first."""
    return one if one is None or other is None else max(one, other)


def _medians(days: Sequence[Day]) -> list[list[float | None]]:
    """Return the medians of the roots of each weekday; the first day's weekday comes first."""
    roots = [[None if number is None else number**0.5 for number in day] for day in days]
    of_all = list(zip(*roots, strict=True))
    return [
        [
            _median(same, every)
            for same, every in zip(zip(*roots[weekday::_WEEK], strict=True), of_all, strict=True)
        ]
        for weekday in range(_WEEK)
    ]


def _levels(medians: Sequence[float | None]) -> list[float | None]:
    """Return the most of each quarter-hour and those beside it; None where it is not known."""
    around = zip([None, *medians], medians, [*medians[1:], None], strict=False)
    return [
        None if at is None else max(near for near in (before, at, after) if near is not None)
        for before, at, after in around
    ]


def _expected(medians: Sequence[float | None], quarter: int) -> float:
    """Return the mean of a quarter-hour, which counts twice, and of those beside it."""
    near = [*medians[max(quarter - 1, 0) : quarter + 2], medians[quarter]]
    known = [median for median in near if median is not None]
    return sum(known) / len(known)


def _median(same: Sequence[float | None], every: Sequence[float | None]) -> float | None:
    """Return the median of the same weekday; of all days, if too few of it are known."""
    known = [root for root in same if root is not None]
    if len(known) < _LEAST:
        known = [root for root in every if root is not None]
        if len(known) < _LEAST:
            return None
    known.sort()
    middle = len(known) // 2
    return known[middle] if len(known) % 2 else (known[middle - 1] + known[middle]) / 2
