"""Retention: how long counts are kept.

Totals live as long as the usual level needs; what can belong to a person or an
address does not outlive the trouble that it is looked at in.
"""

from __future__ import annotations

from check_postfix.maillog.counts.families import FAMILIES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from check_postfix.maillog.store.database import Database

_DAY = 24 * 60
# Counts may get so much older than they are kept, in minutes, where nothing new is logged.
_LATE = 60
# Which rows of keys are old. Each family is named, for they come first in the index.
OF_OLD_KEYS = f"WHERE family IN ({', '.join('?' * len(FAMILIES))}) AND minute<?"


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


def kept(database: Database) -> Retention | None:
    """Return how long counts are kept, None if no run has settled it."""
    rows = database.whole("retention", "SELECT * FROM retention")
    return Retention(*rows[0]) if rows else None


def save(database: Database, retention: Retention) -> None:
    """Keep how long counts are kept; inside a transaction only."""
    database.db.execute("DELETE FROM retention")
    database.db.execute(
        "INSERT INTO retention VALUES (?, ?)", (retention.totals, retention.asked_keys)
    )


def is_overdue(database: Database, oldest: int, oldest_keys: int) -> bool:
    """Tell whether counts are there that are an hour older than these minutes."""
    keys = oldest_keys - _LATE
    queries = (
        ("SELECT 1 FROM total WHERE minute<? LIMIT 1", (oldest - _LATE,)),
        (f"SELECT 1 FROM keyed {OF_OLD_KEYS} LIMIT 1", (*FAMILIES, keys)),
        ("SELECT 1 FROM pending WHERE since<? LIMIT 1", (keys,)),
        ("SELECT 1 FROM tried WHERE hour<? LIMIT 1", (keys // 60,)),
        ("SELECT 1 FROM place WHERE name<>'' AND first<? LIMIT 1", (keys,)),
    )
    with database.reading():
        return any(database.db.execute(*query).fetchone() for query in queries)
