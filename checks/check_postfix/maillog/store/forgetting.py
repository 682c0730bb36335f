"""Forgetting: how what is too old, or is to be read anew, is deleted from all tables."""

from __future__ import annotations

from check_postfix.maillog.counts.families import FAMILIES
from check_postfix.maillog.store import packed, room
from check_postfix.maillog.store.logs import NO_OFFSET
from check_postfix.maillog.store.retention import OF_OLD_KEYS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Set

    from check_postfix.maillog.store.database import Database
    from check_postfix.maillog.store.logs import Log, LogsTable
    from check_postfix.maillog.store.origins import OriginsTable
    from check_postfix.maillog.store.pending import Pending
    from check_postfix.maillog.store.tables import Tables

# What differs by origin and is packed: tables, and the columns of these texts.
_OF_ORIGINS = (
    ("total", "counters"), ("quarter", "numbers"), ("keyed", "keys"), ("quarter_key", "keys"),
    ("daily_most", "keys"), ("tried", "pairs"),
)  # fmt: skip

_DAY = 24 * 60


class Forgetting:
    """What deletes; inside a transaction only."""

    def __init__(
        self,
        database: Database,
        logs: LogsTable,
        origins: OriginsTable,
        tables: Tables,
        pending: Pending,
    ) -> None:
        self._database = database
        self._db = database.db
        self._logs = logs
        self._origins = origins
        self._tables = tables
        self._pending = pending

    def older(self, oldest: int, oldest_keys: int) -> None:
        """Delete what is older than these minutes."""
        self._db.execute("DELETE FROM total WHERE minute<?", (oldest,))
        self._tables.quarters.forget(oldest)
        self._db.execute("DELETE FROM gap WHERE last<?", (oldest,))
        self._db.execute("DELETE FROM run WHERE minute<?", (oldest,))
        self._db.execute(
            "DELETE FROM generation WHERE coalesce(last, first_minute, 0)<? AND NOT live"
            " AND id NOT IN (SELECT generation FROM seen)",
            (oldest,),
        )
        self._db.execute(f"DELETE FROM keyed {OF_OLD_KEYS}", (*FAMILIES, oldest_keys))
        self._db.execute("DELETE FROM pending WHERE since<?", (oldest_keys,))
        self._tables.delays.forget(oldest, oldest_keys)
        if self._db.execute("DELETE FROM watched WHERE asked<?", (oldest,)).rowcount:
            self._tables.quarters.drop_unwatched()
            self._pending.drop_unwatched()
        # Some wait for long in vain.
        self._db.execute(
            "UPDATE pending SET sender='' WHERE sender<>'' AND minute<?", (oldest_keys,)
        )
        self._tables.tried.forget(oldest_keys)
        self._tables.places.forget(oldest, oldest_keys)
        self._tables.daily_most.forget(oldest)
        if not any(log.backlog for log in self._logs.all()):
            self._tables.daily_most.settle()
        self._forget_who_writes_no_more(min(oldest, oldest_keys))
        room.give_back(self._db)

    def _forget_who_writes_no_more(self, oldest: int) -> None:
        """Forget origins and logs of which nothing is kept any more."""
        late = "coalesce(last, 0)<? AND coalesce(counted, 0)<?"
        since = oldest, oldest // _DAY
        if self._db.execute(f"SELECT 1 FROM origin WHERE {late} LIMIT 1", since).fetchone():
            self._db.execute(
                f"DELETE FROM origin WHERE {late}"
                " AND id NOT IN (SELECT origin FROM place)"
                " AND id NOT IN (SELECT origin FROM pending)",
                since,
            )
            self._database.forget_what_was_found()
        for log in self._logs.all():
            if log.read is not None and log.read < oldest and not log.backlog:
                self.log(log)

    def log(self, log: Log) -> None:
        """Forget a log."""
        self.counts_of(log)
        self._db.execute("DELETE FROM origin WHERE log=?", (log.id,))
        self._db.execute("DELETE FROM log WHERE id=?", (log.id,))
        self._database.forget_what_was_found()

    def counts_of(self, log: Log) -> None:
        """Forget what was read of a log and counted."""
        origins = {number for number, *_ in self._origins.of(log)}
        if origins:
            self._drop_numbers(frozenset(map(str, origins)))
            self._tables.delays.drop(origins)
        self._db.execute(
            "DELETE FROM place WHERE origin IN (SELECT id FROM origin WHERE log=?)", (log.id,)
        )
        for table in ("pending", "generation", "seen", "directory", "gap"):
            self._db.execute(f"DELETE FROM {table} WHERE log=?", (log.id,))
        self._db.execute("UPDATE origin SET last=NULL, counted=NULL WHERE log=?", (log.id,))
        self._db.execute(
            'UPDATE log SET last=NULL, lines=0, events=0, matched=0, "foreign"=0, unparsed=0'
            " WHERE id=?",
            (log.id,),
        )
        log.backlog, log.read, log.unknown_until, log.offset = 1, None, 0, NO_OFFSET
        self._database.forget_what_was_found()

    def _drop_numbers(self, origins: Set[str]) -> None:
        """Forget all numbers of some origins that are packed."""
        self._db.create_function("without", 1, lambda text: packed.without(text, origins))
        with self._database.merging():
            for table, column in _OF_ORIGINS:
                # Mostly these are all that there are.
                left = f"without({column})"
                self._db.execute(f"DELETE FROM {table} WHERE {left}=''")
                self._db.execute(f"UPDATE {table} SET {column}={left} WHERE {left}<>{column}")
            self._db.execute("UPDATE keyed SET size=size(keys) WHERE size<>size(keys)")

    def keys_before(self, minute: int) -> Iterator[tuple[str, list[str]]]:
        """Yield a family, and its keys in a minute, of what is older than a minute."""
        query = f"SELECT family, keys FROM keyed {OF_OLD_KEYS}"
        with self._database.readable():
            for family, text in self._db.execute(query, (*FAMILIES, minute)):
                yield family, [packed.own(name) for name, _ in packed.unpacked(text)]

    def logins_named_before(self, minute: int) -> Iterator[tuple[str, str]]:
        """Yield account and address of each first login before a minute that is still named."""
        with self._database.readable():
            yield from self._tables.places.named_before(minute)
