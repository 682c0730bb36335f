"""Held: what a store has counted, held in memory for whoever looks at all of its minutes.

Each minute is read and unpacked once. The answers are the store's.
"""

from __future__ import annotations

from bisect import bisect_left

from check_postfix.maillog.counts.families import fields
from check_postfix.maillog.store import packed
from check_postfix.maillog.store.answers import messages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from check_postfix.maillog.store.answers import Answers

    Rows = list[tuple[int, list[tuple[str, int]]]]

# Later than any minute
_EVER = 10**9


class HeldAnswers:
    """Answers as a store does, of what it held when it was first asked.

    What is not held is asked of the store itself.
    """

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        # Origins, and a family or nothing -> minutes, and what each of them has
        self._known: dict[tuple[tuple[int, ...], str], tuple[list[int], Rows]] = {}

    def __getattr__(self, name: str) -> Any:
        """Return what is not held: the store's own."""
        return getattr(self._answers, name)

    def _rows(self, origins: Iterable[int], family: str, start: int, end: int) -> Rows:
        """Return what these minutes have, the oldest first.

        family: nothing for the counters
        """
        asked = tuple(origins)
        if (asked, family) not in self._known:
            if family:
                rows = list(self._answers.keys_of(family, 0, _EVER, asked))
            else:
                rows = list(self._answers.totals_of(0, _EVER, asked))
            rows.sort(key=lambda row: row[0])
            self._known[asked, family] = [minute for minute, _ in rows], rows
        minutes, rows = self._known[asked, family]
        return rows[bisect_left(minutes, start) : bisect_left(minutes, end)]

    def totals(self, start: int, end: int, origins: Iterable[int]) -> dict[str, int]:
        """See Answers."""
        sums: dict[str, int] = {}
        for _, numbers in self._rows(origins, "", start, end):
            for name, number in numbers:
                sums[name] = sums.get(name, 0) + number
        return packed.of_all(sums)

    def keys(
        self, family: str, start: int, end: int, origins: Iterable[int]
    ) -> list[tuple[tuple[str, ...], int]]:
        """See Answers."""
        numbers: dict[str, int] = {}
        for _, keys in self._rows(origins, family, start, end):
            for name, number in keys:
                key = packed.own(name)
                numbers[key] = numbers.get(key, 0) + number
        if sum(map(packed.held, numbers)) > packed.MOST_HELD:  # where the store knows what to do
            return self._answers.keys(family, start, end, origins)
        ordered = sorted(sorted(numbers), key=numbers.__getitem__, reverse=True)
        return [(fields(key), numbers[key]) for key in ordered]

    def messages(
        self,
        family: str,
        kinds: Sequence[str],
        start: int,
        end: int,
        origins: Iterable[int],
        before: int,
    ) -> tuple[int, int]:
        """See Answers."""
        return messages(self._rows(origins, family, before, end), kinds, start)
