"""The store: one SQLite file with what was counted and up to where.

Counts and positions change in one transaction, so that a run has happened
wholly or not at all, wherever it is killed. The file is a cache of the log:
what is lost with it is read again from the generations that still exist.

Journal mode DELETE with synchronous=EXTRA is SQLite's strictest: the rollback
journal's removal is on disk before a transaction counts as done, so power loss
leaves either the old state or the new one. A run that finds nothing new writes
nothing and pays nothing for it.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import contextmanager, suppress
from itertools import chain, islice

from check_postfix.maillog.counts import (
    FAMILIES,
    MANY,
    fields,
    of_client,
    of_many,
    without_strangers,
)
from check_postfix.maillog.errors import DamagedStore, StoreError
from check_postfix.maillog.generation import Generation
from check_postfix.maillog.stretch import Stretch
from check_postfix.maillog.waiting import SCHEMA as WAITING
from check_postfix.maillog.waiting import Waiting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from check_postfix.maillog.counts import Counts

_APPLICATION = 0x43504658  # "CPFX" in the file's header
_VERSION = 1
_KEY_SIZE = 32

_SCHEMA = """
CREATE TABLE secret (key BLOB NOT NULL) STRICT;
CREATE TABLE log (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, backlog INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE TABLE generation (
    id INTEGER PRIMARY KEY, head BLOB NOT NULL,
    hole_start INTEGER NOT NULL, hole_end INTEGER NOT NULL, "end" INTEGER NOT NULL,
    tail BLOB NOT NULL, tail_size INTEGER NOT NULL, begins INTEGER, since INTEGER, last INTEGER,
    live INTEGER NOT NULL, done INTEGER NOT NULL, lines INTEGER NOT NULL, events INTEGER NOT NULL,
    telling INTEGER NOT NULL, "foreign" INTEGER NOT NULL, unframed INTEGER NOT NULL,
    log INTEGER NOT NULL
) STRICT;
CREATE TABLE seen (log INTEGER NOT NULL, signature TEXT NOT NULL, generation INTEGER NOT NULL,
    note TEXT NOT NULL, PRIMARY KEY (log, signature)) STRICT, WITHOUT ROWID;
CREATE TABLE gap (log INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL) STRICT;
CREATE TABLE stretch (
    id INTEGER PRIMARY KEY, oldest TEXT NOT NULL, newest TEXT NOT NULL, begins INTEGER NOT NULL,
    last INTEGER NOT NULL, read INTEGER NOT NULL, first INTEGER NOT NULL, lines INTEGER NOT NULL,
    events INTEGER NOT NULL, telling INTEGER NOT NULL, "foreign" INTEGER NOT NULL,
    unframed INTEGER NOT NULL, log INTEGER NOT NULL
) STRICT;
CREATE TABLE stream (
    id INTEGER PRIMARY KEY, log INTEGER NOT NULL, host TEXT NOT NULL, instance TEXT NOT NULL,
    UNIQUE (log, host, instance)
) STRICT;
CREATE TABLE total (
    minute INTEGER NOT NULL, stream INTEGER NOT NULL, counter TEXT NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (minute, stream, counter)
) STRICT, WITHOUT ROWID;
CREATE TABLE keyed (
    family TEXT NOT NULL, minute INTEGER NOT NULL, stream INTEGER NOT NULL, key TEXT NOT NULL,
    n INTEGER NOT NULL, PRIMARY KEY (family, minute, stream, key)
) STRICT, WITHOUT ROWID;
"""

# Rows of keys kept per family: so many an hour for whoever comes first, and so
# many in each minute besides, for the most frequent. That is 10,000 an hour, of
# which no flood at its begin can take what the rest of it needs.
KEYS_PER_HOUR = 5_200
KEYS_PER_MINUTE = 80
# Names of one client, and accounts that it tries, may take so much of an hour's room;
# the rest of it is for other clients.
_DETAIL = 0.5
# Of the others only what has few values is kept, of the most frequent as well,
# and of the rest the number, so that sums stay exact.
COARSE_KEYS = 20

# Rows to a statement: alone, a statement takes twice the time of its row.
_AT_ONCE = 100

# What stands in the place of a path for the systemd journal.
JOURNAL = "journal"


class Log:
    """One followed log.

    id:      its number in the store
    path:    absolute, or JOURNAL
    backlog: files of it still to be read
    """

    __slots__ = ("backlog", "id", "path")

    def __init__(self, id: int, path: str, backlog: int) -> None:
        self.id = id
        self.path = path
        self.backlog = backlog


class Store:
    """An open store. Use it as a context manager.

    path: the file, or None for a nameless one that goes with this object
    wait: seconds to wait for other runs that are writing

    `waiting` holds what of messages waits for more of the log.
    """

    def __init__(self, path: str | None, wait: float) -> None:
        """Open the store; make it if it is not there.

        Raises: DamagedStore, or StoreError if it cannot be used
        """
        self.path = path
        self._streams: dict[tuple[int, str, str], int] = {}
        # (family, hour) -> how many keys it has at most; inside a transaction
        self._rows: dict[tuple[str, int], int] = {}
        if path is not None:
            _prepare(path)
        with self._told():
            self._db = sqlite3.connect(path or "", timeout=wait, isolation_level=None)
            try:
                self._open()
            except BaseException:
                self._db.close()
                raise
        self.waiting = Waiting(self._db)

    def _open(self) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > _VERSION:
            raise StoreError(
                f"{self.path}: was written by a newer check_postfix; upgrade this one,"
                " or choose another file with --state"
            )
        self._db.execute("PRAGMA synchronous=EXTRA")
        self._db.execute("PRAGMA cell_size_check=ON")
        # What is deleted for privacy's sake is overwritten, not just unlinked.
        self._db.execute("PRAGMA secure_delete=ON")
        if version == 0:
            with self.transaction():
                if self._db.execute("PRAGMA user_version").fetchone()[0] == 0:
                    self._create()
        elif self._db.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION:
            raise DamagedStore(f"{self.path}: is another program's database")
        schema = self._db.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
        if sorted(sql for (sql,) in schema) != sorted(_statements()):
            raise DamagedStore(f"{self.path}: has other tables than it should")
        secret = self._db.execute("SELECT key FROM secret").fetchone()
        if secret is None or type(secret[0]) is not bytes or len(secret[0]) != _KEY_SIZE:
            raise DamagedStore(f"{self.path}: has lost its key")
        self.key: bytes = secret[0]

    def _create(self) -> None:
        if self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise DamagedStore(f"{self.path}: is another program's database")
        for statement in _statements():
            self._db.execute(statement)
        self._db.execute("INSERT INTO secret VALUES (?)", (os.urandom(_KEY_SIZE),))
        self._db.execute(f"PRAGMA application_id={_APPLICATION}")
        self._db.execute(f"PRAGMA user_version={_VERSION}")

    def read_everything(self) -> None:
        """Look for damage all over the file.

        Raises: DamagedStore
        """
        with self._told():
            for (finding,) in self._db.execute("PRAGMA integrity_check(1)"):
                if finding != "ok":
                    raise DamagedStore(f"{self.path}: {finding}")
            for (table,) in self._db.execute(
                "SELECT name FROM sqlite_master WHERE type='table'"
            ).fetchall():
                for _ in self._db.execute(f'SELECT * FROM "{table}"'):  # decodes its text
                    pass

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn SQLite's errors into ours."""
        try:
            yield
        except sqlite3.ProgrammingError:  # our own fault
            raise
        except sqlite3.Error as error:
            raise _told(self.path, error) from None
        except UnicodeDecodeError:  # in a message that quotes the damage
            raise DamagedStore(f"{self.path}: database disk image is malformed") from None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the store against other runs; everything inside happens, or nothing does.

        Raises: StoreError if other runs held it for longer than `wait` seconds,
                or the disk refuses
        """
        with self._told():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._rows.clear()
                yield
                self._db.execute("COMMIT")
            except BaseException:
                self._streams.clear()  # numbers given out inside are void
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    # -- positions

    def log(self, path: str) -> Log | None:
        """Return what is known of a log, None if it was never read."""
        with self._told():
            row = self._db.execute(
                "SELECT id, path, backlog FROM log WHERE path=?", (path,)
            ).fetchone()
        return Log(*row) if row else None

    def add_log(self, path: str) -> Log:
        """Return a new log's entry; inside a transaction only."""
        number = self._db.execute("INSERT INTO log (path) VALUES (?)", (path,)).lastrowid
        assert number is not None
        return Log(number, path, 1)

    def save_log(self, log: Log) -> None:
        """Keep a log's entry."""
        self._db.execute("UPDATE log SET backlog=? WHERE id=?", (log.backlog, log.id))

    def seen(self, log: Log) -> dict[str, tuple[int, str]]:
        """Return the signatures of this log's files that were read to their end.

        Returns: signature -> (generation, note); 0 for a file that has none: it is
                 empty, or cannot be read, and then the note says why
        """
        with self._told():
            return {
                signature: (generation, note)
                for signature, generation, note in self._db.execute(
                    "SELECT signature, generation, note FROM seen WHERE log=?", (log.id,)
                )
            }

    def save_seen(self, log: Log, seen: dict[str, tuple[int, str]]) -> None:
        """Keep exactly these signatures."""
        self._db.execute("DELETE FROM seen WHERE log=?", (log.id,))
        self._db.executemany(
            "INSERT INTO seen VALUES (?, ?, ?, ?)",
            [(log.id, signature, *row) for signature, row in seen.items()],
        )

    def notes(self, log: Log) -> list[str]:
        """Return why files of this log could not be read."""
        with self._told():
            return [
                note
                for (note,) in self._db.execute(
                    "SELECT note FROM seen WHERE log=? AND note<>'' ORDER BY note", (log.id,)
                )
            ]

    def generations(self, log: Log) -> list[Generation]:
        """Return what is known of this log's generations, newest first."""
        with self._told():
            return [
                Generation(*row)
                for row in self._db.execute(
                    f"SELECT {_GENERATION} FROM generation WHERE log=?"
                    " ORDER BY begins DESC, id DESC",
                    (log.id,),
                )
            ]

    def save_generation(self, log: Log, generation: Generation) -> None:
        """Keep a generation; give it its number if it has none."""
        values = [getattr(generation, name) for name in Generation.FIELDS]
        generation.id = self._db.execute(
            f"INSERT OR REPLACE INTO generation ({_GENERATION}, log)"
            f" VALUES (nullif(?, 0){', ?' * len(values)}) RETURNING id",
            (*values, log.id),
        ).fetchone()[0]

    def add_gap(self, log: Log, first: int, last: int) -> None:
        """Keep that lines written between these minutes were destroyed before they were read."""
        self._db.execute("INSERT INTO gap VALUES (?, ?, ?)", (log.id, first, last))

    def gaps(self, log: Log, begin: int, end: int) -> list[tuple[int, int]]:
        """Return the gaps that touch these minutes."""
        with self._told():
            return self._db.execute(
                "SELECT first, last FROM gap WHERE log=? AND last>=? AND first<? ORDER BY first",
                (log.id, begin, end),
            ).fetchall()

    def extend_gap(self, log: Log, first: int, last: int) -> None:
        """Keep a gap, as one with those that it touches; inside a transaction only."""
        for touched in self._db.execute(
            "DELETE FROM gap WHERE log=? AND last>=? AND first<=? RETURNING first, last",
            (log.id, first - 1, last + 1),
        ).fetchall():
            first, last = min(first, touched[0]), max(last, touched[1])
        self.add_gap(log, first, last)

    def stretches(self, log: Log) -> list[Stretch]:
        """Return the stretches of a journal, newest first."""
        with self._told():
            return [
                Stretch(*row)
                for row in self._db.execute(
                    f"SELECT {_STRETCH} FROM stretch WHERE log=? ORDER BY id DESC", (log.id,)
                )
            ]

    def save_stretch(self, log: Log, stretch: Stretch) -> None:
        """Keep a stretch; give it its number if it has none."""
        values = [getattr(stretch, name) for name in Stretch.FIELDS]
        stretch.id = self._db.execute(
            f"INSERT OR REPLACE INTO stretch ({_STRETCH}, log)"
            f" VALUES (nullif(?, 0){', ?' * len(values)}) RETURNING id",
            (*values, log.id),
        ).fetchone()[0]

    def drop_stretch(self, stretch: Stretch) -> None:
        """Forget a stretch that another one has taken in."""
        self._db.execute("DELETE FROM stretch WHERE id=?", (stretch.id,))

    # -- counts

    def stream(self, log: Log, host: bytes, instance: bytes) -> int:
        """Return the number of a stream; inside a transaction only."""
        where = log.id, host.decode("utf-8", "replace"), instance.decode("utf-8", "replace")
        if where not in self._streams:
            row = self._db.execute(
                "SELECT id FROM stream WHERE log=? AND host=? AND instance=?", where
            ).fetchone()
            if row is None:
                row = self._db.execute(
                    "INSERT INTO stream (log, host, instance) VALUES (?, ?, ?) RETURNING id", where
                ).fetchone()
            self._streams[where] = row[0]
        return self._streams[where]

    def streams(self, log: Log) -> list[tuple[int, str, str]]:
        """Return the (number, host, instance) of everything this log has told of."""
        with self._told():
            return self._db.execute(
                "SELECT id, host, instance FROM stream WHERE log=? ORDER BY host, instance",
                (log.id,),
            ).fetchall()

    def add(self, counts: Counts) -> None:
        """Add up counts; inside a transaction only."""
        self._add(
            "INSERT INTO total VALUES (?, ?, ?, ?)",
            (
                (minute, *where, n)
                for minute, totals in sorted(counts.totals.items())
                for where, n in sorted(totals.items())
            ),
        )
        self._add("INSERT INTO keyed VALUES (?, ?, ?, ?, ?)", self._bounded(counts.keyed))

    def _add(self, insert: str, rows: Iterable[tuple[object, ...]]) -> None:
        """Insert rows, or add their last number to that of the row that is there."""
        added = " ON CONFLICT DO UPDATE SET n = n + excluded.n"
        rows = iter(rows)
        row = insert[insert.index("(") :]
        many = insert + f", {row}" * (_AT_ONCE - 1) + added
        while len(some := list(islice(rows, _AT_ONCE))) == _AT_ONCE:
            self._db.execute(many, list(chain.from_iterable(some)))
        self._db.executemany(insert + added, some)

    def _bounded(
        self, keyed: dict[int, dict[tuple[str, int, str], int]]
    ) -> Iterator[tuple[str, int, int, str, int]]:
        """Yield keyed rows in order, those that are too many as fewer."""
        by_hour: dict[tuple[str, int], list[tuple[str, int, int, str, int]]] = {}
        for minute, numbers in sorted(keyed.items()):
            for (family, stream, key), n in sorted(numbers.items()):
                rows = by_hour.setdefault((family, minute // 60), [])
                rows.append((family, minute, stream, key, n))
        for (family, hour), rows in sorted(by_hour.items()):
            there = self._rows.get((family, hour))
            if there is None:
                there = sum(self._rows_by_minute(family, hour).values())
            self._rows[family, hour] = there + len(rows)
            if there + len(rows) > KEYS_PER_HOUR * _DETAIL:
                rows = sorted(self._shared_out(family, hour, rows))
            yield from rows

    def _shared_out(
        self, family: str, hour: int, rows: list[tuple[str, int, int, str, int]]
    ) -> list[tuple[str, int, int, str, int]]:
        """Return the rows of an hour that has not got room for all of them."""
        there = self._rows_by_minute(family, hour)
        room = KEYS_PER_HOUR - sum(max(0, n - KEYS_PER_MINUTE) for n in there.values())
        by_minute: dict[int, list[tuple[str, int, int, str, int]]] = {}
        for row in rows:
            by_minute.setdefault(row[1], []).append(row)
        kept = []
        for minute in sorted(by_minute):
            some = sorted(by_minute[minute], key=_most_first)
            own = max(0, KEYS_PER_MINUTE - there.get(minute, 0))
            cut = own + max(0, room)
            some = _in_detail(some, own + max(0, room - int(KEYS_PER_HOUR * _DETAIL)))
            room -= max(0, min(len(some), cut) - own)
            kept += [*some[:cut], *_coarse(some[cut:])]
        return kept

    def _rows_by_minute(self, family: str, hour: int) -> dict[int, int]:
        return dict(
            self._db.execute(
                "SELECT minute, count(*) FROM keyed WHERE family=? AND minute>=? AND minute<?"
                " GROUP BY minute",
                (family, hour * 60, hour * 60 + 60),
            )
        )

    def forget(self, oldest: int, oldest_keys: int) -> None:
        """Delete what is older than these minutes; inside a transaction only."""
        self._db.execute("DELETE FROM total WHERE minute<?", (oldest,))
        self._db.execute("DELETE FROM gap WHERE last<?", (oldest,))
        self._db.execute(
            "DELETE FROM generation WHERE coalesce(last, begins, 0)<? AND NOT live"
            " AND id NOT IN (SELECT generation FROM seen)",
            (oldest,),
        )
        self._db.executemany(
            "DELETE FROM keyed WHERE family=? AND minute<?",
            [(family, oldest_keys) for family in FAMILIES],
        )
        self.waiting.forget(oldest_keys)

    def is_overdue(self, oldest: int, oldest_keys: int) -> bool:
        """Tell whether `forget` would delete counts that are an hour older than they may be."""
        late = 60
        with self._told():
            return self.waiting.is_overdue(oldest_keys - late) or any(
                self._db.execute(query, parameters).fetchone()
                for query, parameters in (
                    ("SELECT 1 FROM total WHERE minute<? LIMIT 1", (oldest - late,)),
                    *(
                        (
                            "SELECT 1 FROM keyed WHERE family=? AND minute<? LIMIT 1",
                            (family, oldest_keys - late),
                        )
                        for family in FAMILIES
                    ),
                )
            )

    def messages(
        self,
        family: str,
        kinds: Sequence[str],
        begin: int,
        end: int,
        streams: Iterable[int],
        before: int,
    ) -> tuple[int, int]:
        """Return of how many messages these minutes tell for the first time, and in how many lines.

        kinds:  of lines
        before: minute from which on such lines of the same message make it the second time
        """
        tab = "instr(key, char(9))"
        told = (
            f"SELECT stream, substr(key, 1, {tab} - 1) AS message, n FROM keyed WHERE family=?"
            f" AND minute>=? AND minute<? AND stream IN ({_numbers(streams)})"
            f" AND substr(key, {tab} + 1) IN ({', '.join('?' * len(kinds))}) AND message<>?"
        )
        with self._told():
            now = family, begin, end, *kinds, MANY
            earlier = family, before, begin, *kinds, MANY
            messages = self._db.execute(
                f"SELECT count(*) FROM (SELECT stream, message FROM ({told})"
                f" EXCEPT SELECT stream, message FROM ({told}))",
                (*now, *earlier),
            ).fetchone()[0]
            lines = self._db.execute(f"SELECT total(n) FROM ({told})", now).fetchone()[0]
        return messages, int(lines)

    def totals(self, begin: int, end: int, streams: Iterable[int]) -> dict[str, int]:
        """Return what each counter came to in the minutes from begin up to, not with, end."""
        with self._told():
            return dict(
                self._db.execute(
                    "SELECT counter, sum(n) FROM total WHERE minute>=? AND minute<?"
                    f" AND stream IN ({_numbers(streams)}) GROUP BY counter",
                    (begin, end),
                )
            )

    def keys(
        self, family: str, begin: int, end: int, streams: Iterable[int]
    ) -> list[tuple[tuple[str, ...], int]]:
        """Return the (key, number) pairs of a family in these minutes, most first."""
        with self._told():
            return [
                (fields(key), number)
                for key, number in self._db.execute(
                    "SELECT key, sum(n) AS s FROM keyed WHERE family=? AND minute>=? AND minute<?"
                    f" AND stream IN ({_numbers(streams)}) GROUP BY key ORDER BY s DESC, key",
                    (family, begin, end),
                )
            ]


def _most_first(row: tuple[str, int, int, str, int]) -> tuple[int, tuple[str, int, int, str, int]]:
    return -row[4], row


def _in_detail(
    rows: list[tuple[str, int, int, str, int]], most: int
) -> list[tuple[str, int, int, str, int]]:
    """Return the rows of one minute; if they are too many, one for each client of the last.

    rows: most frequent first, as those returned
    most: how many there may be before the details of a client are added up
    """
    if len(rows) <= most:
        return rows
    clients = [(*row[:3], of_client(row[0], row[3])) for row in rows]
    spare = max(0, most - len(set(clients)))
    alike: dict[tuple[str, int, int, str], list[tuple[str, int, int, str, int]]] = {}
    for client, row in zip(clients[spare:], rows[spare:], strict=True):
        alike.setdefault(client, []).append(row)
    added = [
        some[0] if len(some) == 1 else (*client, sum(row[4] for row in some))
        for client, some in alike.items()
    ]
    return sorted([*rows[:spare], *added], key=_most_first)


def _coarse(
    rows: list[tuple[str, int, int, str, int]],
) -> list[tuple[str, int, int, str, int]]:
    """Return the rows of one minute with nothing in their keys that has many values."""
    added: dict[tuple[str, int, int, str], int] = {}
    for family, minute, stream, key, n in rows:
        where = family, minute, stream, without_strangers(family, key)
        added[where] = added.get(where, 0) + n
    frequent = sorted(added, key=lambda where: (-added[where], where))
    for where in frequent[COARSE_KEYS:]:
        rest = (*where[:3], of_many(where[0]))
        added[rest] = added.get(rest, 0) + added.pop(where)
    return [(*where, n) for where, n in added.items()]


def _statements() -> list[str]:
    return [text.strip() for text in (_SCHEMA + WAITING).split(";") if text.strip()]


_GENERATION = ", ".join(f'"{name}"' for name in Generation.FIELDS)


_STRETCH = ", ".join(f'"{name}"' for name in Stretch.FIELDS)


def _numbers(streams: Iterable[int]) -> str:
    return ", ".join(str(int(stream)) for stream in streams)


def _told(path: str | None, error: sqlite3.Error) -> StoreError:
    code = getattr(error, "sqlite_errorcode", None)
    kind = None if code is None else code & 0xFF
    if kind in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreError(
            f"{path}: another run has held it for too long; see what that run is doing,"
            " or raise --timeout"
        )
    if code == sqlite3.SQLITE_READONLY_DBMOVED:
        return DamagedStore(f"{path}: was replaced while it was open")
    if kind in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return StoreError(
            f"cannot write {path}: {error}; let this user write the file and its directory,"
            " or choose another with --state"
        )
    if kind == sqlite3.SQLITE_FULL:
        return StoreError(f"cannot write {path}: the disk is full; make room on it")
    if kind == sqlite3.SQLITE_IOERR:
        return StoreError(f"cannot write {path}: {error}; make room on the disk, or see its errors")
    if kind == sqlite3.SQLITE_NOMEM:
        return StoreError(f"cannot read {path}: {error}; give the check more memory")
    return DamagedStore(f"{path}: {error}")


def _prepare(path: str) -> None:
    """Make the file and its directory, private to their owner.

    Raises: StoreError
    """
    try:
        _make_directory(os.path.dirname(path) or ".")
        status = _file(path)
    except OSError as error:
        raise StoreError(
            f"cannot write {path}: {(error.strerror or str(error)).lower()}; let this user write"
            " its directory, or choose another with --state"
        ) from None
    # A link here could make root write into any file.
    if not stat.S_ISREG(status.st_mode):
        raise StoreError(
            f"{path}: is not a regular file; remove it, or choose another with --state"
        )


def _file(path: str) -> os.stat_result:
    """Return the status of the file at this path; make it if it is not there."""
    try:
        fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        try:
            return os.lstat(path)
        except FileNotFoundError:  # another run has just set it aside
            return _file(path)
    status = os.fstat(fd)
    os.close(fd)
    _give(path)
    return status


def _make_directory(path: str) -> None:
    if not os.path.isdir(path):
        _make_directory(os.path.dirname(os.path.abspath(path)))
        with suppress(FileExistsError):  # another run was quicker
            os.mkdir(path, 0o700)
            _give(path)


def _give(path: str) -> None:
    """Let what root has made belong to the owner of the directory it is in.

    A run by hand must not lock the monitoring user out. SQLite does likewise
    for its journal.
    """
    if os.geteuid() == 0:
        owner = os.stat(os.path.dirname(os.path.abspath(path)))
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def set_aside(path: str) -> str | None:
    """Rename a damaged store; return its new name, None if it is not damaged (any more).

    Runs that have found the damage at the same time do so one after the other,
    and only the first finds it in its place.

    Raises: OSError
    """
    import fcntl

    directory = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        if _is_sound(path):
            return None
        aside = path + ".damaged"
        # A journal left behind would be applied to the next store of this name.
        with suppress(FileNotFoundError):
            os.replace(path + "-journal", aside + "-journal")
        os.replace(path, aside)
        return aside
    finally:
        os.close(directory)


def _is_sound(path: str) -> bool:
    """Tell whether a store has no damage that could be found, however long that takes."""
    try:
        with Store(path, 1) as store:
            store.read_everything()
    except DamagedStore:
        return False
    except StoreError:  # nobody can tell
        return True
    return True
