"""Much asked: a store for whoever looks at thousands of windows of it, one after the other.

Each answer is the store's. Windows that follow each other lie almost upon each other, so nothing
is read twice, and what a long window has is told from what the one before it had.
"""

from __future__ import annotations

from bisect import bisect_left

from check_postfix.maillog.counts.families import MANY, SEPARATOR
from check_postfix.maillog.store import packed, tried
from check_postfix.maillog.store.held import HeldAnswers
from check_postfix.maillog.store.quarters import DAY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterable
    from typing import Any, TypeVar

    from check_postfix.maillog.store.answers import Answers

    V = TypeVar("V")
    Key = tuple[str, ...]
    Keys = list[tuple[Key, int]]

# Later than any minute
_EVER = 10**9
# Minutes. Of a shorter window, its keys are as soon added up as told from the one before.
_LONG = 60


class MuchAsked(HeldAnswers):
    """Answers as a store does, of what it held when it was first asked.

    What it returns is not to be changed: the next one may be given the same.
    """

    def __init__(self, answers: Answers) -> None:
        super().__init__(answers)
        # Question -> answer
        self._said: dict[Hashable, Any] = {}
        # What is asked again and again of other minutes -> these minutes, and what the answer was
        self._latest: dict[Hashable, tuple[Hashable, Any]] = {}

    def _once(self, question: Hashable, ask: Callable[[], V]) -> V:
        if question not in self._said:
            self._said[question] = ask()
        found: V = self._said[question]
        return found

    def _again(self, question: Hashable, minutes: Hashable, ask: Callable[[], V]) -> V:
        before, answer = self._latest.get(question, (None, None))
        if before != minutes:
            answer = ask()
            self._latest[question] = minutes, answer
        found: V = answer
        return found

    def totals(self, start: int, end: int, origins: Iterable[int]) -> dict[str, int]:
        """See Answers."""
        sums = {}
        for name, counter in self._counters(tuple(origins)).items():
            first, last = counter.places(start, end)
            if first < last:
                sums[name] = counter.sum(first, last)
        return sums

    def by_minute(
        self, counters: Iterable[str], start: int, end: int, origins: Iterable[int]
    ) -> dict[int, int]:
        """See Answers."""
        asked = tuple(counters), tuple(origins)
        together = self._once(asked, lambda: self._together(*asked))
        first, last = together.places(start, end)
        return dict(zip(together.minutes[first:last], together.numbers[first:last], strict=True))

    def _counters(self, origins: tuple[int, ...]) -> dict[str, _Counter]:
        def read() -> dict[str, _Counter]:
            counters: dict[str, _Counter] = {}
            for minute in sorted({minute for minute, _ in self._rows(origins, "", 0, _EVER)}):
                for name, number in HeldAnswers.totals(self, minute, minute + 1, origins).items():
                    if name not in counters:
                        counters[name] = _Counter()
                    counters[name].add(minute, number)
            return counters

        return self._once(("counters", origins), read)

    def _together(self, names: tuple[str, ...], origins: tuple[int, ...]) -> _Counter:
        counters = self._counters(origins)
        numbers: dict[int, int] = {}
        for name in names:
            if counter := counters.get(name):
                for minute, number in zip(counter.minutes, counter.numbers, strict=True):
                    numbers[minute] = numbers.get(minute, 0) + number
        together = _Counter()
        for minute, number in sorted(numbers.items()):
            if number:
                together.add(minute, number)
        return together

    def keys(self, family: str, start: int, end: int, origins: Iterable[int]) -> Keys:
        """See Answers."""
        of = tuple(origins)
        rows = None
        if end - start >= _LONG:
            sums = self._once(("keys", family, end - start, of), _KeySums)
            read = lambda first, last: HeldAnswers.keys(self, family, first, last, of)  # noqa: E731
            rows = sums.of(start, end, read)
        return super().keys(family, start, end, of) if rows is None else rows

    def quarters(
        self, series: str, first: int, last: int, origins: Collection[int]
    ) -> dict[int, int]:
        """See Answers."""
        of = tuple(origins)

        def added() -> dict[int, int]:
            found: dict[int, int] = {}
            for day in range(first // DAY, (last - 1) // DAY + 1):
                of_day = self._quarters(series, day, of)
                if day * DAY < first or last < day * DAY + DAY:
                    of_day = {at: number for at, number in of_day.items() if first <= at < last}
                found.update(of_day)
            return found

        return self._again(("quarters", series, of), (first, last), added)

    def _quarters(self, series: str, day: int, origins: tuple[int, ...]) -> dict[int, int]:
        begin = day * DAY
        return self._once(
            ("quarters", series, day, origins),
            lambda: self._answers.quarters(series, begin, begin + DAY, origins),
        )

    def quarters_since(self, first: int, last: int, origins: Collection[int]) -> int:
        """See Answers."""
        question = "since", first, tuple(origins)
        before, answer = self._latest.get(question, (0, 0))
        if answer == before:  # there was nothing yet
            answer = self._answers.quarters_since(first, last, origins)
            self._latest[question] = last, answer
        since: int = answer
        return min(since, last)

    def origins_of(self, series: str, first: int, last: int) -> set[int]:
        """See Answers."""

        def found_in(day: int) -> set[int]:
            begin = day * DAY
            there = self._once(
                ("origins", series, day),
                lambda: self._answers.origins_of(series, begin, begin + DAY),
            )
            if first <= begin and begin + DAY <= last:
                return there
            return {
                origin
                for origin in there
                if any(first <= at < last for at in self._quarters(series, day, (origin,)))
            }

        def found() -> set[int]:
            return set().union(*map(found_in, range(first // DAY, (last - 1) // DAY + 1)))

        return self._again(("origins", series), (first, last), found)

    def most_of_days(
        self, family: str, first: int, last: int, origins: Iterable[int]
    ) -> tuple[int, dict[str, int], int]:
        """See Answers."""
        of = tuple(origins)
        return self._again(
            ("most of days", family, of),
            (first, last),
            lambda: self._answers.most_of_days(family, first, last, of),
        )

    def tried(self, start: int, end: int, origins: Collection[int]) -> Keys:
        """See Answers."""
        of = tuple(origins)
        first, last = start // 60, end // 60

        def whole() -> tuple[Keys, dict[Key, int]]:
            rows = self._answers.tried(first * 60, last * 60, of)
            return rows, {pair: place for place, (pair, _) in enumerate(rows)}

        rows, places = self._again(("tried", last - first, of), (first, last), whole)
        # Of the hour that is not over at this time
        more: dict[Key, int] = {}
        for key, number in super().keys(tried.FAMILY, last * 60, end, of):
            pair: Key = (key[0], key[-1])
            more[pair] = more.get(pair, 0) + number
        if not more:
            return rows
        rows = list(rows)
        for pair, number in more.items():
            if (place := places.get(pair)) is None:
                rows.append((pair, number))
            else:
                rows[place] = pair, rows[place][1] + number
        return rows


class _Counter:
    """What a counter came to in each minute in which it came to something.

    minutes: the oldest first; numbers: one for each of them
    """

    __slots__ = ("_sums", "minutes", "numbers")

    def __init__(self) -> None:
        self.minutes: list[int] = []
        self.numbers: list[int] = []
        self._sums = [0]  # before each of them, and of all

    def add(self, minute: int, number: int) -> None:
        """Add a minute, which is later than all others."""
        self.minutes.append(minute)
        self.numbers.append(number)
        self._sums.append(self._sums[-1] + number)

    def places(self, start: int, end: int) -> tuple[int, int]:
        """Return the place of the first of these minutes, and that behind the last."""
        return bisect_left(self.minutes, start), bisect_left(self.minutes, end)

    def sum(self, first: int, last: int) -> int:
        """Return what it came to from one place up to, not with, another one."""
        return self._sums[last] - self._sums[first]


class _KeySums:
    """The keys of a family in the window that was asked of last, and how often each came."""

    def __init__(self) -> None:
        self._start = self._end = 0
        self._numbers: dict[Key, int] = {}
        self._held = 0

    def of(self, start: int, end: int, read: Callable[[int, int], Keys]) -> Keys | None:
        """Return the (key, number) pairs of a window, most first.

        read:    from two minutes to the pairs of what lies between them
        Returns: None where they were too many to be kept apart: no differences tell of these
        """
        if not self._start <= start < self._end <= end:
            self._start = self._end = start
            self._numbers.clear()
            self._held = 0
        come, gone = read(self._end, end), read(self._start, start)
        if any(MANY in key for key, _ in come) or not self._add(come, gone):
            self._end = self._start  # nothing is known any more
            return None
        self._start, self._end = start, end
        numbers = self._numbers
        ordered = sorted(sorted(numbers, key=SEPARATOR.join), key=numbers.__getitem__, reverse=True)
        return [(key, numbers[key]) for key in ordered]

    def _add(self, come: Keys, gone: Keys) -> bool:
        """Add what has come, and take what is gone; tell whether so many can be held."""
        numbers = self._numbers
        for key, number in come:
            if key not in numbers:
                numbers[key] = 0
                self._held += packed.held(SEPARATOR.join(key))
            numbers[key] += number
        for key, number in gone:
            numbers[key] -= number
            if not numbers[key]:
                del numbers[key]
                self._held -= packed.held(SEPARATOR.join(key))
        return self._held <= packed.MOST_HELD
