"""Ingest: bring the store from where it stands to the end of the live log.

The newest bytes are read first, so that the window asked for is answered even
while a long history is still to be read: the end of the live log, then the rest
of it backwards, then archive after archive. Each piece is one transaction.
Reading stops when the time is up and goes on in the next run.
"""

from __future__ import annotations

import math
import time

from check_postfix.maillog.counts.counts import Counts
from check_postfix.maillog.counts.message_sums import Sums
from check_postfix.maillog.errors import LogError
from check_postfix.maillog.ingest import rotation
from check_postfix.maillog.ingest.progress import RENAME_RETRIES, Progress
from check_postfix.maillog.ingest.segments import Segments
from check_postfix.maillog.ingest.survey import Survey
from check_postfix.maillog.source.generation import Replaced
from check_postfix.maillog.source.stream import TooLong
from check_postfix.maillog.store import log_zone, watched
from check_postfix.maillog.store.retention import USUAL
from check_postfix.maillog.syntax.timestamps import Timestamps
from check_postfix.maillog.window import clock_offset
from check_postfix.maillog.window.coverage import Coverage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from check_postfix.maillog.ingest.progress import Files
    from check_postfix.maillog.source.generation import Generation
    from check_postfix.maillog.source.logfile import LogFile
    from check_postfix.maillog.store.logs import Log
    from check_postfix.maillog.store.retention import Retention
    from check_postfix.maillog.store.store import Store

# Of the time, what may be spent on looking into files before one of them is read.
_LOOKING = 0.25
# A transaction takes this many seconds, and what the reading of one file takes longer.
_BATCH_SECONDS = 0.5
# What waits at so many generations is brought together in no time.
_FEW = 20


class Ingest:
    """One run's reading of one log.

    store:    where positions and counts are kept
    path:     the live log, or a pattern with dates
    zone:     of stamps without an offset; None for the machine's, or for the log's own
    now:      seconds since 1970
    latest:   the newest time that a stamp without a year can mean, in seconds
    wanted:   minute from which on the answer needs the log
    deadline: time.monotonic() at which to stop reading
    keeps:    whether the store outlives this run: then older history is read as
              well, for half the time that is left, and what is too old to be
              kept is not counted
    retention: what is too old
    trusted:  by which minute that is told; None for `now`
    named:    the name of that zone, if the administrator has named one
    archives: directories where older generations lie, besides the usual ones
    share:    of that half, what may be spent on this log
    may_be_gone: whether it is no error that there is no file of it any more
    jobs:     how many processes may read
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
        retention: Retention = USUAL,
        archives: Sequence[str] = (),
        trusted: int | None = None,
        named: str | None = None,
        share: float = 1,
        may_be_gone: bool = False,
        jobs: int = 1,
    ) -> None:
        self._store = store
        self._jobs = jobs
        started = time.monotonic()
        self._progress = Progress(
            store, path, int(now) // 60, archives, deadline - started, may_be_gone
        )
        self._path = self._progress.path
        self._zone = zone
        self._has_zone = zone is not None
        self._named = named
        self._read_by = ""
        self._has_local_stamps = False
        self._now = int(now) // 60
        self._latest = int(latest) // 60
        self._wanted = wanted
        self._deadline = deadline
        self._leisure = started + (deadline - started) / 2 * share
        self._keeps = keeps
        trusted = self._now if trusted is None else trusted
        self._oldest = trusted - retention.totals if keeps else 0
        self._oldest_keys = trusted - retention.keys if keeps else 0
        self._survey: Survey | None = None
        self._version = 0  # of the store, when the survey was begun
        self._is_surveyed = False
        self._files: Files | None = None  # that are to be surveyed
        self._is_live_read = False
        self._has_read = False
        self._is_all_done = False
        self._is_answered = False
        self._asked = -math.inf  # when that was found out, in monotonic seconds

    def run(self) -> Coverage:
        """Read what is new and return what is covered then.

        Raises: LogError if the live log cannot be read; StoreError
        """
        while self._step():
            pass
        log = self._progress.log()
        if log is None:  # a step has made it, and forgotten it: it is gone, and too old
            return Coverage(end=self._now + 1)
        return self._progress.coverage(log)

    def _step(self) -> bool:
        """Read for a while in one transaction; tell whether to go on now."""
        for _ in range(RENAME_RETRIES):
            try:
                with self._store.transaction():
                    return self._batch()
            except (FileNotFoundError, Replaced):  # renamed since it was listed: see where to
                self._survey = None
                self._is_live_read = False
        raise LogError(f"{self._path}: is renamed all the time; see what the log rotation is doing")

    def _batch(self) -> bool:
        store = self._store
        log = self._progress.log()
        survey = self._survey
        is_first = False
        if survey is None or log is None or self._version != store.version():
            self._settle_zone(log)
            if self._progress.is_all_read(log):  # by the run that this one has waited for
                return False
            log = log or store.logs.add(self._path)
            looking = time.monotonic() + _LOOKING * (self._deadline - time.monotonic())
            survey = Survey(store, log, self._progress, self._now, looking, self._first_minute)
            self._survey = survey
            self._version = store.version()
            self._is_surveyed = False
            self._files = None
            if not self._is_live_read:
                is_first = self._read_live(log, survey)
        if not self._is_surveyed:
            files = self._files or self._progress.files(store.seen(log))
            self._files = None
            if is_first and files.has_others_to_read(self._progress.live_path):
                # That may take long, and the newest lines are what is asked for.
                self._files = files
                log.backlog = 1
                self._save(log)
                return True
            self._look(log, survey, files)
        goes_on = not self._is_all_done and self._read_for_a_while(log, survey)
        self._remember(log, survey)
        if goes_on:
            return True
        # After each piece it would look through what waits in all that were read before.
        waited_at = self._progress.generations_waited_at(log)
        if len(waited_at) > _FEW and not self._is_all_done:
            self._is_all_done = True  # That may take long, and is no part of what was read.
            return True
        self._unite(log, waited_at)
        if self._keeps:
            store.forgetting.older(self._oldest, self._oldest_keys)
        return False

    def _settle_zone(self, log: Log | None) -> None:
        """See by which zone to read; forget what was counted by another.

        Raises: LogError
        """
        if self._has_zone:
            return
        before = log.zone if log else None
        is_wrong = log is not None and clock_offset.of(log).proven != 0
        self._read_by = log_zone.settled(self._path, before, self._named, is_wrong)
        self._zone = log_zone.rules(self._read_by)
        if log and before is not None and before != self._read_by:
            if not log_zone.are_alike(before, self._read_by):
                self._store.forgetting.counts_of(log)
            log.zone = self._read_by
            self._store.logs.save(log)

    def _read_live(self, log: Log, survey: Survey) -> bool:
        """Read a piece of the live log, before anything else; tell whether there was any."""
        self._is_live_read = True
        file = self._progress.live()
        generation = survey.live(file) if file else None
        if not file or not generation:
            return False
        self._read_piece(log, survey, file, generation)
        return True

    def _look(self, log: Log, survey: Survey, files: Files) -> None:
        """See what the files say has become of each generation."""
        survey.everything(files)
        self._is_surveyed = True
        unsettled = survey.unsettled()
        missing = [each for each in unsettled if self._is_missing(each, survey)]
        if missing:
            survey.search(missing)
        for generation in unsettled:
            if survey.move(generation, self._found(generation, survey)) == rotation.LOST:
                self._add_gap(log, generation, survey)
        if survey.current:
            survey.move(survey.current, rotation.IS_LIVE)
        if not survey.unlooked:
            self._store.seen(log).save_directories(files.states)

    def _found(self, generation: Generation, survey: Survey) -> str:
        """Return what the survey found of a generation, as the table of rotation.py names it."""
        if generation is survey.current:
            return rotation.IS_LIVE
        files = survey.files_of(generation)
        if not files:
            may_be_hidden = survey.may_be_hidden(generation)
            return rotation.IS_HIDDEN if may_be_hidden else rotation.IS_GONE
        is_whole = any(file.compressed or file.size >= generation.end for file in files)
        return rotation.IS_SHORTER if generation.live and not is_whole else rotation.IS_OLD

    def _is_missing(self, generation: Generation, survey: Survey) -> bool:
        """Tell whether to search for a generation under other names."""
        found = self._found(generation, survey)
        # What a file may hold that cannot be read is searched for when files were renamed.
        return found == rotation.IS_GONE or (found == rotation.IS_HIDDEN and survey.is_all)

    def _add_gap(self, log: Log, generation: Generation, survey: Survey) -> None:
        """Remember that a generation is gone, and what was written to it since it was read."""
        first_minute, last = generation.first_minute, generation.last
        if last is not None and not generation.hole:
            first = following_from = last
        elif first_minute is not None:
            first = first_minute
            # What begins in the same minute is nearly always the one before it.
            following_from = first_minute + 1
        else:  # no line of it told the time
            first = following_from = self._now
        following = [self._store.generations.first_after(log, following_from, generation.id)]
        current = survey.current
        # Where names have dates, the file of an older day is the live one again.
        if current and current is not generation and not _begins_before(current, generation):
            following.append(current.first_minute)
        end = min((minute for minute in following if minute is not None), default=self._now)
        self._store.gaps.add(log, min(first, end), max(first, end), generation.id)

    def _read_for_a_while(self, log: Log, survey: Survey) -> bool:
        """Read the newest of what is unread; tell whether to go on in another transaction."""
        end = time.monotonic() + _BATCH_SECONDS
        # What begins before this ends before all that is kept, for this began before that.
        oldest = self._store.generations.last_start_before(log, self._oldest)
        while survey.unread:
            if self._has_read and not self._goes_on(log):
                return False
            if self._has_read and time.monotonic() > end:
                return True
            file, generation = survey.unread[-1]
            is_too_old = (
                file.path != self._progress.live_path
                and oldest is not None
                and generation.first_minute is not None
                and generation.first_minute < oldest
            )
            if is_too_old:
                survey.read(file, generation, True)
                survey.unread.pop()
            elif self._read_piece(log, survey, file, generation):
                survey.unread.pop()
        return False

    def _goes_on(self, log: Log) -> bool:
        """Tell whether there is time for another piece."""
        now = time.monotonic()
        if now >= self._deadline:
            return False
        if not self._is_answered and now > self._asked + _BATCH_SECONDS / 10:
            covered = self._progress.coverage(log)
            self._asked = now
            self._is_answered = (
                covered.end > self._now
                and covered.start is not None
                and covered.start <= self._wanted
            )
        return not self._is_answered or (self._keeps and now < self._leisure)

    def _read_piece(self, log: Log, survey: Survey, file: LogFile, generation: Generation) -> bool:
        """Read a piece of a file; tell whether there is nothing more to be read of it in this run.

        Raises: FileNotFoundError or Replaced if it has been renamed meanwhile, LogError if it
                is the live log and cannot be read
        """
        before = dict(generation.__dict__)
        started = time.monotonic()
        self._has_read = True
        try:
            with self._store.attempt():
                was_read = rotation.state(generation) == rotation.LIVE_READ
                is_whole = self._read(log, file, generation, log.read if was_read else None)
                survey.move(generation, rotation.READ_TO_END if is_whole else rotation.READ_IN_PART)
                self._store.generations.save(log, generation)
                survey.read(file, generation, is_whole)
        except LogError as error:
            if file.path == self._progress.live_path:
                raise
            # Nothing of it counts, not even what came before the damage.
            generation.__dict__.update(before)
            # The next run has more time for what was begun late.
            if not isinstance(error, TooLong) or started < self._leisure:
                survey.refuse(file, error)
            return True
        return is_whole

    def _remember(self, log: Log, survey: Survey) -> None:
        """Keep what is left to be read."""
        for _, generation in survey.unread:
            if generation.done and survey.is_all_unread(generation):
                survey.move(generation, rotation.HAS_CHANGED)
        log.backlog = len(survey.unread) + len(survey.unlooked) + survey.is_search_open
        log.unknown_until = max((int(file.modified) // 60 for file in survey.unlooked), default=0)
        self._save(log)

    def _save(self, log: Log) -> None:
        if self._has_local_stamps:
            log.zone = self._read_by or None
        self._store.logs.save(log)

    def _unite(self, log: Log, generations: Sequence[Generation]) -> None:
        """Bring together what messages tell in one generation and in the next."""
        sums = Sums()
        segments = Segments(self._store.pending, log, self._now)
        end = max(self._deadline, time.monotonic() + _BATCH_SECONDS)
        segments.unite(generations, not log.backlog, sums, end)
        counts = Counts(self._store.key, self._oldest, self._oldest_keys)
        counts.add_sums(sums)
        self._store.ledger.add(counts)

    def _read(self, log: Log, file: LogFile, generation: Generation, seen: int | None) -> bool:
        """Read one piece of a generation; tell whether this file is read to its end.

        seen: minute in which nothing of what is new was there yet, None if nobody knows

        Raises: FileNotFoundError or Replaced if it has been renamed meanwhile, LogError
        """
        # Costs a tenth of a run; one that has waited for another's reading needs none of it.
        from check_postfix.maillog.ingest.piece import PieceReader

        addresses = watched.addresses(self._store)
        reader = PieceReader(
            self._store,
            log,
            Segments(self._store.pending, log, self._now),
            self._zone,
            self._latest_of(file),
            lambda: Counts(self._store.key, self._oldest, self._oldest_keys, addresses),
            self._deadline,
            self._jobs,
        )
        live = file.path == self._progress.live_path
        with file.open(self._deadline) as stream:
            is_whole = reader.read(stream, generation, live, self._now)
        self._has_local_stamps |= reader.has_local_stamps()
        if live:
            if reader.newest is not None:
                written = int(file.modified) // 60
                log.offset = clock_offset.of(log).after(reader.newest, seen, self._now, written)
            self._progress.end_read_of = generation.id if reader.is_at_end else None
            if is_whole:
                log.read = self._now
        if is_whole and reader.goes_on:
            self._store.gaps.close(log, generation.id)
        return is_whole

    def _latest_of(self, file: LogFile) -> int:
        """Return the newest minute that a stamp without a year can mean in a file."""
        # The stamps of an old archive would be taken for this year's.
        modified = int(file.modified) // 60
        if modified < self._oldest:
            return modified
        # Whoever wrote it may know better than our clock does just now.
        return max(modified, self._latest) if self._keeps else self._latest

    def _first_minute(self, file: LogFile, head: bytes) -> int | None:
        from check_postfix.maillog.ingest.minutes import first_minute

        return first_minute(head, Timestamps(self._zone, self._latest_of(file)), self._now)


def _begins_before(generation: Generation, other: Generation) -> bool:
    first, second = generation.first_minute, other.first_minute
    return first is not None and second is not None and first < second
