"""A tally: numbers by name, exact for any number of names, in little memory.

Names are kept in memory until there are too many of them in all tallies together. Then they go
to a nameless temporary SQLite file, which nobody else can read and which is gone when the
process is; there they are added up in the end.

A row of that file holds many names, as Python writes them: those of one time that belong to
one part of all names, by their hash. In the end the rows of a part are put together, one part
after the other. So a row for each name, and an order of all of them, are never needed.
"""

from __future__ import annotations

import marshal
import sqlite3
from collections import Counter
from itertools import compress, islice
from operator import itemgetter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    # One number for each column
    Row = list[float]
    # A rank, a name, and what stands for its numbers
    _Ranked = tuple[Any, bytes, Any]

# So many names are in memory, of all tallies together, and so many bytes of them.
MOST_NAMES = 120_000
_MOST_BYTES = 8 << 20
# How often their bytes are looked at until there are so many.
_LOOKS = 8
# What a name is cut to: an address has at most 254 bytes, a host name 253 (RFC 5321, 1035).
LONGEST_NAME = 320
# Of the temporary file, so much is kept in memory; in KiB.
_CACHE = 4096
SUM, MAX = "sum", "max"
# The names of a spilled tally have so many parts. One of them is in memory at a time: of fifty
# million names, as many as are in memory before anything is spilled.
_PARTS = 256
# Each tally can be spilled so often.
_TIMES = 1 << 24
# How Python writes them: as it always has, which is the fastest.
_FORM = 2
# In one number: how often, and a sum of sizes, in the lower bits. No such sum is so large: of 10
# digits each, repeated a thousand million times in a line.
_SIZE_BITS = 90
ONE = 1 << _SIZE_BITS
_SIZE = ONE - 1


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
                # The place tells tally, part, and which time it was.
                " CREATE TABLE spilled (place INTEGER PRIMARY KEY, names BLOB);"
            )
        return self._database

    def tally(self, *columns: str) -> Tally:
        """Return a new tally; for each column SUM or MAX, by which its numbers are put together."""
        tally = Tally(self, len(self.tallies), columns)
        self.tallies.append(tally)
        return tally

    def sizes(self) -> Sizes:
        """Return a new tally of how often and how much."""
        sizes = Sizes(self, len(self.tallies))
        self.tallies.append(sizes)
        return sizes

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
        size = sum(tally.size() for tally in self.tallies)
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
        self._place = number * _PARTS * _TIMES
        self._functions = columns
        # How often it was spilled
        self._times = 0
        # So many names were looked at how long they are, and so many bytes they have.
        self._looked_at = self._bytes = 0
        # Once it is finished
        self._number, self._having = 0, [0] * len(columns)

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
        name = name[:LONGEST_NAME]
        there: Row | None = self.rows.get(name)
        if there is None:
            there = self.rows[name] = [0.0] * len(self._functions)
        return there

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

    def _numbers(self, values: Iterable[Any], column: int) -> Iterable[float]:
        """Return the numbers of a column from what stands for all of them in memory."""
        return [value[column] for value in values]

    def _ranks(self, values: Iterable[Any], column: int, then: int) -> Iterable[Any]:
        """Return for each of these what decides which name comes before which."""
        return [(value[column], value[then]) for value in values]

    def size(self) -> int:
        """Return how many bytes the names in memory have."""
        self._bytes += sum(map(len, islice(self.rows, self._looked_at, None)))
        self._looked_at = len(self.rows)
        return self._bytes

    # -- the file

    def spill(self) -> None:
        """Put all names into the file."""
        self._write((part, self._times, names) for part, names in enumerate(self._taken()))
        self._times += 1

    def _taken(self) -> list[dict[bytes, Any]]:
        """Take all names out of memory, in parts."""
        parts: list[dict[bytes, Any]] = [{} for _ in range(_PARTS)]
        for name, value in self.rows.items():
            parts[hash(name) % _PARTS][name] = value
        self.rows.clear()
        self._looked_at = self._bytes = 0
        return parts

    def _write(self, parts: Iterable[tuple[int, int, dict[bytes, Any]]]) -> None:
        self._shelf.database.executemany(
            "INSERT INTO spilled VALUES (?, ?)",
            (
                (self._place + part * _TIMES + time, marshal.dumps(names, _FORM))
                for part, time, names in parts
                if names
            ),
        )

    def finish(self) -> None:
        """Bring together what is in the file; nothing is added any more."""
        self.settle()
        if not self._times:
            return
        self._number = 0
        for part, names in enumerate(self._taken()):
            begin = self._place + part * _TIMES
            for earlier in self._read(begin, begin + _TIMES):
                self.merge(earlier)
            self.merge(names)
            self._shelf.database.execute(
                "DELETE FROM spilled WHERE place BETWEEN ? AND ?", (begin, begin + _TIMES - 1)
            )
            whole = dict(self.rows)
            self.rows.clear()
            self._write([(part, 0, whole)])
            self._number += len(whole)
            for column in range(len(self._functions)):
                self._having[column] += self._above_zero(whole, column)

    def _above_zero(self, names: dict[bytes, Any], column: int) -> int:
        return sum(map((0.0).__lt__, self._numbers(names.values(), column)))

    def _read(self, begin: int, end: int) -> Iterator[dict[bytes, Any]]:
        rows = self._shelf.database.execute(
            "SELECT names FROM spilled WHERE place BETWEEN ? AND ? ORDER BY place",
            (begin, end - 1),
        )
        # Nobody else can have written there.
        return (marshal.loads(names) for (names,) in rows)  # noqa: S302

    def _parts(self) -> Iterable[dict[bytes, Any]]:
        """Return all names and what stands for their numbers, part by part."""
        if self._times:
            return self._read(self._place, self._place + _PARTS * _TIMES)
        return [self.rows]

    # -- what is asked once it is finished

    def __len__(self) -> int:
        """Return how many names there are, once it is finished."""
        return self._number if self._times else len(self.rows)

    def having(self, column: int) -> int:
        """Return how many names have more than 0 in a column, once it is finished."""
        return self._having[column] if self._times else self._above_zero(self.rows, column)

    def top(self, column: int, most: int, then: int | None = None) -> list[tuple[bytes, Row]]:
        """Return the names with the largest numbers in a column, once it is finished.

        then: column that decides between those with the same number; after that, the first in
              the order of their bytes. Names with 0 are left out
        """
        ranked = self._first(column, most, column if then is None else then)
        ranked.sort(key=itemgetter(1))
        ranked.sort(key=itemgetter(0), reverse=True)
        found = [(name, self._row(value)) for _, name, value in ranked]
        return [(name, row) for name, row in found if row[column] > 0]

    def _first(self, column: int, most: int, then: int) -> list[_Ranked]:
        def ranks(names: dict[bytes, Any]) -> Iterable[Any]:
            return self._ranks(names.values(), column, then)

        if not self._times:
            return _first(self.rows, ranks(self.rows), most)
        best: dict[bytes, Any] = {}
        least: Any = None  # rank that a name must have, once there are enough
        for names in self._parts():
            best.update(
                names
                if least is None
                else [
                    (name, names[name])
                    for rank, name in zip(ranks(names), names, strict=True)
                    if rank >= least
                ]
            )
            if len(best) > 2 * most:
                ranked = _first(best, ranks(best), most)
                best = {name: value for _, name, value in ranked}
                least = ranked[-1][0] if ranked else None
        return _first(best, ranks(best), most)

    def has(self, name: bytes) -> bool:
        """Tell whether a name is there, once it is finished."""
        if not self._times:
            return name in self.rows
        begin = self._place + hash(name) % _PARTS * _TIMES
        return any(name in names for names in self._read(begin, begin + _TIMES))

    def items(self) -> Iterator[tuple[bytes, Row]]:
        """Yield each name and its numbers, once it is finished."""
        return (
            (name, self._row(value)) for names in self._parts() for name, value in names.items()
        )


class Sizes(Tally):
    """A tally of how often and how much, which are one number in memory: it costs little.

    To what a name has in `rows`, add `ONE` and the size; the name must not be too long.
    """

    weight = 1

    def __init__(self, shelf: Shelf, number: int) -> None:
        super().__init__(shelf, number, [SUM, SUM])
        self.rows: dict[bytes, int] = {}

    def add(self, name: bytes, *numbers: float) -> None:
        """Add to both numbers of a name."""
        often, size = map(int, numbers)
        name = name[:LONGEST_NAME]
        self.rows[name] = self.rows.get(name, 0) + ONE * often + size

    def merge(self, rows: dict[bytes, Any]) -> None:
        """Add the numbers of another one."""
        own, known = self.rows, self.rows.get
        for name, both in rows.items():
            own[name] = known(name, 0) + both

    def _row(self, value: int) -> Row:
        return [float(value >> _SIZE_BITS), float(value & _SIZE)]

    def _numbers(self, values: Iterable[int], column: int) -> Iterable[float]:
        if column:
            return [value & _SIZE for value in values]
        return [value >> _SIZE_BITS for value in values]

    def _first(self, column: int, most: int, then: int) -> list[_Ranked]:
        if not column or column == then or self._times or not 0 < most < len(self.rows):
            return super()._first(column, most, then)
        # How often need be looked at of few only: of those that are large enough.
        sizes = self._numbers(self.rows.values(), column)
        large = map(_largest(sizes, most)[-1].__le__, sizes)
        names = dict(compress(self.rows.items(), large))
        return _first(names, self._ranks(names.values(), column, then), most)

    def _above_zero(self, names: dict[bytes, Any], column: int) -> int:
        if column:
            return super()._above_zero(names, column)
        return sum(map(ONE.__le__, names.values()))

    def _ranks(self, values: Iterable[int], column: int, then: int) -> Iterable[Any]:
        if column == then:
            return self._numbers(values, column)
        # How much, where that decides, stands before how often.
        return (
            [(value & _SIZE) << _SIZE_BITS | value >> _SIZE_BITS for value in values]
            if column
            else values
        )


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

    def first(self, most: int) -> list[tuple[bytes, int]]:
        """Return the names that `top` does, and their numbers, in any order."""
        return [(name, number) for _, name, number in self._first(0, most, 0) if number > 0]

    def _row(self, value: int) -> Row:
        return [value]

    def _numbers(self, values: Iterable[int], column: int) -> Iterable[float]:  # noqa: ARG002
        return values

    def _ranks(self, values: Iterable[int], column: int, then: int) -> Iterable[Any]:  # noqa: ARG002
        return values


def _first(names: dict[bytes, Any], ranks: Iterable[Any], most: int) -> list[_Ranked]:
    """Return the first of some names: by rank, then in the order of their bytes.

    They are in any order, but that those of the last rank are at the end, if any was left out.

    ranks: of the names, in their order
    """
    if not most:
        return []
    ranked = zip(ranks, names, names.values(), strict=True)
    if most >= len(names):
        return list(ranked)
    least = _largest(ranks, most)[-1]
    found = list(compress(ranked, map(least.__le__, ranks)))
    above = [one for one in found if one[0] != least]
    tied = _smallest([name for rank, name, _ in found if rank == least], most - len(above))
    return above + [(least, name, names[name]) for name in tied]


# The heap's way is the faster for so few.
_FEW = 100


def _largest(ranks: Iterable[Any], most: int) -> list[Any]:
    from heapq import nlargest

    return nlargest(most, ranks) if most <= _FEW else sorted(ranks, reverse=True)[:most]


def _smallest(names: list[bytes], most: int) -> list[bytes]:
    from heapq import nsmallest

    return nsmallest(most, names) if most <= _FEW else sorted(names)[:most]
