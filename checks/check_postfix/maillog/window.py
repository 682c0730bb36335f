"""The window: what was counted in the minutes that a check judges."""

from __future__ import annotations

from check_postfix.maillog.counts import axis

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from check_postfix.maillog.coverage import Coverage
    from check_postfix.maillog.usual import Usual

    Keys = Callable[[str], list[tuple[str, int]]]
    UsualOf = Callable[[tuple[str, ...]], Usual]


class Window:
    """Counts over a span of whole minutes.

    begin, end: first minute, and the minute behind the last
    totals:     counter -> number
    coverage:   what of the log was read
    keys:       axis -> (key, number) pairs, most first
    usual:      counters -> what they usually come to in so long a window
    notes:      what has to be said besides, in a few words each
    """

    def __init__(
        self,
        begin: int,
        end: int,
        totals: Mapping[str, int],
        coverage: Coverage,
        keys: Keys,
        usual: UsualOf,
        notes: Sequence[str] = (),
    ) -> None:
        self.begin = begin
        self.end = end
        self.coverage = coverage
        self.notes = notes
        self._totals = totals
        self._keys = keys
        self._usual = usual
        self._known_usual: dict[tuple[str, ...], Usual] = {}

    @property
    def seconds(self) -> int:
        """Its length."""
        return (self.end - self.begin) * 60

    def count(self, *counters: str) -> int:
        """Return what these counters came to together."""
        return sum(self._totals.get(counter, 0) for counter in counters)

    def keys(self, family: str, field: str) -> list[tuple[str, int]]:
        """Return what a family of events was split into by a field, most first.

        The key "" stands for all that were too many to be kept apart.
        """
        return self._keys(axis(family, field))

    def usual(self, *counters: str) -> Usual:
        """Return what these counters together usually come to."""
        if counters not in self._known_usual:
            self._known_usual[counters] = self._usual(counters)
        return self._known_usual[counters]
