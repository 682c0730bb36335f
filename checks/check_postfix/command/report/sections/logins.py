"""Sections of failed logins."""

from __future__ import annotations

from check_postfix.command.report.section import COUNT, TEXT, WORDS, Column, Section
from check_postfix.command.report.sections.rows import Limits, Shown, parted
from check_postfix.command.text import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from check_postfix.command.report.book import Book
    from check_postfix.command.report.names import Names


class Logins(Shown):
    """Who failed to log in.

    suspicions: what failed logins are
    """

    def __init__(self, book: Book, names: Names, limits: Limits, suspicions: Sequence[str]) -> None:
        super().__init__(book, names, limits)
        self._suspicions = suspicions

    def each(self) -> Iterator[Section]:
        """Yield them, in their order."""
        yield self._failed_logins(self._suspicions)
        yield self._services()

    def _failed_logins(self, suspicions: Sequence[str]) -> Section:
        columns = [
            Column("number", "number", COUNT),
            Column("client", "client", TEXT),
            Column("account", "account", TEXT),
        ]
        accounts = self._book.accounts
        rows = [
            (
                row[0],
                self._names.client(client),
                self._names.account(account, accounts.has(account)),
            )
            for (client, account), row in parted(self._top(self._book.logins, 0, "users"))
        ]
        section = Section("failed_logins", "Failed logins", columns, rows, tuple(suspicions))
        return self._with_more(section, self._book.logins)

    def _services(self) -> Section:
        columns = [
            Column("number", "number", COUNT),
            Column("service", "service", WORDS),
            Column("mechanism", "mechanism", TEXT),
        ]
        rows = [
            (row[0], clean(service), clean(mechanism))
            for (service, mechanism), row in parted(self._top(self._book.services, 0, "users"))
        ]
        section = Section("failed_logins_by_service", "Failed logins, by service", columns, rows)
        return self._with_more(section, self._book.services)
