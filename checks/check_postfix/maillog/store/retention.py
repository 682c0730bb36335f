"""Retention: how long counts are kept.

Totals live as long as the usual level needs; what can belong to a person or an
address does not outlive the trouble that it is looked at in.
"""

from __future__ import annotations

_DAY = 24 * 60


class Retention:
    """How long counts are kept, in minutes: totals, and keys."""

    __slots__ = ("keys", "totals")

    def __init__(self, totals: int = 30 * _DAY, keys: int = 2 * _DAY) -> None:
        self.totals = totals
        self.keys = keys


USUAL = Retention()
