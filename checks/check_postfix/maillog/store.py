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
from contextlib import contextmanager

from check_postfix.maillog.counts import every_axis
from check_postfix.maillog.errors import DamagedStore, StoreError
from check_postfix.maillog.generation import Generation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from check_postfix.maillog.counts import Counts

_APPLICATION = 0x43504658  # "CPFX" in the file's header
_VERSION = 1

_SCHEMA = """
CREATE TABLE secret (key BLOB NOT NULL);
CREATE TABLE log (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, backlog INTEGER NOT NULL DEFAULT 1
);
CREATE TABLE generation (
    id INTEGER PRIMARY KEY, head BLOB NOT NULL, head_size INTEGER NOT NULL,
    hole_start INTEGER NOT NULL, hole_end INTEGER NOT NULL, "end" INTEGER NOT NULL,
    tail BLOB NOT NULL, tail_size INTEGER NOT NULL, begins INTEGER, since INTEGER, last INTEGER,
    live INTEGER NOT NULL, done INTEGER NOT NULL, lines INTEGER NOT NULL, events INTEGER NOT NULL,
    unframed INTEGER NOT NULL, log INTEGER NOT NULL
);
CREATE TABLE seen (log INTEGER NOT NULL, signature TEXT NOT NULL, generation INTEGER NOT NULL,
    PRIMARY KEY (log, signature)) WITHOUT ROWID;
CREATE TABLE gap (log INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL);
CREATE TABLE stream (
    id INTEGER PRIMARY KEY, log INTEGER NOT NULL, host TEXT NOT NULL, instance TEXT NOT NULL,
    UNIQUE (log, host, instance)
);
CREATE TABLE total (
    minute INTEGER NOT NULL, stream INTEGER NOT NULL, counter TEXT NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (minute, stream, counter)
) WITHOUT ROWID;
CREATE TABLE keyed (
    axis TEXT NOT NULL, minute INTEGER NOT NULL, stream INTEGER NOT NULL, key TEXT NOT NULL,
    n INTEGER NOT NULL, PRIMARY KEY (axis, minute, stream, key)
) WITHOUT ROWID;
"""

# Keys kept per axis and hour. The rest goes to OTHER, so that sums stay exact.
KEYS_PER_HOUR = 10_000
OTHER = ""


class Log:
    """One followed log.

    id:      its number in the store
    path:    absolute
    backlog: files of it still to be read
    """

    __slots__ = ("backlog", "id", "path")

    def __init__(self, id: int, path: str, backlog: int) -> None:
        self.id = id
        self.path = path
        self.backlog = backlog


class Store:
    """An open store. Use it as a context manager.

    path: the file, or None to keep everything in memory
    wait: seconds to wait for other runs that are writing
    """

    def __init__(self, path: str | None, wait: float) -> None:
        """Open the store; make it if it is not there.

        Raises: DamagedStore, or StoreError if it cannot be used
        """
        self.path = path
        self._streams: dict[tuple[int, str, str], int] = {}
        if path is not None:
            _prepare(path)
        with self._told():
            self._db = sqlite3.connect(path or ":memory:", timeout=wait, isolation_level=None)
            try:
                self._open()
            except BaseException:
                self._db.close()
                raise

    def _open(self) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > _VERSION:
            raise StoreError(
                f"{self.path}: was written by a newer check_postfix; upgrade this one,"
                " or choose another file with --state"
            )
        self._db.execute("PRAGMA synchronous=EXTRA")
        # What is deleted for privacy's sake is overwritten, not just unlinked.
        self._db.execute("PRAGMA secure_delete=ON")
        if version == 0:
            with self.transaction():
                if self._db.execute("PRAGMA user_version").fetchone()[0] == 0:
                    self._create()
        elif self._db.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION:
            raise DamagedStore(f"{self.path}: is another program's database")
        self.key: bytes = self._db.execute("SELECT key FROM secret").fetchone()[0]

    def _create(self) -> None:
        if self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise DamagedStore(f"{self.path}: is another program's database")
        for statement in _SCHEMA.split(";\n"):
            self._db.execute(statement)
        self._db.execute("INSERT INTO secret VALUES (?)", (os.urandom(32),))
        self._db.execute(f"PRAGMA application_id={_APPLICATION}")
        self._db.execute(f"PRAGMA user_version={_VERSION}")

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn SQLite's errors into ours."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise _told(self.path, error) from None
        except sqlite3.DatabaseError as error:
            raise DamagedStore(f"{self.path}: {error}") from None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the store against other runs; everything inside happens, or nothing does.

        Raises: StoreError if other runs held it for longer than `wait` seconds,
                or the disk refuses
        """
        with self._told():
            self._db.execute("BEGIN IMMEDIATE")
            try:
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

    def seen(self, log: Log) -> dict[str, int]:
        """Return the signatures of this log's files that were read to their end.

        Returns: signature -> generation, or 0 for a file that has none: it is
                 empty, or cannot be read
        """
        with self._told():
            return dict(
                self._db.execute("SELECT signature, generation FROM seen WHERE log=?", (log.id,))
            )

    def save_seen(self, log: Log, seen: dict[str, int]) -> None:
        """Keep exactly these signatures."""
        self._db.execute("DELETE FROM seen WHERE log=?", (log.id,))
        self._db.executemany(
            "INSERT INTO seen VALUES (?, ?, ?)",
            [(log.id, signature, generation) for signature, generation in seen.items()],
        )

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
        self._db.executemany(
            "INSERT INTO total VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n",
            sorted((*where, n) for where, n in counts.totals.items()),
        )
        self._db.executemany(
            "INSERT INTO keyed VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n",
            self._bounded((*where, n) for where, n in counts.keyed.items()),
        )

    def _bounded(
        self, rows: Iterable[tuple[str, int, int, str, int]]
    ) -> list[tuple[str, int, int, str, int]]:
        """Return keyed rows with the keys that are too many for their hour replaced by OTHER."""
        room: dict[tuple[str, int], int] = {}
        kept = []
        for row in sorted(rows):
            axis, minute, stream, _, n = row
            hour = axis, minute // 60
            if hour not in room:
                room[hour] = KEYS_PER_HOUR - self._rows_in_hour(axis, minute // 60)
            room[hour] -= 1
            kept.append(row if room[hour] >= 0 else (axis, minute, stream, OTHER, n))
        return kept

    def _rows_in_hour(self, axis: str, hour: int) -> int:
        number: int = self._db.execute(
            "SELECT count(*) FROM keyed WHERE axis=? AND minute>=? AND minute<?",
            (axis, hour * 60, hour * 60 + 60),
        ).fetchone()[0]
        return number

    def forget(self, oldest: int, oldest_keys: int) -> None:
        """Delete what is older than these minutes; inside a transaction only."""
        self._db.execute("DELETE FROM total WHERE minute<?", (oldest,))
        self._db.execute("DELETE FROM gap WHERE last<?", (oldest,))
        self._db.execute(
            "DELETE FROM generation WHERE last<? AND NOT live"
            " AND id NOT IN (SELECT generation FROM seen)",
            (oldest,),
        )
        self._db.executemany(
            "DELETE FROM keyed WHERE axis=? AND minute<?",
            [(axis, oldest_keys) for axis in every_axis()],
        )

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
        self, axis: str, begin: int, end: int, streams: Iterable[int]
    ) -> list[tuple[str, int]]:
        """Return the (key, number) pairs of an axis in these minutes, most first."""
        with self._told():
            return self._db.execute(
                "SELECT key, sum(n) AS s FROM keyed WHERE axis=? AND minute>=? AND minute<?"
                f" AND stream IN ({_numbers(streams)}) GROUP BY key ORDER BY s DESC, key",
                (axis, begin, end),
            ).fetchall()


_GENERATION = ", ".join(f'"{name}"' for name in Generation.FIELDS)


def _numbers(streams: Iterable[int]) -> str:
    return ", ".join(str(int(stream)) for stream in streams)


def _told(path: str | None, error: sqlite3.OperationalError) -> StoreError:
    cause = str(error)
    if "locked" in cause:
        return StoreError(
            f"{path}: another run has held it for too long; see what that run is doing,"
            " or raise --timeout"
        )
    if "readonly" in cause or "unable to open" in cause:
        return StoreError(
            f"cannot write {path}: {cause}; let this user write the file and its directory,"
            " or choose another with --state"
        )
    if "full" in cause:
        return StoreError(f"cannot write {path}: the disk is full; make room on it")
    if "disk I/O" in cause:
        return StoreError(f"cannot write {path}: {cause}; make room on the disk, or see its errors")
    return StoreError(f"{path}: {cause}; remove the file, it will be built again from the log")


def _prepare(path: str) -> None:
    """Make the file and its directory, private to their owner.

    Root makes them for the owner of the directory they are in: a run by hand
    must not lock the monitoring user out.
    """
    directory = os.path.dirname(path) or "."
    try:
        if not os.path.isdir(directory):
            os.makedirs(directory, mode=0o700)
        if not os.path.lexists(path):
            fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
            if os.geteuid() == 0:
                owner = os.stat(directory)
                os.fchown(fd, owner.st_uid, owner.st_gid)
            os.close(fd)
    except FileExistsError:  # another run was quicker
        pass
    except OSError as error:
        raise StoreError(
            f"cannot write {path}: {(error.strerror or str(error)).lower()}; let this user write"
            " its directory, or choose another with --state"
        ) from None
    status = os.lstat(path)
    # A link here could make root write into any file.
    if not stat.S_ISREG(status.st_mode):
        raise StoreError(
            f"{path}: is not a regular file; remove it, or choose another with --state"
        )


def set_aside(path: str) -> str:
    """Rename a damaged store; return its new name.

    Only one run at a time does so, and only while the damaged file is still
    in its place.
    """
    aside = path + ".damaged"
    os.replace(path, aside)
    return aside
