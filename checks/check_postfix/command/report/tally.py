"""A tally: numbers by name, exact for any number of names, in little memory.

Names are kept in memory until there are too many of them in all tallies together. Then they go
to a nameless temporary SQLite file, which nobody else can read and which is gone when the
process is; there they are added up in the end.
"""

from __future__ import annotations

import sqlite3
from collections import Counter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    # One number for each column
    Row = list[float]

# So many names are in memory, of all tallies together, and so many bytes of them.
MOST_NAMES = 120_000
_MOST_BYTES = 8 << 20
# How often their bytes are looked at until there are so many.
_LOOKS = 20
# What a name is cut to: an address has at most 254 bytes, a host name 253 (RFC 5321, 1035).
LONGEST_NAME = 320
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

    def __enter__(self) -> Shelf:
        return self

    def __exit__(self, *_: object) -> None:
        if self._database:
            self._database.close()

    @property
    def is_used(self) -> bool:
        """Whether anything did not fit into memory."""
        return self._database is not None

    @property
    def database(self) -> sqlite3.Connection:
        """The temporary file, made when it is first asked for."""
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
        tally = Tally(self, len(self.tallies), columns)
        self.tallies.append(tally)
        return tally

    def count(self) -> Count:
        """Return a new tally of one number, which is counted up."""
        count = Count(self, len(self.tallies))
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

    def __init__(self, shelf: Shelf, number: int, columns: Sequence[str]) -> None:
        self.rows: dict[bytes, Any] = {}
        self._shelf = shelf
        self._table = f"tally{number}"
        self._functions = columns
        self._columns = [f"c{place}" for place in range(len(columns))]
        self._is_spilled = False

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
        own = self.rows
        for name, row in rows.items():
            if name in own:
                self.add(name, *row)
            else:
                own[name] = row

    def _row(self, value: Any) -> Row:
        """Return the numbers that stand for a name in memory."""
        row: Row = value
        return row

    def _begun(self, name: bytes) -> Row:
        if len(name) > LONGEST_NAME:
            there: Row | None = self.rows.get(name[:LONGEST_NAME])
            if there:
                return there
        return [0.0] * len(self._columns)

    def spill(self) -> None:
        """Put all names into the file."""
        database = self._shelf.database
        columns = ", ".join(self._columns)
        if not self._is_spilled:
            database.execute(f"CREATE TABLE {self._table} (name BLOB, {columns})")
            self._is_spilled = True
        marks = ", ".join("?" * len(self._columns))
        database.executemany(
            f"INSERT INTO {self._table} VALUES (?, {marks})",
            self._values(),
        )
        self.rows.clear()

    def _values(self) -> Iterator[tuple[Any, ...]]:
        return ((name, *row) for name, row in self.rows.items())

    def finish(self) -> None:
        """Bring together what is in the file; nothing is added any more."""
        self.settle()
        if not self._is_spilled:
            return
        if self.rows:
            self.spill()
        database = self._shelf.database
        together = ", ".join(
            f"{function}({column}) AS {column}"
            for function, column in zip(self._functions, self._columns, strict=True)
        )
        database.execute(
            f"CREATE TABLE whole_{self._table} AS"
            f" SELECT name, {together} FROM {self._table} GROUP BY name"
        )
        database.execute(f"DROP TABLE {self._table}")

    def __len__(self) -> int:
        """Return how many names there are, once it is finished."""
        if not self._is_spilled:
            return len(self.rows)
        count = f"SELECT count(*) FROM whole_{self._table}"
        return int(self._shelf.database.execute(count).fetchone()[0])

    def having(self, column: int) -> int:
        """Return how many names have more than 0 in a column, once it is finished."""
        if not self._is_spilled:
            return sum(self._row(row)[column] > 0 for row in self.rows.values())
        count = f"SELECT count(*) FROM whole_{self._table} WHERE c{column} > 0"
        return int(self._shelf.database.execute(count).fetchone()[0])

    def top(self, column: int, most: int, then: int | None = None) -> list[tuple[bytes, Row]]:
        """Return the names with the largest numbers in a column, once it is finished.

        then: column that decides between those with the same number; after that, the first in
              the order of their bytes. Names with 0 are left out
        """
        second = column if then is None else then
        if self._is_spilled:
            order = f"ORDER BY c{column} DESC, c{second} DESC, name LIMIT {most}"
            return list(self._select(f"WHERE c{column} > 0 {order}"))
        from heapq import nsmallest

        some = ((name, row) for name, row in self.items() if row[column] > 0)
        return nsmallest(most, some, key=lambda item: (-item[1][column], -item[1][second], item[0]))

    def has(self, name: bytes) -> bool:
        """Tell whether a name is there, once it is finished."""
        if not self._is_spilled:
            return name in self.rows
        found = f"SELECT 1 FROM whole_{self._table} WHERE name = ?"
        return self._shelf.database.execute(found, (name,)).fetchone() is not None

    def items(self) -> Iterator[tuple[bytes, Row]]:
        """Yield each name and its numbers, once it is finished."""
        if self._is_spilled:
            return self._select("")
        return ((name, self._row(row)) for name, row in self.rows.items())

    def _select(self, how: str) -> Iterator[tuple[bytes, Row]]:
        for name, *row in self._shelf.database.execute(
            f"SELECT name, {', '.join(self._columns)} FROM whole_{self._table} {how}"
        ):
            yield name, row


class Count(Tally):
    """A tally of one number, for what is counted in many lines: it costs the least."""

    weight = 1

    def __init__(self, shelf: Shelf, number: int) -> None:
        super().__init__(shelf, number, [SUM])
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

    def _row(self, value: int) -> Row:
        return [value]

    def _values(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.rows.items())


def _bytes(tally: Tally) -> int:
    return sum(map(len, tally.rows))
