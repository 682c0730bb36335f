"""A state as an older version of this program has left it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from check_postfix.maillog.store import migration

_RENAMED = """
ALTER TABLE journal_span RENAME TO stretch;
ALTER TABLE origin RENAME TO stream;
ALTER TABLE pending RENAME TO waiting;
ALTER TABLE waiting RENAME COLUMN side TO edge;
ALTER TABLE stream DROP COLUMN last;
ALTER TABLE stream DROP COLUMN counted;
ALTER TABLE log DROP COLUMN asked;
"""
_COLUMNS = {
    "first_minute": ("begins", ["generation", "stretch"]),
    "matched": ("telling", ["generation", "stretch"]),
    "unparsed": ("unframed", ["generation", "stretch"]),
    "origin": ("stream", ["waiting"]),
}
# Each origin had a row of its own.
_TABLES = """
CREATE TABLE old_total (
    minute INTEGER NOT NULL, stream INTEGER NOT NULL, counters TEXT NOT NULL,
    PRIMARY KEY (minute, stream)
) STRICT, WITHOUT ROWID;
CREATE TABLE old_keyed (
    family TEXT NOT NULL, minute INTEGER NOT NULL, stream INTEGER NOT NULL,
    size INTEGER NOT NULL, keys TEXT NOT NULL, PRIMARY KEY (family, minute, stream)
) STRICT;
"""


def make_older(state: str | Path) -> None:
    """Make a state of this version one of version 2, with its names and its page layout."""
    with closing(sqlite3.connect(state, isolation_level=None)) as db:
        split_origins(db)
        triggers = "SELECT name FROM sqlite_master WHERE type='trigger'"
        for (trigger,) in db.execute(triggers).fetchall():
            db.execute(f"DROP TRIGGER {trigger}")
        db.executescript(_RENAMED)
        for new, (old, tables) in _COLUMNS.items():
            for table in tables:
                db.execute(f"ALTER TABLE {table} RENAME COLUMN {new} TO {old}")
        indexes = "SELECT name FROM sqlite_master WHERE type='index' AND sql IS NOT NULL"
        for (index,) in db.execute(indexes).fetchall():
            db.execute(f"DROP INDEX {index}")
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall():
            if table not in migration.TABLES_OF[2]:
                db.execute(f"DROP TABLE {table}")
        db.execute("PRAGMA user_version=2")
        db.execute("PRAGMA auto_vacuum=NONE")
        db.execute("VACUUM")


def split_origins(db: sqlite3.Connection) -> None:
    """Give each origin rows of its own in the tables of counters and keys."""
    db.executescript(_TABLES)
    for minute, text in db.execute("SELECT minute, counters FROM total").fetchall():
        for origin, (_, own) in by_origin(text).items():
            db.execute("INSERT INTO old_total VALUES (?, ?, ?)", (minute, origin, own))
    for family, minute, text in db.execute("SELECT family, minute, keys FROM keyed").fetchall():
        for origin, (size, own) in by_origin(text).items():
            row = family, minute, origin, size, own
            db.execute("INSERT INTO old_keyed VALUES (?, ?, ?, ?, ?)", row)
    for table in ("total", "keyed"):
        db.execute(f"DROP TABLE {table}")
        db.execute(f"ALTER TABLE old_{table} RENAME TO {table}")


def by_origin(text: str) -> dict[int, tuple[int, str]]:
    """Return origin -> how many numbers a text has of it, and the text of these alone."""
    numbers, *names = text.split("\n")
    found: dict[int, list[tuple[str, str]]] = {}
    for name, number in zip(names, numbers.split(" "), strict=True):
        origin, _, own = name.partition("\t")
        found.setdefault(int(origin), []).append((number, own))
    return {
        origin: (
            len(pairs),
            "\n".join([" ".join(n for n, _ in pairs), *(own for _, own in pairs)]),
        )
        for origin, pairs in found.items()
    }
