"""The sections of a report: from its book to what is shown. Each subject has a module."""

from __future__ import annotations

from collections import Counter

from check_postfix.command.report.sections.amounts import Amounts
from check_postfix.command.report.sections.failures import Failures
from check_postfix.command.report.sections.logins import Logins
from check_postfix.command.report.sections.machine import Machine
from check_postfix.command.report.sections.rejects import Rejects
from check_postfix.command.report.sections.rows import Limits
from check_postfix.command.report.sections.sessions import Sessions
from check_postfix.command.report.sections.shares import Shares
from check_postfix.command.report.sections.traffic import Traffic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from check_postfix.command.report.book import Book
    from check_postfix.command.report.names import Names
    from check_postfix.command.report.section import Section

__all__ = ["Limits", "Sections"]


class Sections:
    """Makes the sections.

    book:   finished
    names:  what is called how
    limits: rows of each
    clock:  as Amounts has it
    """

    def __init__(self, book: Book, names: Names, limits: Limits, clock: Iterable[str]) -> None:
        self._book = book
        self._of = book, names, limits
        self._amounts = Amounts(*self._of, clock)

    def all(self, suspicions: Sequence[str]) -> Iterator[Section]:
        """Yield those that have something to say, in their order.

        suspicions: what failed logins are
        """
        for subject in (
            self._amounts,
            Failures(*self._of),
            Rejects(*self._of),
            Traffic(*self._of),
            Logins(*self._of, suspicions),
            Shares(*self._of),
            Machine(*self._of),
            Sessions(*self._of),
        ):
            for section in subject.each():
                if section.rows or section.says:
                    yield section

    def totals(self) -> dict[str, int]:
        """Return the totals, by their names in JSON."""
        return self._amounts.totals()

    def counters(self) -> dict[str, int]:
        """Return the number of each kind of event."""
        numbers: Counter[str] = Counter()
        for of_hour in self._book.hours.values():
            numbers.update(of_hour)
        return {name: number for name, number in sorted(numbers.items()) if number}
