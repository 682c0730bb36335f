"""Opened store: the store of a run, brought up to the log, and the window taken out of it."""

from __future__ import annotations

import time

from check_postfix.common import named_logs
from check_postfix.common.heard import Heard, newest
from check_postfix.common.keeping import Keeping
from check_postfix.common.log_options import ADDRESS, HOST, INSTANCE
from check_postfix.common.missed import LatestWindow
from check_postfix.maillog.errors import DamagedStore, LogError, StoreError
from check_postfix.maillog.ingest.progress import Progress
from check_postfix.maillog.source.logfile import inode_at
from check_postfix.maillog.store import log_zone
from check_postfix.maillog.store.store import Store
from check_postfix.maillog.window.coverage import Coverage
from check_postfix.maillog.window.view import View
from check_postfix.maillog.window.window import Window
from check_postfix.plugin import Unknown, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence
    from datetime import tzinfo

    from check_postfix.common.heard import Origin
    from check_postfix.common.named_logs import NamedLog
    from check_postfix.common.span import AskedSpan
    from check_postfix.maillog.window.aged_file import AgedFile
    from check_postfix.maillog.window.silence import Silence

# A stamp without a year in a foreign log means the year nearest to --at. In seconds.
_YEAR = 365 * 86400

# So often is a store opened that other runs are setting aside, or building again, just now.
_TRIES = 10
_BUILT_AGAIN = "state file was damaged and is built again"


class OpenedStore:
    """The store of a run, brought up to the log. Use it as a context manager.

    path:     of the state file, None to remember nothing
    deadline: time.monotonic() at which to stop waiting and reading
    jobs:     how many processes may read
    coverage: what of the log was read
    notes:    what has to be said of the store, in a few words each
    """

    coverage: Coverage
    _store: Store
    _keeping: Keeping
    _heard: Heard

    def __init__(
        self,
        path: str | None,
        options: Namespace,
        span: AskedSpan,
        deadline: float,
        jobs: int,
    ) -> None:
        self._path = path
        self._jobs = jobs
        self._logs: list[NamedLog] = []
        self._options = options
        self._span = span
        self._deadline = deadline
        self.notes: list[str] = []

    def __enter__(self) -> OpenedStore:
        """Open the store and read what is new.

        Raises: LogError; StoreError
        """
        tries = _TRIES
        while True:
            tries -= 1
            file = inode_at(self._path)
            try:
                self._open()
                break
            except Exception as error:
                is_late = not tries or time.monotonic() > self._deadline
                if is_late or self._path is None or isinstance(error, (LogError, Unknown)):
                    raise
                is_damaged = isinstance(error, DamagedStore)
                # A value that is not what was written can break anything.
                may_be = is_damaged or not isinstance(error, StoreError)
                if may_be and is_set_aside(self._path, self._deadline):
                    self.notes = [note for note in self.notes if note != _BUILT_AGAIN]
                    self.notes.append(_BUILT_AGAIN)
                # SQLite has many words for what happens to a file that is not there any more.
                is_another = file is not None and inode_at(self._path) != file
                if not (is_another or is_damaged):
                    raise
        if self._path is not None:
            self.notes += self._keeping.lacks(self._span.start)
        return self

    def __exit__(self, *_: object) -> None:
        self._store.__exit__()

    def _open(self) -> None:
        store = Store(self._path, self._deadline - time.monotonic())
        try:
            self.coverage = self._read(store)
        except BaseException:
            store.__exit__()
            raise
        self._store = store

    def _read(self, store: Store) -> Coverage:
        """Bring the store up to the log."""
        self._keeping = keeping = Keeping(store, self._options, self._span)
        if addresses := getattr(self._options, ADDRESS.name, None):
            # One check of many asks for them.
            from check_postfix.maillog.store import watched

            watched.watch(store, addresses, int(self._span.now) // 60)
        self._logs, left_out = named_logs.of(self._options, store)
        self.notes += [why for why in named_logs.refusals(self._logs) if why not in self.notes]
        self._heard = Heard(store, int(self._span.now) // 60, keeping.is_steady)
        parts = [self._read_log(store, log) for log in self._logs]
        self._heard.look(self._logs, parts)
        options = self._options
        is_unnamed = not (options.log or options.journal or options.journal_match)
        may_be_left_over = is_unnamed and options.at is None and not self._logs[0].is_journal
        if may_be_left_over and self._is_journal_newer(store, parts[0]):
            parts = [self._read_log(store, log) for log in self._logs]
            self._heard.look(self._logs, parts)
        if self._path is not None:
            keeping.forget(self._heard.has_future)
            self.notes += keeping.forget_what_was_set_aside(self._path)
        coverage = Coverage.merged(parts, keeping.oldest)
        coverage.notes = [*coverage.notes, *left_out]
        return coverage

    def _read_log(self, store: Store, log: NamedLog) -> Coverage:
        """Bring the store up to what one option names."""
        if log.is_journal:
            return self._read_journal(store)
        if log.wildcards:
            # Most runs have a plain name.
            from check_postfix.common import log_pattern

            now = int(self._span.now) // 60
            return log_pattern.read(
                store, log, now, self._keeping.oldest, self._deadline, self._read_file,
                self._options.archives,
            )  # fmt: skip
        return self._read_file(store, log.name)

    def _is_journal_newer(self, store: Store, part: Coverage) -> bool:
        """Tell whether a log file is left over; then the journal is the log.

        part: what is covered by the file
        """
        (named,) = self._logs
        path = named.name
        last, end = self._heard.last[path], self._span.end
        if part.end < end:
            return False  # its newest lines are not read yet
        if last is not None and end - last <= self._options.max_silence // 60:
            return False
        # Nearly all runs have mail where they look for it.
        from check_postfix.common import journal_instead

        if not journal_instead.goes_on(store, path, last, int(self._span.now), self._deadline):
            return False
        self._logs = [named_logs.journal(None)]
        state = "is empty" if last is None else f"silent for {values.span((end - last) * 60)}"
        self.notes.append(
            f"{path} {state}, read the journal instead; remove it or name it with --log"
        )
        return True

    def _read_file(
        self, store: Store, path: str, share: float = 1, may_be_gone: bool = False
    ) -> Coverage:
        """Bring the store up to one log.

        share: of the time for history that this log may take
        may_be_gone: whether it is no error that it is not there any more
        """
        now, lie_in = self._span.now, self._options.archives
        seconds = self._deadline - time.monotonic()
        progress = Progress(store, path, int(now) // 60, lie_in, seconds, may_be_gone)
        log = progress.log()
        named = self._options.timezone
        if log and progress.is_read_by_its_zone(log, named) and progress.is_all_read(log):
            with store.reading():
                return progress.coverage(log)
        # Costs a third of a run, and a run with nothing new needs none of it.
        from check_postfix.maillog.ingest.ingest import Ingest

        keeps = self._path is not None
        latest = now if keeps else min(now, self._span.at + _YEAR / 2)
        return Ingest(
            store, path, None, now, latest, self._span.start, self._deadline,
            keeps=keeps, retention=self._keeping.retention, trusted=self._keeping.trusted,
            archives=lie_in, named=named, share=share, may_be_gone=may_be_gone, jobs=self._jobs,
        ).run()  # fmt: skip

    def _read_journal(self, store: Store) -> Coverage:
        # It starts a program, which most runs have no need of.
        from check_postfix.maillog.ingest.journal import Journal

        return Journal(
            store, self._span.now, self._span.start, self._span.end, self._deadline,
            keeps=self._path is not None, retention=self._keeping.retention,
            trusted=self._keeping.trusted, matches=self._options.journal_match or (),
        ).run()  # fmt: skip

    def names(self) -> list[str]:
        """Return the names of the logs that were read, as output says them."""
        return [f"the {log.name}" if log.is_journal else log.name for log in self._logs]

    def bytes_left(self) -> int:
        """Return how much of the logs is still to be read, about, in bytes."""
        # No check has need of it.
        from check_postfix.maillog.store import read_files

        logs = [self._store.logs.of(path) for named in self._logs for path in named.paths]
        return sum(left for log in logs if log for _, left in read_files.unread(self._store, log))

    def window(self) -> Window:
        """Return the window that the options ask for.

        Raises: Unknown if the log has no such host or instance
        """
        start, end = self._span.start, self._span.end
        origins = self._heard.origins(self._options)
        zone = self._zone()
        view = View(
            self._store, [origin[0] for origin in origins], start, end, self.coverage,
            self._keeping.oldest_keys, zone, self._options.anonymise,
            self._options.host is None and self._options.instance is None,
        )  # fmt: skip
        silence = self._silence(origins, zone)
        files = lambda: self._files(now=int(self._span.now) // 60)  # noqa: E731
        what = (
            start, end, self.coverage, view, self.notes, silence, self.names(), self._path,
            self._heard.newest(), files,
        )  # fmt: skip
        if self._path is None or self._options.at is not None:
            return Window(*what)
        return LatestWindow(self._store, *what)

    def _files(self, now: int) -> list[AgedFile]:
        """Return the files that the logs are made of."""
        # One check of many asks for them.
        from check_postfix.common.log_files import files

        return files(self._store, [path for named in self._logs for path in named.paths], now)

    def _silence(self, origins: Sequence[Origin], zone: tzinfo | None) -> Silence | None:
        """Return who is silent, None if nobody is, or what is logged now is not read yet."""
        start, end = self._span.start, self._span.end
        if self.coverage.end < end:
            return None
        chosen = [
            f"{option.name} {wanted}"
            for option in (HOST, INSTANCE)
            if (wanted := getattr(self._options, option.name)) is not None
        ]
        most = self._options.max_silence // 60
        last = newest(origins) if chosen else self._heard.newest()
        parts: list[tuple[str, int]] = []
        if not chosen and last is not None and end - last <= most:
            # What is not heard of for so long that its counts are forgotten is not missed.
            kept = max(self._keeping.oldest, end - self._keeping.retention.totals)
            parts = self._heard.before(end - most, kept, origins)
        if last is not None and start <= last and end - last <= most:
            last = None  # it is not silent
        if last is None and not parts:
            return None
        from check_postfix.maillog.window.silence import Silence, is_ordinary

        def around(first: int, after: int, most: int) -> tuple[int, int] | None:
            numbers = [origin[0] for origin in origins]
            return self._store.answers.silence_around(first, after, most, numbers)

        is_no_news = (
            last is not None
            and end - last <= most
            and is_ordinary(last, start, end, zone, self.coverage, around)
        )
        return Silence(last, ", ".join(chosen), most, parts, is_no_news)

    def _zone(self) -> tzinfo | None:
        """Return whose time of day is compared; None for the machine's."""
        if self._options.timezone is not None:
            return values.zone(self._options.timezone)
        logs = [self._store.logs.of(path) for named in self._logs for path in named.paths]
        zones = [log.zone for log in logs if log and log.zone]
        return log_zone.rules(zones[0]) if zones else None


def is_set_aside(path: str | None, deadline: float) -> bool:
    """Put a damaged store out of the way; tell whether it was this run that did.

    deadline: time.monotonic() up to which to wait for other runs
    """
    assert path is not None  # memory is not damaged
    # Nearly no run has need of it.
    from check_postfix.maillog.store.damage import set_aside

    try:
        return set_aside(path, deadline - time.monotonic()) is not None
    except FileNotFoundError:  # another run was quicker
        return False
    except OSError as error:
        raise Unknown(
            f"{path}: is damaged and cannot be renamed: {(error.strerror or '').lower()};"
            " remove it, it will be built again from the log"
        ) from None
