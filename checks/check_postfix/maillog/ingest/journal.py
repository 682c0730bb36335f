"""The journal as a log: bring the store up to the end of this machine's journal.

It is read backwards, from its end to what is counted already. So the newest
entries come first, and the window asked for is answered even while a long
history, or what came in during a week without runs, is still to be read. Each
piece is one transaction: counts, and the cursors of the first and the last entry
that they come from. Reading stops when the time is up and goes on in the next
run at the oldest entry counted.
"""

from __future__ import annotations

import time
from contextlib import suppress

from check_postfix.maillog.counts.counts import Counts
from check_postfix.maillog.counts.message_sums import Sums
from check_postfix.maillog.errors import LogError, StoreError
from check_postfix.maillog.ingest.journal_piece import JournalPiece, segment
from check_postfix.maillog.source.journal_span import Cursor, JournalSpan
from check_postfix.maillog.source.journalctl import (
    Journalctl,
    TimeUpError,
    see_that_all_is_readable,
)
from check_postfix.maillog.source.line_counts import LineCounts
from check_postfix.maillog.store import watched
from check_postfix.maillog.store.logs import journal_name
from check_postfix.maillog.store.retention import USUAL
from check_postfix.maillog.syntax.entry import JournalEntries, choice, fields
from check_postfix.maillog.window.coverage import Coverage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from check_postfix.maillog.store.logs import Log
    from check_postfix.maillog.store.retention import Retention
    from check_postfix.maillog.store.store import Store
    from check_postfix.maillog.syntax.entry import Entry

# How often to write down, while nothing is logged, that nothing was. In seconds.
_QUIET = 600


class Journal:
    """One run's reading of the journal.

    store:    where cursors and counts are kept
    now:      seconds since 1970
    wanted:   minute from which on the answer needs the journal
    end:      minute up to which it does, not included
    deadline: time.monotonic() at which to stop reading
    keeps:    whether the store outlives this run: then all is read up to now,
              and older history as well, for half the time that is left; what
              is too old to be kept is not counted
    retention: what is too old
    trusted:  by which minute that is told; None for `now`
    matches:  journalctl's, that choose its entries; none for those of this machine's own mail
    """

    def __init__(
        self,
        store: Store,
        now: float,
        wanted: int,
        end: int,
        deadline: float,
        keeps: bool = True,
        retention: Retention = USUAL,
        trusted: int | None = None,
        matches: Sequence[str] = (),
    ) -> None:
        self._store = store
        self._name = journal_name(matches)
        self._matches = matches
        self._second = int(now)
        self._now = int(now) // 60
        self._end = self._now + 1 if keeps else min(end, self._now + 1)
        self._wanted = wanted
        self._patience = deadline - time.monotonic()
        self._deadline = deadline
        self._leisure = deadline - self._patience / 2
        self._keeps = keeps
        trusted = self._now if trusted is None else trusted
        self._oldest = trusted - retention.totals if keeps else 0
        self._oldest_keys = trusted - retention.keys if keeps else 0
        self._notes: list[str] = []

    def run(self) -> Coverage:
        """Read what is new and return what is covered then.

        Raises: LogError if the journal cannot be read; StoreError
        """
        see_that_all_is_readable()
        try:
            self._read_new()
        except TimeUpError:
            raise LogError(
                f"journalctl: silent for {self._patience:.1f} s; see whether the disk hangs,"
                " or raise --timeout"
            ) from None
        with suppress(TimeUpError):
            while self._goes_on():
                self._read_on(self._journal_spans()[0].oldest)
        return self._coverage()

    def _journal_spans(self) -> list[JournalSpan]:
        log = self._store.logs.of(self._name)
        return self._store.journal_spans.of(log) if log else []

    def _goes_on(self) -> bool:
        """Tell whether to read now what lies before the newest span."""
        journal_spans = self._journal_spans()
        if not journal_spans or journal_spans[0].first:
            return False
        if journal_spans[0].first_minute >= self._wanted:
            return time.monotonic() < self._deadline
        return self._keeps and time.monotonic() < self._leisure

    # -- reading

    def _journalctl(self, *arguments: str) -> Journalctl:
        return Journalctl(arguments, self._deadline)

    def _backwards(self) -> tuple[str, str]:
        return "--reverse", f"--output-fields={','.join(fields(self._matches))}"

    def _entries(self, journalctl: Journalctl) -> JournalEntries:
        return JournalEntries(journalctl, self._deadline)

    def _read_new(self) -> None:
        """Read from the end of the journal back to what is counted.

        Raises: TimeUpError if not even one entry came in time
        """
        until = [f"--until=@{self._end * 60}"] if self._end <= self._now else []
        with self._journalctl(*self._backwards(), *until, *choice(self._matches)) as journalctl:
            entries = self._entries(journalctl)
            known = self._journal_spans()
            if known and not entries.are_after(self._cursor(known[0].newest)):
                self._see_nothing_new(entries)
            elif entries.next:
                self._read_pieces(entries, None)
            self._notes = journalctl.notes()

    def _read_on(self, oldest: str) -> None:
        """Read from the oldest entry of a journal span back to the next one.

        Raises: TimeUpError if not even one entry came in time
        """
        with self._journalctl(
            *self._backwards(), f"--cursor={oldest}", *choice(self._matches)
        ) as journalctl:
            entries = self._entries(journalctl)
            if entries.are_at(self._cursor(oldest)):
                entries.advance()
            self._read_pieces(entries, oldest)

    def _read_pieces(self, entries: JournalEntries, oldest: str | None) -> None:
        """Count entries as long as there is time for.

        oldest: the entry that was counted before these, None if they are new
        """
        while True:
            with self._store.transaction():
                oldest = self._piece(entries, oldest)
            if oldest is None or entries.is_late or not self._goes_on():
                return

    def _piece(self, entries: JournalEntries, oldest: str | None) -> str | None:
        """Count a piece; inside a transaction only.

        Returns: its oldest entry, if these entries go on before that
        """
        store = self._store
        log = store.logs.of(self._name) or store.logs.add(self._name)
        journal_spans = store.journal_spans.of(log)
        if oldest is not None:
            while journal_spans and journal_spans[0].oldest != oldest:
                del journal_spans[0]
            if not journal_spans:
                return None  # another run has gone on from there
            span = journal_spans.pop(0)
        else:
            if journal_spans and not entries.are_after(self._cursor(journal_spans[0].newest)):
                return None  # another run was quicker
            assert entries.next is not None
            span = _started_with(entries.next, self._second)
            store.journal_spans.save(log, span)  # it needs a number
        end = self._cursor(journal_spans[0].newest) if journal_spans else None
        addresses = watched.addresses(store)
        counts = Counts(store.key, self._oldest, self._oldest_keys, addresses)
        sums = Sums()
        latest = JournalPiece(store, log, span, counts).read(entries, end, sums, self._now)
        is_over = not entries.is_late and not entries.are_after(end)
        # The clock may have been wrong for a while: a few old entries are no proof.
        is_too_old = latest is not None and latest < self._oldest
        if is_over or is_too_old:
            is_first = entries.next is None or is_too_old
            for older in journal_spans if is_first else journal_spans[:1]:
                if is_over and not entries.are_at(self._cursor(older.newest)):
                    self._see_loss(log, older, span.first_minute)
                store.pending.absorb(segment(log, older), segment(log, span), self._now, sums)
                store.journal_spans.drop(span)
                span.join(older)
            span.first = span.first or is_first
        if span.first:
            store.pending.drop(segment(log, span).start)
        store.journal_spans.save(log, span)
        counts.add_sums(sums)
        store.ledger.add(counts)
        store.forgetting.older(self._oldest, self._oldest_keys)
        return None if is_over or is_too_old else span.oldest

    def _cursor(self, cursor: str) -> Cursor:
        try:
            return Cursor(cursor)
        except ValueError:
            raise StoreError(
                f"{self._store.path}: holds a cursor that is none; remove the file,"
                " it will be built again from the log"
            ) from None

    def _see_nothing_new(self, entries: JournalEntries) -> None:
        """Keep, now and then, that the journal has nothing after what is counted."""
        newest = self._journal_spans()[0]
        is_gone = not entries.are_at(self._cursor(newest.newest))
        is_lost = is_gone and self._oldest_left() >= self._surely_read(newest)
        if not is_lost and 0 <= self._second - newest.read < _QUIET:
            return
        with self._store.transaction():
            log = self._store.logs.of(self._name)
            assert log is not None
            newest = self._journal_spans()[0]
            if is_lost:
                self._see_loss(log, newest, self._now)
            newest.read = self._second
            self._store.journal_spans.save(log, newest)

    def _see_loss(self, log: Log, span: JournalSpan, first_minute: int) -> None:
        """See whether entries after this span, whose last entry is gone, may be gone too.

        Up to `read` all were counted; those since are still there if anything
        older is. journald removes whole files, the oldest first.

        first_minute: minute from which on there is no doubt
        """
        left, read = self._oldest_left(), self._surely_read(span)
        if left >= read:
            lost = read // 60
            self._store.gaps.extend(log, lost, max(lost, min(first_minute, left // 60)))

    def _surely_read(self, span: JournalSpan) -> int:
        """Return the second up to which all was counted, whatever was wrong with a clock.

        That of the run that was last at its end may have been ahead or behind; so may ours.
        """
        told = span.read if span.read <= self._second else 0
        return max(told, min(span.last * 60, self._second))

    def _oldest_left(self) -> int:
        """Return the second of the oldest entry that the journal has of anybody."""
        with self._journalctl("--system", "--output-fields=_HOSTNAME") as journalctl:
            first = self._entries(journalctl).next
        return self._second if first is None else first.second

    # -- what is covered then

    def _coverage(self) -> Coverage:
        log = self._store.logs.of(self._name)
        journal_spans = self._journal_spans()
        start = last = None
        if journal_spans:
            newest = journal_spans[0]
            # Of the minute in which it begins, some may be unread.
            start = newest.first_minute if newest.first else newest.first_minute + 1
            last = newest.last
        line_counts = sum((span.line_counts for span in journal_spans), LineCounts())
        return Coverage(
            start=start,
            end=self._end,
            last=last,
            complete=not journal_spans or journal_spans[0].first,
            gaps=self._store.gaps.of(log, 0, self._now + 1) if log else (),
            line_counts=line_counts,
            notes=self._notes,
            absence="" if line_counts.ours else self._absence(),
        )

    def _absence(self) -> str:
        # Nearly every journal that is read has what is looked for.
        from check_postfix.maillog.source import journal_absence

        return journal_absence.reason(self._notes, self._matches, self._deadline)


def _started_with(entry: Entry, second: int) -> JournalSpan:
    """Return a span that starts, backwards, with this entry, the last one in this second."""
    return JournalSpan(
        oldest=entry.cursor_text, newest=entry.cursor_text,
        first_minute=entry.minute, last=entry.minute, read=second,
    )  # fmt: skip
