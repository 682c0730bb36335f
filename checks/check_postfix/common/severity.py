"""Severity: what one of several would make of a check by itself."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable, Mapping

    from check_postfix.plugin import Threshold


def of(
    numbers: Mapping[str, float | None], thresholds: Iterable[Threshold], options: Namespace
) -> int:
    """Return 0 for OK, 1 for WARNING or 2 for CRITICAL.

    numbers: by metric; what is missing, or None, is not judged
    """
    worst = 0
    for threshold in thresholds:
        number = numbers.get(threshold.metric)
        for state, option in ((2, threshold.critical), (1, threshold.warning)):
            limits = getattr(options, option.name)
            if number is not None and limits is not None and not limits.match(number):
                worst = max(worst, state)
    return worst
