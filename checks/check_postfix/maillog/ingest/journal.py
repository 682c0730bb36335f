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

from check_postfix.maillog.counts.counts import MESSAGES, Counts
from check_postfix.maillog.counts.messages import Messages, Sums
from check_postfix.maillog.errors import LogError, StoreError
from check_postfix.maillog.events.event import LINKS
from check_postfix.maillog.events.recogniser import is_ours, message, recognise
from check_postfix.maillog.source.journal_span import Cursor, Stretch
from check_postfix.maillog.source.journalctl import (
    Journalctl,
    TimeUpError,
    see_that_all_is_readable,
)
from check_postfix.maillog.store.pending import BEGIN, END, Place, Region
from check_postfix.maillog.store.retention import USUAL
from check_postfix.maillog.store.store import JOURNAL
from check_postfix.maillog.syntax.entry import FIELDS, OURS, Entries
from check_postfix.maillog.window.coverage import Coverage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from check_postfix.maillog.events.event import Event
    from check_postfix.maillog.store.retention import Retention
    from check_postfix.maillog.store.store import Log, Store
    from check_postfix.maillog.syntax.entry import Entry

    # What an entry tells of a message, with minute, stream and times
    Told = tuple[int, int, Event, int, bytes, int, int]

# Entries to a transaction: half a second on a slow machine.
PIECE = 20_000
# How often to write down, while nothing is logged, that nothing was. In seconds.
_QUIET = 600

_BACKWARDS = ("--reverse", "--output-fields=" + ",".join(FIELDS))


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
    ) -> None:
        self._store = store
        self._second = int(now)
        self._now = int(now) // 60
        self._end = self._now + 1 if keeps else min(end, self._now + 1)
        self._wanted = wanted
        self._patience = deadline - time.monotonic()
        self._deadline = deadline
        self._leisure = deadline - self._patience / 2
        self._keeps = keeps
        self._oldest = self._now - retention.totals if keeps else 0
        self._oldest_keys = self._now - retention.keys if keeps else 0
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
                self._read_on(self._stretches()[0].oldest)
        return self._coverage()

    def _stretches(self) -> list[Stretch]:
        log = self._store.log(JOURNAL)
        return self._store.stretches(log) if log else []

    def _goes_on(self) -> bool:
        """Tell whether to read now what lies in front of the newest stretch."""
        stretches = self._stretches()
        if not stretches or stretches[0].first:
            return False
        if stretches[0].begins >= self._wanted:
            return time.monotonic() < self._deadline
        return self._keeps and time.monotonic() < self._leisure

    # -- reading

    def _journalctl(self, *arguments: str) -> Journalctl:
        return Journalctl(arguments, self._deadline)

    def _entries(self, journalctl: Journalctl) -> Entries:
        return Entries(journalctl, self._deadline)

    def _read_new(self) -> None:
        """Read from the end of the journal back to what is counted.

        Raises: TimeUpError if not even one entry came in time
        """
        until = [f"--until=@{self._end * 60}"] if self._end <= self._now else []
        with self._journalctl(*_BACKWARDS, *until, *OURS) as journalctl:
            entries = self._entries(journalctl)
            known = self._stretches()
            if known and not entries.are_behind(self._place(known[0].newest)):
                self._see_nothing_new(entries)
            elif entries.next:
                self._read_pieces(entries, None)
            self._notes = journalctl.notes()

    def _read_on(self, oldest: str) -> None:
        """Read from the oldest entry of a stretch back to the next one.

        Raises: TimeUpError if not even one entry came in time
        """
        with self._journalctl(*_BACKWARDS, f"--cursor={oldest}", *OURS) as journalctl:
            entries = self._entries(journalctl)
            if entries.are_at(self._place(oldest)):
                entries.advance()
            self._read_pieces(entries, oldest)

    def _read_pieces(self, entries: Entries, oldest: str | None) -> None:
        """Count entries as long as there is time for.

        oldest: the entry that was counted before these, None if they are new
        """
        while True:
            with self._store.transaction():
                oldest = self._piece(entries, oldest)
            if oldest is None or entries.is_late or not self._goes_on():
                return

    def _piece(self, entries: Entries, oldest: str | None) -> str | None:
        """Count a piece; inside a transaction only.

        Returns: its oldest entry, if these entries go on in front of that
        """
        store = self._store
        log = store.log(JOURNAL) or store.add_log(JOURNAL)
        stretches = store.stretches(log)
        if oldest is not None:
            while stretches and stretches[0].oldest != oldest:
                del stretches[0]
            if not stretches:
                return None  # another run has gone on from there
            stretch = stretches.pop(0)
        else:
            if stretches and not entries.are_behind(self._place(stretches[0].newest)):
                return None  # another run was quicker
            assert entries.next is not None
            stretch = _begun_with(entries.next, self._second)
            store.save_stretch(log, stretch)  # it needs a number
        end = self._place(stretches[0].newest) if stretches else None
        counts = Counts(self._store.key, self._oldest, self._oldest_keys)
        sums = Sums()
        latest = self._count(log, stretch, entries, end, counts, sums)
        is_over = not entries.is_late and not entries.are_behind(end)
        # The clock may have been wrong for a while: a few old entries are no proof.
        is_too_old = latest is not None and latest < self._oldest
        if is_over or is_too_old:
            is_first = entries.next is None or is_too_old
            for older in stretches if is_first else stretches[:1]:
                if is_over and not entries.are_at(self._place(older.newest)):
                    self._see_loss(log, older, stretch.begins)
                store.waiting.absorb(_region(log, older), _region(log, stretch), self._now, sums)
                store.drop_stretch(stretch)
                stretch.join(older)
            stretch.first = stretch.first or is_first
        if stretch.first:
            store.waiting.drop(_region(log, stretch).begin)
        store.save_stretch(log, stretch)
        counts.add_sums(sums)
        store.add(counts)
        store.forget(self._oldest, self._oldest_keys)
        return None if is_over or is_too_old else stretch.oldest

    def _count(
        self,
        log: Log,
        stretch: Stretch,
        entries: Entries,
        end: Cursor | None,
        counts: Counts,
        sums: Sums,
    ) -> int | None:
        """Count entries as far as `end`, at most a piece.

        Returns: the latest minute of a whole piece, None if it was less
        """
        told: list[Told] = []
        latest = taken = 0
        lost = None
        while taken < PIECE and not (taken and entries.is_late) and entries.are_behind(end):
            entry = entries.next
            assert entry is not None
            if lost is not None:
                # What was dropped came after the last entry that was not.
                self._store.extend_gap(log, *sorted((entry.minute, lost)))
                lost = None
            if entry.tells_of_loss:
                lost = entry.minute
            else:
                self._count_entry(log, stretch, counts, entry, told)
            stretch.oldest = entry.place
            stretch.begins = entry.minute
            latest = max(latest, entry.minute)
            taken += 1
            entries.advance()
        if lost is not None:
            self._store.extend_gap(log, lost - 1, lost)
        stretch.last = max(stretch.last, latest)
        piece = Messages(sums)
        for of_entry in reversed(told):
            piece.tell(*of_entry)
        self._store.waiting.prepend(_region(log, stretch), piece, self._now, sums)
        return latest if taken == PIECE else None

    def _count_entry(
        self,
        log: Log,
        stretch: Stretch,
        counts: Counts,
        entry: Entry,
        told: list[Told],
    ) -> None:
        stretch.lines += 1
        record = entry.record
        if record is None:
            stretch.unframed += 1
        elif event := recognise(record):
            number = self._store.stream(log, record.host, record.instance)
            counts.add(entry.minute, number, event, event.times)
            if about := message(record, event):
                if event.kind in MESSAGES:
                    counts.add_message(
                        entry.minute, number, event.kind, event.times, about.queue_id
                    )
                told.append((entry.minute, number, event, event.times, *about))
            if event.kind not in LINKS:
                stretch.events += event.times
                stretch.telling += 1
        elif not is_ours(record):
            stretch.foreign += 1

    def _place(self, cursor: str) -> Cursor:
        try:
            return Cursor(cursor)
        except ValueError:
            raise StoreError(
                f"{self._store.path}: holds a cursor that is none; remove the file,"
                " it will be built again from the log"
            ) from None

    def _see_nothing_new(self, entries: Entries) -> None:
        """Keep, now and then, that the journal has nothing behind what is counted."""
        newest = self._stretches()[0]
        is_gone = not entries.are_at(self._place(newest.newest))
        is_lost = is_gone and self._oldest_left() >= newest.read
        if not is_lost and self._second - newest.read < _QUIET:
            return
        with self._store.transaction():
            log = self._store.log(JOURNAL)
            assert log is not None
            newest = self._stretches()[0]
            if is_lost:
                self._see_loss(log, newest, self._now)
            newest.read = max(newest.read, self._second)
            self._store.save_stretch(log, newest)

    def _see_loss(self, log: Log, stretch: Stretch, begins: int) -> None:
        """See whether entries behind this stretch, whose last entry is gone, may be gone too.

        Up to `read` all were counted; those since are still there if anything
        older is. journald removes whole files, the oldest first.

        begins: minute from which on there is no doubt
        """
        left = self._oldest_left()
        if left >= stretch.read:
            lost = stretch.read // 60
            self._store.extend_gap(log, lost, max(lost, min(begins, left // 60)))

    def _oldest_left(self) -> int:
        """Return the second of the oldest entry that the journal has of anybody."""
        with self._journalctl("--system", "--output-fields=_HOSTNAME") as journalctl:
            first = self._entries(journalctl).next
        return self._second if first is None else first.second

    # -- what is covered then

    def _coverage(self) -> Coverage:
        log = self._store.log(JOURNAL)
        stretches = self._stretches()
        begin = last = None
        if stretches:
            newest = stretches[0]
            # Of the minute in which it begins, some may be unread.
            begin = newest.begins if newest.first else newest.begins + 1
            last = newest.last
        return Coverage(
            begin=begin,
            end=self._end,
            last=last,
            complete=not stretches or stretches[0].first,
            gaps=self._store.gaps(log, 0, self._now + 1) if log else (),
            lines=sum(stretch.lines for stretch in stretches),
            events=sum(stretch.events for stretch in stretches),
            telling=sum(stretch.telling for stretch in stretches),
            foreign=sum(stretch.foreign for stretch in stretches),
            unframed=sum(stretch.unframed for stretch in stretches),
            notes=self._notes,
        )


def _begun_with(entry: Entry, second: int) -> Stretch:
    """Return a stretch that begins, backwards, with this entry, the last one in this second."""
    return Stretch(0, entry.place, entry.place, entry.minute, entry.minute, second)


def _region(log: Log, stretch: Stretch) -> Region:
    return Region(Place(log.id, stretch.id, BEGIN), Place(log.id, stretch.id, END))
