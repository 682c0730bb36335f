"""Daily most: how many messages each sender handed in at most in a quarter-hour of a day.

Of the last weeks nothing else is kept of single ones, and of whom it is only a pseudonym. A log is
read in pieces and not in its order, and the most of a day is no sum: so the quarter-hours of a day
wait, added up, until the day is over and nothing is left to be read. What comes later for such a
day makes a most of its own, and the larger one counts.

Recipients wait so as well. Of them only what the busiest one got in each quarter-hour is kept then.
"""

from __future__ import annotations

from check_postfix.maillog.counts.families import SEPARATOR, WATCHED
from check_postfix.maillog.counts.series import FLOODED
from check_postfix.maillog.store import checksum, packed
from check_postfix.maillog.store.quarters import DAY as QUARTERS
from check_postfix.maillog.store.quarters import MINUTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Set

    from check_postfix.maillog.store.checksum import Checksums
    from check_postfix.maillog.store.quarters import QuartersTable

# So many of an origin are kept of a quarter-hour or a day, and so many of all together, but one of
# each origin in any case. Who is not among them had no more than the least of these.
MOST_KEPT = 2_000
MOST_OF_ALL = 10_000
# The family of whom mail is for
BY_RECIPIENT = "by_recipient"
# So many quarter-hours of the next day must have been counted before a day is over.
_LATE = 4

_ADD = """
INSERT INTO quarter_key VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET keys = most_of(keys, excluded.keys)
"""
_DROP = "DELETE FROM quarter_key WHERE family=? AND quarter>=? AND quarter<?"
_PUT = "INSERT OR REPLACE INTO daily_most VALUES (?, ?, ?)"


def quarter_of(minute: int) -> int:
    """Return the number of the quarter-hour of a minute."""
    return minute // MINUTES


def day_of(minute: int) -> int:
    """Return the number of the day of a minute, in UTC."""
    return quarter_of(minute) // QUARTERS


class DailyMostTable:
    """The tables of what waits and of what is known; to be changed inside a transaction only.

    db, checksums: the store's
    quarters:      where it is kept how much the busiest recipient got
    """

    def __init__(
        self, db: sqlite3.Connection, checksums: Checksums, quarters: QuartersTable
    ) -> None:
        self._db = db
        self._checksums = checksums
        self._quarters = quarters
        db.create_function("most_of", 2, _most_of, deterministic=True)

    def add(self, counted: Mapping[tuple[str, int], Mapping[str, int]]) -> None:
        """Add what quarter-hours came to.

        counted: (family, quarter-hour) -> pseudonym, as Counts calls that of an origin -> number;
                 the messages for WATCHED are left out
        """
        self._db.executemany(
            _ADD,
            [
                (*where, packed.packed(bounded(numbers)))
                for where, numbers in counted.items()
                if where[0] != WATCHED
            ],
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
        waiting = self._waiting(family, day)
        if family == BY_RECIPIENT:
            self._quarters.raise_to(FLOODED, _largest(waiting))
        else:
            most = _most(keys for *_, keys in (*self._of(family, day, day), *waiting))
            self._db.execute(_PUT, (family, day, packed.packed(most)))
        self._db.execute(_DROP, span)

    def _waiting(self, family: str, day: int) -> list[tuple[str, int, str]]:
        """Return the quarter-hours of a day."""
        return self._checksums.whole(
            checksum.quarter_key(family, day * QUARTERS),
            "SELECT * FROM quarter_key WHERE family=? AND quarter>=? AND quarter<?",
            family,
            day * QUARTERS,
            day * QUARTERS + QUARTERS,
        )

    def of_busiest(self, family: str, first: int, last: int, origins: Set[str]) -> dict[int, int]:
        """Return quarter-hour -> the most of any single one, in days that are not settled.

        Of several origins it is that of each, added up.

        first, last: quarter-hours from which on, and up to which, not included
        """
        found: dict[int, int] = {}
        days = self._db.execute(
            f"SELECT DISTINCT quarter/{QUARTERS} FROM quarter_key"
            " WHERE family=? AND quarter>=? AND quarter<?",
            (family, first, last),
        ).fetchall()
        for (day,) in days:
            for quarter, largest in _largest(self._waiting(family, day)).items():
                wanted = largest.keys() & origins
                if first <= quarter < last and wanted:
                    found[quarter] = sum(largest[origin] for origin in wanted)
        return found

    def _of(self, family: str, first: int, last: int) -> list[tuple[str, int, str]]:
        rows = self._checksums.whole(
            checksum.daily_most(family), "SELECT * FROM daily_most WHERE family=?", family
        )
        return [(of, day, *rest) for of, day, *rest in rows if first <= day <= last]

    def of_days(
        self, family: str, first: int, last: int, origins: Set[str], waiting: bool
    ) -> tuple[int, dict[str, int], int]:
        """Return what is known of some days of some origins.

        waiting: whether days take part that only wait to be settled, since all of them is read
        Returns: of how many days anything is known, of whatever family; pseudonym -> the most in
                 a quarter-hour of any of these days; what whoever is not among them had at most
        """
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
            if quarters := self._waiting(family, day):
                rows.append((family, day, packed.packed(_most(keys for *_, keys in quarters))))
        by_day: dict[int, dict[str, int]] = {}
        rest = 0
        for _, day, keys in rows:
            of_day = by_day.setdefault(day, {})
            of_origins: dict[str, list[int]] = {}
            for name, number in packed.chosen(keys, origins):
                origin, _, pseudonym = name.partition(SEPARATOR)
                # Of one that several origins tell of, this is no less than it was together.
                of_day[pseudonym] = of_day.get(pseudonym, 0) + number
                of_origins.setdefault(origin, []).append(number)
            rest = max(
                [rest, *(min(kept) for kept in of_origins.values() if len(kept) >= MOST_KEPT)]
            )
            if of_origins and packed.size(keys) >= MOST_OF_ALL:
                rest = max(rest, sorted(packed.numbers(keys), reverse=True)[MOST_OF_ALL - 1])
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


def _largest(rows: Iterable[tuple[str, int, str]]) -> dict[int, dict[str, int]]:
    """Return quarter-hour -> origin -> the largest number of its keys."""
    found: dict[int, dict[str, int]] = {}
    for _, quarter, keys in rows:
        largest = found[quarter] = {}
        for name, number in packed.unpacked(keys):
            origin = name[: name.index(SEPARATOR)]
            if number > largest.get(origin, 0):
                largest[origin] = number
    return found


def _most(texts: Iterable[str]) -> Mapping[str, int]:
    """Return the largest number of each name in several texts, bounded."""
    most: dict[str, int] = {}
    for text in texts:
        for name, number in packed.unpacked(text):
            if number > most.get(name, 0):
                most[name] = number
    return bounded(most)


def _most_of(*texts: str) -> str:
    """Return packed numbers as one text, bounded."""
    return packed.packed(bounded(packed.added(texts)))


def bounded(numbers: Mapping[str, int]) -> Mapping[str, int]:
    """Return the largest of some numbers; all if they are not too many."""
    if len(numbers) < MOST_KEPT:
        return numbers
    kept: dict[str, int] = {}
    of_origins: dict[str, int] = {}
    for name, number in sorted(numbers.items(), key=lambda pair: (-pair[1], pair[0])):
        origin = name[: name.index(SEPARATOR)]
        there = of_origins.get(origin, 0)
        if there < MOST_KEPT and (not there or len(kept) < MOST_OF_ALL):
            kept[name] = number
            of_origins[origin] = there + 1
    return kept
