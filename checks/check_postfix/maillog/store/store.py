"""The store: one SQLite file with what was counted and up to where.

What it keeps of what stands in a part: logs, generations, gaps, journal spans and origins tell
up to where the log is read; answers reads what was counted, adding adds to it, and forgetting
deletes. They work in the transactions of the file that they share (database.py).
"""

from __future__ import annotations

from functools import cached_property

from check_postfix.maillog.store.answers import Answers
from check_postfix.maillog.store.database import Database
from check_postfix.maillog.store.gaps import GapsTable
from check_postfix.maillog.store.generations import GenerationsTable
from check_postfix.maillog.store.logs import LogsTable
from check_postfix.maillog.store.origins import OriginsTable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from check_postfix.maillog.store.forgetting import Forgetting
    from check_postfix.maillog.store.journal_spans import JournalSpansTable
    from check_postfix.maillog.store.ledger import Ledger
    from check_postfix.maillog.store.logs import Log
    from check_postfix.maillog.store.pending import Pending
    from check_postfix.maillog.store.seen import SeenFilesTable
    from check_postfix.maillog.store.tables import Tables


class Store(Database):
    """An open store, with its parts. Use it as a context manager.

    path, wait: see Database

    logs:        which logs are followed
    generations: the runs of lines that were found, and what was read of each
    gaps:        what was destroyed before it was read
    origins:     which hosts and instances were told of
    answers:     what was counted
    """

    def __init__(self, path: str | None, wait: float) -> None:
        """Open the store; make it if it is not there.

        Raises: DamagedStore, or StoreError if it cannot be used
        """
        super().__init__(path, wait)
        self.logs = LogsTable(self)
        self.generations = GenerationsTable(self, self.logs)
        self.gaps = GapsTable(self)
        self.origins = OriginsTable(self)
        self.answers = Answers(self, self.logs, lambda: self.tables)

    def seen(self, log: Log) -> SeenFilesTable:
        """Return the table of a log's files."""
        from check_postfix.maillog.store.seen import SeenFilesTable

        return SeenFilesTable(self, log.id)

    @cached_property
    def tables(self) -> Tables:
        """What is kept otherwise than by the minute."""
        # Half of the checks ask for it.
        from check_postfix.maillog.store.tables import Tables

        return Tables(self)

    # A run with nothing new has no need of the others.

    @cached_property
    def journal_spans(self) -> JournalSpansTable:
        """The runs of journal entries that were read."""
        from check_postfix.maillog.store.journal_spans import JournalSpansTable

        return JournalSpansTable(self)

    @cached_property
    def pending(self) -> Pending:
        """What of messages waits for more of the log."""
        from check_postfix.maillog.store.pending import Pending

        return Pending(self.db, self.checksums)

    @cached_property
    def ledger(self) -> Ledger:
        """Where counts are written."""
        from check_postfix.maillog.store.ledger import Ledger

        return Ledger(self, self.gaps, self.tables)

    @cached_property
    def forgetting(self) -> Forgetting:
        """What deletes."""
        from check_postfix.maillog.store.forgetting import Forgetting

        return Forgetting(self, self.logs, self.origins, self.tables, self.pending)
