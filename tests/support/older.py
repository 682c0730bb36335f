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
ALTER TABLE log DROP COLUMN asked;
"""
_COLUMNS = {
    "first_minute": ("begins", ["generation", "stretch"]),
    "matched": ("telling", ["generation", "stretch"]),
    "unparsed": ("unframed", ["generation", "stretch"]),
    "origin": ("stream", ["total", "keyed", "waiting"]),
}


def make_older(state: str | Path) -> None:
    """Make a state of this version one of version 2, with its names and its page layout."""
    with closing(sqlite3.connect(state, isolation_level=None)) as db:
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
