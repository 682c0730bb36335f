"""Delays: the table of how long deliveries took.

A row has the histograms of all origins in a minute, or in a quarter of an hour where keys are not
kept any more. They are together since a central log has many hosts in each minute, and the price
of a row is its checksum.
"""

from __future__ import annotations

from collections import Counter

from check_postfix.maillog.counts import cells, histogram
from check_postfix.maillog.store import checksum

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Set

    from check_postfix.maillog.counts.histogram import Histogram
    from check_postfix.maillog.store.checksum import Checksums

    # First minute, number of minutes
    Span = tuple[int, int]

_ADD = """
INSERT INTO delay VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET histograms = merged_delays(histograms, excluded.histograms)
"""


class DelaysTable:
    """The table of how long deliveries took; to be changed inside a transaction only.

    db: the store's
    checksums: the store's
    """

    def __init__(self, db: sqlite3.Connection, checksums: Checksums) -> None:
        self._db = db
        self._checksums = checksums
        db.create_function("merged_delays", 2, cells.merged, deterministic=True)

    def add(self, found: Mapping[Span, Mapping[int, int]]) -> None:
        """Add up cells."""
        rows = ((*span, cells.packed(found[span])) for span in sorted(found))
        self._db.executemany(_ADD, rows)

    def forget(self, oldest: int, oldest_minutes: int) -> None:
        """Delete what is older than a minute; of what is older than another, keep quarters."""
        self._db.execute("DELETE FROM delay WHERE first<?", (oldest,))
        before = oldest_minutes - oldest_minutes % histogram.QUARTER
        found: dict[Span, Counter[int]] = {}
        query = "DELETE FROM delay WHERE first<? AND minutes=1 RETURNING first, histograms"
        for first, data in self._db.execute(query, (before,)).fetchall():
            span = first - first % histogram.QUARTER, histogram.QUARTER
            found.setdefault(span, Counter()).update(cells.unpacked(data))
        self.add(found)

    def drop(self, origins: Set[int]) -> None:
        """Forget what is known of some origins."""
        query = "DELETE FROM delay RETURNING first, minutes, histograms"
        found = {}
        for first, minutes, data in self._db.execute(query).fetchall():
            numbers = cells.unpacked(data)
            left = {cell: n for cell, n in numbers.items() if cells.split(cell)[0] not in origins}
            if left:
                found[first, minutes] = left
        self.add(found)

    def of(
        self, hours: Iterable[int], start: int, end: int, origins: Iterable[int]
    ) -> dict[int, Histogram]:
        """Return what is known of some minutes, added up by the places of histograms.

        Where quarters of an hour are kept, all of the first one counts.

        hours:  first minutes of the hours that have rows
        Raises: ValueError if the table holds what `cells.packed` has not made
        """
        wanted = frozenset(origins)
        found: dict[int, Histogram] = {}
        query = "SELECT * FROM delay WHERE first>=? AND first<?"
        for hour in hours:
            rows = self._checksums.whole(checksum.delay(hour), query, hour, hour + 60)
            for first, minutes, data, *_ in rows:
                if first + minutes <= start or first >= end:
                    continue
                for cell, number in cells.unpacked(data).items():
                    origin, place, bucket = cells.split(cell)
                    if origin in wanted:
                        of_place = found.setdefault(place, {})
                        of_place[bucket] = of_place.get(bucket, 0) + number
        return found
