"""Contents: what a store holds, in numbers, for whoever asks what is kept."""

from __future__ import annotations

from collections import namedtuple

from check_postfix.maillog.store import room

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3

    from check_postfix.maillog.store.database import Database


class Kept(namedtuple("Kept", "first last number")):
    """What is kept of a kind of things.

    first, last: minutes of the oldest and the newest, None where there are none
    number:      how many there are
    """

    __slots__ = ()

    first: int | None
    last: int | None
    number: int


class Contents(namedtuple("Contents", "used free totals keys pending gaps runs trusted")):
    """What a store holds.

    used, free: bytes of the file that hold something, and that do not
    totals:  minutes with counters
    keys:    family -> keys
    pending: what waits for the rest of its message
    gaps:    times of which lines were destroyed before they were read
    runs:    check with certain options; each is told apart by a mark, which is written every ten
             minutes at most
    trusted: the newest minute that was surely over, None if nobody has looked at the clock yet
    """

    __slots__ = ()

    used: int
    free: int
    totals: Kept
    keys: dict[str, Kept]
    pending: Kept
    gaps: Kept
    runs: Kept
    trusted: int | None


def of(database: Database) -> Contents:
    """Return what a store holds.

    Raises: DamagedStore, StoreError
    """
    with database.readable():
        return _of(database.db)


def _of(db: sqlite3.Connection) -> Contents:
    pages, free, size = room.pages(db)

    def kept(table: str, first: str, last: str) -> Kept:
        query = f"SELECT min({first}), max({last}), count(*) FROM {table}"
        return Kept(*db.execute(query).fetchone())

    keys = db.execute("SELECT family, min(minute), max(minute), sum(size) FROM keyed GROUP BY 1")
    trusted = db.execute("SELECT trusted FROM clock_mark").fetchone()
    return Contents(
        (pages - free) * size,
        free * size,
        kept("total", "minute", "minute"),
        {family: Kept(*row) for family, *row in keys},
        kept("pending", "since", "since"),
        kept("gap", "first", "last"),
        kept("run", "minute", "minute"),
        trusted[0] if trusted else None,
    )
