"""The ledger: where what a run counts is written."""

from __future__ import annotations

from check_postfix.maillog.counts.families import MANY
from check_postfix.maillog.store import key_quota, packed, room

TYPE_CHECKING = False
if TYPE_CHECKING:
    from check_postfix.maillog.counts.counts import Counts
    from check_postfix.maillog.store.database import Database
    from check_postfix.maillog.store.gaps import GapsTable
    from check_postfix.maillog.store.logs import Log
    from check_postfix.maillog.store.tables import Tables

# Counters, and keys, are packed. Of a minute that is there already both are merged.
_ADD_TOTAL = """
INSERT INTO total VALUES (?, ?)
ON CONFLICT DO UPDATE SET counters = merged(counters, excluded.counters)
"""
_ADD_KEYED = """
INSERT INTO keyed VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET (keys, size) = (
    SELECT both, size(both) FROM (SELECT merged(keys, excluded.keys) AS both LIMIT 1)
)
"""

# Origins of a log that are kept apart. Whoever may write to a log may name as many as they like.
MOST_ORIGINS = 1_000
_DAY = 24 * 60


class Ledger:
    """What takes counts; inside a transaction only."""

    def __init__(self, database: Database, gaps: GapsTable, tables: Tables) -> None:
        self._database = database
        self._db = database.db
        self._gaps = gaps
        self._tables = tables
        # Number of the log, host and instance -> number of the origin
        self._numbers: dict[tuple[int, str, str], int] = database.memory()
        # (family, hour) -> how many keys it has at most
        self._sizes: dict[tuple[str, int], int] = database.memory()

    def origin(self, log: Log, host: bytes, instance: bytes) -> int:
        """Return the number of an origin, a new one if need be.

        Where a log has too many, that of all others together.
        """
        where = log.id, host.decode("utf-8", "replace"), instance.decode("utf-8", "replace")
        if where not in self._numbers:
            row = self._db.execute(
                "SELECT id FROM origin WHERE log=? AND host=? AND instance=?", where
            ).fetchone()
            if row is None:
                query = "SELECT count(*) FROM origin WHERE log=?"
                there = self._db.execute(query, where[:1]).fetchone()[0]
                if there >= MOST_ORIGINS and where[1:] != (MANY, MANY):
                    return self.origin(log, MANY.encode(), MANY.encode())
                row = self._db.execute(
                    "INSERT INTO origin (log, host, instance) VALUES (?, ?, ?) RETURNING id", where
                ).fetchone()
            self._numbers[where] = row[0]
        return self._numbers[where]

    def extend_gap(self, log: Log, first: int, last: int) -> None:
        """Keep that lines of these minutes are lost; see GapsTable."""
        self._gaps.extend(log, first, last)

    def add(self, counts: Counts) -> None:
        """Add up counts.

        Raises: DamagedStore
        """
        counts.add_up_recipients()
        # One row after the other: all of them in bytes are as much as all of the counts.
        totals = (
            (minute, packed.packed(numbers))
            for minute, numbers in sorted(counts.totals.items())
            if numbers
        )
        with self._database.merging():
            self._db.executemany(_ADD_TOTAL, totals)
            self._tables.quarters.add(counts.totals)
            self._tables.quarters.add_watched(counts.quarter_keys)
            for (family, hour), keyed in sorted(counts.keyed.items()):
                rows = (
                    (family, minute, len(numbers), packed.packed(numbers))
                    for minute, numbers in sorted(self._bounded(family, hour, keyed).items())
                )
                self._db.executemany(_ADD_KEYED, rows)
            self._tables.delays.add(counts.delays.found)
            self._tables.daily_most.add(counts.quarter_keys)
            self._tables.tried.add(counts.keyed)
            self._tables.places.add(counts.places.found)
        # By the day: that changes seldom.
        self._db.executemany(
            "UPDATE origin SET counted=?1 WHERE id=?2 AND coalesce(counted, -1)<?1",
            [(minute // _DAY, origin) for origin, minute in sorted(counts.newest.items())],
        )

    def _bounded(
        self, family: str, hour: int, keyed: dict[int, dict[str, int]]
    ) -> dict[int, dict[str, int]]:
        """Return the keys of an hour; where they are too many, fewer of them."""
        there = self._sizes.get((family, hour))
        if there is None:
            there = sum(self._keys_by_minute(family, hour).values())
        there += sum(map(len, keyed.values()))
        self._sizes[family, hour] = there
        is_full = room.used(self._db) > key_quota.MOST_BYTES
        if is_full or key_quota.is_short(there):
            by_minute = self._keys_by_minute(family, hour)
            return key_quota.shared_out(family, keyed, by_minute, is_full)
        return keyed

    def _keys_by_minute(self, family: str, hour: int) -> dict[int, int]:
        return dict(
            self._db.execute(
                "SELECT minute, size FROM keyed WHERE family=? AND minute>=? AND minute<?",
                (family, hour * 60, hour * 60 + 60),
            )
        )
