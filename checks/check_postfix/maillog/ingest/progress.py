"""Progress: how far one log is read, and whether there is more of it.

This is all that a run has to know when nothing new is logged.
"""

from __future__ import annotations

import os
from contextlib import suppress

from check_postfix.maillog.errors import StoreError
from check_postfix.maillog.source import archives, logfile, whereabouts
from check_postfix.maillog.store import log_zone
from check_postfix.maillog.window import clock_offset
from check_postfix.maillog.window.coverage import Coverage, Unread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence, Set

    from check_postfix.maillog.source.generation import Generation
    from check_postfix.maillog.source.logfile import LogFile
    from check_postfix.maillog.store.logs import Log
    from check_postfix.maillog.store.seen import SeenFile, SeenFilesTable
    from check_postfix.maillog.store.store import Store

# How often to look again at files that are just being renamed.
RENAME_RETRIES = 9
# To list so many files takes no time that is worth a note of it.
_FEW = 64


class Files:
    """The files of a log that may have changed.

    files:   as they are now, the live log first
    rows:    what is known of them
    are_all: whether these are all files of the log
    states:  of their directories, when they were last listed
    """

    __slots__ = ("are_all", "files", "rows", "states")

    def __init__(
        self, files: list[LogFile], rows: list[SeenFile], are_all: bool, states: dict[str, str]
    ) -> None:
        self.files = files
        self.rows = rows
        self.are_all = are_all
        self.states = states

    def has_others_to_read(self, live: str) -> bool:
        """Tell whether other files than the live log are new, or not read to their ends."""
        at_rest = {row.signature for row in self.rows if row.rests}
        return any(file.signature not in at_rest for file in self.files if file.path != live)


class Progress:
    """How far a log is read.

    store:    where positions and counts are kept
    path:     the live log, or a pattern with dates
    now:      minutes since 1970
    seconds:  how much time there is
    archives: directories where older generations lie, besides the usual ones
    may_be_gone: whether it is no error that there is no file of it any more
    """

    def __init__(
        self,
        store: Store,
        path: str,
        now: int,
        archives: Sequence[str] = (),
        seconds: float = 0,
        may_be_gone: bool = False,
    ) -> None:
        self._store = store
        self._where = whereabouts.of(os.path.abspath(path), archives)
        self.path = self._where.name
        self._now = now
        self._seconds = seconds
        self._may_be_gone = may_be_gone
        # Number of the generation whose end was read just now, be there a hole before it or not.
        self.end_read_of: int | None = None

    @property
    def live_path(self) -> str:
        """The path of the live log, as far as it was looked for."""
        return self._where.live_path

    def own_directories(self) -> list[str]:
        """Return where the log itself lies."""
        return self._where.own_directories()

    def log(self) -> Log | None:
        """Return what is known of the log, None if it was never read."""
        return self._store.logs.of(self.path)

    def live(self) -> LogFile | None:
        """Return the live log, if there is one just now.

        Raises: LogError
        """
        return self._where.live()

    def has_name(self, path: str) -> bool:
        """Tell whether this is how files of the log are called."""
        return self._where.has_name(path)

    def _listed(self, rows: Sequence[SeenFile]) -> list[LogFile]:
        """Return the live log, if there is one just now, and the files it may have become.

        rows: what is known of its files; some have names of their own

        Raises: LogError
        """
        older = self._where.older()
        older += self._adopted(rows, {file.path for file in older})
        live = self.live()
        if not live and not older and not self._may_be_gone:
            raise self._where.absence()
        return [live, *older] if live else older

    def _adopted(self, rows: Sequence[SeenFile], listed: Set[str]) -> list[LogFile]:
        """Return the files that were found to hold a generation, whatever they are called."""
        own = self.own_directories()
        return archives.there(
            row.path
            for row in rows
            if row.generation
            and row.path not in listed
            and os.path.dirname(row.path) in own
            and not self.has_name(row.path)
        )

    def files(self, seen: SeenFilesTable) -> Files:
        """Return the files that may have changed.

        Raises: LogError
        """
        states = archives.states(self._where.directories())
        if archives.UNKNOWN not in states.values() and states == seen.directories():
            rows = seen.watched()
            with suppress(FileNotFoundError):
                live = self.live()
                files = [logfile.look(row.path) for row in rows if row.path != self.live_path]
                if live or files:
                    return Files([live, *files] if live else files, rows, False, states)
        rows = seen.all()
        files = self._listed(rows)
        after = archives.states(states.keys())
        if archives.UNKNOWN in after.values() or after != states:
            files = self._at_rest(files, rows)
            after = dict.fromkeys(after, archives.UNKNOWN)
        return Files(files, rows, True, after)

    def _at_rest(self, files: list[LogFile], rows: Sequence[SeenFile]) -> list[LogFile]:
        """Return the files as they are while nobody is renaming them."""
        for _ in range(RENAME_RETRIES):
            again = self._listed(rows)
            if [(file.path, file.inode) for file in files] == [
                (file.path, file.inode) for file in again
            ]:
                break
            files = again
        return files

    def is_all_read(self, log: Log | None) -> bool:
        """Tell whether these files are known to their ends, and no other was.

        Raises: LogError
        """
        if log is None or log.backlog:
            return False
        seen = self._store.seen(log)
        files = self.files(seen)
        # also when a file is gone: it may have been the live log
        if {file.signature for file in files.files} != {row.signature for row in files.rows}:
            return False
        if any(row.is_due(self._now, self._seconds) for row in files.rows):
            return False
        if (
            files.are_all
            and len(files.files) > _FEW
            and archives.UNKNOWN not in files.states.values()
        ):
            # The next run need not list them again; if this user may not write that, it will.
            with suppress(StoreError), self._store.transaction():
                seen.save_directories(files.states)
        return True

    def is_read_by_its_zone(self, log: Log, named: str | None) -> bool:
        """Tell whether the zone that a log was read by is still the one to read it by.

        named: the name of the zone that the administrator has named, None if none

        Raises: LogError
        """
        if log.zone is None:
            return True
        is_wrong = clock_offset.of(log).proven != 0
        return log.zone == log_zone.settled(self.path, log.zone, named, is_wrong)

    def coverage(self, log: Log) -> Coverage:
        """Return what of the log's time was read."""
        end = self._now + 1
        start = None
        oldest = (-1, 0)
        has_hole = False
        for generation in self._newest_first(self._store.generations.unsettled(log)):
            is_read_on = generation.live or generation.done
            if generation.live and not generation.done and generation.id != self.end_read_of:
                end = (generation.last or 0) + 1
            if is_read_on and generation.since is not None:
                start = generation.since
                has_hole = bool(generation.hole)
            if not is_read_on or generation.hole:
                oldest = generation.first_minute or 0, generation.id
                break
        if not has_hole:
            # Those that are read to their end, between the live log and what stops us.
            read = self._store.generations.start_of_read(log, oldest)
            start = start if read is None else read
        last, line_counts = self._store.logs.read_so_far(log)
        unread = self._unread(log)
        offset = clock_offset.of(log)
        if log.unknown_until and start is not None:
            start = max(start, log.unknown_until + 1)
        return Coverage(
            start=start,
            end=end,
            last=last,
            complete=not log.backlog,
            gaps=self._store.gaps.of(log, 0, self._now + 1),
            line_counts=line_counts,
            notes=[file.why for file in unread],
            absence="" if line_counts.lines else self._absence(),
            unread=unread,
            offset=offset.proven if log.zone else 0,
            seems=self._seems(log, last),
            ahead=offset.ahead(0 if log.read is None else self._now - log.read),
        )

    def _seems(self, log: Log, newest: int | None) -> int:
        """Return minutes that stamps seem to run behind, as a negative number; 0 if they do not."""
        live = self.live() if log.zone and newest is not None else None
        if not live or not live.size:  # what it held is in another file now
            return 0
        assert newest is not None
        return clock_offset.of(log).seems(newest, int(live.modified) // 60)

    def _absence(self) -> str:
        """Return why no line was read."""
        size = 0
        with suppress(OSError):
            size = os.stat(self.path).st_size
        if size:
            state, so = (
                f"has {size} {'byte' if size == 1 else 'bytes'}, but no whole log line",
                "see",
            )
        else:  # as on a fresh server
            state, so = "is empty", "send a test mail; if it stays empty, see"
        return f"{self.path} {state}; {so} where mail is logged now and name that with --log"

    def _unread(self, log: Log) -> list[Unread]:
        """Return what is there and could not be read."""
        unread = []
        for row in self._store.seen(log).refused():
            known = self._store.generations.of(log, row.generation) if row.generation else None
            if known:
                first = known.first_minute if known.hole else known.last or known.first_minute
            else:
                first = self._store.generations.last_before(log, row.modified)
            unread.append(Unread(row.path, row.note, first or 0, row.modified))
        return unread

    def _newest_first(self, generations: Sequence[Generation]) -> list[Generation]:
        return sorted(generations, key=lambda g: (g.live, g.first_minute or 0), reverse=True)

    def generations_waited_at(self, log: Log) -> list[Generation]:
        """Return the generations that messages wait at, and the newer ones, the oldest first."""
        owners = self._store.pending.owners(log.id)
        return self._newest_first(self._store.generations.waited_at(log, owners))[::-1]
