"""Answers: what was counted in some minutes of some origins, for whoever asks."""

from __future__ import annotations

from check_postfix.maillog.counts.families import MANY, fields
from check_postfix.maillog.store import checksum, packed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from check_postfix.maillog.counts.histogram import Histogram
    from check_postfix.maillog.store.database import Database
    from check_postfix.maillog.store.logs import LogsTable
    from check_postfix.maillog.store.places import Login
    from check_postfix.maillog.store.tables import Tables

# Minutes. Of a longer span it is looked up first which hours have rows.
_LONG = 3 * 24 * 60


class Answers:
    """What reads the tables of counts.

    tables: returns those that are kept otherwise than by the minute
    """

    def __init__(self, database: Database, logs: LogsTable, tables: Callable[[], Tables]) -> None:
        self._database = database
        self._logs = logs
        self._tables = tables

    def totals(self, start: int, end: int, origins: Iterable[int]) -> dict[str, int]:
        """Return what each counter came to in the minutes from begin up to, not with, end."""
        sums: dict[str, int] = {}
        with self._database.reading():
            for _, counters in self._totals_of(start, end, origins):
                for name, number in counters:
                    sums[name] = sums.get(name, 0) + number
        return packed.of_all(sums)

    def totals_of(
        self, start: int, end: int, origins: Iterable[int]
    ) -> Iterator[tuple[int, list[tuple[str, int]]]]:
        """Yield each minute that has any counters, and what they are called -> number."""
        with self._database.readable():
            yield from self._totals_of(start, end, origins)

    def _totals_of(
        self, start: int, end: int, origins: Iterable[int]
    ) -> Iterator[tuple[int, list[tuple[str, int]]]]:
        """Yield each minute that has any counters, an hour at a time, the oldest first."""
        wanted = frozenset(map(str, origins))
        for hour in self._hours("total", "total", start, end):
            for minute, text, *_ in self._database.whole(
                checksum.total(hour),
                "SELECT * FROM total WHERE minute>=? AND minute<? ORDER BY minute",
                hour,
                hour + 60,
            ):
                if start <= minute < end and (counters := packed.chosen(text, wanted)):
                    yield minute, counters

    def by_minute(
        self, counters: Iterable[str], start: int, end: int, origins: Iterable[int]
    ) -> dict[int, int]:
        """Return minute -> what some counters came to in it together, if to anything."""
        wanted = frozenset(counters)
        found: dict[int, int] = {}
        with self._database.reading():
            for minute, numbers in self._totals_of(start, end, origins):
                if number := sum(n for name, n in numbers if packed.own(name) in wanted):
                    found[minute] = number
        return found

    def silence_around(
        self, start: int, end: int, most: int, origins: Iterable[int]
    ) -> tuple[int, int] | None:
        """Return the minutes around these, from and up to, in which nothing was counted.

        most:    minutes behind them that are looked at
        Returns: None if something was counted in these minutes themselves, or nothing before
        """
        wanted = frozenset(origins)
        with self._database.reading():
            # To the end of the silence first: mostly there is none.
            after = next((minute for minute, _ in self._totals_of(start, end + most, wanted)), None)
            if after is not None and after < end:
                return None
            # Mostly it is not long ago.
            for first in (start - _LONG, 0):
                counted = [minute for minute, _ in self._totals_of(first, start, wanted)]
                if counted:
                    return counted[-1] + 1, end + most if after is None else after
        return None

    def keys(
        self, family: str, start: int, end: int, origins: Iterable[int]
    ) -> list[tuple[tuple[str, ...], int]]:
        """Return the (key, number) pairs of a family in these minutes, most first."""
        numbers: dict[str, int] = {}
        held = 0
        with self._database.reading():
            for _, keys in self._keys_of(family, start, end, origins):
                for name, number in keys:
                    key = packed.own(name)
                    before = numbers.get(key, 0)
                    if not before:
                        held += packed.held(key)
                    numbers[key] = before + number
                if held > packed.MOST_HELD:
                    # Strangers do their worst.
                    from check_postfix.maillog.store import key_quota

                    numbers = key_quota.most_frequent(family, numbers)
                    held = sum(map(packed.held, numbers))
        # Of two sorts by one thing each, Python needs to make no pairs.
        ordered = sorted(sorted(numbers), key=numbers.__getitem__, reverse=True)
        return [(fields(key), numbers[key]) for key in ordered]

    def keys_of(
        self, family: str, start: int, end: int, origins: Iterable[int]
    ) -> Iterator[tuple[int, list[tuple[str, int]]]]:
        """Yield each minute that has any keys of a family, what they are called, and numbers."""
        with self._database.readable():
            yield from self._keys_of(family, start, end, origins)

    def _keys_of(
        self, family: str, start: int, end: int, origins: Iterable[int]
    ) -> Iterator[tuple[int, list[tuple[str, int]]]]:
        """Yield each minute that has any keys of a family, an hour at a time."""
        wanted = frozenset(map(str, origins))
        for hour in self._hours("keyed", f"keyed {family}", start, end):
            for _, minute, _, text, *_ in self._database.whole(
                checksum.keyed(family, hour),
                "SELECT * FROM keyed WHERE family=? AND minute>=? AND minute<?",
                family, hour, hour + 60,
            ):  # fmt: skip
                if start <= minute < end and (keys := packed.chosen(text, wanted)):
                    yield minute, keys

    def keys_newest_first(
        self, family: str, start: int, end: int, origins: Iterable[int]
    ) -> Iterator[tuple[int, int, tuple[str, ...], int]]:
        """Yield minute, origin, key and number of a family, the newest hours first."""
        hours = range((end - 1) // 60, start // 60 - 1, -1)
        with self._database.readable():
            for hour in hours:
                first, last = max(start, hour * 60), min(end, hour * 60 + 60)
                for minute, keys in self._keys_of(family, first, last, origins):
                    for name, number in keys:
                        origin, *key = fields(name)
                        yield minute, int(origin), tuple(key), number

    def messages(
        self,
        family: str,
        kinds: Sequence[str],
        start: int,
        end: int,
        origins: Iterable[int],
        before: int,
    ) -> tuple[int, int]:
        """Return of how many messages these minutes tell for the first time, and in how many lines.

        kinds:  of lines
        before: minute from which on such lines of the same message make it the second time
        """
        with self._database.reading():
            return messages(self._keys_of(family, before, end, origins), kinds, start)

    def _hours(
        self, table: str, slices: str, start: int, end: int, column: str = "minute"
    ) -> Iterable[int]:
        """Return the first minute of each hour that these minutes touch and that has rows.

        slices: how the names of their slices begin
        column: of the table, with a minute
        """
        hours = range(start // 60, (end - 1) // 60 + 1)
        if end - start <= _LONG:
            return [hour * 60 for hour in hours]
        # If the rows of an hour have vanished, its checksum is still there, or the other way.
        query = (
            f"SELECT DISTINCT CAST({column} AS INTEGER) / 60 FROM {table}"
            f" WHERE {column} IS NOT NULL"
        )
        there = {hour for (hour,) in self._database.db.execute(query)}
        names = self._database.checksums.names(f"{slices} ", f"{slices} {checksum.LAST}")
        there |= {int(name.rpartition(" ")[2]) for name in names}
        return [hour * 60 for hour in sorted(there) if hour in hours]

    def quarters(
        self, series: str, first: int, last: int, origins: Collection[int]
    ) -> dict[int, int]:
        """Return quarter-hour since 1970 -> what a series came to in it, if it came to anything.

        first, last: quarters from which on, and up to which, not included
        """
        # Few checks of many ask for it.
        from check_postfix.maillog.counts.series import FLOODED

        with self._database.reading():
            found = self._tables().quarters.of(series, first, last, origins)
            if series == FLOODED:
                from check_postfix.maillog.store.daily_most import BY_RECIPIENT

                wanted = frozenset(map(str, origins))
                waiting = self._tables().daily_most.of_busiest(BY_RECIPIENT, first, last, wanted)
                for quarter, number in waiting.items():
                    found[quarter] = max(number, found.get(quarter, 0))
            return found

    def origins_of(self, series: str, first: int, last: int) -> set[int]:
        """Return the origins of which anything of a series came in some quarters."""
        with self._database.reading():
            return self._tables().quarters.origins(series, first, last)

    def quarters_since(self, first: int, last: int, origins: Collection[int]) -> int:
        """Return the first of some quarters in which anything came of origins; `last` if none."""
        with self._database.reading():
            return self._tables().quarters.since(first, last, origins)

    def delays_of(self, start: int, end: int, origins: Iterable[int]) -> dict[int, Histogram]:
        """Return how long deliveries took in some minutes, by the places of histograms."""
        hours = self._hours("delay", "delay", start, end, "first")
        with self._database.reading():
            return self._tables().delays.of(hours, start, end, origins)

    def most_of_days(
        self, family: str, first: int, last: int, origins: Iterable[int]
    ) -> tuple[int, dict[str, int], int]:
        """Return what is known of what single ones had at most; see DailyMostTable.of_days."""
        with self._database.reading():
            is_all_read = not any(log.backlog for log in self._logs.all())
            wanted = frozenset(map(str, origins))
            return self._tables().daily_most.of_days(family, first, last, wanted, is_all_read)

    def tried(
        self, start: int, end: int, origins: Collection[int]
    ) -> list[tuple[tuple[str, ...], int]]:
        """Return how many logins failed by (client, account); of accounts, the pseudonyms.

        start, end: minutes; from the hour on in which the first of them lies
        """
        # One check of several asks for it.
        from check_postfix.maillog.store import tried

        last = end // 60
        found: dict[str, int] = {}
        with self._database.reading():
            wanted = frozenset(map(str, origins))
            for pair, number in self._tables().tried.of(start // 60, last, wanted):
                found[pair] = found.get(pair, 0) + number
            # Of the hour that is not over at this time, minute by minute.
            for _, keys in self._keys_of(tried.FAMILY, last * 60, end, origins):
                for name, number in keys:
                    pair = packed.own(tried.pair_of(name))
                    found[pair] = found.get(pair, 0) + number
        return [(fields(pair), number) for pair, number in found.items()]

    def logins_from(self, network: str) -> list[Login]:
        """Return the first logins of each account from a network, by its pseudonym."""
        with self._database.reading():
            return self._tables().places.of(network)


def messages(
    rows: Iterable[tuple[int, Iterable[tuple[str, int]]]], kinds: Sequence[str], start: int
) -> tuple[int, int]:
    """Return of how many messages rows tell for the first time from a minute on, and in how many
    lines; see `Answers.messages`.

    rows: minute, and the names and numbers of its keys
    """
    now: set[tuple[str, str]] = set()
    earlier: set[tuple[str, str]] = set()
    lines = 0
    for minute, keys in rows:
        for name, number in keys:
            origin, message, kind = fields(name)
            if kind not in kinds or message == MANY:
                continue
            if minute < start:
                earlier.add((origin, message))
            else:
                now.add((origin, message))
                lines += number
    return len(now - earlier), lines
