"""A piece of the journal: the entries that one transaction counts."""

from __future__ import annotations

from check_postfix.maillog.counts.families import (
    LONGEST,
    LOST_MESSAGES,
    MESSAGES,
    NOBODY,
    key,
)
from check_postfix.maillog.counts.messages import Messages, said
from check_postfix.maillog.events.event import LINKS
from check_postfix.maillog.events.recogniser import is_of_daemon, message_facts, recognise
from check_postfix.maillog.events.refused import recipient
from check_postfix.maillog.events.unparsed import names_mail, unparsed
from check_postfix.maillog.source.line_counts import LineCounts
from check_postfix.maillog.store.pending import END, START, Boundary, Segment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from check_postfix.maillog.counts.counts import Counts
    from check_postfix.maillog.counts.message_sums import Sums
    from check_postfix.maillog.counts.messages import MessageLine
    from check_postfix.maillog.events.event import Event
    from check_postfix.maillog.source.journal_span import Cursor, JournalSpan
    from check_postfix.maillog.store.logs import Log
    from check_postfix.maillog.store.store import Store
    from check_postfix.maillog.syntax.entry import Entry, JournalEntries
    from check_postfix.maillog.syntax.record import Record

# Entries to a transaction: half a second on a slow machine.
PIECE_ENTRIES = 20_000


class JournalPiece:
    """Counts entries, the newest first; inside a transaction only.

    span:   that they belong to; it grows with each
    counts: where they are added
    """

    def __init__(self, store: Store, log: Log, span: JournalSpan, counts: Counts) -> None:
        self._store = store
        self._log = log
        self._span = span
        self._counts = counts
        self._lines: list[MessageLine] = []  # backwards, as all that is read here

    def read(self, entries: JournalEntries, end: Cursor | None, sums: Sums, now: int) -> int | None:
        """Count entries as far as `end`, at most a piece.

        sums: to which their messages come
        now:  a minute

        Returns: the latest minute of a whole piece, None if it was less
        """
        store, log, span = self._store, self._log, self._span
        newest: dict[tuple[bytes, bytes], int] = {}
        latest = taken = 0
        lost = None
        while taken < PIECE_ENTRIES and not (taken and entries.is_late) and entries.are_after(end):
            entry = entries.next
            assert entry is not None
            if lost is not None:
                # What was dropped came after the last entry that was not.
                store.gaps.extend(log, *sorted((entry.minute, lost)))
                lost = None
            if entry.lost:
                lost = entry.minute
                nobody = store.ledger.origin(log, *NOBODY)
                self._counts.add_counters(entry.minute, nobody, (LOST_MESSAGES,), entry.lost)
            else:
                self._count(entry)
                record = entry.record
                if record is not None and is_of_daemon(record):
                    names = record.host, record.instance
                    newest[names] = max(newest.get(names, 0), entry.minute)
            span.oldest = entry.cursor_text
            span.first_minute = entry.minute
            latest = max(latest, entry.minute)
            taken += 1
            entries.advance()
        if lost is not None:
            store.gaps.extend(log, lost - 1, lost)
        span.last = max(span.last, latest)
        store.origins.save_newest(log, newest, now)
        messages = Messages(sums, self._counts.watched)
        messages.add(reversed(self._lines))
        store.pending.prepend(segment(log, span), messages, now, sums)
        return latest if taken == PIECE_ENTRIES else None

    def _count(self, entry: Entry) -> None:
        record = entry.record
        if names_mail(entry.unread_text):
            nobody = self._store.ledger.origin(self._log, *NOBODY)
            self._counts.add(entry.minute, nobody, unparsed(entry.unread_text), 1)
        event = None if record is None else recognise(record)
        if record is not None and event is not None:
            self._count_event(entry.minute, record, event)
        events = 0 if event is None or event.kind in LINKS else event.times
        is_foreign = record is not None and not is_of_daemon(record)
        self._span.line_counts += LineCounts(
            lines=1,
            events=events,
            matched=int(events > 0 and not is_foreign),
            foreign=int(is_foreign),
            unparsed=int(record is None),
        )

    def _count_event(self, minute: int, record: Record, event: Event) -> None:
        counts = self._counts
        number = self._store.ledger.origin(self._log, record.host, record.instance)
        counts.add(minute, number, event, event.times)
        if counts.watched and (address := recipient(record, event)) in counts.watched:
            counts.add_refused(minute, number, address, event.times)
        facts = message_facts(record, event)
        if not facts:
            return
        if event.kind in MESSAGES:
            counts.add_message(minute, number, event.kind, event.times, facts.queue_id)
        elif facts.times:
            named = key((event.domain[:LONGEST], event.relay[:LONGEST]))
            counts.add_delivery(minute, number, facts.queue_id, facts.times, named, event.times)
        queue_id, size, recipients, times, by, other_id = facts
        what = said(number, event, event.times)
        whom = b"", event.recipient, event.orig_to
        self._lines.append((what, queue_id, minute, size, recipients, times, whom, by, other_id))


def segment(log: Log, span: JournalSpan) -> Segment:
    """Return the segment that a span is, for what waits at its ends."""
    return Segment(Boundary(log.id, span.id, START), Boundary(log.id, span.id, END))
