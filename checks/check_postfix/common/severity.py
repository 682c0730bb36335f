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
    return max(
        (
            threshold.state_of(number, options)
            for threshold in thresholds
            if (number := numbers.get(threshold.metric)) is not None
        ),
        default=0,
    )
