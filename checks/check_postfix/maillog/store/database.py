"""Database: the SQLite file of a store: how it is opened, and changed in transactions.

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
import time
from contextlib import contextmanager, suppress

from check_postfix import ending
from check_postfix.maillog.errors import DamagedStore, StoreError
from check_postfix.maillog.store import packed, schema
from check_postfix.maillog.store.checksum import Checksums
from check_postfix.maillog.store.failure import explained

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Self

# Seconds. What takes so long may have waited for another run, or let one wait.
_NOTICEABLE = 0.05
# So long is another run waited for when the time is up, lest what was read be lost for its sake.
_GRACE = 0.5

# Of a directory: by others than its owner. Whether that matters is told by file.py.
_MAY_BE_WRITTEN = stat.S_IWGRP | stat.S_IWOTH


class Database:
    """The open file of a store.

    path: the file, or None for a nameless one that goes with this object
    wait: seconds to wait for other runs that are writing, in all; as long may it take to
          bring a file of an older version to this one

    db:        its connection
    checksums: of its rows
    key:       the secret by which pseudonyms and fingerprints are made
    """

    def __init__(self, path: str | None, wait: float) -> None:
        """Open the file; make it if it is not there.

        Raises: DamagedStore, or StoreError if it cannot be used
        """
        self.path = path
        self._memories: list[dict[Any, Any]] = []
        self._reading_since: float | None = None
        if path is not None and not _is_sound_place(path):
            # Needed once in a file's life.
            from check_postfix.maillog.store import file

            file.prepare(path)
        self._deadline = time.monotonic() + wait
        was_killed = False
        if path is not None and os.path.lexists(path + "-journal"):
            # Most runs find none.
            from check_postfix.maillog.store import killed

            was_killed = killed.has_been(path)
        with explained(path):
            self.db = _connected(path, wait)
            try:
                self._open()
                if was_killed:
                    with self.reading():
                        self.checksums.check_everything()
            except BaseException:
                self.db.close()
                raise

    def _open(self) -> None:
        db = self.db
        self.checksums = Checksums(db, self.path)
        version = self._version()
        # In KiB: with less a long read writes and reads pages again before it commits.
        db.execute("PRAGMA cache_size=-4000")
        db.execute("PRAGMA synchronous=EXTRA")
        db.execute("PRAGMA cell_size_check=ON")
        # What is deleted for privacy's sake is overwritten, not just unlinked.
        db.execute("PRAGMA secure_delete=ON")
        db.create_function("merged", 2, packed.merged, deterministic=True)
        db.create_function("size", 1, packed.size, deterministic=True)
        if not version:
            self._create()
            version = self._version()
        if db.execute("PRAGMA application_id").fetchone()[0] != schema.APPLICATION:
            raise DamagedStore(f"{self.path}: is another program's database")
        if version < schema.VERSION:
            # Needed once in a version's life.
            from check_postfix.maillog.store import migration

            assert self.path is not None  # a nameless file is never older
            migration.migrate(db, self.path, self._deadline, self.checksums)
            self._version()  # another run, of a newer version, may have been quicker
        with self.reading():
            if not schema.is_in(db):
                self._version()  # a newer run may just now have changed them
                raise DamagedStore(f"{self.path}: has other tables than it should")
            secrets = self.whole("secret", "SELECT * FROM secret")
        if len(secrets) != 1 or len(secrets[0][0]) != schema.SECRET_SIZE:
            raise DamagedStore(f"{self.path}: has lost its key")
        self.key: bytes = secrets[0][0]

    def _version(self) -> int:
        """Return the version of the tables, 0 if there are none yet.

        Raises: StoreError if it is newer than this program
        """
        version: int = self.db.execute("PRAGMA user_version").fetchone()[0]
        if version > schema.VERSION:
            if self.checksums.version() not in (None, version):
                raise DamagedStore(f"{self.path}: has another version than it was given")
            raise StoreError(
                f"{self.path}: was written by a newer check_postfix; upgrade this one,"
                " or choose another file with --state"
            )
        return version

    def _create(self) -> None:
        """Make the tables, unless another run is quicker.

        Raises: DamagedStore if there are tables of somebody else's
        """
        # Only a file without a page can still be told to give free ones back.
        if not self.db.execute("PRAGMA page_count").fetchone()[0]:
            self.db.execute("PRAGMA auto_vacuum=INCREMENTAL")
        with self.transaction():
            if not self._version():
                if self.db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                    raise DamagedStore(f"{self.path}: is another program's database")
                schema.create(self.db)
                self.checksums.write_anew()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.db.close()

    @contextmanager
    def readable(self) -> Iterator[None]:
        """Turn into ours what SQLite, and whoever unpacks what it has kept, says of damage."""
        try:
            with explained(self.path):
                yield
        except ValueError:
            raise self.unreadable() from None

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Be `readable`, and let no other run end its writing between what is read inside.

        Else rows would be held against a checksum that is newer than they are. And SQLite locks
        once: to lock for each statement takes longer than most of them. So nothing is to be
        waited for inside.
        """
        is_inside = self.db.in_transaction
        started = time.monotonic()
        try:
            with explained(self.path):
                if not is_inside:
                    self._begin_reading()
                try:
                    yield
                finally:
                    if not is_inside:
                        self._end_reading(started)
        except ValueError:
            raise self.unreadable() from None

    def _begin_reading(self) -> None:
        self.db.execute("BEGIN")
        self._reading_since = time.monotonic()

    def _end_reading(self, started: float) -> None:
        self._reading_since = None
        if self.db.in_transaction:  # which a fault of the disk ends
            self.db.execute("END")  # and nothing is written
        if time.monotonic() - started > _NOTICEABLE:
            self._be_patient()

    def whole(self, name: str, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a slice; see Checksums. Before it others may write, if they wait long.

        Raises: DamagedStore, StoreError
        """
        if not self.db.in_transaction:
            with self.reading():
                return self.checksums.whole(name, query, *values)
        since = self._reading_since
        if since is not None and time.monotonic() - since > _NOTICEABLE:
            self._end_reading(since)
            self._begin_reading()
        return self.checksums.whole(name, query, *values)

    def unreadable(self) -> DamagedStore:
        """Return the error of a file with counts that are none."""
        return DamagedStore(f"{self.path}: has counts that cannot be read")

    def _be_patient(self, waits: bool = True) -> None:
        """Let SQLite wait for other runs as long as there is time left, or not at all.

        It waits so long for each statement anew, and nothing interrupts it.
        """
        left = max(_GRACE, self._deadline - time.monotonic()) if waits else 0
        self.db.execute(f"PRAGMA busy_timeout={int(left * 1000) + (left > 0)}")

    @contextmanager
    def transaction(self, waits: bool = True) -> Iterator[None]:
        """Hold the store against other runs; everything inside happens, or nothing does.

        waits: whether to wait for other runs

        Raises: StoreError if other runs held it for longer than `wait` seconds,
                or the disk refuses
        """
        with explained(self.path):
            self._be_patient(waits)
            try:
                self.db.execute("BEGIN IMMEDIATE")
                with self._begun():
                    yield
                    self.checksums.save()
                    self._be_patient(waits)
                    self.db.execute("COMMIT")
            finally:
                if not waits:  # what is read later waits as ever
                    self._be_patient()

    @contextmanager
    def _begun(self) -> Iterator[None]:
        """Let a transaction that has begun end as if it had not, if anything goes wrong."""
        try:
            self._version()  # among what a newer version keeps, this one must not write
            self.forget_what_was_found()
            yield
        except BaseException:
            self.checksums.drop_changes()
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            raise

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Let what happens inside be undone, alone, by an exception; inside a transaction only."""
        self.checksums.save()
        self.db.execute("SAVEPOINT attempt")
        try:
            yield
        except BaseException:
            self.checksums.drop_changes()
            self.forget_what_was_found()
            if self.db.in_transaction:  # which a full disk ends
                self.db.execute("ROLLBACK TO attempt")
                self.db.execute("RELEASE attempt")
            raise
        self.db.execute("RELEASE attempt")

    def memory(self) -> dict[Any, Any]:
        """Return a dictionary for what is found out inside a transaction, which is empty in each.

        What was found out is void as well where it is undone, alone.
        """
        memory: dict[Any, Any] = {}
        self._memories.append(memory)
        return memory

    def forget_what_was_found(self) -> None:
        """Empty what `memory` has returned."""
        for memory in self._memories:
            memory.clear()

    @contextmanager
    def merging(self) -> Iterator[None]:
        """Let functions of ours work on texts in SQL.

        Raises: DamagedStore if they are no texts of ours
        """
        try:
            yield
        except sqlite3.OperationalError as error:
            # A function of ours has failed, of which SQLite tells no more.
            ending.raise_again()
            if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:
                raise self.unreadable() from None
            raise

    @property
    def is_changed(self) -> bool:
        """Whether this run has written anything."""
        return self.db.total_changes > 0

    def version(self) -> int:
        """Return a number that is another one after each change that another run has made."""
        number: int = self.db.execute("PRAGMA data_version").fetchone()[0]
        return number


def _is_sound_place(path: str) -> bool:
    """Tell whether a file is there, surely nobody else's, and nothing strange beside it."""
    try:
        is_sound = stat.S_ISREG(os.lstat(path).st_mode)
        is_sound &= not os.stat(os.path.dirname(path) or ".").st_mode & _MAY_BE_WRITTEN
        for name in schema.BESIDE:
            with suppress(FileNotFoundError):
                is_sound &= stat.S_ISREG(os.lstat(path + name).st_mode)
    except OSError:
        return False
    return is_sound


def _connected(path: str | None, wait: float) -> sqlite3.Connection:
    """Open a file, or a nameless one that goes with its connection.

    Raises: sqlite3.Error, StoreError
    """
    if path is not None and os.geteuid() == 0:
        # Root is seldom the user that checks run as.
        from check_postfix.maillog.store import by_root

        return by_root.connected(path, wait)
    return sqlite3.connect(path or "", timeout=wait, isolation_level=None)
