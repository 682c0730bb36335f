"""A tally: numbers by name, exact for any number of names, in little memory.

Names are kept in memory until there are too many of them in all tallies together. Then they go
to a temporary file (drawers.py), where they are added up in the end.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from operator import itemgetter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from check_postfix.command.report.drawers import Drawers, TemporaryFile

    # One number for each column
    Row = list[float]

# So many names are in memory, of all tallies together, and so many bytes of them.
MOST_NAMES = 120_000
_MOST_BYTES = 8 << 20
# How often their bytes are looked at until there are so many.
_LOOKS = 20
# What a name is cut to: an address has at most 254 bytes, a host name 253 (RFC 5321, 1035).
LONGEST_NAME = 320
# Of those that may be the first, so many more are looked at together.
_SPARE = 2_000
# Of the temporary file, so much is kept in memory; in KiB.
_CACHE = 4096
SUM, MAX = "sum", "max"


class Shelf:
    """Where tallies put what does not fit into memory. Use it as a context manager.

    most: names in memory
    """

    def __init__(self, most: int = MOST_NAMES) -> None:
        self._most = most
        self._next_look = 0
        self.tallies: list[Tally] = []
        self._database: sqlite3.Connection | None = None
        self._file: TemporaryFile | None = None

    def __enter__(self) -> Shelf:
        return self

    def __exit__(self, *_: object) -> None:
        if self._database:
            self._database.close()
        if self._file:
            self._file.close()

    @property
    def is_used(self) -> bool:
        """Whether anything did not fit into memory."""
        return self._database is not None or self._file is not None

    @property
    def file(self) -> TemporaryFile:
        """The temporary file of the tallies, made when it is first asked for."""
        if self._file is None:
            from check_postfix.command.report.drawers import TemporaryFile

            self._file = TemporaryFile()
        return self._file

    @property
    def database(self) -> sqlite3.Connection:
        """A temporary file for what is looked up, made when it is first asked for."""
        if self._database is None:
            self._database = sqlite3.connect("", isolation_level=None)
            # The file is thrown away: nothing need be safe on disk.
            self._database.executescript(
                f"PRAGMA cache_size=-{_CACHE}; PRAGMA temp_store=FILE; PRAGMA journal_mode=OFF;"
                " PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE; BEGIN;"
            )
        return self._database

    def tally(self, *columns: str) -> Tally:
        """Return a new tally; for each column SUM or MAX, by which its numbers are put together."""
        tally = Tally(self, columns)
        self.tallies.append(tally)
        return tally

    def count(self) -> Count:
        """Return a new tally of one number, which is counted up."""
        count = Count(self)
        self.tallies.append(count)
        return count

    def tidy(self) -> None:
        """Make room if there are too many names in memory."""
        for tally in self.tallies:
            tally.settle()
        names = sum(len(tally.rows) * tally.weight for tally in self.tallies)
        if names < min(self._next_look, self._most + 1):
            return
        size = sum(map(_bytes, self.tallies))
        # Their bytes are not added up each time: not before there can be too many.
        more = max(self._most // _LOOKS, (_MOST_BYTES - size) // LONGEST_NAME)
        self._next_look = names + more
        if names > self._most or size > _MOST_BYTES:
            share = self._most // (2 * len(self.tallies))
            for tally in self.tallies:
                if len(tally.rows) * tally.weight > share:
                    tally.spill()
            self._next_look = 0


class Tally:
    """Numbers by name.

    rows: name -> its numbers since it was last spilled, to be added to. It is always the same
          dictionary
    weight: of a name, beside that of one with one number
    """

    weight = 3

    def __init__(self, shelf: Shelf, columns: Sequence[str]) -> None:
        self.rows: dict[bytes, Any] = {}
        self._shelf = shelf
        self._functions = columns
        self._drawers: Drawers | None = None
        self._number = 0  # of names, once it is finished

    def add(self, name: bytes, *numbers: float) -> None:
        """Add to the numbers of a name; columns that are not given stay as they are."""
        row = self.row(name)
        for place, number in enumerate(numbers):
            if self._functions[place] == SUM:
                row[place] += number
            elif number > row[place]:
                row[place] = number

    def row(self, name: bytes) -> Row:
        """Return the numbers of a name, to be added to at once."""
        there: Row | None = self.rows.get(name)
        if there is not None:
            return there
        begun = self.rows[name[:LONGEST_NAME]] = self._begun(name)
        return begun

    def settle(self) -> None:
        """Bring what was noted among the rows."""

    def merge(self, rows: dict[bytes, Any]) -> None:
        """Add the rows of another tally of the same columns, which are not used any more."""
        self._add_rows(self.rows, rows)

    def _add_rows(self, rows: dict[bytes, Any], others: dict[bytes, Any]) -> None:
        """Add rows to others, from which they may be taken."""
        for name, row in others.items():
            own = rows.get(name)
            if own is None:
                rows[name] = row
                continue
            for place, function in enumerate(self._functions):
                if function == SUM:
                    own[place] += row[place]
                elif row[place] > own[place]:
                    own[place] = row[place]

    def _row(self, value: Any) -> Row:
        """Return the numbers that stand for a name in memory."""
        row: Row = value
        return row

    def _begun(self, name: bytes) -> Row:
        if len(name) > LONGEST_NAME:
            there: Row | None = self.rows.get(name[:LONGEST_NAME])
            if there:
                return there
        return [0.0] * len(self._functions)

    def spill(self) -> None:
        """Put all names into the file.

        Raises: LogError
        """
        if self._drawers is None:
            from check_postfix.command.report.drawers import Drawers

            self._drawers = Drawers(self._shelf.file, self._add_rows)
        self._drawers.put(self.rows)
        self.rows.clear()

    def finish(self) -> None:
        """Bring together what is in the file; nothing is added any more.

        Raises: LogError
        """
        self.settle()
        if self._drawers is None:
            self._number = len(self.rows)
            return
        if self.rows:
            self.spill()
        self._number = self._drawers.bring_together()

    def _all_rows(self) -> Iterator[dict[bytes, Any]]:
        """Yield all rows, in one piece or in several, once it is finished."""
        return iter([self.rows]) if self._drawers is None else self._drawers.all()

    def __len__(self) -> int:
        """Return how many names there are, once it is finished."""
        return self._number

    def having(self, column: int) -> int:
        """Return how many names have more than 0 in a column, once it is finished."""
        return sum(row[column] > 0 for _, row in self.items())

    def top(self, column: int, most: int, then: int | None = None) -> list[tuple[bytes, Row]]:
        """Return the names with the largest numbers in a column, once it is finished.

        then: column that decides between those with the same number; after that, the first in
              the order of their bytes. Names with 0 are left out
        """
        if not most:
            return []
        second = column if then is None else then
        found: list[tuple[bytes, Any]] = []
        last: tuple[bytes, Any] | None = None
        for rows in self._all_rows():
            found += self._before(last, rows, column, second)
            # Of very many, few are among the first.
            if len(found) > 2 * most + _SPARE:
                self._sort(found, column, second)
                del found[most:]
                last = found[-1]
        self._sort(found, column, second)
        return [(name, self._row(value)) for name, value in found[:most]]

    def _before(
        self, last: tuple[bytes, Any] | None, rows: dict[bytes, Any], column: int, second: int
    ) -> list[tuple[bytes, Any]]:
        """Return the rows with more than 0 that are in order before one of them, or all."""
        if last is None:
            return [item for item in rows.items() if item[1][column] > 0]
        name, row = last
        least, order = row[column], (-row[second], name)
        return [
            item
            for item in rows.items()
            if item[1][column] > least
            or (item[1][column] == least and (-item[1][second], item[0]) < order)
        ]

    def _sort(self, items: list[tuple[bytes, Any]], column: int, second: int) -> None:
        # Twice, by less each time, takes less time than once.
        items.sort(key=itemgetter(0))
        items.sort(key=lambda item: (item[1][column], item[1][second]), reverse=True)

    def has(self, name: bytes) -> bool:
        """Tell whether a name is there, once it is finished."""
        return name in (self.rows if self._drawers is None else self._drawers.of(name))

    def items(self) -> Iterator[tuple[bytes, Row]]:
        """Yield each name and its numbers, once it is finished."""
        return ((name, self._row(row)) for rows in self._all_rows() for name, row in rows.items())


class Count(Tally):
    """A tally of one number, for what is counted in many lines: it costs the least."""

    weight = 1

    def __init__(self, shelf: Shelf) -> None:
        super().__init__(shelf, [SUM])
        self.rows: Counter[bytes] = Counter()
        self._names: list[bytes] = []
        # Counts a name once; counts many.
        self.note, self.note_all = self._names.append, self._names.extend

    def add(self, name: bytes, *numbers: float) -> None:
        """Count a name so many times."""
        self.settle()
        self.rows[name[:LONGEST_NAME]] += int(numbers[0])

    def settle(self) -> None:
        """Bring what was noted among the rows."""
        names = self._names
        if names:
            if max(map(len, names)) > LONGEST_NAME:
                names[:] = [name[:LONGEST_NAME] for name in names]
            self.rows.update(names)
            names.clear()

    def merge(self, rows: dict[bytes, Any]) -> None:
        """Add the numbers of another one."""
        self.rows.update(rows)

    def _add_rows(self, rows: dict[bytes, Any], others: dict[bytes, Any]) -> None:
        number_of = rows.get
        for name, number in others.items():
            rows[name] = number_of(name, 0) + number

    def _row(self, value: int) -> Row:
        return [value]

    def _before(
        self, last: tuple[bytes, Any] | None, rows: dict[bytes, Any], *_: int
    ) -> list[tuple[bytes, Any]]:
        name, least = last or (b"", 0)
        return [
            item
            for item in rows.items()
            if item[1] > least or (item[1] == least and item[0] < name)
        ]

    def _sort(self, items: list[tuple[bytes, Any]], *_: int) -> None:
        items.sort(key=itemgetter(0))
        items.sort(key=itemgetter(1), reverse=True)

    def items(self) -> Iterator[tuple[bytes, Row]]:
        """See Tally."""
        return ((name, [number]) for rows in self._all_rows() for name, number in rows.items())


def _bytes(tally: Tally) -> int:
    return sum(map(len, tally.rows))
