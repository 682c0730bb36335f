"""Tried: the table of which clients failed to log in at which accounts, by the hour.

A day of it is looked at by each run of a check, so there is a row for an hour instead of one for
each minute, with no more than a pair needs. An attack has 100,000 addresses: the pairs of those
that fail most in an hour are kept, and of the others only their number, so sums stay exact. So it
is for each origin; a row has the pairs of all of them.
"""

from __future__ import annotations

from check_postfix.maillog.counts.families import MANY, SEPARATOR
from check_postfix.maillog.store import checksum, packed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping, Set

    from check_postfix.maillog.store.checksum import Checksums

    Keyed = Mapping[tuple[str, int], Mapping[int, Mapping[str, int]]]

# Family of the failed logins.
FAMILY = "auth_failed"
# Pairs of client and account that are kept of an hour: of an origin, and of all together. Where
# that is too few for them, each has an equal share.
MOST_KEPT = 500
MOST_OF_ALL = 10_000
OTHERS = SEPARATOR.join([MANY, MANY])
_HOURS = 24

_ADD = """
INSERT INTO tried VALUES (?, ?)
ON CONFLICT DO UPDATE SET pairs = most_tried(pairs, excluded.pairs)
"""


class TriedTable:
    """The table; to be changed inside a transaction only.

    db, checksums: the store's
    """

    def __init__(self, db: sqlite3.Connection, checksums: Checksums) -> None:
        self._db = db
        self._checksums = checksums
        db.create_function("most_tried", 2, _most_tried, deterministic=True)

    def add(self, keyed: Keyed) -> None:
        """Add the failed logins among some keys, as Counts has them."""
        hours: dict[int, dict[str, int]] = {}
        for (family, hour), minutes in keyed.items():
            if family == FAMILY:
                pairs = hours.setdefault(hour, {})
                for numbers in minutes.values():
                    for name, number in numbers.items():
                        pair = pair_of(name)
                        pairs[pair] = pairs.get(pair, 0) + number
        self._db.executemany(
            _ADD,
            [
                (hour, packed.packed(bounded(pairs)))
                for hour, pairs in sorted(hours.items())
                if pairs
            ],
        )

    def add_keys_there_are(self) -> None:
        """Add all that the table of keys has, as if it had just been counted.

        Raises: ValueError if it cannot be read
        """
        query = "SELECT minute, keys FROM keyed WHERE family=?"
        for minute, keys in self._db.execute(query, (FAMILY,)).fetchall():
            self.add({(FAMILY, minute // 60): {minute: dict(packed.unpacked(keys))}})

    def of(self, first: int, last: int, origins: Set[str]) -> Iterator[tuple[str, int]]:
        """Yield pair and number of some origins, of hours from first up to last."""
        for day in range(first // _HOURS, (last - 1) // _HOURS + 1):
            for hour, pairs in self._checksums.whole(
                checksum.tried(day * _HOURS),
                "SELECT * FROM tried WHERE hour>=? AND hour<?",
                day * _HOURS,
                day * _HOURS + _HOURS,
            ):
                if first <= hour < last:
                    for name, number in packed.chosen(pairs, origins):
                        yield packed.own(name), number

    def forget(self, oldest: int) -> None:
        """Delete the hours that begin before a minute."""
        self._db.execute("DELETE FROM tried WHERE hour<?", (-(-oldest // 60),))


def pair_of(name: str) -> str:
    """Return what client and account of a failed login's key are called, as the key is.

    They are its first field and its last.
    """
    behind_origin = name.index(SEPARATOR) + 1
    return name[: name.index(SEPARATOR, behind_origin)] + name[name.rindex(SEPARATOR) :]


def _most_tried(*texts: str) -> str:
    """Return packed pairs as one text, bounded."""
    return packed.packed(bounded(packed.added(texts)))


def bounded(pairs: Mapping[str, int]) -> Mapping[str, int]:
    """Return the pairs of the clients that failed most, and the number of each origin's others."""
    if len(pairs) <= MOST_KEPT:
        return pairs
    of_origins: dict[str, dict[str, int]] = {}
    for name, number in pairs.items():
        of_origins.setdefault(name[: name.index(SEPARATOR)], {})[name] = number
    most = MOST_KEPT
    if len(pairs) > MOST_OF_ALL:
        most = max(1, min(MOST_KEPT, MOST_OF_ALL // len(of_origins)))
    return {
        name: number
        for origin, of_one in of_origins.items()
        for name, number in _bounded_of_one(origin, of_one, most).items()
    }


def _bounded_of_one(origin: str, pairs: Mapping[str, int], most: int) -> Mapping[str, int]:
    if len(pairs) <= most:
        return pairs
    others = f"{origin}{SEPARATOR}{OTHERS}"
    clients = [pair[: pair.rindex(SEPARATOR)] for pair in pairs]
    of_client: dict[str, int] = {}
    for client, number in zip(clients, pairs.values(), strict=True):
        of_client[client] = of_client.get(client, 0) + number
    by_number: dict[int, list[str]] = {}
    for pair, client in zip(pairs, clients, strict=True):
        if pair != others:
            by_number.setdefault(of_client[client], []).append(pair)
    chosen: list[str] = []
    for _, alike in sorted(by_number.items(), reverse=True):
        left = most - 1 - len(chosen)
        # Of those that failed equally often it is the same ones in each hour.
        chosen += alike if len(alike) <= left else sorted(alike)[:left]
    kept = {pair: pairs[pair] for pair in chosen}
    kept[others] = sum(pairs.values()) - sum(kept.values())
    return kept
