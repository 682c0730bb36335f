"""Journal spans: the table of the runs of journal entries that were read without a hole."""

from __future__ import annotations

from check_postfix.maillog.source.journal_span import JournalSpan
from check_postfix.maillog.store import checksum, rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from check_postfix.maillog.store.database import Database
    from check_postfix.maillog.store.logs import Log

_READ = rows.reader(JournalSpan, "journal_span")


class JournalSpansTable:
    """The table of journal spans; to be changed inside a transaction only."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._db = database.db

    def of(self, log: Log) -> list[JournalSpan]:
        """Return the spans of a journal, newest first."""
        found = self._database.whole(
            checksum.of_log("journal_span", log.id),
            "SELECT * FROM journal_span WHERE log=? ORDER BY id DESC",
            log.id,
        )
        return list(map(_READ, found))

    def save(self, log: Log, span: JournalSpan) -> None:
        """Keep a journal span; give it its number if it has none."""
        rows.save(self._db, "journal_span", span, log.id)

    def drop(self, span: JournalSpan) -> None:
        """Forget a journal span that another one has taken in."""
        self._db.execute("DELETE FROM journal_span WHERE id=?", (span.id,))
