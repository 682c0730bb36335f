"""Watched: the table of the addresses that somebody has asked for by name."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from check_postfix.maillog.store.database import Database
    from check_postfix.maillog.store.store import Store

_WATCHED = "SELECT address, since, asked FROM watched"
# So many minutes later it is noted again that an address is still asked for.
_ASKED_ANEW = 1440


def addresses(database: Database) -> frozenset[bytes]:
    """Return the addresses that are asked for by name, lower case."""
    rows = database.whole("watched", "SELECT * FROM watched")
    return frozenset(address.encode() for address, *_ in rows)


def since(database: Database, address: str) -> int | None:
    """Return since which minute each message for an address is known, None if none is.

    0 means from the start of the log.
    """
    rows = database.whole("watched", "SELECT * FROM watched")
    return next((since for name, since, _ in rows if name == address), None)


def watch(store: Store, addresses: Sequence[str], minute: int) -> None:
    """Let each run that reads the log look for these addresses by name, too.

    minute: now; who is not asked for any more is forgotten like sums are
    """
    if _to_be_watched(store, addresses, minute):
        with store.transaction():
            # Only inside it is known that no other run has just read the log.
            rows = _to_be_watched(store, addresses, minute)
            store.db.executemany("INSERT OR REPLACE INTO watched VALUES (?, ?, ?)", rows)


def _to_be_watched(
    store: Store, addresses: Sequence[str], minute: int
) -> list[tuple[str, int, int]]:
    """Return the rows of the addresses that are not known to be asked for, or not lately."""
    there = {name: (since, asked) for name, since, asked in store.db.execute(_WATCHED)}
    since = minute if store.logs.are_there() else 0
    return [
        (address, there.get(address, (since, 0))[0], minute)
        for address in addresses
        if address not in there or minute - there[address][1] >= _ASKED_ANEW
    ]
