"""Rows: which a section shows, and how many more there are."""

from __future__ import annotations

from check_postfix.command.report.book import SEPARATOR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from check_postfix.command.report.book import Book
    from check_postfix.command.report.names import Names
    from check_postfix.command.report.section import Section
    from check_postfix.command.report.tally import Tally


class Limits:
    """How many rows each section shows; 0 leaves it out.

    A name without a limit of its own has the one for all.
    """

    def __init__(self, of_all: int, own: dict[str, int]) -> None:
        self._of_all = of_all
        self._own = own

    def of(self, name: str) -> int:
        """Return the limit of the sections of this name."""
        return self._own.get(name, self._of_all)


class Shown:
    """What the sections of one subject are made of.

    book:   finished
    names:  what is called how
    limits: rows of each
    """

    def __init__(self, book: Book, names: Names, limits: Limits) -> None:
        self._book = book
        self._names = names
        self._limits = limits

    def _top(
        self, tally: Tally, column: int, limit: str, then: int | None = None
    ) -> list[tuple[bytes, list[float]]]:
        return tally.top(column, self._limits.of(limit), then)

    def _with_more(self, section: Section, tally: Tally, column: int = 0) -> Section:
        """Return a section that says how many rows it has left out; none if it is left out."""
        if not section.rows:
            return section
        return section._replace(more=tally.having(column) - len(section.rows))

    def _cut(self, section: Section, limit: str) -> Section:
        most = self._limits.of(limit)
        more = len(section.rows) - most if most else 0
        return section._replace(rows=section.rows[:most], more=max(0, more))


def parted(
    rows: Iterable[tuple[bytes, list[float]]],
) -> Iterator[tuple[list[bytes], list[float]]]:
    """Return the fields of each name, and its numbers."""
    return ((name.split(SEPARATOR), row) for name, row in rows)
