"""Migration: a state file of an older version is brought to this one.

Nothing of it is thrown away: its totals are a month of what is usual, which is in no log
any more. Its secret stays, so that generations are known again and pseudonyms stay the same.

To change a table:

1. Before that, keep a state of the version that there is: `python -m tests.maillog.store.states`.
2. In schema.py, change the table's statement, and raise VERSION.
3. Here, say in TABLES_OF what becomes of each table of the version before. Columns that keep
   their names need not be named. Each version is brought to the newest one in one step, so
   look whether what stands there for older versions fits the changed table, too.

A table that takes nothing from an old one needs no entry; it starts empty.

Old tables that have changed are renamed, copied to new ones and dropped. (SQLite keeps a
renamed table's statement in other words, so a table cannot just be given its new name.)
That is one transaction: a run that is killed, or has no time left, leaves the old version.
"""

from __future__ import annotations

import sqlite3
import time
from collections import namedtuple

from check_postfix.maillog.counts.families import MANY, WATCHED, fields, key
from check_postfix.maillog.counts.sights import LONGEST_MINUTES
from check_postfix.maillog.errors import DamagedStore, StoreError
from check_postfix.maillog.store import daily_most, packed, schema, tried
from check_postfix.maillog.store.quarters import MINUTES, QuartersTable
from check_postfix.maillog.store.side_by_side import SideBySide, bounded_by
from check_postfix.maillog.store.tried import TriedTable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from check_postfix.maillog.store.checksum import Checksums

    Columns = Mapping[str, str]


class Table(namedtuple("Table", "into columns rest", defaults=({}, ""))):
    """What becomes of an old table.

    into:    the name of the new one
    columns: column of the new table -> what of the old one it is made of; those that
             are not named here are called the same in both
    rest:    of the query for the old rows
    """

    __slots__ = ()

    into: str
    columns: Columns
    rest: str


# Columns that both a generation and a journal span have.
_LINES = {"first_minute": "begins", "matched": "telling", "unparsed": "unframed"}
# An origin's newest line was not kept; the newest minute that was counted is the nearest to it.
# What is walked back is the primary key.
_NEWEST = (
    "(SELECT minute FROM old_total WHERE old_total.stream=old_stream.id"
    " ORDER BY minute DESC LIMIT 1)"
)


def _read_in_all(
    generations: str, matched: str = "matched", unparsed: str = "unparsed"
) -> dict[str, str]:
    """Return the columns of a log that its generations had, each for itself.

    generations: their table
    matched, unparsed: what these were called there
    """
    of_log = f"FROM {generations} AS read WHERE read.log=old_log.id)"
    sums = {
        "lines": "lines", "events": "events", "matched": matched, "foreign": '"foreign"',
        "unparsed": unparsed,
    }  # fmt: skip
    return {"last": f"(SELECT max(last) {of_log}"} | {
        name: f"(SELECT coalesce(sum({column}), 0) {of_log}" for name, column in sums.items()
    }


# The days of which anything of an origin is counted were not kept; none is after the newest of all.
_COUNTED = {
    "counted": "max((SELECT coalesce(max(minute), 0) FROM old_total),"
    " (SELECT coalesce(max(minute), 0) FROM old_keyed)) / 1440"
}


# Each origin had a row of its own.
_ALL, _ALL_MOST, _ALL_TRIED = "side_by_side", "side_by_side_most", "side_by_side_tried"
_AGGREGATES: dict[str, Any] = {
    _ALL: SideBySide,
    _ALL_MOST: bounded_by(daily_most.bounded),
    _ALL_TRIED: bounded_by(tried.bounded),
}


def _side_by_side(origin: str) -> dict[str, Table]:
    """Return what becomes of counters and keys.

    origin: column with the number of one
    """
    return {
        "total": Table("total", {"counters": f"{_ALL}({origin}, counters)"}, "GROUP BY minute"),
        "keyed": Table(
            "keyed",
            {"size": "sum(size)", "keys": f"{_ALL}({origin}, keys)"},
            "GROUP BY family, minute",
        ),
    }


# What could not be read once is tried again; where a file lies, the next run sees.
_SEEN = {
    "path": "''",
    "unread": "0",
    "tries": "note<>''",
    "next_try": "0",
    "seconds": "0",
    "watched": "note<>''",
}
_OF_2 = {
    "secret": Table("secret"),
    "log": Table(
        "log",
        {
            "asked": "0",
            "zone": "NULL",
            "read": "NULL",
            "offset_low": "NULL",
            "offset_high": "NULL",
            "offset_times": "0",
            "unknown_until": "0",
        }
        | _read_in_all("old_generation", "telling", "unframed"),
    ),
    "generation": Table("generation", _LINES),
    "seen": Table("seen", _SEEN),
    "gap": Table("gap", {"generation": "0"}),
    "stretch": Table("journal_span", _LINES),
    "stream": Table("origin", {"last": _NEWEST} | _COUNTED),
    "waiting": Table("pending", {"origin": "stream", "side": "edge", "sender": "''"}),
} | _side_by_side("stream")
# Each counter, and each key, had a row of its own, as if a text had but one.
_ONE = "n || char(10) || {}"
_OF_1 = _OF_2 | {
    "total": Table(
        "total", {"counters": f"{_ALL}(stream, {_ONE.format('counter')})"}, "GROUP BY minute"
    ),
    "keyed": Table(
        "keyed",
        {"size": "count(*)", "keys": f"""{_ALL}(stream, {_ONE.format('"key"')})"""},
        "GROUP BY family, minute",
    ),
}
# Tables were added, and all rows have checksums.
_OF_3 = {
    name: Table(name)
    for name in (
        "secret", "generation", "directory", "gap", "journal_span", "clock_mark", "retention",
    )
} | _side_by_side("origin") | {
    "origin": Table("origin", _COUNTED),
    "pending": Table("pending", {"sender": "''"}),
    "log": Table("log", _read_in_all("generation")),
    "seen": Table("seen", {"seconds": "CAST(seconds AS INTEGER) + (seconds > 0)"}),
}  # fmt: skip
# Messages have senders; more tables were added.
_OF_4 = {
    name: Table(name)
    for name in (
        "secret", "log", "generation", "seen", "directory", "gap", "journal_span", "clock_mark",
        "retention", "checksum", "run",
    )
} | _side_by_side("origin") | {
    "origin": Table("origin", _COUNTED),
    "pending": Table("pending", {"sender": "''"}),
}  # fmt: skip
# All origins stand side by side.
_OF_5 = _OF_4 | {
    name: Table(name) for name in ("pending", "quarter", "delay", "place", "watched")
} | {
    "quarter_key": Table(
        "quarter_key", {"keys": f"{_ALL_MOST}(origin, keys)"}, "GROUP BY family, quarter"
    ),
    "daily_most": Table(
        "daily_most", {"keys": f"{_ALL_MOST}(origin, keys)"}, "GROUP BY family, day"
    ),
    "tried": Table("tried", {"pairs": f"{_ALL_TRIED}(origin, pairs)"}, "GROUP BY hour"),
}  # fmt: skip
# Of messages for watched addresses their queue IDs were kept.
_OF_6 = {name: Table(name) for name in _OF_5}
TABLES_OF = {1: _OF_1, 2: _OF_2, 3: _OF_3, 4: _OF_4, 5: _OF_5, 6: _OF_6}

# Versions before did not add up totals by quarter-hours, nor failed logins by hours.
_FIRST_WITH_QUARTERS = 5
# Versions before kept which messages were tried for watched addresses, not how many.
_FIRST_WITH_NUMBERS_OF_WATCHED = 7
# Minutes that all versions before it have kept keys for, where no check has asked for less.
_KEYS_KEPT = 2 * 1440
# SQLite's name for a file whose free pages can be given back.
_INCREMENTAL = 2
# How often the time is looked at: every so many of SQLite's instructions, some 10 microseconds.
_INSTRUCTIONS = 1000


def migrate(db: sqlite3.Connection, path: str, deadline: float, checksums: Checksums) -> None:
    """Bring a state file to this version, unless another run has done so meanwhile.

    db:       is to be closed if this fails
    deadline: time.monotonic() at which to give up; nothing is changed then
    checksums: of the file

    Raises: DamagedStore if it has other tables than its version had; StoreError if the
            time is up; sqlite3.Error
    """
    db.execute("BEGIN IMMEDIATE")
    # Kept until the migration is done, not only until a transaction is: of many runs
    # that find an older file, one works and the others wait here.
    db.execute("PRAGMA locking_mode=EXCLUSIVE")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    try:
        if version < schema.VERSION:
            db.execute("COMMIT")
            _let_room_be_given_back(db, deadline)
            _give_time(db, deadline)
            for name, aggregate in _AGGREGATES.items():
                db.create_aggregate(name, 2, aggregate)
            db.execute("BEGIN IMMEDIATE")
            if not _bring(db, version):
                raise DamagedStore(f"{path}: has other tables than it should")
            try:
                if version < _FIRST_WITH_QUARTERS:
                    _fill_what_was_not_kept(db, checksums)
                if version < _FIRST_WITH_NUMBERS_OF_WATCHED:
                    _count_watched(db, checksums)
            except ValueError:
                raise DamagedStore(f"{path}: has counts that cannot be read") from None
            checksums.write_anew()
        # Only now, so that the end of this transaction is the end of the lock.
        db.execute("PRAGMA locking_mode=NORMAL")
        db.execute("COMMIT")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            raise StoreError(
                f"{path}: is of an older version, and there was no time to bring it to this one;"
                " run this check once by hand with --timeout 300"
            ) from None
        if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:  # no such column
            raise DamagedStore(f"{path}: has other tables than it should") from None
        raise
    finally:
        db.set_progress_handler(None, 0)


def _give_time(db: sqlite3.Connection, deadline: float) -> None:
    """Interrupt what takes longer than this."""
    db.set_progress_handler(lambda: time.monotonic() > deadline, _INSTRUCTIONS)


def _let_room_be_given_back(db: sqlite3.Connection, deadline: float) -> None:
    """Lay the pages out so that free ones can be given back; outside of a transaction only.

    The file is written anew for that, and needs as much room again. Where it cannot be done
    (no room for SQLite's temporary file, or more than half of the time would go), it is left
    undone: counts are worth more than room. The free pages of such a file are used for
    what comes later, and the next version tries again.
    """
    if db.execute("PRAGMA auto_vacuum").fetchone()[0] == _INCREMENTAL:
        return
    _give_time(db, (time.monotonic() + deadline) / 2)
    try:
        db.execute("PRAGMA auto_vacuum=INCREMENTAL")
        db.execute("VACUUM")
    except sqlite3.OperationalError:  # damage is another error
        pass


def _bring(db: sqlite3.Connection, version: int) -> bool:
    """Bring the tables of an older version to this one; inside a transaction only.

    Returns: False if they are not the tables that this version had
    """
    there = {
        kind: dict(
            db.execute(
                "SELECT name, sql FROM sqlite_master WHERE type=? AND sql IS NOT NULL", (kind,)
            )
        )
        for kind in ("table", "index", "trigger")
    }
    tables, old = there["table"], TABLES_OF.get(version)
    if old is None or tables.keys() != old.keys():
        return False
    for kind in ("index", "trigger"):
        for name in there[kind]:
            db.execute(f'DROP {kind} "{name}"')
    now = schema.statements()
    changed = [name for name in old if tables[name] != now.get(name)]
    for name in changed:
        db.execute(f'ALTER TABLE "{name}" RENAME TO "old_{name}"')
    missing = [text for name, text in now.items() if name not in tables or name in changed]
    new_tables = [text for text in missing if text.startswith("CREATE TABLE")]
    for statement in new_tables:
        db.execute(statement)
    for name in changed:
        _copy(db, f"old_{name}", old[name])
    for name in changed:
        db.execute(f'DROP TABLE "old_{name}"')
    # Only now, so that no trigger is kept busy.
    for statement in missing:
        if statement not in new_tables:
            db.execute(statement)
    schema.mark(db)
    return True


def _fill_what_was_not_kept(db: sqlite3.Connection, checksums: Checksums) -> None:
    """Add up totals by quarter-hours, and failed logins by hours.

    Raises: ValueError if they cannot be read
    """
    QuartersTable(db, checksums).add_totals_there_are()
    TriedTable(db, checksums).add_keys_there_are()


def _count_watched(db: sqlite3.Connection, checksums: Checksums) -> None:
    """Count the messages for watched addresses whose queue IDs there are, each once.

    That is as far back as keys go, so it is since then that all of them are known.

    Raises: ValueError if they cannot be read
    """
    last: dict[str, int] = {}
    of_quarters: dict[tuple[str, int], dict[str, int]] = {}
    query = "SELECT minute, keys FROM keyed WHERE family=? ORDER BY minute"
    for minute, text in db.execute(query, (WATCHED,)).fetchall():
        numbers: dict[str, int] = {}
        of_quarter = of_quarters.setdefault((WATCHED, minute // MINUTES), {})
        for name, _ in packed.unpacked(text):
            origin, queue_id, address = fields(name)
            is_first = minute - last.get(name, -LONGEST_MINUTES - 1) > LONGEST_MINUTES
            last[name] = minute
            if is_first and queue_id != MANY:
                of_both = key((origin, address))
                for sums in (numbers, of_quarter):
                    sums[of_both] = sums.get(of_both, 0) + 1
        if numbers:
            db.execute(
                "UPDATE keyed SET size=?, keys=? WHERE family=? AND minute=?",
                (len(numbers), packed.packed(numbers), WATCHED, minute),
            )
        else:
            db.execute("DELETE FROM keyed WHERE family=? AND minute=?", (WATCHED, minute))
    QuartersTable(db, checksums).add_watched(of_quarters)
    newest = db.execute(
        "SELECT max(coalesce((SELECT max(minute) FROM total), 0),"
        " coalesce((SELECT max(trusted) FROM clock_mark), 0))"
    ).fetchone()[0]
    kept = db.execute("SELECT keys FROM retention").fetchone()
    minutes = _KEYS_KEPT if kept is None or kept[0] is None else kept[0]
    db.execute("UPDATE watched SET since=max(since, ?)", (newest - minutes,))


def _copy(db: sqlite3.Connection, old: str, table: Table) -> None:
    columns = [
        name for (name,) in db.execute("SELECT name FROM pragma_table_info(?)", (table.into,))
    ]
    # An unknown name in quotes would be a text to SQLite, but not one with a table's.
    values = [table.columns.get(name, f'"{old}"."{name}"') for name in columns]
    names = ", ".join(f'"{name}"' for name in columns)
    db.execute(
        f'INSERT INTO "{table.into}" ({names}) SELECT {", ".join(values)} FROM "{old}" {table.rest}'
    )
