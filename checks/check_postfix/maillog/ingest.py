"""Ingest: bring the store from where it stands to the end of the live log.

The newest bytes are read first, so that the window asked for is answered even
while a long history is still to be read: the end of the live log, then the rest
of it backwards, then archive after archive. Each piece is one transaction.
Reading stops when the time is up and goes on in the next run.
"""

from __future__ import annotations

import os
import time

from check_postfix.maillog import logfile
from check_postfix.maillog.clock import Clock
from check_postfix.maillog.counts import Counts
from check_postfix.maillog.coverage import Coverage
from check_postfix.maillog.errors import LogError
from check_postfix.maillog.logfile import Unfinished
from check_postfix.maillog.reading import Reading, first_minute
from check_postfix.maillog.survey import Survey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import tzinfo

    from check_postfix.maillog.generation import Generation
    from check_postfix.maillog.logfile import LogFile
    from check_postfix.maillog.store import Log, Store

# Totals live as long as the usual level needs; what can belong to a person or
# an address does not outlive the trouble that it is looked at in.
DAYS_OF_TOTALS = 30
HOURS_OF_KEYS = 48


class Ingest:
    """One run's reading of one log.

    store:    where positions and counts are kept
    path:     the live log
    zone:     of stamps without an offset; None for the machine's
    now:      seconds since 1970
    latest:   the newest time that a stamp without a year can mean, in seconds
    wanted:   minute from which on the answer needs the log
    deadline: time.monotonic() at which to stop reading
    keeps:    whether the store outlives this run: then older history is read as
              well, for half the time that is left, and what is too old to be
              kept is not counted
    """

    def __init__(
        self,
        store: Store,
        path: str,
        zone: tzinfo | None,
        now: float,
        latest: float,
        wanted: int,
        deadline: float,
        keeps: bool = True,
    ) -> None:
        self._store = store
        self._path = os.path.abspath(path)
        self._zone = zone
        self._now = int(now) // 60
        self._latest = int(latest) // 60
        self._wanted = wanted
        self._deadline = deadline
        self._leisure = (time.monotonic() + deadline) / 2
        self._keeps = keeps
        self._oldest = self._now - DAYS_OF_TOTALS * 24 * 60 if keeps else 0
        self._oldest_keys = self._now - HOURS_OF_KEYS * 60 if keeps else 0
        self._notes: list[str] = []

    def run(self) -> Coverage:
        """Read what is new and return what is covered then.

        Raises: LogError if the live log cannot be read; StoreError
        """
        log = self._store.log(self._path)
        if log is None or log.backlog or not self._all_seen(log):
            while self._step():
                pass
            log = self._store.log(self._path)
            assert log is not None  # a step has made it
        return self._coverage(log)

    def _files(self) -> list[LogFile]:
        """Return the live log, if there is one just now, and the files it may have become."""
        older = logfile.archives(self._path)
        try:
            return [logfile.look(self._path), *older]
        except FileNotFoundError:
            if older:  # rotated with nocreate: the next line will make it again
                return older
            raise LogError(f"{self._path}: no such file; name the mail log with --log") from None

    def _all_seen(self, log: Log) -> bool:
        seen = self._store.seen(log)
        return all(file.signature in seen for file in self._files())

    def _step(self) -> bool:
        """Read one piece in one transaction; tell whether to read another now."""
        store = self._store
        with store.transaction():
            log = store.log(self._path) or store.add_log(self._path)
            survey = Survey(
                self._files(), self._path, store.seen(log), store.generations(log), store.key,
                self._first_minute,
            )  # fmt: skip
            self._notes = survey.notes
            self._follow_live(log, survey)
            unread = [pair for pair in survey.unread if not self._too_old(*pair, survey)]
            if unread:
                file, generation = unread[0]
                generation.done = self._read(log, file, generation)
                store.save_generation(log, generation)
                if generation.done:
                    del unread[0]
            self._remember(log, survey, unread)
            covered = self._coverage(log)
        if not unread or time.monotonic() >= self._deadline:
            return False
        answered = covered.begin is not None and covered.begin <= self._wanted
        if covered.end <= self._now or not answered:
            return True
        return self._keeps and time.monotonic() < self._leisure

    def _follow_live(self, log: Log, survey: Survey) -> None:
        """See which generation is the live log now, and what became of the one before."""
        current = survey.current
        present = [generation.id for generation in survey.holds.values() if generation]
        for generation in self._store.generations(log):
            if not generation.live or (current and generation.id == current.id):
                continue
            if generation.id not in present and generation.last is not None:
                # Gone, and nothing tells how much was written after we read it.
                begins = current.begins if current else None
                self._store.add_gap(log, generation.last, self._now if begins is None else begins)
            generation.live = False
            self._store.save_generation(log, generation)
        for generation in {id(g): g for g in survey.holds.values() if g}.values():
            generation.live = generation is current
            if not generation.id:
                self._store.save_generation(log, generation)

    def _too_old(self, file: LogFile, generation: Generation, survey: Survey) -> bool:
        """Tell whether a file ends before anything that is kept: when a newer one began so early."""
        return (
            any(
                other is not None
                and other.begins is not None
                and generation.begins is not None
                and generation.begins < other.begins < self._oldest
                for other in survey.holds.values()
            )
            and file.path != self._path
        )

    def _remember(self, log: Log, survey: Survey, unread: list[tuple[LogFile, Generation]]) -> None:
        """Keep which files need not be looked into again."""
        waiting = {file.signature for file, _ in unread}
        self._store.save_seen(
            log,
            {
                signature: generation.id if generation else 0
                for signature, generation in survey.holds.items()
                if signature not in waiting
            },
        )
        log.backlog = len(unread)
        self._store.save_log(log)
        if self._keeps:
            self._store.forget(self._oldest, self._oldest_keys)

    def _read(self, log: Log, file: LogFile, generation: Generation) -> bool:
        """Read one piece of a generation; tell whether this file is read to its end."""
        reading = Reading(self._store, log, self._clock, self._counts, self._deadline)
        try:
            with file.open() as stream:
                return reading.piece(stream, generation, self._now)
        except FileNotFoundError:  # renamed meanwhile: it is found again under its new name
            return False
        except Unfinished:  # looked into again when it has changed
            return True

    def _clock(self, previous: int | None) -> Clock:
        return Clock(self._zone, self._latest, previous)

    def _counts(self) -> Counts:
        return Counts(self._oldest, self._oldest_keys)

    def _first_minute(self, head: bytes) -> int | None:
        return first_minute(head, self._clock(None))

    # -- what is covered then

    def _coverage(self, log: Log) -> Coverage:
        generations = self._store.generations(log)
        generations.sort(key=lambda g: (g.live, g.begins or 0), reverse=True)
        end = self._now + 1
        begin = None
        for generation in generations:
            if generation.live and not generation.done:
                end = (generation.last or 0) + 1
            elif not generation.done:
                break
            begin = generation.since if generation.since is not None else begin
            if generation.hole:
                break
        known = [g.last for g in generations if g.last is not None]
        return Coverage(
            begin=begin,
            end=end,
            last=max(known, default=None),
            complete=not log.backlog,
            gaps=self._store.gaps(log, 0, self._now + 1),
            lines=sum(g.lines for g in generations),
            events=sum(g.events for g in generations),
            unframed=sum(g.unframed for g in generations),
            notes=self._notes,
        )
