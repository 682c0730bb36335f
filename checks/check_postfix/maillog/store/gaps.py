"""Gaps: the table of the minutes whose lines were destroyed before they were read."""

from __future__ import annotations

from check_postfix.maillog.store import checksum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from check_postfix.maillog.store.database import Database
    from check_postfix.maillog.store.logs import Log


class GapsTable:
    """The table of gaps; to be changed inside a transaction only."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._db = database.db

    def add(self, log: Log, first: int, last: int, generation: int = 0) -> None:
        """Keep that lines written between these minutes were destroyed before they were read.

        generation: the number of the one that they were in, where it may turn up again
        """
        self._db.execute("INSERT INTO gap VALUES (?, ?, ?, ?)", (log.id, first, last, generation))

    def close(self, log: Log, generation: int) -> None:
        """Forget the gap of a generation that has turned up."""
        self._db.execute("DELETE FROM gap WHERE log=? AND generation=?", (log.id, generation))

    def of(self, log: Log, start: int, end: int) -> list[tuple[int, int]]:
        """Return the gaps that touch these minutes."""
        rows = self._database.whole(
            checksum.of_log("gap", log.id), "SELECT * FROM gap WHERE log=?", log.id
        )
        return sorted((first, last) for _, first, last, *_ in rows if last >= start and first < end)

    def extend(self, log: Log, first: int, last: int) -> None:
        """Keep a gap, as one with those that it touches; inside a transaction only."""
        for touched in self._db.execute(
            "DELETE FROM gap WHERE log=? AND last>=? AND first<=? RETURNING first, last",
            (log.id, first - 1, last + 1),
        ).fetchall():
            first, last = min(first, touched[0]), max(last, touched[1])
        self.add(log, first, last)
