"""Checksums: by which damage is found that SQLite takes for content.

A bit that flips on a disk or in memory changes a number, or hides rows, and the file is as
well-formed as before. So each row has a checksum, of all its columns. They are added up by
slices: rows that are read together. Whoever reads a slice adds up what was found, by whatever
index, and compares. A row that has changed or vanished, or is found twice, makes a difference.

The tables' triggers tell of each change of a row, so no statement can forget to. What is not
known to be sound is never added up anew: the difference that damage makes stays until somebody
reads the slice.
"""

from __future__ import annotations

from marshal import dumps
from zlib import crc32

from check_postfix.maillog.errors import DamagedStore
from check_postfix.maillog.store import schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable
    from typing import Any

    Row = tuple[Any, ...]

# What marshal writes in this version of its format depends on values alone.
_FORMAT = 2
# Added to the checksum of each row, so that one whose checksum is 0 cannot vanish.
_ONE = 1 << 32
# All rows of all tables.
ALL = "all"
# No slice: the version of the tables, which stands in the file's header as well. All versions
# keep it so.
_VERSION = "version"
# Comes after the name of each slice.
LAST = "~"

_DAY = 24 * 60


def total(minute: int) -> str:
    """Return the slice of the totals of a minute's hour."""
    return f"total {minute // 60}"


def quarter(series: str, number: int) -> str:
    """Return the slice of what a series came to on the day of a quarter-hour."""
    return f"quarter {series} {number * 15 // _DAY}"


def keyed(family: str, minute: int) -> str:
    """Return the slice of the keys of a family in a minute's hour."""
    return f"keyed {family} {minute // 60}"


def delay(minute: int) -> str:
    """Return the slice of how long deliveries took in a minute's hour."""
    return f"delay {minute // 60}"


def pending(log: int, owner: int, side: int) -> str:
    """Return the slice of what is pending at a boundary."""
    return f"pending {log} {owner} {side}"


def quarter_key(family: str, quarter: int) -> str:
    """Return the slice of the sums of a family's keys in the quarter-hours of a day."""
    return f"quarter_key {family} {quarter // 96:07}"


def daily_most(family: str) -> str:
    """Return the slice of the most that the keys of a family came to on each day."""
    return f"daily_most {family}"


def tried(hour: int) -> str:
    """Return the slice of who failed to log in, on the day of an hour."""
    return f"tried {hour // 24}"


def place(network: str) -> str:
    """Return the slice of the logins from the networks whose pseudonyms begin alike."""
    return f"place {network[:3]}"


def run(mark: str) -> str:
    """Return the slice of a run mark."""
    return f"run {mark}"


def of_log(table: str, log: int) -> str:
    """Return the slice of the rows of a table that belong to a log."""
    return f"{table} {log}"


def seen_watched(log: int, watched: bool | int) -> str:
    """Return the slice of the files of a log that are watched, or are not."""
    return f"seen {log} watched {int(watched)}"


def seen_holding(log: int, generation: int) -> str:
    """Return the slice of the files that hold a generation."""
    return f"seen {log} holding {generation}"


def generation(number: int) -> str:
    """Return the slice of a generation."""
    return f"generation {number}"


def unsettled(log: int) -> str:
    """Return the slice of the generations that lines may still come from."""
    return f"generation of {log} unsettled"


def headed(log: int, head: bytes) -> str:
    """Return the slice of the generations whose fingerprints have the same first byte."""
    return f"generation of {log} headed {head[:1].hex()}"


def begun(log: int, minute: int | None) -> str:
    """Return the slice of the generations that begin on the day of a minute."""
    return f"generation of {log} begun {(minute or 0) // _DAY:07}"


def _of_seen(row: Row) -> tuple[str, ...]:
    log, _, _, number, _, _, _, _, _, watched, *_ = row
    return seen_watched(log, watched), seen_holding(log, number)


def _of_generation(row: Row) -> tuple[str, ...]:
    number, head, hole_start, hole_end, _, _, _, first_minute, _, _, live, done, *_ = row
    log = row[17]
    slices = generation(number), headed(log, head), begun(log, first_minute)
    is_settled = not live and done and hole_end <= hole_start
    return slices if is_settled else (*slices, unsettled(log))


# Table -> slices of a row. Other tables are one slice.
_SLICES: dict[str, Callable[[Row], tuple[str, ...]]] = {
    "total": lambda row: (total(row[0]),),
    "quarter": lambda row: (quarter(row[0], row[1]),),
    "keyed": lambda row: (keyed(row[0], row[1]),),
    "delay": lambda row: (delay(row[0]),),
    "pending": lambda row: (pending(*row[:3]),),
    "quarter_key": lambda row: (quarter_key(row[0], row[1]),),
    "daily_most": lambda row: (daily_most(row[0]),),
    "tried": lambda row: (tried(row[0]),),
    "place": lambda row: (place(row[0]),),
    "run": lambda row: (run(row[0]),),
    "gap": lambda row: (of_log("gap", row[0]),),
    "directory": lambda row: (of_log("directory", row[0]),),
    "origin": lambda row: (of_log("origin", row[1]),),
    "journal_span": lambda row: (of_log("journal_span", row[12]),),
    "seen": _of_seen,
    "generation": _of_generation,
}


def _sum(rows: Iterable[Row]) -> int:
    return sum(_ONE + crc32(dumps(row, _FORMAT)) for row in rows)


class Checksums:
    """The checksums of a store.

    db:   its connection
    path: its file
    """

    def __init__(self, db: sqlite3.Connection, path: str | None) -> None:
        self._db = db
        self._path = path
        # Slice -> what rows were added to it, or taken from it, in this transaction.
        self._changes: dict[str, int] = {}
        db.create_function("noted", -1, self._noted)
        # Or else a row that is replaced would not tell that it is gone.
        db.execute("PRAGMA recursive_triggers=ON")

    def _noted(self, table: str, times: int, *row: Any) -> None:
        """Take down that a row has come, or gone; the triggers call it."""
        change = times * (_ONE + crc32(dumps(row, _FORMAT)))
        changes = self._changes
        slices = _SLICES.get(table)
        for name in (ALL, *(slices(row) if slices else (table,))):
            changes[name] = changes.get(name, 0) + change

    def save(self) -> None:
        """Keep what has changed; inside a transaction only."""
        if self._changes:
            self._db.executemany(
                "INSERT INTO checksum VALUES (?, ?) ON CONFLICT DO UPDATE SET sum=sum+excluded.sum",
                sorted(self._changes.items()),
            )
            self._db.executemany(
                "DELETE FROM checksum WHERE slice=? AND sum=0", zip(self._changes, strict=False)
            )
            self._changes.clear()

    def drop_changes(self) -> None:
        """Forget what has changed since it was kept last: it is undone."""
        self._changes.clear()

    def _of(self, name: str) -> int:
        found = self._db.execute("SELECT sum FROM checksum WHERE slice=?", (name,)).fetchone()
        return (found[0] if found else 0) + self._changes.get(name, 0)

    def check(self, name: str, rows: Iterable[Row]) -> None:
        """See that these are the rows of a slice, with all their columns.

        Raises: DamagedStore
        """
        if _sum(rows) != self._of(name):
            raise self.damage(name)

    def whole(self, name: str, query: str, *values: object) -> list[Row]:
        """Return the rows that a query yields, which are those of a slice with all their columns.

        Raises: DamagedStore
        """
        rows = self._db.execute(query, values).fetchall()
        self.check(name, rows)
        return rows

    def check_all_of(self, table: str, first: str, last: str, rows: Iterable[Row]) -> None:
        """See that these are the rows of all slices from one name to another.

        Raises: DamagedStore
        """
        found: dict[str, list[Row]] = {}
        try:
            for row in rows:
                for name in _SLICES[table](row):
                    if first <= name <= last:
                        found.setdefault(name, []).append(row)
        except (TypeError, AttributeError):  # something else than the slices are told by
            raise self.damage(first) from None
        kept = self.names(first, last)
        for name in found.keys() | kept:
            self.check(name, found.get(name, []))

    def names(self, first: str, last: str) -> set[str]:
        """Return the names of the slices between two that have rows."""
        self.save()
        query = "SELECT slice FROM checksum WHERE slice BETWEEN ? AND ?"
        return {name for (name,) in self._db.execute(query, (first, last))}

    def check_everything(self) -> None:
        """See that all rows of all tables are as they were written.

        Raises: DamagedStore
        """
        there = dict(self._db.execute("SELECT slice, sum FROM checksum"))
        try:
            found = self._added_up()
        except (TypeError, AttributeError):  # something else than the slices are told by
            raise self.damage(ALL) from None
        for name in found.keys() | there.keys():
            if found.get(name, 0) != there.get(name, 0):
                raise self.damage(name)

    def write_anew(self) -> None:
        """Add up all rows anew, which are known to be sound; inside a transaction only."""
        self._changes.clear()
        self._db.execute("DELETE FROM checksum")
        self._db.executemany("INSERT INTO checksum VALUES (?, ?)", self._added_up().items())

    def _added_up(self) -> dict[str, int]:
        """Return slice -> sum, of all tables."""
        before, self._changes = self._changes, {}
        try:
            for table in schema.columns():
                for row in self._db.execute(f'SELECT * FROM "{table}"'):
                    self._noted(table, 1, *row)
            return {_VERSION: schema.VERSION} | self._changes
        finally:
            self._changes = before

    def version(self) -> int | None:
        """Return the version of the tables, None if the file is too old to have it here."""
        query = "SELECT sum FROM checksum WHERE slice=?"
        if not self._db.execute("SELECT 1 FROM sqlite_master WHERE name='checksum'").fetchone():
            return None
        found = self._db.execute(query, (_VERSION,)).fetchone()
        return found[0] if found else None

    def damage(self, name: str) -> DamagedStore:
        """Return what is said of a slice that has other rows than it should."""
        table = "its tables" if name == ALL else f"its table {name.split()[0]}"
        return DamagedStore(f"{self._path}: has other rows in {table} than were written")
