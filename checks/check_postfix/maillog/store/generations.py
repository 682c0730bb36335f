"""Generations: the table of the runs of lines that were found, and what was read of each."""

from __future__ import annotations

from check_postfix.maillog.source.generation import Generation
from check_postfix.maillog.store import checksum, rows, schema
from check_postfix.maillog.store.failure import explained

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from check_postfix.maillog.store.database import Database
    from check_postfix.maillog.store.logs import Log, LogsTable

_DAY = 24 * 60
# Later than any.
_LAST_MINUTE = 10**9

_READ = rows.reader(Generation, "generation")
_OF_LOG = schema.columns_of("generation").index("log")


class GenerationsTable:
    """The table of generations; to be changed inside a transaction only.

    logs: where their lines are added up
    """

    def __init__(self, database: Database, logs: LogsTable) -> None:
        self._database = database
        self._db = database.db
        self._logs = logs

    def of(self, log: Log, number: int) -> Generation | None:
        """Return the generation of this number."""
        found = self._database.whole(
            checksum.generation(number), "SELECT * FROM generation WHERE id=?", number
        )
        return next((_READ(row) for row in found if row[_OF_LOG] == log.id), None)

    def like(self, log: Log, head: bytes) -> list[Generation]:
        """Return the generations whose heads may be this one, and no others that are."""
        first = head[:1]
        found = self._database.whole(
            checksum.headed(log.id, head),
            "SELECT * FROM generation WHERE log=? AND substr(head, 1, 16) BETWEEN ? AND ?",
            log.id,
            first,
            first.ljust(len(first) * 17, b"\xff"),
        )
        like = map(_READ, found)
        return [generation for generation in like if generation.head[:16] == head[:16]]

    def unsettled(self, log: Log) -> list[Generation]:
        """Return the generations that lines may still come from, newest first."""
        found = self._database.whole(
            checksum.unsettled(log.id),
            "SELECT * FROM generation WHERE log=? AND (live OR NOT done OR hole_end > hole_start)",
            log.id,
        )
        return sorted(map(_READ, found), key=_start, reverse=True)

    def newest(self, log: Log) -> list[Generation]:
        """Return the live generations, and the one with the newest line."""
        found = [generation for generation in self.unsettled(log) if generation.live]
        newest = self._one(log, "last IS NOT NULL", "last DESC, id DESC")
        if newest and all(generation.id != newest.id for generation in found):
            found.append(newest)
        return found

    def waited_at(self, log: Log, owners: Iterable[int]) -> list[Generation]:
        """Return the generations that messages wait at, and the newer ones, newest first.

        owners: numbers of those that something is pending at
        """
        found = {generation.id: generation for generation in self.unsettled(log)}
        known = [self.of(log, number) for number in owners]
        starts = [owner.first_minute or 0 for owner in known if owner]
        if starts:
            first = min(starts)
            found |= {
                generation.id: generation
                for generation in self._begun_since(log, first)
                if (generation.first_minute or 0) >= first
            }
        waited_at = [
            generation
            for generation in found.values()
            if generation.live or (starts and (generation.first_minute or 0) >= min(starts))
        ]
        return sorted(waited_at, key=_start, reverse=True)

    def _begun_since(self, log: Log, minute: int) -> list[Generation]:
        """Return the generations that begin on the day of a minute, or later."""
        midnight = minute // _DAY * _DAY
        found = self._db.execute(
            "SELECT * FROM generation WHERE log=? AND coalesce(first_minute, 0)>=?",
            (log.id, midnight),
        ).fetchall()
        first = checksum.begun(log.id, midnight)
        last = checksum.begun(log.id, _LAST_MINUTE)
        self._database.checksums.check_all_of("generation", first, last, found)
        return list(map(_READ, found))

    def first_after(self, log: Log, minute: int, other: int) -> int | None:
        """Return when the first generation in a file begins that begins at or after a minute.

        other: number of one that does not count
        """
        found = self._one(
            log,
            "first_minute>=? AND id<>? AND id IN (SELECT generation FROM seen WHERE log=?)",
            "first_minute",
            minute,
            other,
            log.id,
        )
        return found.first_minute if found else None

    def last_before(self, log: Log, minute: int) -> int | None:
        """Return the last minute of what is read, up to a minute."""
        found = self._one(log, "last<=?", "last DESC", minute)
        return found.last if found else None

    def last_start_before(self, log: Log, minute: int) -> int | None:
        """Return when the last generation began that began before a minute."""
        found = self._one(log, "first_minute<?", "first_minute DESC", minute)
        return found.first_minute if found else None

    def start_of_read(self, log: Log, after: tuple[int, int]) -> int | None:
        """Return from which minute on all is read, of what is read to its end.

        after: (first minute or 0, number) of a generation; older ones do not count
        """
        found = self._one(
            log,
            "since IS NOT NULL AND done AND NOT live AND (coalesce(first_minute, 0), id) > (?, ?)",
            "coalesce(first_minute, 0), id",
            *after,
        )
        return found.since if found else None

    def _one(self, log: Log, where: str, order: str, *values: object) -> Generation | None:
        """Return the first of some generations.

        It is as it was written. Of those that vanish nobody knows here, and so less is taken to
        be covered.
        """
        query = f"SELECT id FROM generation WHERE log=? AND {where} ORDER BY {order} LIMIT 1"
        with explained(self._database.path):
            found = self._db.execute(query, (log.id, *values)).fetchone()
        return self.of(log, found[0]) if found else None

    def save(self, log: Log, generation: Generation) -> None:
        """Keep a generation; give it its number if it has none."""
        before = self.of(log, generation.id) if generation.id else None
        rows.save(self._db, "generation", generation, log.id)
        self._logs.add_lines(log, generation.line_counts, 1, generation.last)
        if before:
            self._logs.add_lines(log, before.line_counts, -1)


def _start(generation: Generation) -> tuple[int, int]:
    """Return by what generations are sorted: those that nobody knows a time of come first."""
    first = generation.first_minute
    return -1 if first is None else first, generation.id
