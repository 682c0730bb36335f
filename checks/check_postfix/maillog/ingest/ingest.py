"""Ingest: bring the store from where it stands to the end of the live log.

The newest bytes are read first, so that the window asked for is answered even
while a long history is still to be read: the end of the live log, then the rest
of it backwards, then archive after archive. Each piece is one transaction.
Reading stops when the time is up and goes on in the next run.
"""

from __future__ import annotations

import time

from check_postfix.maillog.counts.counts import Counts
from check_postfix.maillog.counts.messages import Sums
from check_postfix.maillog.errors import LogError
from check_postfix.maillog.ingest import rotation
from check_postfix.maillog.ingest.progress import Progress
from check_postfix.maillog.ingest.segments import Segments
from check_postfix.maillog.ingest.survey import Survey
from check_postfix.maillog.source.generation import Replaced
from check_postfix.maillog.source.stream import TooLong
from check_postfix.maillog.store import log_zone
from check_postfix.maillog.store.retention import USUAL
from check_postfix.maillog.syntax.timestamps import Timestamps
from check_postfix.maillog.window import clock_offset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from check_postfix.maillog.source.generation import Generation
    from check_postfix.maillog.source.logfile import LogFile
    from check_postfix.maillog.store.retention import Retention
    from check_postfix.maillog.store.store import Log, Store
    from check_postfix.maillog.window.coverage import Coverage

# How often to look again at files that are just being renamed.
_RENAME_RETRIES = 9


class Ingest:
    """One run's reading of one log.

    store:    where positions and counts are kept
    path:     the live log
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
    ) -> None:
        self._store = store
        self._progress = Progress(store, path, int(now) // 60, archives)
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
        self._leisure = (time.monotonic() + deadline) / 2
        self._keeps = keeps
        trusted = self._now if trusted is None else trusted
        self._oldest = trusted - retention.totals if keeps else 0
        self._oldest_keys = trusted - retention.keys if keeps else 0
        # files that could not be read in this run: signature -> why
        self._refused: dict[str, str] = {}
        self._refused_paths: set[str] = set()

    def run(self) -> Coverage:
        """Read what is new and return what is covered then.

        Raises: LogError if the live log cannot be read; StoreError
        """
        while self._step():
            pass
        log = self._progress.log()
        assert log is not None  # a step has made it
        return self._progress.coverage(log)

    def _files_at_rest(self) -> list[LogFile]:
        """Return the files as they are while nobody is renaming them."""
        files = self._progress.files()
        for _ in range(_RENAME_RETRIES):
            again = self._progress.files()
            if [(file.path, file.inode) for file in files] == [
                (file.path, file.inode) for file in again
            ]:
                break
            files = again
        return files

    def _step(self) -> bool:
        """Read one piece in one transaction; tell whether to read another now."""
        for _ in range(_RENAME_RETRIES):
            try:
                with self._store.transaction():
                    return self._piece()
            except (FileNotFoundError, Replaced):  # renamed since it was listed: see where to
                continue
            except _Refused as refused:
                self._refused[refused.file.signature] = str(refused)
                self._refused_paths.add(refused.file.path)
                return True
        raise LogError(f"{self._path}: is renamed all the time; see what the log rotation is doing")

    def _piece(self) -> bool:
        store = self._store
        log = self._progress.log()
        self._settle_zone(log)
        if self._progress.is_all_read(log):  # by the run that this one has waited for
            return False
        log = log or store.add_log(self._path)
        seen = store.seen(log)
        notes = {signature: note for signature, (_, note) in seen.items() if note} | self._refused
        known = store.generations(log)
        survey = Survey(
            self._files_at_rest(),
            self._path,
            {signature: number for signature, (number, _) in seen.items()}
            | dict.fromkeys(self._refused, 0),
            known,
            store.key,
            self._first_minute,
        )
        self._follow(log, survey, known)
        unread = [pair for pair in survey.unread if not self._too_old(*pair, survey)]
        # What was refused and has changed since is still being written.
        now = [pair for pair in unread if pair[0].path not in self._refused_paths]
        if now:
            file, generation = now[0]
            was_read = rotation.state(generation) == rotation.LIVE_READ
            is_whole = self._read(log, file, generation, log.read if was_read else None)
            rotation.move(generation, rotation.READ_TO_END if is_whole else rotation.READ_IN_PART)
            store.save_generation(log, generation)
            if is_whole:
                unread.remove(now.pop(0))
        for _, generation in unread:
            if generation.done and all(
                pair in unread for pair in survey.holds if pair[1] is generation
            ):
                rotation.move(generation, rotation.HAS_CHANGED)
                store.save_generation(log, generation)
        self._remember(log, survey, unread, notes | survey.notes)
        goes_on = bool(now) and self._goes_on(log)
        if not goes_on:
            # After each piece it would look through what waits in all that were read before.
            self._unite(log)
        return goes_on

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
                self._store.drop_counts(log)
            log.zone = self._read_by
            self._store.save_log(log)

    def _goes_on(self, log: Log) -> bool:
        """Tell whether there is time for another piece."""
        if time.monotonic() >= self._deadline:
            return False
        covered = self._progress.coverage(log)
        answered = covered.start is not None and covered.start <= self._wanted
        if covered.end <= self._now or not answered:
            return True
        return self._keeps and time.monotonic() < self._leisure

    def _follow(self, log: Log, survey: Survey, known: list[Generation]) -> None:
        """See what the files say has become of each generation.

        known: all generations; the new ones get their numbers here
        """
        for generation in known:
            before = rotation.state(generation)
            after = rotation.move(generation, _found(generation, survey))
            if after == rotation.LOST:
                self._add_gap(log, generation, survey)
            if after != before:
                self._store.save_generation(log, generation)

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
        following = [
            held.first_minute
            for _, held in survey.holds
            if held
            and held is not generation
            and held.first_minute is not None
            and (held.first_minute >= following_from or held is survey.current)
        ]
        self._store.add_gap(log, *sorted((first, min(following, default=self._now))))

    def _too_old(self, file: LogFile, generation: Generation, survey: Survey) -> bool:
        """Tell whether a file ends before all that is kept: a newer one began before that."""
        first_minute = generation.first_minute
        return (
            file.path != self._path
            and first_minute is not None
            and any(
                held
                and held.first_minute is not None
                and first_minute < held.first_minute < self._oldest
                for _, held in survey.holds
            )
        )

    def _remember(
        self,
        log: Log,
        survey: Survey,
        unread: list[tuple[LogFile, Generation]],
        notes: dict[str, str],
    ) -> None:
        """Keep which files need not be looked into again."""
        pending = {file.signature for file, _ in unread}
        self._store.save_seen(
            log,
            {
                file.signature: (held.id if held else 0, notes.get(file.signature, ""))
                for file, held in survey.holds
                if file.signature not in pending
            },
        )
        log.backlog = len(unread)
        if self._has_local_stamps:
            log.zone = self._read_by or None
        self._store.save_log(log)
        if self._keeps:
            self._store.forget(self._oldest, self._oldest_keys)

    def _unite(self, log: Log) -> None:
        """Bring together what messages tell in one generation and in the next."""
        sums = Sums()
        segments = Segments(self._store.pending, log, self._now)
        segments.unite(self._progress.generations(log)[::-1], not log.backlog, sums)
        counts = Counts(self._store.key, self._oldest, self._oldest_keys)
        counts.add_sums(sums)
        self._store.add(counts)

    def _read(self, log: Log, file: LogFile, generation: Generation, seen: int | None) -> bool:
        """Read one piece of a generation; tell whether this file is read to its end.

        seen: minute in which nothing of what is new was there yet, None if nobody knows

        Raises: FileNotFoundError or Replaced if it has been renamed meanwhile, _Refused
                if it is an archive that cannot be read, LogError if it is the live log
        """
        # Costs a tenth of a run; one that has waited for another's reading needs none of it.
        from check_postfix.maillog.ingest.piece import PieceReader

        reader = PieceReader(
            self._store,
            log,
            Segments(self._store.pending, log, self._now),
            self._zone,
            self._latest_of(file),
            Counts(self._store.key, self._oldest, self._oldest_keys),
            self._deadline,
        )
        live = file.path == self._path
        started = time.monotonic()
        try:
            with file.open() as stream:
                is_whole = reader.read(stream, generation, live, self._now)
        except LogError as error:
            if live:
                raise
            if isinstance(error, TooLong) and started > self._leisure:
                return False  # the next run has more time for it
            # Nothing of it counts, not even what came before the damage.
            raise _Refused(file, str(error)) from None
        self._has_local_stamps |= reader.has_local_stamps()
        if live:
            if reader.newest is not None:
                log.offset = clock_offset.of(log).after(reader.newest, seen, self._now)
            if is_whole:
                log.read = self._now
        return is_whole

    def _latest_of(self, file: LogFile) -> int:
        """Return the newest minute that a stamp without a year can mean in a file."""
        # The stamps of an old archive would be taken for this year's.
        modified = int(file.modified) // 60
        return modified if modified < self._oldest else self._latest

    def _first_minute(self, file: LogFile, head: bytes) -> int | None:
        from check_postfix.maillog.ingest.piece import first_minute

        return first_minute(head, Timestamps(self._zone, self._latest_of(file)))


def _found(generation: Generation, survey: Survey) -> str:
    """Return what the survey found of a generation, as the table of rotation.py names it."""
    if generation is survey.current:
        return rotation.IS_LIVE
    files = [file for file, held in survey.holds if held is generation]
    if not files:
        return rotation.IS_GONE
    is_whole = any(file.compressed or file.size >= generation.end for file in files)
    return rotation.IS_SHORTER if generation.live and not is_whole else rotation.IS_OLD


class _Refused(Exception):
    """An archive that cannot be read."""

    def __init__(self, file: LogFile, why: str) -> None:
        super().__init__(why)
        self.file = file
