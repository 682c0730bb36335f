"""Schema: the tables of the state file, and what marks it as ours.

Whoever changes a table raises VERSION, and says in migration.py where its rows go. The rows of
each table have checksums (checksum.py), without any doing.
"""

from __future__ import annotations

import os
from functools import cache
from zlib import crc32

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

VERSION = 7
# All statements, as sum_of has it: a run need not make them to see that a file has them.
_SUM = 0x03D2113B
APPLICATION = 0x43504658  # "CPFX" in the file's header
SECRET_SIZE = 32  # bytes
# What SQLite puts beside a file, or takes for its own where it finds it there.
BESIDE = ("-journal", "-wal", "-shm")
# How a damaged file is called that was set aside.
ASIDE = ".damaged"

_TABLES = """
CREATE TABLE secret (key BLOB NOT NULL) STRICT;
CREATE TABLE log (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, backlog INTEGER NOT NULL DEFAULT 1,
    asked INTEGER NOT NULL DEFAULT 0,
    zone TEXT, read INTEGER, offset_low INTEGER, offset_high INTEGER,
    offset_times INTEGER NOT NULL DEFAULT 0, unknown_until INTEGER NOT NULL DEFAULT 0,
    last INTEGER, lines INTEGER NOT NULL DEFAULT 0, events INTEGER NOT NULL DEFAULT 0,
    matched INTEGER NOT NULL DEFAULT 0, "foreign" INTEGER NOT NULL DEFAULT 0,
    unparsed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE generation (
    id INTEGER PRIMARY KEY, head BLOB NOT NULL,
    hole_start INTEGER NOT NULL, hole_end INTEGER NOT NULL, "end" INTEGER NOT NULL,
    tail BLOB NOT NULL, tail_size INTEGER NOT NULL,
    first_minute INTEGER, since INTEGER, last INTEGER,
    live INTEGER NOT NULL, done INTEGER NOT NULL, lines INTEGER NOT NULL, events INTEGER NOT NULL,
    matched INTEGER NOT NULL, "foreign" INTEGER NOT NULL, unparsed INTEGER NOT NULL,
    log INTEGER NOT NULL
) STRICT;
CREATE INDEX generation_head ON generation (log, substr(head, 1, 16));
CREATE INDEX generation_start ON generation (log, coalesce(first_minute, 0));
CREATE INDEX generation_unsettled ON generation (log)
    WHERE live OR NOT done OR hole_end > hole_start;
CREATE TABLE seen (
    log INTEGER NOT NULL, signature TEXT NOT NULL, path TEXT NOT NULL, generation INTEGER NOT NULL,
    note TEXT NOT NULL, unread INTEGER NOT NULL, tries INTEGER NOT NULL, next_try INTEGER NOT NULL,
    seconds INTEGER NOT NULL, watched INTEGER NOT NULL, PRIMARY KEY (log, signature)
) STRICT, WITHOUT ROWID;
CREATE INDEX seen_watched ON seen (log) WHERE watched;
CREATE TABLE directory (
    log INTEGER NOT NULL, path TEXT NOT NULL, state TEXT NOT NULL, PRIMARY KEY (log, path)
) STRICT, WITHOUT ROWID;
CREATE TABLE gap (
    log INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    generation INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE journal_span (
    id INTEGER PRIMARY KEY, oldest TEXT NOT NULL, newest TEXT NOT NULL,
    first_minute INTEGER NOT NULL,
    last INTEGER NOT NULL, read INTEGER NOT NULL, first INTEGER NOT NULL, lines INTEGER NOT NULL,
    events INTEGER NOT NULL, matched INTEGER NOT NULL, "foreign" INTEGER NOT NULL,
    unparsed INTEGER NOT NULL, log INTEGER NOT NULL
) STRICT;
CREATE TABLE origin (
    id INTEGER PRIMARY KEY, log INTEGER NOT NULL, host TEXT NOT NULL, instance TEXT NOT NULL,
    last INTEGER, counted INTEGER, UNIQUE (log, host, instance)
) STRICT;
CREATE TABLE total (minute INTEGER PRIMARY KEY, counters TEXT NOT NULL) STRICT;
CREATE TABLE quarter (
    series TEXT NOT NULL, quarter INTEGER NOT NULL, numbers TEXT NOT NULL,
    PRIMARY KEY (series, quarter)
) STRICT, WITHOUT ROWID;
CREATE TABLE keyed (
    family TEXT NOT NULL, minute INTEGER NOT NULL, size INTEGER NOT NULL, keys TEXT NOT NULL,
    PRIMARY KEY (family, minute)
) STRICT;
CREATE TABLE delay (
    first INTEGER NOT NULL, minutes INTEGER NOT NULL, histograms BLOB NOT NULL,
    PRIMARY KEY (first, minutes)
) STRICT, WITHOUT ROWID;
CREATE TABLE pending (
    log INTEGER NOT NULL, owner INTEGER NOT NULL, side INTEGER NOT NULL, origin INTEGER NOT NULL,
    queue_id BLOB NOT NULL, what TEXT NOT NULL, minute INTEGER NOT NULL, number INTEGER NOT NULL,
    recipients INTEGER NOT NULL, since INTEGER NOT NULL, sender TEXT NOT NULL,
    PRIMARY KEY (log, owner, side, origin, queue_id, what, minute)
) STRICT, WITHOUT ROWID;
CREATE TABLE quarter_key (
    family TEXT NOT NULL, quarter INTEGER NOT NULL, keys TEXT NOT NULL,
    PRIMARY KEY (family, quarter)
) STRICT, WITHOUT ROWID;
CREATE TABLE daily_most (
    family TEXT NOT NULL, day INTEGER NOT NULL, keys TEXT NOT NULL, PRIMARY KEY (family, day)
) STRICT, WITHOUT ROWID;
CREATE TABLE tried (hour INTEGER PRIMARY KEY, pairs TEXT NOT NULL) STRICT;
CREATE TABLE place (
    network TEXT NOT NULL, account TEXT NOT NULL, origin INTEGER NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL, service TEXT NOT NULL, name TEXT NOT NULL,
    client TEXT NOT NULL, PRIMARY KEY (network, account, origin)
) STRICT, WITHOUT ROWID;
CREATE INDEX place_named ON place (first) WHERE name<>'';
CREATE TABLE watched (
    address TEXT NOT NULL PRIMARY KEY, since INTEGER NOT NULL, asked INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE clock_mark (
    second INTEGER NOT NULL, uptime INTEGER NOT NULL, boot TEXT NOT NULL, trusted INTEGER NOT NULL
) STRICT;
CREATE TABLE retention (totals INTEGER NOT NULL, keys INTEGER) STRICT;
CREATE TABLE checksum (slice TEXT PRIMARY KEY, sum INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE run (
    id TEXT PRIMARY KEY, minute INTEGER NOT NULL, missed TEXT NOT NULL, until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
"""
# It has no checksums of its own; what is wrong in it makes those of others wrong.
_UNCHECKED = "checksum"
# What a column may hold. Numbers with a fraction are none of it: not all versions of SQLite give
# back the same one.
_TYPES = ("INTEGER", "TEXT", "BLOB")
_CHANGES = {
    "INSERT": "SELECT noted('{table}', 1, {new});",
    "DELETE": "SELECT noted('{table}', -1, {old});",
    "UPDATE": "SELECT noted('{table}', -1, {old}); SELECT noted('{table}', 1, {new});",
}


@cache
def statements() -> dict[str, str]:
    """Return name -> statement, as SQLite keeps it, of each table, index and trigger."""
    texts = [text.strip() for text in _TABLES.split(";")]
    found = {text.split()[2]: text for text in texts if text}
    for table, names in columns().items():
        new, old = (", ".join([f'{which}."{name}"' for name in names]) for which in ("NEW", "OLD"))
        for change, told in _CHANGES.items():
            name = f"{table}_{change.lower()}"
            found[name] = (
                f"CREATE TRIGGER {name} AFTER {change} ON {table}"
                f" BEGIN {told.format(table=table, new=new, old=old)} END"
            )
    return found


def columns() -> dict[str, list[str]]:
    """Return table -> its columns, in their order, of each table that has checksums."""
    heads = [line.split() for line in _TABLES.splitlines() if line.startswith("CREATE TABLE")]
    return {head[2]: columns_of(head[2]) for head in heads if head[2] != _UNCHECKED}


def columns_of(table: str) -> list[str]:
    """Return the columns of a table, in their order."""
    body = _TABLES.partition(f"CREATE TABLE {table} (")[2].partition(";")[0]
    words = [part.split() for part in body.split(",")]
    return [first.strip('"') for first, *more in words if more and more[0].rstrip(")") in _TYPES]


def is_in(db: sqlite3.Connection) -> bool:
    """Tell whether a file has exactly these tables, indexes and triggers."""
    found = db.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")
    # Where the file is damaged, it may be anything.
    return sum_of(str(sql) for (sql,) in found) == _SUM


def sum_of(statements: Iterable[str]) -> int:
    """Return by what some statements are known again, in whatever order."""
    return crc32(";".join(sorted(statements)).encode())


def create(db: sqlite3.Connection) -> None:
    """Make the tables in an empty file, and a new secret; inside a transaction only."""
    for statement in statements().values():
        db.execute(statement)
    db.execute("INSERT INTO secret VALUES (?)", (os.urandom(SECRET_SIZE),))
    mark(db)


def mark(db: sqlite3.Connection) -> None:
    """Say whose tables these are, and of which version; inside a transaction only."""
    db.execute(f"PRAGMA application_id={APPLICATION}")
    db.execute(f"PRAGMA user_version={VERSION}")
