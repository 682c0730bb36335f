"""Daily most: how many messages each sender handed in at most in a quarter-hour of a day.

Of the last weeks nothing else is kept of single ones, and of whom it is only a pseudonym. A log is
read in pieces and not in its order, and the most of a day is no sum: so the quarter-hours of a day
wait, added up, until the day is over and nothing is left to be read. What comes later for such a
day makes a most of its own, and the larger one counts.

Recipients wait so as well. Of them only what the busiest one got in each quarter-hour is kept then.
"""

from __future__ import annotations

from check_postfix.maillog.counts.series import FLOODED
from check_postfix.maillog.store import checksum, packed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Mapping

    from check_postfix.maillog.counts.counts import Bucket
    from check_postfix.maillog.store.checksum import Checksums
    from check_postfix.maillog.store.quarters import Quarters

# So many are kept of a quarter-hour or a day. Who is not among them had no more than the least of
# them.
MOST_KEPT = 2_000
# The family of whom mail is for
BY_RECIPIENT = "by_recipient"
QUARTERS = 96
_MINUTES = 15
# So many quarter-hours of the next day must have been counted before a day is over.
_LATE = 4

_ADD = """
INSERT INTO quarter_key VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET keys = most_of(keys, excluded.keys)
"""
_DROP = "DELETE FROM quarter_key WHERE family=? AND quarter>=? AND quarter<?"
_PUT = "INSERT OR REPLACE INTO daily_most VALUES (?, ?, ?, ?)"


def quarter_of(minute: int) -> int:
    """Return the number of the quarter-hour of a minute."""
    return minute // _MINUTES


def day_of(minute: int) -> int:
    """Return the number of the day of a minute, in UTC."""
    return quarter_of(minute) // QUARTERS


class DailyMost:
    """The tables of what waits and of what is known; to be changed inside a transaction only.

    db, checksums: the store's
    quarters:      where it is kept how much the busiest recipient got
    """

    def __init__(self, db: sqlite3.Connection, checksums: Checksums, quarters: Quarters) -> None:
        self._db = db
        self._checksums = checksums
        self._quarters = quarters
        db.create_function("most_of", 2, _most_of, deterministic=True)

    def add(self, counted: Mapping[tuple[str, int, int], Mapping[str, int]]) -> None:
        """Add what quarter-hours came to.

        counted: (family, quarter-hour, origin) -> pseudonym -> number
        """
        self._db.executemany(
            _ADD,
            [(*where, packed.packed(_bounded(numbers))) for where, numbers in counted.items()],
        )

    def settle(self) -> None:
        """Keep only the most of each day that is over; everything must be read."""
        newest, oldest = self._db.execute(
            "SELECT max(quarter), min(quarter) FROM quarter_key"
        ).fetchone()
        if newest is None:
            return
        today = (newest - _LATE) // QUARTERS
        if oldest // QUARTERS >= today:
            return
        days = self._db.execute(
            f"SELECT DISTINCT family, quarter/{QUARTERS} FROM quarter_key WHERE quarter<?",
            (today * QUARTERS,),
        ).fetchall()
        for family, day in days:
            self._settle_day(family, day)

    def _settle_day(self, family: str, day: int) -> None:
        span = family, day * QUARTERS, day * QUARTERS + QUARTERS
        most: dict[int, dict[str, int]] = {}
        waiting = self._waiting(family, day)
        if family == BY_RECIPIENT:
            self._quarters.raise_to(FLOODED, _largest(waiting))
            self._db.execute(_DROP, span)
            return
        for _, _, origin, keys in (*self._of(family, day, day), *waiting):
            of_origin = most.setdefault(origin, {})
            for name, number in packed.unpacked(keys):
                of_origin[name] = max(of_origin.get(name, 0), number)
        self._db.executemany(
            _PUT,
            [
                (family, day, origin, packed.packed(_bounded(numbers)))
                for origin, numbers in most.items()
            ],
        )
        self._db.execute(_DROP, span)

    def _waiting(self, family: str, day: int) -> list[tuple[str, int, int, str]]:
        """Return the quarter-hours of a day."""
        return self._checksums.whole(
            checksum.quarter_key(family, day * QUARTERS),
            "SELECT * FROM quarter_key WHERE family=? AND quarter>=? AND quarter<?",
            family,
            day * QUARTERS,
            day * QUARTERS + QUARTERS,
        )

    def of_busiest(
        self, family: str, first: int, last: int, origins: Collection[int]
    ) -> dict[int, int]:
        """Return quarter-hour -> the most of any single one, in days that are not settled.

        first, last: quarter-hours from which on, and up to which, not included
        """
        found: dict[int, int] = {}
        days = self._db.execute(
            f"SELECT DISTINCT quarter/{QUARTERS} FROM quarter_key"
            " WHERE family=? AND quarter>=? AND quarter<?",
            (family, first, last),
        ).fetchall()
        for (day,) in days:
            for (quarter, origin), number in _largest(self._waiting(family, day)).items():
                if first <= quarter < last and origin in origins:
                    found[quarter] = found.get(quarter, 0) + number
        return found

    def _of(self, family: str, first: int, last: int) -> list[tuple[str, int, int, str]]:
        rows = self._checksums.whole(
            checksum.daily_most(family), "SELECT * FROM daily_most WHERE family=?", family
        )
        return [(of, day, *rest) for of, day, *rest in rows if first <= day <= last]

    def of_days(
        self, family: str, first: int, last: int, origins: Iterable[int], waiting: bool
    ) -> tuple[int, dict[str, int], int]:
        """Return what is known of some days of some origins.

        waiting: whether days take part that only wait to be settled, since all of them is read
        Returns: of how many days anything is known, of whatever family; pseudonym -> the most in
                 a quarter-hour of any of these days; what whoever is not among them had at most
        """
        wanted = frozenset(origins)
        queries = [
            "SELECT DISTINCT day FROM daily_most WHERE day>=? AND day<=?",
            f"SELECT DISTINCT quarter/{QUARTERS} FROM quarter"
            f" WHERE series='{FLOODED}' AND quarter/{QUARTERS}>=? AND quarter/{QUARTERS}<=?",
        ]
        if waiting:
            queries.append(
                f"SELECT DISTINCT quarter/{QUARTERS} FROM quarter_key"
                f" WHERE quarter/{QUARTERS}>=? AND quarter/{QUARTERS}<=?"
            )
        known = {day for query in queries for (day,) in self._db.execute(query, (first, last))}
        rows = self._of(family, first, last)
        for day in sorted(known if waiting else ()):
            quarters: dict[int, dict[str, int]] = {}
            for _, _, origin, keys in self._waiting(family, day):
                of_origin = quarters.setdefault(origin, {})
                for name, number in packed.unpacked(keys):
                    of_origin[name] = max(of_origin.get(name, 0), number)
            rows += [
                (family, day, origin, packed.packed(_bounded(numbers)))
                for origin, numbers in quarters.items()
            ]
        by_day: dict[int, dict[str, int]] = {}
        rest = 0
        for _, day, origin, keys in rows:
            if origin not in wanted:
                continue
            of_day = by_day.setdefault(day, {})
            least = 0
            for name, number in packed.unpacked(keys):
                # Of one that several origins tell of, this is no less than it was together.
                of_day[name] = of_day.get(name, 0) + number
                least = number
            if packed.size(keys) >= MOST_KEPT:
                rest = max(rest, least)
        most: dict[str, int] = {}
        for of_day in by_day.values():
            for name, number in of_day.items():
                if number > most.get(name, 0):
                    most[name] = number
        return len(known), most, rest

    def forget(self, oldest: int) -> None:
        """Delete what is older than a minute."""
        self._db.execute("DELETE FROM daily_most WHERE day<?", (day_of(oldest),))
        self._db.execute("DELETE FROM quarter_key WHERE quarter<?", (quarter_of(oldest),))


def _largest(rows: Iterable[tuple[str, int, int, str]]) -> dict[Bucket, int]:
    """Return (quarter-hour, origin) -> the largest number of its keys."""
    return {
        (quarter, origin): max(map(int, keys.partition("\n")[0].split(" ")))
        for _, quarter, origin, keys in rows
    }


def _most_of(*texts: str) -> str:
    """Return packed numbers as one text, bounded."""
    return packed.packed(_bounded(packed.added(texts)))


def _bounded(numbers: Mapping[str, int]) -> Mapping[str, int]:
    """Return the largest of some numbers, the least of them last; all if they are not too many."""
    if len(numbers) < MOST_KEPT:
        return numbers
    ordered = sorted(numbers.items(), key=lambda pair: (-pair[1], pair[0]))
    return dict(ordered[:MOST_KEPT])
