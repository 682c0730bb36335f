"""Typical: what is usual of single clients, domains and the like, as long as they are kept.

It is the median of equally long windows right before, within the last 24 hours: whom the log
names is kept for no longer than two days, so there are no earlier days to compare with.
"""

from __future__ import annotations

from statistics import median

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from check_postfix.maillog.window.window import Window

_DAY = 24 * 60
# With fewer windows, nobody can tell what is usual.
_LEAST = 4


def of_each(window: Window, family: str, field: str) -> Callable[[str], float | None]:
    """Return what tells of a value how many such events are usual, None where that is not known.

    window: of a store that is held in memory, for many earlier ones are looked at
    """
    length = window.end - window.start
    earlier = [
        {value: number for (value,), number in then.keys(family, field)}
        for before in range(length, _DAY + 1, length)
        for then in [window.ending(before, length)]
        if window.coverage.includes(then.start, then.end) and then.start >= window.oldest_keys
    ]

    def usual(value: str) -> float | None:
        if len(earlier) < _LEAST:
            return None
        return median(numbers.get(value, 0) for numbers in earlier)

    return usual
