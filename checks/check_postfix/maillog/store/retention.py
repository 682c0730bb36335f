"""Retention: how long counts are kept.

Totals live as long as the usual level needs; what can belong to a person or an
address does not outlive the trouble that it is looked at in.
"""

from __future__ import annotations

_DAY = 24 * 60


class Retention:
    """How long counts are kept, in minutes: totals, and keys.

    asked_keys: what some check has asked for, None if none has
    """

    __slots__ = ("asked_keys", "keys", "totals")

    def __init__(self, totals: int = 30 * _DAY, keys: int | None = None) -> None:
        self.totals = totals
        self.asked_keys = keys
        self.keys = 2 * _DAY if keys is None else keys

    def with_votes(self, totals: int | None, keys: int | None) -> Retention:
        """Return what holds when another check asks for so long, None where it does not ask.

        Sums are kept as long as the one that asks for most wants it, so that no check
        takes them from another; keys as long as the one that asks for least.
        """
        most = self.totals if totals is None else max(self.totals, totals)
        asked = [minutes for minutes in (self.asked_keys, keys) if minutes is not None]
        return Retention(most, min(asked, default=None))

    def is_like(self, other: Retention) -> bool:
        """Tell whether both are the same."""
        return (self.totals, self.asked_keys) == (other.totals, other.asked_keys)


USUAL = Retention()
