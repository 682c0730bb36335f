"""Tried: the table of which clients failed to log in at which accounts, by the hour.

A day of it is looked at by each run of a check, so there is a row for an hour instead of one for
each minute, with no more than a pair needs. An attack has 100,000 addresses: the pairs of those
that fail most in an hour are kept, and of the others only their number, so sums stay exact.
"""

from __future__ import annotations

from check_postfix.maillog.counts.families import MANY, SEPARATOR
from check_postfix.maillog.store import checksum, packed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterator, Mapping

    from check_postfix.maillog.store.checksum import Checksums

    Keyed = Mapping[tuple[str, int], Mapping[tuple[int, int], Mapping[str, int]]]

# Family of the failed logins.
FAMILY = "auth_failed"
# Pairs of client and account that are kept of an hour.
MOST_KEPT = 500
OTHERS = SEPARATOR.join([MANY, MANY])
_HOURS = 24

_ADD = """
INSERT INTO tried VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET pairs = most_tried(pairs, excluded.pairs)
"""


class Tried:
    """The table; to be changed inside a transaction only.

    db, checksums: the store's
    """

    def __init__(self, db: sqlite3.Connection, checksums: Checksums) -> None:
        self._db = db
        self._checksums = checksums
        db.create_function("most_tried", 2, _most_tried, deterministic=True)

    def add(self, keyed: Keyed) -> None:
        """Add the failed logins among some keys, as Counts has them."""
        hours: dict[tuple[int, int], dict[str, int]] = {}
        for (family, hour), buckets in keyed.items():
            if family == FAMILY:
                for (_, origin), numbers in buckets.items():
                    pairs = hours.setdefault((hour, origin), {})
                    for key, number in numbers.items():
                        pair = pair_of(key)
                        pairs[pair] = pairs.get(pair, 0) + number
        self._db.executemany(
            _ADD,
            [
                (*where, packed.packed(_bounded(pairs)))
                for where, pairs in sorted(hours.items())
                if pairs
            ],
        )

    def add_keys_there_are(self) -> None:
        """Add all that the table of keys has, as if it had just been counted.

        Raises: ValueError if it cannot be read
        """
        query = "SELECT minute, origin, keys FROM keyed WHERE family=?"
        for minute, origin, keys in self._db.execute(query, (FAMILY,)).fetchall():
            bucket = {(minute, origin): dict(packed.unpacked(keys))}
            self.add({(FAMILY, minute // 60): bucket})

    def of(self, first: int, last: int, origins: Collection[int]) -> Iterator[str]:
        """Yield the packed pairs of each hour and origin, of hours from first up to last."""
        for day in range(first // _HOURS, (last - 1) // _HOURS + 1):
            for hour, origin, pairs in self._checksums.whole(
                checksum.tried(day * _HOURS),
                "SELECT * FROM tried WHERE hour>=? AND hour<?",
                day * _HOURS,
                day * _HOURS + _HOURS,
            ):
                if first <= hour < last and origin in origins:
                    yield pairs

    def forget(self, oldest: int) -> None:
        """Delete the hours that begin before a minute."""
        self._db.execute("DELETE FROM tried WHERE hour<?", (-(-oldest // 60),))


def pair_of(key: str) -> str:
    """Return client and account of a failed login's key, its first field and its last."""
    return key[: key.index(SEPARATOR)] + key[key.rindex(SEPARATOR) :]


def _most_tried(*texts: str) -> str:
    """Return packed pairs as one text, bounded."""
    return packed.packed(_bounded(packed.added(texts)))


def _bounded(pairs: Mapping[str, int]) -> Mapping[str, int]:
    """Return the pairs of the clients that failed most, and the number of the others."""
    if len(pairs) <= MOST_KEPT:
        return pairs
    of_client: dict[str, int] = {}
    for pair, number in pairs.items():
        client = pair.partition(SEPARATOR)[0]
        of_client[client] = of_client.get(client, 0) + number
    # Of those that failed equally often it is the same ones in each hour.
    ordered = sorted(
        (pair for pair in pairs if pair != OTHERS),
        key=lambda pair: (-of_client[pair.partition(SEPARATOR)[0]], pair),
    )
    kept = {pair: pairs[pair] for pair in ordered[: MOST_KEPT - 1]}
    kept[OTHERS] = sum(pairs.values()) - sum(kept.values())
    return kept
