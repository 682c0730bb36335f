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
import time
from contextlib import contextmanager, suppress
from functools import cached_property
from operator import itemgetter

from check_postfix import ending
from check_postfix.maillog.counts.families import FAMILIES, MANY, fields
from check_postfix.maillog.errors import DamagedStore, StoreError
from check_postfix.maillog.source.generation import Generation
from check_postfix.maillog.source.line_counts import LineCounts
from check_postfix.maillog.store import checksum, packed, schema
from check_postfix.maillog.store.checksum import Checksums
from check_postfix.maillog.store.clock_mark import ClockMark
from check_postfix.maillog.store.failure import damaged, explained
from check_postfix.maillog.store.retention import Retention
from check_postfix.maillog.store.run_mark import RunMark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import (
        Callable,
        Collection,
        Iterable,
        Iterator,
        Mapping,
        Sequence,
        Set,
    )
    from typing import Any, TypeVar

    from check_postfix.maillog.counts.counts import Counts
    from check_postfix.maillog.counts.histogram import Histogram
    from check_postfix.maillog.source.journal_span import JournalSpan
    from check_postfix.maillog.source.value import Value
    from check_postfix.maillog.store.contents import Contents
    from check_postfix.maillog.store.daily_most import DailyMost
    from check_postfix.maillog.store.delays import Delays
    from check_postfix.maillog.store.pending import Pending
    from check_postfix.maillog.store.places import Login, Places
    from check_postfix.maillog.store.quarters import Quarters
    from check_postfix.maillog.store.seen import Seen, SeenFile
    from check_postfix.maillog.store.tried import Tried

    V = TypeVar("V", bound=Value)


# Counters, and keys, are packed. Of a minute that is there already both are merged.
_ADD_TOTAL = """
INSERT INTO total VALUES (?, ?)
ON CONFLICT DO UPDATE SET counters = merged(counters, excluded.counters)
"""
_ADD_KEYED = """
INSERT INTO keyed VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET (keys, size) = (
    SELECT both, size(both) FROM (SELECT merged(keys, excluded.keys) AS both LIMIT 1)
)
"""

# What differs by origin and is packed: tables, and the columns of these texts.
_OF_ORIGINS = (
    ("total", "counters"), ("quarter", "numbers"), ("keyed", "keys"), ("quarter_key", "keys"),
    ("daily_most", "keys"), ("tried", "pairs"),
)  # fmt: skip


# Each family is named, for they come first in the index.
_OF_OLD_KEYS = f"WHERE family IN ({', '.join('?' * len(FAMILIES))}) AND minute<?"

# Free pages, of 4 KiB, are left for what is counted next: so many, or a quarter of the file.
# Of more than that some are given back by each run that has something to write; for 256
# SQLite takes 6 ms.
_SPARE = 256
_GIVEN_BACK = 256

# Origins of a log that are kept apart. Whoever may write to a log may name as many as they like.
MOST_ORIGINS = 1_000
# Seconds. What takes so long may have waited for another run.
_NOTICEABLE = 0.05
# So long is another run waited for when the time is up, lest what was read be lost for its sake.
_GRACE = 0.5
# Minutes. Of a longer span it is looked up first which hours have rows.
_LONG = 3 * 24 * 60
_DAY = 24 * 60
# Later than any.
_LAST_MINUTE = 10**9

# Of a directory: by others than its owner. Whether that matters is told by file.py.
_MAY_BE_WRITTEN = stat.S_IWGRP | stat.S_IWOTH

# What stands in the place of a path for the systemd journal.
JOURNAL = "journal"


def journal_name(matches: Iterable[str]) -> str:
    """Return what stands in the place of a path for the part of it that some matches choose."""
    each = sorted({match.replace("\\", r"\x5c").replace(" ", r"\x20") for match in matches})
    return " ".join([JOURNAL, *each])


NO_OFFSET: tuple[int | None, ...] = (None, None, 0)


class Log:
    """One followed log.

    id:      its number in the store
    path:    absolute, or a pattern, or the journal_name()
    backlog: files of it still to be read
    asked:   second at which the journal was asked whether it goes on where this log is silent
    zone:    by which its stamps that name none were read, as log_zone.py writes it; None if it
             has no such stamps
    read:    minute in which the live log was last read to its end, None if it was not
    unknown_until: minute up to which files may tell of that nobody has looked into yet
    offset:  what is known of how far its stamps are off: the fields of window/clock_offset.py,
             the first two None if nothing is
    """

    __slots__ = ("asked", "backlog", "id", "offset", "path", "read", "unknown_until", "zone")

    def __init__(
        self,
        id: int,
        path: str,
        backlog: int,
        asked: int = 0,
        zone: str | None = None,
        read: int | None = None,
        unknown_until: int = 0,
        *offset: int | None,
    ) -> None:
        self.id = id
        self.path = path
        self.backlog = backlog
        self.asked = asked
        self.zone = zone
        self.read = read
        self.unknown_until = unknown_until
        self.offset = offset or NO_OFFSET


_WATCHED = "SELECT address, since, asked FROM watched"
# So many minutes later it is noted again that an address is still asked for.
_ASKED_ANEW = 1440


class Store:
    """An open store. Use it as a context manager.

    path: the file, or None for a nameless one that goes with this object
    wait: seconds to wait for other runs that are writing, in all; as long may it take to
          bring a file of an older version to this one
    """

    def __init__(self, path: str | None, wait: float) -> None:
        """Open the store; make it if it is not there.

        Raises: DamagedStore, or StoreError if it cannot be used
        """
        self.path = path
        self._origins: dict[tuple[int, str, str], int] = {}
        # (family, hour) -> how many keys it has at most; inside a transaction
        self._sizes: dict[tuple[str, int], int] = {}
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
            self._db = _connected(path, wait)
            try:
                self._open()
                if was_killed:
                    self._checksums.check_everything()
            except BaseException:
                self._db.close()
                raise

    @cached_property
    def pending(self) -> Pending:
        """What of messages waits for more of the log."""
        # A run with nothing new has no need of it.
        from check_postfix.maillog.store.pending import Pending

        return Pending(self._db, self._checksums)

    @cached_property
    def _quarters(self) -> Quarters:
        # One check of several asks for them, and who has something to add.
        from check_postfix.maillog.store.quarters import Quarters

        return Quarters(self._db, self._checksums)

    @cached_property
    def delays(self) -> Delays:
        """How long deliveries took."""
        # A run with nothing new has no need of it, unless it is asked.
        from check_postfix.maillog.store.delays import Delays

        return Delays(self._db, self._checksums)

    def delays_of(self, start: int, end: int, origins: Iterable[int]) -> dict[int, Histogram]:
        """Return how long deliveries took in some minutes, by the places of histograms."""
        hours = self._hours("delay", "delay", start, end, "first")
        with self._readable():
            return self.delays.of(hours, start, end, origins)

    @cached_property
    def daily_most(self) -> DailyMost:
        """What single senders and recipients had at most on each day."""
        # A run with nothing new has no need of it.
        from check_postfix.maillog.store.daily_most import DailyMost

        return DailyMost(self._db, self._checksums, self._quarters)

    @cached_property
    def _tried(self) -> Tried:
        # One check of several asks for it, and who has something to add.
        from check_postfix.maillog.store.tried import Tried

        return Tried(self._db, self._checksums)

    @cached_property
    def _places(self) -> Places:
        # Hardly any run asks for it that has nothing to add.
        from check_postfix.maillog.store.places import Places

        return Places(self._db, self._checksums)

    def _open(self) -> None:
        db = self._db
        self._checksums = Checksums(db, self.path)
        version = self._version()
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
            migration.migrate(db, self.path, self._deadline, self._checksums)
            self._version()  # another run, of a newer version, may have been quicker
        if not schema.is_in(db):
            self._version()  # a newer run may just now have changed them
            raise DamagedStore(f"{self.path}: has other tables than it should")
        secrets = self._checksums.whole("secret", "SELECT * FROM secret")
        if len(secrets) != 1 or len(secrets[0][0]) != schema.SECRET_SIZE:
            raise DamagedStore(f"{self.path}: has lost its key")
        self.key: bytes = secrets[0][0]

    def _version(self) -> int:
        """Return the version of the tables, 0 if there are none yet.

        Raises: StoreError if it is newer than this program
        """
        version: int = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > schema.VERSION:
            if self._checksums.version() not in (None, version):
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
        if not self._db.execute("PRAGMA page_count").fetchone()[0]:
            self._db.execute("PRAGMA auto_vacuum=INCREMENTAL")
        with self.transaction():
            if not self._version():
                if self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                    raise DamagedStore(f"{self.path}: is another program's database")
                schema.create(self._db)
                self._checksums.write_anew()

    def read_everything(self) -> None:
        """Look for damage all over the file.

        Raises: DamagedStore
        """
        with explained(self.path):
            for (finding,) in self._db.execute("PRAGMA integrity_check(1)"):
                if finding != "ok":
                    raise damaged(self.path, "integrity_check")
            self._checksums.check_everything()
        with self._readable():
            for texts in (
                "SELECT counters FROM total", "SELECT keys FROM keyed",
                "SELECT numbers FROM quarter",
            ):  # fmt: skip
                for (text,) in self._db.execute(texts):
                    packed.added([text])

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    @contextmanager
    def _readable(self) -> Iterator[None]:
        """Turn into ours what SQLite, and whoever unpacks what it has kept, says of damage."""
        try:
            with explained(self.path):
                yield
        except ValueError:
            raise self._unreadable() from None

    def _unreadable(self) -> DamagedStore:
        return DamagedStore(f"{self.path}: has counts that cannot be read")

    def _be_patient(self, waits: bool = True) -> None:
        """Let SQLite wait for other runs as long as there is time left, or not at all.

        It waits so long for each statement anew, and nothing interrupts it.
        """
        left = max(_GRACE, self._deadline - time.monotonic()) if waits else 0
        self._db.execute(f"PRAGMA busy_timeout={int(left * 1000) + (left > 0)}")

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
                self._db.execute("BEGIN IMMEDIATE")
                with self._begun():
                    yield
                    self._checksums.save()
                    self._be_patient(waits)
                    self._db.execute("COMMIT")
            finally:
                if not waits:  # what is read later waits as ever
                    self._be_patient()

    @contextmanager
    def _begun(self) -> Iterator[None]:
        """Let a transaction that has begun end as if it had not, if anything goes wrong."""
        try:
            self._version()  # among what a newer version keeps, this one must not write
            self._sizes.clear()
            yield
        except BaseException:
            self._checksums.drop_changes()
            self._origins.clear()  # numbers given out inside are void
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def contents(self) -> Contents:
        """Return what the store holds, in numbers."""
        # No check has need of it.
        from check_postfix.maillog.store import contents

        with self._readable():
            return contents.of(self._db)

    @property
    def is_changed(self) -> bool:
        """Whether this run has written anything."""
        return self._db.total_changes > 0

    # -- time

    def clock_mark(self) -> ClockMark | None:
        """Return the clock mark that was written last."""
        rows = self._whole("clock_mark", "SELECT * FROM clock_mark")
        return ClockMark(*rows[0]) if rows else None

    def save_clock_mark(self, mark: ClockMark) -> None:
        """Keep a clock mark; inside a transaction only."""
        self._db.execute("DELETE FROM clock_mark")
        self._db.execute("INSERT INTO clock_mark VALUES (?, ?, ?, ?)", mark)

    def run_mark(self, id: str) -> RunMark | None:
        """Return the run mark of a check with certain options, None if it has none."""
        rows = self._whole(checksum.run(id), "SELECT * FROM run WHERE id=?", id)
        return next((RunMark(*row[1:]) for row in rows), None)

    def run_minutes(self) -> dict[str, int]:
        """Return the minute of each run mark, by the check and options that it is of."""
        with explained(self.path):
            return dict(self._db.execute("SELECT id, minute FROM run"))

    def save_run_mark(self, id: str, mark: RunMark) -> None:
        """Keep a run mark, unless another run is writing just now, or the file cannot be written.

        Nothing waits for it: the next run writes its own.
        """
        try:
            with self.transaction(waits=False):
                self._db.execute(
                    "INSERT OR REPLACE INTO run VALUES (?, ?, ?, ?)",
                    (id, mark.minute, mark.missed, mark.until),
                )
        except DamagedStore:
            raise
        except StoreError:  # what keeps counts from being written is told when there are any
            pass

    def retention(self) -> Retention | None:
        """Return how long counts are kept, None if no run has settled it."""
        rows = self._whole("retention", "SELECT * FROM retention")
        return Retention(*rows[0]) if rows else None

    def save_retention(self, retention: Retention) -> None:
        """Keep how long counts are kept; inside a transaction only."""
        self._db.execute("DELETE FROM retention")
        self._db.execute(
            "INSERT INTO retention VALUES (?, ?)", (retention.totals, retention.asked_keys)
        )

    def watched(self) -> frozenset[bytes]:
        """Return the addresses that are asked for by name, lower case."""
        rows = self._whole("watched", "SELECT * FROM watched")
        return frozenset(address.encode() for address, *_ in rows)

    def watched_since(self, address: str) -> int | None:
        """Return since which minute each message for an address is known, None if none is.

        0 means from the start of the log.
        """
        rows = self._whole("watched", "SELECT * FROM watched")
        return next((since for name, since, _ in rows if name == address), None)

    def watch(self, addresses: Sequence[str], minute: int) -> None:
        """Let each run that reads the log look for these addresses by name, too.

        minute: now; who is not asked for any more is forgotten like sums are
        """
        if self._to_be_watched(addresses, minute):
            with self.transaction():
                # Only inside it is known that no other run has just read the log.
                rows = self._to_be_watched(addresses, minute)
                self._db.executemany("INSERT OR REPLACE INTO watched VALUES (?, ?, ?)", rows)

    def _to_be_watched(self, addresses: Sequence[str], minute: int) -> list[tuple[str, int, int]]:
        """Return the rows of the addresses that are not known to be asked for, or not lately."""
        there = {name: (since, asked) for name, since, asked in self._db.execute(_WATCHED)}
        since = minute if self.has_logs() else 0
        return [
            (address, there.get(address, (since, 0))[0], minute)
            for address in addresses
            if address not in there or minute - there[address][1] >= _ASKED_ANEW
        ]

    def has_logs(self) -> bool:
        """Tell whether any log was read."""
        return bool(self._logs())

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Let what happens inside be undone, alone, by an exception; inside a transaction only."""
        self._checksums.save()
        self._db.execute("SAVEPOINT attempt")
        try:
            yield
        except BaseException:
            self._checksums.drop_changes()
            self._origins.clear()
            self._sizes.clear()
            if self._db.in_transaction:  # which a full disk ends
                self._db.execute("ROLLBACK TO attempt")
                self._db.execute("RELEASE attempt")
            raise
        self._db.execute("RELEASE attempt")

    def version(self) -> int:
        """Return a number that is another one after each change that another run has made."""
        number: int = self._db.execute("PRAGMA data_version").fetchone()[0]
        return number

    # -- positions

    def log(self, path: str) -> Log | None:
        """Return what is known of a log, None if it was never read."""
        return next((log for log in self._all_logs() if log.path == path), None)

    def logs(self) -> list[Log]:
        """Return what is known of all logs that were read."""
        return self._all_logs()

    def _all_logs(self) -> list[Log]:
        return [Log(*_LOG(row)) for row in self._logs()]

    def _logs(self) -> list[tuple[Any, ...]]:
        return self._whole("log", "SELECT * FROM log")

    def log_names(self) -> list[str]:
        """Return the names of all logs that were read."""
        return [log.path for log in self._all_logs()]

    def files_read(self) -> list[tuple[str, tuple[int, int], int]]:
        """Return (name of a log, device and inode, size) of each file that holds a generation.

        Raises: DamagedStore
        """
        found = []
        with self._readable():
            for log in self._all_logs():
                for file in self.seen(log).all():
                    if file.generation:
                        device, inode, size, *_ = map(int, file.signature.split(":"))
                        found.append((log.path, (device, inode), size))
        return found

    def remove_log(self, log: Log) -> None:
        """Forget a log; inside a transaction only."""
        self.drop_counts(log)
        self._db.execute("DELETE FROM origin WHERE log=?", (log.id,))
        self._db.execute("DELETE FROM log WHERE id=?", (log.id,))
        self._origins.clear()

    def add_log(self, path: str) -> Log:
        """Return a new log's entry; inside a transaction only."""
        number = self._db.execute("INSERT INTO log (path) VALUES (?)", (path,)).lastrowid
        assert number is not None
        return Log(number, path, 1)

    def save_log(self, log: Log) -> None:
        """Keep a log's entry."""
        self._db.execute(
            "UPDATE log SET backlog=?, asked=?, zone=?, read=?, offset_low=?, offset_high=?,"
            " offset_times=?, unknown_until=? WHERE id=?",
            (
                log.backlog,
                log.asked,
                log.zone,
                log.read,
                *log.offset,
                log.unknown_until,
                log.id,
            ),
        )

    def drop_counts(self, log: Log) -> None:
        """Forget what was read of a log and counted; inside a transaction only."""
        origins = {number for number, *_ in self.origins(log)}
        if origins:
            self._drop_numbers(frozenset(map(str, origins)))
            self.delays.drop(origins)
        self._db.execute(
            "DELETE FROM place WHERE origin IN (SELECT id FROM origin WHERE log=?)", (log.id,)
        )
        for table in ("pending", "generation", "seen", "directory", "gap"):
            self._db.execute(f"DELETE FROM {table} WHERE log=?", (log.id,))
        self._db.execute("UPDATE origin SET last=NULL, counted=NULL WHERE log=?", (log.id,))
        self._db.execute(
            'UPDATE log SET last=NULL, lines=0, events=0, matched=0, "foreign"=0, unparsed=0'
            " WHERE id=?",
            (log.id,),
        )
        log.backlog, log.read, log.unknown_until, log.offset = 1, None, 0, NO_OFFSET
        self._sizes.clear()

    def _drop_numbers(self, origins: Set[str]) -> None:
        """Forget all numbers of some origins that are packed; inside a transaction only."""
        self._db.create_function("without", 1, lambda text: packed.without(text, origins))
        with self._merging():
            for table, column in _OF_ORIGINS:
                # Mostly these are all that there are.
                left = f"without({column})"
                self._db.execute(f"DELETE FROM {table} WHERE {left}=''")
                self._db.execute(f"UPDATE {table} SET {column}={left} WHERE {left}<>{column}")
            self._db.execute("UPDATE keyed SET size=size(keys) WHERE size<>size(keys)")

    @contextmanager
    def _merging(self) -> Iterator[None]:
        """Let functions of ours work on texts in SQL.

        Raises: DamagedStore if they are no texts of ours
        """
        try:
            yield
        except sqlite3.OperationalError as error:
            # A function of ours has failed, of which SQLite tells no more.
            ending.raise_again()
            if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:
                raise self._unreadable() from None
            raise

    def unread(self, log: Log) -> list[tuple[SeenFile, int]]:
        """Return the files of a log that are still to be read, and how much of each, in bytes.

        It is about so much: of a compressed file that was begun nobody knows.
        """
        found = []
        for file in self.seen(log).all():
            if not file.rests:
                known = self.generation(log, file.generation) if file.generation else None
                left = file.size
                if known and known.end:
                    left = known.hole
                    left += 0 if file.compressed else max(0, file.size - known.end)
                found.append((file, left))
        return found

    def seen(self, log: Log) -> Seen:
        """Return the table of this log's files."""
        from check_postfix.maillog.store.seen import Seen

        return Seen(self._db, self.path, log.id, self._checksums)

    def generation(self, log: Log, number: int) -> Generation | None:
        """Return the generation of this number."""
        rows = self._whole(
            checksum.generation(number), "SELECT * FROM generation WHERE id=?", number
        )
        return next((_generation(row) for row in rows if row[_OF_LOG] == log.id), None)

    def generations_like(self, log: Log, head: bytes) -> list[Generation]:
        """Return the generations whose heads may be this one, and no others that are."""
        first = head[:1]
        rows = self._whole(
            checksum.headed(log.id, head),
            "SELECT * FROM generation WHERE log=? AND substr(head, 1, 16) BETWEEN ? AND ?",
            log.id,
            first,
            first.ljust(len(first) * 17, b"\xff"),
        )
        found = map(_generation, rows)
        return [generation for generation in found if generation.head[:16] == head[:16]]

    def unsettled(self, log: Log) -> list[Generation]:
        """Return the generations that lines may still come from, newest first."""
        rows = self._whole(
            checksum.unsettled(log.id),
            "SELECT * FROM generation WHERE log=? AND (live OR NOT done OR hole_end > hole_start)",
            log.id,
        )
        return sorted(map(_generation, rows), key=_start, reverse=True)

    def newest_generations(self, log: Log) -> list[Generation]:
        """Return the live generations, and the one with the newest line."""
        found = [generation for generation in self.unsettled(log) if generation.live]
        newest = self._one(log, "last IS NOT NULL", "last DESC, id DESC")
        if newest and all(generation.id != newest.id for generation in found):
            found.append(newest)
        return found

    def generations_waited_at(self, log: Log) -> list[Generation]:
        """Return the generations that messages wait at, and the newer ones, newest first."""
        found = {generation.id: generation for generation in self.unsettled(log)}
        owners = [self.generation(log, number) for number in self.pending.owners(log.id)]
        starts = [owner.first_minute or 0 for owner in owners if owner]
        if starts:
            first = min(starts)
            found |= {
                generation.id: generation
                for generation in self._begun_since(log, first)
                if (generation.first_minute or 0) >= first
            }
        waited_at = [
            generation
            for generation in found.values()
            if generation.live or (starts and (generation.first_minute or 0) >= min(starts))
        ]
        return sorted(waited_at, key=_start, reverse=True)

    def _begun_since(self, log: Log, minute: int) -> list[Generation]:
        """Return the generations that begin on the day of a minute, or later."""
        midnight = minute // _DAY * _DAY
        rows = self._db.execute(
            "SELECT * FROM generation WHERE log=? AND coalesce(first_minute, 0)>=?",
            (log.id, midnight),
        ).fetchall()
        first = checksum.begun(log.id, midnight)
        last = checksum.begun(log.id, _LAST_MINUTE)
        self._checksums.check_all_of("generation", first, last, rows)
        return list(map(_generation, rows))

    def first_after(self, log: Log, minute: int, other: int) -> int | None:
        """Return when the first generation in a file begins that begins at or after a minute.

        other: number of one that does not count
        """
        found = self._one(
            log,
            "first_minute>=? AND id<>? AND id IN (SELECT generation FROM seen WHERE log=?)",
            "first_minute",
            minute,
            other,
            log.id,
        )
        return found.first_minute if found else None

    def last_before(self, log: Log, minute: int) -> int | None:
        """Return the last minute of what is read, up to a minute."""
        found = self._one(log, "last<=?", "last DESC", minute)
        return found.last if found else None

    def last_start_before(self, log: Log, minute: int) -> int | None:
        """Return when the last generation began that began before a minute."""
        found = self._one(log, "first_minute<?", "first_minute DESC", minute)
        return found.first_minute if found else None

    def start_of_read(self, log: Log, after: tuple[int, int]) -> int | None:
        """Return from which minute on all is read, of what is read to its end.

        after: (first minute or 0, number) of a generation; older ones do not count
        """
        found = self._one(
            log,
            "since IS NOT NULL AND done AND NOT live AND (coalesce(first_minute, 0), id) > (?, ?)",
            "coalesce(first_minute, 0), id",
            *after,
        )
        return found.since if found else None

    def _one(self, log: Log, where: str, order: str, *values: object) -> Generation | None:
        """Return the first of some generations.

        It is as it was written. Of those that vanish nobody knows here, and so less is taken to
        be covered.
        """
        query = f"SELECT id FROM generation WHERE log=? AND {where} ORDER BY {order} LIMIT 1"
        with explained(self.path):
            found = self._db.execute(query, (log.id, *values)).fetchone()
        return self.generation(log, found[0]) if found else None

    def read_so_far(self, log: Log) -> tuple[int | None, LineCounts]:
        """Return the minute of the newest line, and the counts of all lines."""
        last, *counts = next(_READ_SO_FAR(row) for row in self._logs() if row[0] == log.id)
        return last, LineCounts(*counts)

    def save_generation(self, log: Log, generation: Generation) -> None:
        """Keep a generation; give it its number if it has none."""
        before = self.generation(log, generation.id) if generation.id else None
        self._save(generation, "generation", log)
        self._add_lines(log, generation.line_counts, 1, generation.last)
        if before:
            self._add_lines(log, before.line_counts, -1)

    def _add_lines(self, log: Log, counts: LineCounts, times: int, last: int | None = None) -> None:
        self._db.execute(
            "UPDATE log SET last=nullif(max(coalesce(last, -1), ?), -1), lines=lines+?,"
            ' events=events+?, matched=matched+?, "foreign"="foreign"+?, unparsed=unparsed+?'
            " WHERE id=?",
            (-1 if last is None else last, *(times * number for number in counts), log.id),
        )

    def _whole(self, name: str, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a slice; see Checksums."""
        started = time.monotonic()
        with explained(self.path):
            rows = self._checksums.whole(name, query, *values)
            if time.monotonic() - started > _NOTICEABLE:
                self._be_patient()
        return rows

    def _save(self, value: Generation | JournalSpan, table: str, log: Log) -> None:
        """Keep a value in a table; give it its number if it has none."""
        fields = [getattr(value, name) for name in value.FIELDS[:-1]]
        row = *fields, *value.line_counts, log.id
        value.id = self._db.execute(
            f"INSERT OR REPLACE INTO {table} ({_columns(type(value))}, log)"
            f" VALUES (nullif(?, 0){', ?' * (len(row) - 1)}) RETURNING id",
            row,
        ).fetchone()[0]

    def add_gap(self, log: Log, first: int, last: int, generation: int = 0) -> None:
        """Keep that lines written between these minutes were destroyed before they were read.

        generation: the number of the one that they were in, where it may turn up again
        """
        self._db.execute("INSERT INTO gap VALUES (?, ?, ?, ?)", (log.id, first, last, generation))

    def close_gap(self, log: Log, generation: int) -> None:
        """Forget the gap of a generation that has turned up."""
        self._db.execute("DELETE FROM gap WHERE log=? AND generation=?", (log.id, generation))

    def gaps(self, log: Log, start: int, end: int) -> list[tuple[int, int]]:
        """Return the gaps that touch these minutes."""
        rows = self._whole(checksum.of_log("gap", log.id), "SELECT * FROM gap WHERE log=?", log.id)
        return sorted((first, last) for _, first, last, *_ in rows if last >= start and first < end)

    def extend_gap(self, log: Log, first: int, last: int) -> None:
        """Keep a gap, as one with those that it touches; inside a transaction only."""
        for touched in self._db.execute(
            "DELETE FROM gap WHERE log=? AND last>=? AND first<=? RETURNING first, last",
            (log.id, first - 1, last + 1),
        ).fetchall():
            first, last = min(first, touched[0]), max(last, touched[1])
        self.add_gap(log, first, last)

    def journal_spans(self, log: Log) -> list[JournalSpan]:
        """Return the spans of a journal, newest first."""
        # A log file has none.
        from check_postfix.maillog.source.journal_span import JournalSpan

        rows = self._whole(
            checksum.of_log("journal_span", log.id),
            "SELECT * FROM journal_span WHERE log=? ORDER BY id DESC",
            log.id,
        )
        places = _places("journal_span", (*JournalSpan.FIELDS[:-1], *LineCounts._fields))
        return [_value(JournalSpan, places, row) for row in rows]

    def save_journal_span(self, log: Log, span: JournalSpan) -> None:
        """Keep a journal span; give it its number if it has none."""
        self._save(span, "journal_span", log)

    def drop_journal_span(self, span: JournalSpan) -> None:
        """Forget a journal span that another one has taken in."""
        self._db.execute("DELETE FROM journal_span WHERE id=?", (span.id,))

    # -- counts

    def origin(self, log: Log, host: bytes, instance: bytes) -> int:
        """Return the number of an origin; inside a transaction only.

        Where a log has too many, that of all others together.
        """
        where = log.id, host.decode("utf-8", "replace"), instance.decode("utf-8", "replace")
        if where not in self._origins:
            row = self._db.execute(
                "SELECT id FROM origin WHERE log=? AND host=? AND instance=?", where
            ).fetchone()
            if row is None:
                query = "SELECT count(*) FROM origin WHERE log=?"
                there = self._db.execute(query, where[:1]).fetchone()[0]
                if there >= MOST_ORIGINS and where[1:] != (MANY, MANY):
                    return self.origin(log, MANY.encode(), MANY.encode())
                row = self._db.execute(
                    "INSERT INTO origin (log, host, instance) VALUES (?, ?, ?) RETURNING id", where
                ).fetchone()
            self._origins[where] = row[0]
        return self._origins[where]

    def save_newest(self, log: Log, newest: Mapping[tuple[bytes, bytes], int], latest: int) -> None:
        """Keep the minute of the newest line of some origins; inside a transaction only.

        newest: (host, instance) -> minute; those of which nothing was counted yet are left out
        latest: what was kept of later minutes, while a clock was ahead, is kept no longer
        """
        self._db.executemany(
            "UPDATE origin SET last=max(iif(last<=?, last, 0), ?)"
            " WHERE log=? AND host=? AND instance=?",
            [
                (
                    latest,
                    minute,
                    log.id,
                    host.decode("utf-8", "replace"),
                    name.decode("utf-8", "replace"),
                )
                for (host, name), minute in newest.items()
            ],
        )

    def cut_newest(self, log: Log, latest: int) -> None:
        """Let no origin's newest line lie after a minute; inside a transaction only."""
        self._db.execute("UPDATE origin SET last=?1 WHERE log=?2 AND last>?1", (latest, log.id))

    def origins(self, log: Log) -> list[tuple[int, str, str, int | None]]:
        """Return everything this log has told of.

        Returns: number, host, instance, and the minute of the newest line of a daemon, None
                 if that is not known
        """
        rows = self._whole(
            checksum.of_log("origin", log.id), "SELECT * FROM origin WHERE log=?", log.id
        )
        told = [(number, host, name, last) for number, _, host, name, last, *_ in rows]
        return sorted(told, key=itemgetter(1, 2))

    def add(self, counts: Counts) -> None:
        """Add up counts; inside a transaction only.

        Raises: DamagedStore
        """
        counts.add_up_recipients()
        # One row after the other: all of them in bytes are as much as all of the counts.
        totals = (
            (minute, packed.packed(numbers))
            for minute, numbers in sorted(counts.totals.items())
            if numbers
        )
        with self._merging():
            self._db.executemany(_ADD_TOTAL, totals)
            self._quarters.add(counts.totals)
            self._quarters.add_watched(counts.quarter_keys)
            for (family, hour), keyed in sorted(counts.keyed.items()):
                rows = (
                    (family, minute, len(numbers), packed.packed(numbers))
                    for minute, numbers in sorted(self._bounded(family, hour, keyed).items())
                )
                self._db.executemany(_ADD_KEYED, rows)
            self.delays.add(counts.delays.found)
            self.daily_most.add(counts.quarter_keys)
            self._tried.add(counts.keyed)
            self._places.add(counts.places.found)
        # By the day: that changes seldom.
        self._db.executemany(
            "UPDATE origin SET counted=?1 WHERE id=?2 AND coalesce(counted, -1)<?1",
            [(minute // _DAY, origin) for origin, minute in sorted(counts.newest.items())],
        )

    def keys_newest_first(
        self, family: str, start: int, end: int, origins: Iterable[int]
    ) -> Iterator[tuple[int, int, tuple[str, ...], int]]:
        """Yield minute, origin, key and number of a family, the newest hours first."""
        hours = range((end - 1) // 60, start // 60 - 1, -1)
        with self._readable():
            for hour in hours:
                first, last = max(start, hour * 60), min(end, hour * 60 + 60)
                for minute, keys in self._keys_of(family, first, last, origins):
                    for name, number in keys:
                        origin, *key = fields(name)
                        yield minute, int(origin), tuple(key), number

    def _bounded(
        self, family: str, hour: int, keyed: dict[int, dict[str, int]]
    ) -> dict[int, dict[str, int]]:
        """Return the keys of an hour; where they are too many, fewer of them."""
        # A run with nothing new has no need of it.
        from check_postfix.maillog.store import key_quota

        there = self._sizes.get((family, hour))
        if there is None:
            there = sum(self._keys_by_minute(family, hour).values())
        there += sum(map(len, keyed.values()))
        self._sizes[family, hour] = there
        is_full = self._bytes() > key_quota.MOST_BYTES
        if is_full or key_quota.is_short(there):
            by_minute = self._keys_by_minute(family, hour)
            return key_quota.shared_out(family, keyed, by_minute, is_full)
        return keyed

    def _bytes(self) -> int:
        """Return how much of the file is in use."""
        pages, free, size = (
            self._db.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def _keys_by_minute(self, family: str, hour: int) -> dict[int, int]:
        return dict(
            self._db.execute(
                "SELECT minute, size FROM keyed WHERE family=? AND minute>=? AND minute<?",
                (family, hour * 60, hour * 60 + 60),
            )
        )

    def give_all_room_back(self) -> None:
        """Shorten the file by all that is free in it; inside a transaction only."""
        for _ in range(self._db.execute("PRAGMA freelist_count").fetchone()[0]):
            self._db.execute("PRAGMA incremental_vacuum(1)")

    def keys_before(self, minute: int) -> Iterator[tuple[str, list[str]]]:
        """Yield a family, and its keys in a minute, of what is older than a minute."""
        query = f"SELECT family, keys FROM keyed {_OF_OLD_KEYS}"
        with self._readable():
            for family, text in self._db.execute(query, (*FAMILIES, minute)):
                yield family, [packed.own(name) for name, _ in packed.unpacked(text)]

    def logins_named_before(self, minute: int) -> Iterator[tuple[str, str]]:
        """Yield account and address of each first login before a minute that is still named."""
        with self._readable():
            yield from self._places.named_before(minute)

    def forget(self, oldest: int, oldest_keys: int) -> None:
        """Delete what is older than these minutes; inside a transaction only."""
        self._db.execute("DELETE FROM total WHERE minute<?", (oldest,))
        self._quarters.forget(oldest)
        self._db.execute("DELETE FROM gap WHERE last<?", (oldest,))
        self._db.execute("DELETE FROM run WHERE minute<?", (oldest,))
        self._db.execute(
            "DELETE FROM generation WHERE coalesce(last, first_minute, 0)<? AND NOT live"
            " AND id NOT IN (SELECT generation FROM seen)",
            (oldest,),
        )
        self._db.execute(f"DELETE FROM keyed {_OF_OLD_KEYS}", (*FAMILIES, oldest_keys))
        self._db.execute("DELETE FROM pending WHERE since<?", (oldest_keys,))
        self.delays.forget(oldest, oldest_keys)
        if self._db.execute("DELETE FROM watched WHERE asked<?", (oldest,)).rowcount:
            self._quarters.drop_unwatched()
            self.pending.drop_unwatched()
        # Some wait for long in vain.
        self._db.execute(
            "UPDATE pending SET sender='' WHERE sender<>'' AND minute<?", (oldest_keys,)
        )
        self._tried.forget(oldest_keys)
        self._places.forget(oldest, oldest_keys)
        self.daily_most.forget(oldest)
        if not any(log.backlog for log in self._all_logs()):
            self.daily_most.settle()
        self._forget_who_writes_no_more(min(oldest, oldest_keys))
        self._give_room_back()

    def _forget_who_writes_no_more(self, oldest: int) -> None:
        """Forget origins and logs of which nothing is kept any more."""
        late = "coalesce(last, 0)<? AND coalesce(counted, 0)<?"
        since = oldest, oldest // _DAY
        if self._db.execute(f"SELECT 1 FROM origin WHERE {late} LIMIT 1", since).fetchone():
            self._db.execute(
                f"DELETE FROM origin WHERE {late}"
                " AND id NOT IN (SELECT origin FROM place)"
                " AND id NOT IN (SELECT origin FROM pending)",
                since,
            )
            self._origins.clear()
        for log in self._all_logs():
            if log.read is not None and log.read < oldest and not log.backlog:
                self.remove_log(log)

    def _give_room_back(self) -> None:
        """Shorten the file, by a step, if much of it is free; inside a transaction only."""
        free, pages = (
            self._db.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("freelist_count", "page_count")
        )
        for _ in range(min(free - max(_SPARE, pages // 4), _GIVEN_BACK)):
            # One at a time: Python takes but one step of a statement that yields nothing.
            self._db.execute("PRAGMA incremental_vacuum(1)")

    def is_overdue(self, oldest: int, oldest_keys: int) -> bool:
        """Tell whether `forget` would delete counts that are an hour older than they may be."""
        late = 60
        queries = (
            ("SELECT 1 FROM total WHERE minute<? LIMIT 1", (oldest - late,)),
            (f"SELECT 1 FROM keyed {_OF_OLD_KEYS} LIMIT 1", (*FAMILIES, oldest_keys - late)),
            ("SELECT 1 FROM pending WHERE since<? LIMIT 1", (oldest_keys - late,)),
            ("SELECT 1 FROM tried WHERE hour<? LIMIT 1", ((oldest_keys - late) // 60,)),
            ("SELECT 1 FROM place WHERE name<>'' AND first<? LIMIT 1", (oldest_keys - late,)),
        )
        with explained(self.path):
            return any(self._db.execute(*query).fetchone() for query in queries)

    def messages(
        self,
        family: str,
        kinds: Sequence[str],
        start: int,
        end: int,
        origins: Iterable[int],
        before: int,
    ) -> tuple[int, int]:
        """Return of how many messages these minutes tell for the first time, and in how many lines.

        kinds:  of lines
        before: minute from which on such lines of the same message make it the second time
        """
        now: set[tuple[str, str]] = set()
        earlier: set[tuple[str, str]] = set()
        lines = 0
        with self._readable():
            for minute, keys in self._keys_of(family, before, end, origins):
                for name, number in keys:
                    origin, message, kind = fields(name)
                    if kind not in kinds or message == MANY:
                        continue
                    if minute < start:
                        earlier.add((origin, message))
                    else:
                        now.add((origin, message))
                        lines += number
        return len(now - earlier), lines

    def totals(self, start: int, end: int, origins: Iterable[int]) -> dict[str, int]:
        """Return what each counter came to in the minutes from begin up to, not with, end."""
        sums: dict[str, int] = {}
        with self._readable():
            for _, counters in self._totals_of(start, end, origins):
                for name, number in counters:
                    sums[name] = sums.get(name, 0) + number
        return packed.of_all(sums)

    def _totals_of(
        self, start: int, end: int, origins: Iterable[int]
    ) -> Iterator[tuple[int, list[tuple[str, int]]]]:
        """Yield each minute that has any counters, an hour at a time, the oldest first."""
        wanted = frozenset(map(str, origins))
        for hour in self._hours("total", "total", start, end):
            for minute, text, *_ in self._checksums.whole(
                checksum.total(hour),
                "SELECT * FROM total WHERE minute>=? AND minute<? ORDER BY minute",
                hour,
                hour + 60,
            ):
                if start <= minute < end and (counters := packed.chosen(text, wanted)):
                    yield minute, counters

    def totals_of(
        self, start: int, end: int, origins: Iterable[int]
    ) -> Iterator[tuple[int, list[tuple[str, int]]]]:
        """Yield each minute that has any counters, and what they are called -> number."""
        with self._readable():
            yield from self._totals_of(start, end, origins)

    def keys_of(
        self, family: str, start: int, end: int, origins: Iterable[int]
    ) -> Iterator[tuple[int, list[tuple[str, int]]]]:
        """Yield each minute that has any keys of a family, what they are called, and numbers."""
        with self._readable():
            yield from self._keys_of(family, start, end, origins)

    def has_totals(self, start: int, end: int, origins: Iterable[int]) -> bool:
        """Tell whether anything was counted in the minutes from start up to, not with, end."""
        with self._readable():
            return any(True for _ in self._totals_of(start, end, origins))

    def quarters(
        self, series: str, first: int, last: int, origins: Collection[int]
    ) -> dict[int, int]:
        """Return quarter-hour since 1970 -> what a series came to in it, if it came to anything.

        first, last: quarters from which on, and up to which, not included
        """
        # Few checks of many ask for it.
        from check_postfix.maillog.counts.series import FLOODED

        with self._readable():
            found = self._quarters.of(series, first, last, origins)
            if series == FLOODED:
                from check_postfix.maillog.store.daily_most import BY_RECIPIENT

                wanted = frozenset(map(str, origins))
                waiting = self.daily_most.of_busiest(BY_RECIPIENT, first, last, wanted)
                for quarter, number in waiting.items():
                    found[quarter] = max(number, found.get(quarter, 0))
            return found

    def origins_of(self, series: str, first: int, last: int) -> set[int]:
        """Return the origins of which anything of a series came in some quarters."""
        with self._readable():
            return self._quarters.origins(series, first, last)

    def quarters_since(self, first: int, last: int, origins: Collection[int]) -> int:
        """Return the first of some quarters in which anything came of origins; `last` if none."""
        with self._readable():
            return self._quarters.since(first, last, origins)

    def by_minute(
        self, counters: Iterable[str], start: int, end: int, origins: Iterable[int]
    ) -> dict[int, int]:
        """Return minute -> what some counters came to in it together, if to anything."""
        wanted = frozenset(counters)
        found: dict[int, int] = {}
        with self._readable():
            for minute, numbers in self._totals_of(start, end, origins):
                if number := sum(n for name, n in numbers if packed.own(name) in wanted):
                    found[minute] = number
        return found

    def silence_around(
        self, start: int, end: int, most: int, origins: Iterable[int]
    ) -> tuple[int, int] | None:
        """Return the minutes around these, from and up to, in which nothing was counted.

        most:    minutes behind them that are looked at
        Returns: None if something was counted in these minutes themselves, or nothing before
        """
        wanted = frozenset(origins)
        with self._readable():
            # To the end of the silence first: mostly there is none.
            after = next((minute for minute, _ in self._totals_of(start, end + most, wanted)), None)
            if after is not None and after < end:
                return None
            # Mostly it is not long ago.
            for first in (start - _LONG, 0):
                counted = [minute for minute, _ in self._totals_of(first, start, wanted)]
                if counted:
                    return counted[-1] + 1, end + most if after is None else after
        return None

    def keys(
        self, family: str, start: int, end: int, origins: Iterable[int]
    ) -> list[tuple[tuple[str, ...], int]]:
        """Return the (key, number) pairs of a family in these minutes, most first."""
        numbers: dict[str, int] = {}
        held = 0
        with self._readable():
            for _, keys in self._keys_of(family, start, end, origins):
                for name, number in keys:
                    key = packed.own(name)
                    before = numbers.get(key, 0)
                    if not before:
                        held += packed.held(key)
                    numbers[key] = before + number
                if held > packed.MOST_HELD:
                    # Strangers do their worst.
                    from check_postfix.maillog.store import key_quota

                    numbers = key_quota.most_frequent(family, numbers)
                    held = sum(map(packed.held, numbers))
        # Of two sorts by one thing each, Python needs to make no pairs.
        ordered = sorted(sorted(numbers), key=numbers.__getitem__, reverse=True)
        return [(fields(key), numbers[key]) for key in ordered]

    def most_of_days(
        self, family: str, first: int, last: int, origins: Iterable[int]
    ) -> tuple[int, dict[str, int], int]:
        """Return what is known of what single ones had at most; see DailyMost.of_days."""
        with self._readable():
            is_all_read = not any(log.backlog for log in self._all_logs())
            wanted = frozenset(map(str, origins))
            return self.daily_most.of_days(family, first, last, wanted, is_all_read)

    def tried(
        self, start: int, end: int, origins: Collection[int]
    ) -> list[tuple[tuple[str, ...], int]]:
        """Return how many logins failed by (client, account); of accounts, the pseudonyms.

        start, end: minutes; from the hour on in which the first of them lies
        """
        # One check of several asks for it.
        from check_postfix.maillog.store import tried

        last = end // 60
        found: dict[str, int] = {}
        with self._readable():
            for pair, number in self._tried.of(start // 60, last, frozenset(map(str, origins))):
                found[pair] = found.get(pair, 0) + number
            # Of the hour that is not over at this time, minute by minute.
            for _, keys in self._keys_of(tried.FAMILY, last * 60, end, origins):
                for name, number in keys:
                    pair = packed.own(tried.pair_of(name))
                    found[pair] = found.get(pair, 0) + number
        return [(fields(pair), number) for pair, number in found.items()]

    def logins_from(self, network: str) -> list[Login]:
        """Return the first logins of each account from a network, by its pseudonym."""
        with self._readable():
            return self._places.of(network)

    def _keys_of(
        self, family: str, start: int, end: int, origins: Iterable[int]
    ) -> Iterator[tuple[int, list[tuple[str, int]]]]:
        """Yield each minute that has any keys of a family, an hour at a time."""
        wanted = frozenset(map(str, origins))
        for hour in self._hours("keyed", f"keyed {family}", start, end):
            for _, minute, _, text, *_ in self._checksums.whole(
                checksum.keyed(family, hour),
                "SELECT * FROM keyed WHERE family=? AND minute>=? AND minute<?",
                family, hour, hour + 60,
            ):  # fmt: skip
                if start <= minute < end and (keys := packed.chosen(text, wanted)):
                    yield minute, keys

    def _hours(
        self, table: str, slices: str, start: int, end: int, column: str = "minute"
    ) -> Iterable[int]:
        """Return the first minute of each hour that these minutes touch and that has rows.

        slices: how the names of their slices begin
        column: of the table, with a minute
        """
        hours = range(start // 60, (end - 1) // 60 + 1)
        if end - start <= _LONG:
            return [hour * 60 for hour in hours]
        # If the rows of an hour have vanished, its checksum is still there, or the other way.
        query = (
            f"SELECT DISTINCT CAST({column} AS INTEGER) / 60 FROM {table}"
            f" WHERE {column} IS NOT NULL"
        )
        there = {hour for (hour,) in self._db.execute(query)}
        names = self._checksums.names(f"{slices} ", f"{slices} {checksum.LAST}")
        there |= {int(name.rpartition(" ")[2]) for name in names}
        return [hour * 60 for hour in sorted(there) if hour in hours]


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


def _columns(kind: type[Value]) -> str:
    """Return a kind's columns; its line counts, the last of its fields, have several."""
    return ", ".join(f'"{name}"' for name in (*kind.FIELDS[:-1], *LineCounts._fields))


def _places(table: str, names: Sequence[str]) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """Return what takes these columns out of a whole row of a table."""
    columns = schema.columns()[table]
    return itemgetter(*[columns.index(name) for name in names])


_READ_SO_FAR = _places("log", ("last", *LineCounts._fields))
_LOG = _places(
    "log",
    (
        "id", "path", "backlog", "asked", "zone", "read", "unknown_until", "offset_low",
        "offset_high", "offset_times",
    ),
)  # fmt: skip
_GENERATION = _places("generation", (*Generation.FIELDS[:-1], *LineCounts._fields))
_OF_LOG = schema.columns()["generation"].index("log")


def _value(
    kind: type[V], places: Callable[[tuple[Any, ...]], tuple[Any, ...]], row: tuple[Any, ...]
) -> V:
    """Return the value of a kind that a row keeps."""
    fields = len(kind.FIELDS) - 1
    values = places(row)
    return kind(*values[:fields], LineCounts(*values[fields:]))


def _generation(row: tuple[Any, ...]) -> Generation:
    return _value(Generation, _GENERATION, row)


def _start(generation: Generation) -> tuple[int, int]:
    """Return by what generations are sorted: those that nobody knows a time of come first."""
    first = generation.first_minute
    return -1 if first is None else first, generation.id
