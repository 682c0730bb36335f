"""Quarters: what each series came to in each quarter of an hour, for what is usual.

A month of minutes takes too long to read for that. So series are added up by quarter-hours as
well, in the transaction that adds their minutes. A quarter is a number of quarter-hours since
1970, UTC; a row has the numbers of all origins, packed by the origins' numbers.
"""

from __future__ import annotations

from check_postfix.maillog.counts.families import SEPARATOR, WATCHED
from check_postfix.maillog.counts.series import OF_COUNTER, SERIES, of_watched
from check_postfix.maillog.store import checksum, packed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterator, Mapping

    from check_postfix.maillog.store.checksum import Checksums

MINUTES = 15
DAY = 96

_ADD = """
INSERT INTO quarter VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET numbers = merged(numbers, excluded.numbers)
"""
_RAISE = """
INSERT INTO quarter VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET numbers = largest(numbers, excluded.numbers)
"""
# The series of all watched addresses; what follows on a blank is a sign of exclamation.
_OF_WATCHED = f"series>='{of_watched('')}' AND series<'{of_watched('').rstrip()}!'"


class QuartersTable:
    """The table of quarter-hours.

    db, checksums: of a store
    """

    def __init__(self, db: sqlite3.Connection, checksums: Checksums) -> None:
        self._db = db
        self._checksums = checksums
        db.create_function("largest", 2, _largest, deterministic=True)

    def add(self, totals: Mapping[int, Mapping[str, int]]) -> None:
        """Add what is counted, as Counts has it; inside a transaction only."""
        added: dict[tuple[str, int], dict[str, int]] = {}
        # What a counter of an origin is called -> the origin, and the series that it belongs to
        known: dict[str, tuple[str, str]] = {}
        for minute, numbers in totals.items():
            for name, number in numbers.items():
                if name not in known:
                    origin, _, counter = name.partition(SEPARATOR)
                    known[name] = origin, OF_COUNTER.get(counter, "")
                origin, series = known[name]
                if series and number:
                    of_quarter = added.setdefault((series, minute // MINUTES), {})
                    of_quarter[origin] = of_quarter.get(origin, 0) + number
        self._add(added)

    def _add(self, added: Mapping[tuple[str, int], Mapping[str, int]]) -> None:
        rows = [(*where, packed.packed(numbers)) for where, numbers in sorted(added.items())]
        self._db.executemany(_ADD, rows)

    def add_watched(self, counted: Mapping[tuple[str, int], Mapping[str, int]]) -> None:
        """Add messages for watched addresses; inside a transaction only.

        counted: as Counts has them, among others: (WATCHED, quarter) -> address, as it calls that
                 of an origin -> number
        """
        added: dict[tuple[str, int], dict[str, int]] = {}
        for (family, quarter), numbers in counted.items():
            if family == WATCHED:
                for name, number in numbers.items():
                    origin, _, address = name.partition(SEPARATOR)
                    added.setdefault((of_watched(address), quarter), {})[origin] = number
        if added:
            self._add(added)

    def raise_to(self, series: str, most: Mapping[int, Mapping[str, int]]) -> None:
        """Let a series be no less than this; inside a transaction only.

        most: quarter -> origin -> number
        """
        self._db.executemany(
            _RAISE, [(series, quarter, packed.packed(row)) for quarter, row in sorted(most.items())]
        )

    def add_totals_there_are(self) -> None:
        """Fill the table, which is empty, from the totals of an older version.

        Raises: ValueError if they cannot be read
        """
        of_quarter: dict[int, dict[str, int]] = {}
        now = 0
        query = "SELECT minute, counters FROM total ORDER BY minute"
        for minute, counters in self._db.execute(query):
            if minute // MINUTES != now:
                self.add(of_quarter)
                of_quarter, now = {}, minute // MINUTES
            of_quarter[minute] = dict(packed.unpacked(counters))
        self.add(of_quarter)

    def forget(self, oldest: int) -> None:
        """Delete the quarters that begin before a minute; inside a transaction only."""
        for series in SERIES:  # they come first in the index
            self._db.execute(
                "DELETE FROM quarter WHERE series=? AND quarter<?", (series, -(-oldest // MINUTES))
            )
        self._db.execute(
            f"DELETE FROM quarter WHERE {_OF_WATCHED} AND quarter<?", (-(-oldest // MINUTES),)
        )

    def drop_unwatched(self) -> None:
        """Delete what is kept of addresses that are not watched any more; as `forget`."""
        self._db.execute(
            f"DELETE FROM quarter WHERE {_OF_WATCHED}"
            f" AND series NOT IN (SELECT '{of_watched('')}' || address FROM watched)"
        )

    def of(self, series: str, first: int, last: int, origins: Collection[int]) -> dict[int, int]:
        """Return quarter -> what a series of some origins came to, if it came to anything.

        first, last: quarters from which on, and up to which, not included

        Raises: DamagedStore; ValueError if the numbers cannot be read
        """
        wanted = frozenset(map(str, origins))
        found = {}
        for quarter, text in self._rows(series, first, last):
            numbers, _, names = text.partition("\n")
            if names in wanted:  # the only one, as in nearly all logs
                found[quarter] = int(numbers)
            elif "\n" in names and (
                number := sum(n for name, n in packed.unpacked(text) if name in wanted)
            ):
                found[quarter] = number
        return found

    def origins(self, series: str, first: int, last: int) -> set[int]:
        """Return of which origins anything of a series came in some quarters.

        Raises: as `of`
        """
        return {
            int(name)
            for _, text in self._rows(series, first, last)
            for name, _ in packed.unpacked(text)
        }

    def since(self, first: int, last: int, origins: Collection[int]) -> int:
        """Return the first quarter in which anything came of some origins; `last` if none did.

        Raises: as `of`
        """
        for day in range(first // DAY * DAY, last, DAY):
            begins = [
                quarter
                for series in SERIES
                for quarter in self.of(series, max(day, first), min(day + DAY, last), origins)
            ]
            if begins:
                return min(begins)
        return last

    def _rows(self, series: str, first: int, last: int) -> Iterator[tuple[int, str]]:
        for day in range(first // DAY * DAY, last, DAY):
            for _, quarter, text in self._checksums.whole(
                checksum.quarter(series, day),
                "SELECT * FROM quarter WHERE series=? AND quarter>=? AND quarter<?",
                series,
                day,
                day + DAY,
            ):
                if first <= quarter < last:
                    yield quarter, text


def _largest(one: str, other: str) -> str:
    """Return the larger number of each origin of two texts."""
    numbers = dict(packed.unpacked(one))
    for name, number in packed.unpacked(other):
        numbers[name] = max(number, numbers.get(name, 0))
    return packed.packed(numbers)
