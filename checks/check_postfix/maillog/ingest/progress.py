"""Progress: how far one log is read, and whether there is more of it.

This is all that a run has to know when nothing new is logged.
"""

from __future__ import annotations

import os

from check_postfix.maillog.errors import LogError
from check_postfix.maillog.source import archives, logfile
from check_postfix.maillog.source.line_counts import LineCounts
from check_postfix.maillog.store import log_zone
from check_postfix.maillog.window import clock_offset
from check_postfix.maillog.window.coverage import Coverage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from check_postfix.maillog.source.generation import Generation
    from check_postfix.maillog.source.logfile import LogFile
    from check_postfix.maillog.store.store import Log, Store


class Progress:
    """How far a log is read.

    store:    where positions and counts are kept
    path:     the live log
    now:      minutes since 1970
    archives: directories where older generations lie, besides the usual ones
    """

    def __init__(self, store: Store, path: str, now: int, archives: Sequence[str] = ()) -> None:
        self._store = store
        self.path = os.path.abspath(path)
        self._now = now
        self._archives = archives

    def log(self) -> Log | None:
        """Return what is known of the log, None if it was never read."""
        return self._store.log(self.path)

    def files(self) -> list[LogFile]:
        """Return the live log, if there is one just now, and the files it may have become.

        Raises: LogError
        """
        older = archives.of(self.path, self._archives)
        try:
            return [logfile.look(self.path), *older]
        except FileNotFoundError:
            if older:  # rotated with nocreate: the next line will make it again
                return older
            raise LogError(f"{self.path}: no such file; name the mail log with --log") from None

    def is_all_read(self, log: Log | None) -> bool:
        """Tell whether these files are known to their ends, and no other was.

        Raises: LogError
        """
        if log is None or log.backlog:
            return False
        # also when a file is gone: it may have been the live log
        return {file.signature for file in self.files()} == self._store.seen(log).keys()

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
        generations = self.generations(log)
        end = self._now + 1
        start = None
        for generation in generations:
            if generation.live and not generation.done:
                end = (generation.last or 0) + 1
            elif not generation.done:
                break
            start = generation.since if generation.since is not None else start
            if generation.hole:
                break
        offset = clock_offset.of(log)
        known = [g.last for g in generations if g.last is not None]
        line_counts = sum((g.line_counts for g in generations), LineCounts())
        absence = f"{self.path} is empty; see where mail is logged now and name that with --log"
        return Coverage(
            start=start,
            end=end,
            last=max(known, default=None),
            complete=not log.backlog,
            gaps=self._store.gaps(log, 0, self._now + 1),
            line_counts=line_counts,
            notes=self._store.notes(log),
            absence="" if line_counts.lines else absence,
            offset=offset.proven if log.zone else 0,
            ahead=offset.ahead,
        )

    def generations(self, log: Log) -> list[Generation]:
        """Return what is known of its generations, the live log first, then the newest."""
        return sorted(
            self._store.generations(log), key=lambda g: (g.live, g.first_minute or 0), reverse=True
        )
