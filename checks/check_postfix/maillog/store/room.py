"""Room: how much of a store's file is in use, and how what is free is given back."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3

# Free pages, of 4 KiB, are left for what is counted next: so many, or a quarter of the file.
# Of more than that some are given back by each run that has something to write; for 256
# SQLite takes 6 ms.
_SPARE = 256
_GIVEN_BACK = 256


def pages(db: sqlite3.Connection) -> tuple[int, int, int]:
    """Return how many pages a file has, how many of them are free, and bytes of each."""
    names = ("page_count", "freelist_count", "page_size")
    number, free, size = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in names)
    return number, free, size


def used(db: sqlite3.Connection) -> int:
    """Return how much of a file is in use, in bytes."""
    number, free, size = pages(db)
    return (number - free) * size


def give_back(db: sqlite3.Connection) -> None:
    """Shorten a file, by a step, if much of it is free; inside a transaction only."""
    number, free, _ = pages(db)
    _give_back(db, min(free - max(_SPARE, number // 4), _GIVEN_BACK))


def give_all_back(db: sqlite3.Connection) -> None:
    """Shorten a file by all that is free in it; inside a transaction only."""
    _, free, _ = pages(db)
    _give_back(db, free)


def _give_back(db: sqlite3.Connection, number: int) -> None:
    for _ in range(number):
        # One at a time: Python takes but one step of a statement that yields nothing.
        db.execute("PRAGMA incremental_vacuum(1)")
