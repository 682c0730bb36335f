"""A rate: how many there were in a month, over many of them."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt


def rate(months: Sequence[int]) -> str:
    """Return the mean of some months, and the 95 % interval of that."""
    number = len(months)
    mean = sum(months) / number
    variance = sum((month - mean) ** 2 for month in months) / max(1, number - 1)
    return f"{mean:.2f} ± {1.96 * sqrt(variance / number):.2f}"
