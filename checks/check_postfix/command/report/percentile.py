"""Percentiles: by the nearest rank.

The p-th percentile of n numbers is the one at the place p/100 x n, rounded up, when they are
sorted: a number that is there, and the same one whatever computes it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_HUNDRED = 100


def of(numbers: Iterable[tuple[float, int]], percents: Sequence[int]) -> list[float]:
    """Return percentiles; none if there are no numbers.

    numbers:  (number, how often it is there)
    percents: ascending, up to 100
    """
    listed = sorted(numbers)
    whole = sum(times for _, times in listed)
    found: list[float] = []
    passed = 0
    for number, times in listed:
        passed += times
        while len(found) < len(percents) and passed * _HUNDRED >= percents[len(found)] * whole:
            found.append(number)
    return found
