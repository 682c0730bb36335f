"""Places: the table of the networks that accounts have logged in from.

Of a network and an account it has the first login and the day of the last, so that the order in
which a log is read makes no difference. It is small: nobody makes a row without a password.
"""

from __future__ import annotations

from collections import namedtuple

from check_postfix.maillog.store import checksum

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping

    from check_postfix.maillog.counts.places import Place
    from check_postfix.maillog.store.checksum import Checksums

# Whoever knows one password can log in from as many networks as they like. Of more, those that
# were not seen for longest are forgotten.
MOST_KEPT = 50_000
_DAY = 24 * 60

# A day has most of its logins from places that are known; these change nothing.
_ADD = """
INSERT INTO place VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    last = max(last, excluded.last), first = min(first, excluded.first),
    service = iif(excluded.first < first, excluded.service, service),
    name = iif(excluded.first < first, excluded.name, name),
    client = iif(excluded.first < first, excluded.client, client)
WHERE excluded.first < first OR excluded.last > last
"""


class Login(namedtuple("Login", "account first service name client")):
    """The first login of an account from a network.

    account: its pseudonym
    first:   minute of it
    service, name, client: see counts/places.py; the last two are empty where they are kept no
             longer
    """

    __slots__ = ()

    account: str
    first: int
    service: str
    name: str
    client: str


class PlacesTable:
    """The table; to be changed inside a transaction only.

    db, checksums: the store's
    """

    def __init__(self, db: sqlite3.Connection, checksums: Checksums) -> None:
        self._db = db
        self._checksums = checksums
        self._may_be_too_many = False

    def add(self, found: Mapping[tuple[str, str, int], Place]) -> None:
        """Add logins, by the pseudonyms of network and account, and by origin."""
        if found:
            self._may_be_too_many = True
            self._db.executemany(
                _ADD,
                [
                    (*where, place.first, place.last // _DAY, *place[2:])
                    for where, place in sorted(found.items())
                ],
            )

    def of(self, network: str) -> list[Login]:
        """Return the first login of each account from a network, at each origin, earliest first.

        network: its pseudonym
        """
        slice = checksum.place(network)
        start = slice.rpartition(" ")[2]
        rows = self._checksums.whole(
            slice, "SELECT * FROM place WHERE network BETWEEN ? AND ?", start, start + checksum.LAST
        )
        logins = [
            Login(account, first, *about)
            for there, account, _, first, _, *about in rows
            if there == network
        ]
        return sorted(logins, key=lambda login: login.first)

    def named_before(self, minute: int) -> Iterator[tuple[str, str]]:
        """Yield account and address of each first login before a minute that is still named."""
        yield from self._db.execute(
            "SELECT name, client FROM place WHERE name<>'' AND first<?", (minute,)
        )

    def forget(self, oldest: int, oldest_keys: int) -> None:
        """Delete what was last seen before a minute, and the names from before another one."""
        self._db.execute("DELETE FROM place WHERE last<?", (oldest // _DAY,))
        self._db.execute(
            "UPDATE place SET name='', client='' WHERE name<>'' AND first<?", (oldest_keys,)
        )
        if self._may_be_too_many:
            self._may_be_too_many = False
            number = self._db.execute("SELECT count(*) FROM place").fetchone()[0]
            if number > MOST_KEPT:
                key = "network, account, origin"
                self._db.execute(
                    f"DELETE FROM place WHERE ({key}) IN (SELECT {key} FROM place"
                    f" ORDER BY last DESC, first DESC, {key} LIMIT -1 OFFSET ?)",
                    (MOST_KEPT,),
                )
