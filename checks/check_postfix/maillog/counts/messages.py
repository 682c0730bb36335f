"""Messages: what only several lines together say of a message, found by its queue ID.

One line says that a message was received, another how big it is and for how many
recipients, another that it was sent. Each line belongs to the nearest one before it:
the queue manager's size to the receipt that waits for it, a sent line to the last size
(the queue manager logs it again at each retry). A message is forgotten when it is
removed, or deferred for all its recipients; another message may then get its queue ID.

A log is read piece by piece, and not in its order. Two things remain of a piece: the
messages that wait at its end, and the orphans, whose first half is not in it. When the
piece before it is read, `followed_by` brings the two together. The counts are then those
of one reading from the start, whichever piece was read first. All of it is bounded: by
number, and because no half waits for longer than a day.
"""

from __future__ import annotations

from collections import namedtuple
from itertools import islice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TypeVar

    from check_postfix.maillog.events.event import Event
    from check_postfix.maillog.events.scanner import LineTemplate

    T = TypeVar("T")
    # What it says, queue ID, minute, size, recipients
    MessageLine = tuple["Said | LineTemplate", bytes, int, int, int]
    # Origin, and queue ID: instances and hosts can use the same one.
    MessageKey = tuple[int, bytes]

# Counters besides the kinds of event.
ACCEPTED = "accepted"  # messages received that reached the queue manager
BYTES_RECEIVED = "bytes_received"  # their sizes
RECIPIENTS_SUBMITTED = "recipients_submitted"  # of those whose client had logged in
ABORTED = "aborted"  # messages received that their client did not finish
BYTES_DELIVERED = "bytes_delivered"  # a message's size for each sent line
BYTES_FILTERED = "bytes_filtered"  # the same of what a content filter hands back

_COUNTERS = (
    ACCEPTED, BYTES_RECEIVED, RECIPIENTS_SUBMITTED, ABORTED, BYTES_DELIVERED, BYTES_FILTERED,
)  # fmt: skip
# Their places
_ACCEPTED, _BYTES_RECEIVED, _RECIPIENTS_SUBMITTED, _ABORTED, _BYTES_DELIVERED, _BYTES_FILTERED = (
    range(len(_COUNTERS))
)
_BYTES = {"sent": _BYTES_DELIVERED, "filtered": _BYTES_FILTERED}

# Of one line, however many repeats it claims: a sum must fit into the store.
_MOST_BYTES = 10**11

# So many wait at most. Receipts: more than there are smtpd processes that receive mail at
# a time. Sizes: as many messages as the queue manager has in its active queue
# (qmgr_message_active_limit).
MOST_RECEIVED = 2_000
MOST_ACTIVE = 20_000
MOST_ORPHANS = 10_000
# Nothing waits for longer, in minutes.
LONGEST_PENDING_MINUTES = 24 * 60


class Sums:
    """What messages came to, by minute and origin."""

    __slots__ = ("_numbers",)

    def __init__(self) -> None:
        self._numbers: dict[tuple[int, int], list[int]] = {}

    def of(self, minute: int, origin: int) -> list[int]:
        """Return the numbers of a minute and origin, one for each of _COUNTERS; add to them."""
        numbers = self._numbers.get((minute, origin))
        if numbers is None:
            numbers = self._numbers[minute, origin] = [0] * len(_COUNTERS)
        return numbers

    def items(self) -> Iterator[tuple[tuple[int, int, str], int]]:
        """Yield ((minute, origin, counter), number) of all that are not 0."""
        for key, numbers in self._numbers.items():
            for counter, number in zip(_COUNTERS, numbers, strict=True):
                if number:
                    yield (*key, counter), number

    def clear(self) -> None:
        """Begin anew."""
        self._numbers.clear()


class Said(namedtuple("Said", "origin kind times logged_in")):
    """What a line says of a message. A template of lines says the same by the same names.

    origin:    who wrote it
    kind:      of its event
    times:     how often it says so
    logged_in: whether the client of the message had logged in (received)
    """

    __slots__ = ()

    origin: int
    kind: str
    times: int
    logged_in: bool


def said(origin: int, event: Event, times: int) -> Said:
    """Return what a line with this event says."""
    return Said(origin, event.kind, times, "submission" in event.also)


class Orphan:
    """What is known of a message whose first half is not in the piece of log.

    sent:     (kind, minute) -> number of sent lines
    deferred: number of deferrals
    active:   (minute, size, recipients) of the queue manager's first line
    cancelled: minute in which the client gave up

    With one of the last two it is complete: the lines that follow belong to that.
    """

    __slots__ = ("active", "cancelled", "deferred", "sent")

    def __init__(self) -> None:
        self.sent: dict[tuple[str, int], int] = {}
        self.deferred = 0
        self.active: tuple[int, int, int] | None = None
        self.cancelled: int | None = None

    @property
    def is_complete(self) -> bool:
        """Whether no line that follows is part of it."""
        return self.active is not None or self.cancelled is not None


class Messages:
    """The messages of a piece of log; its lines are added in their order.

    sums: what two halves come to is added to these

    received: messages that wait for the queue manager: -> (minute, whether the client
              had logged in)
    active:   messages that wait for their deliveries: -> (minute, size, recipients for
              whom it is not deferred)
    orphans:  messages that wait for the piece before this one
    ended:    messages whose end is in this piece, but not their start
    """

    __slots__ = ("_sums", "active", "ended", "orphans", "received")

    def __init__(self, sums: Sums) -> None:
        self._sums = sums
        self.received: dict[MessageKey, tuple[int, bool]] = {}
        self.active: dict[MessageKey, tuple[int, int, int]] = {}
        self.orphans: dict[MessageKey, Orphan] = {}
        self.ended: set[MessageKey] = set()

    def add(self, lines: Iterable[MessageLine]) -> None:
        """Take in what lines say, in their order."""
        active, orphans = self.active, self.orphans
        for said, queue_id, minute, size, recipients in lines:
            kind = said.kind
            key = said.origin, queue_id
            if kind == "sent":
                # Nearly half of all lines, and nearly all where one message has many recipients.
                if key in active or key in orphans or len(orphans) < MOST_ORPHANS:
                    self.sent(key, minute, kind, said.times)
            elif kind == "active":
                self.activated(key, minute, size, recipients)
            elif kind == "removed":
                self.removed(key)
            elif kind == "received":
                self.begun(key, minute, said.logged_in)
            elif kind == "filtered":
                self.sent(key, minute, kind, said.times)
            elif kind in ("deferred", "softbounce"):
                self.deferred(key, said.times)
            elif kind == "cancelled":
                self.cancelled(key, minute)

    def begun(self, key: MessageKey, minute: int, logged_in: bool) -> None:
        """A message is received: a new one, whatever its queue ID stood for before."""
        self.active.pop(key, None)
        self.received.pop(key, None)  # the newest stand last
        self.received[key] = minute, logged_in

    def activated(self, key: MessageKey, minute: int, size: int, recipients: int) -> None:
        """The queue manager takes a message up, for the first time or again."""
        begun = self.received.pop(key, None)
        if begun is not None:
            then, logged_in = begun
            if minute - then <= LONGEST_PENDING_MINUTES:
                numbers = self._sums.of(minute, key[0])
                numbers[_ACCEPTED] += 1
                numbers[_BYTES_RECEIVED] += size
                if logged_in:
                    numbers[_RECIPIENTS_SUBMITTED] += recipients
        elif self.active.pop(key, None) is None and (orphan := self._orphan(key)):
            orphan.active = minute, size, recipients
        self.active[key] = minute, size, recipients

    def sent(self, key: MessageKey, minute: int, kind: str, times: int) -> None:
        """A message is sent to some of its recipients.

        kind: `sent` or `filtered`
        """
        active = self.active.get(key)
        if active is not None:
            then, size, _ = active
            if minute - then <= LONGEST_PENDING_MINUTES:
                number = size if times == 1 else min(size * times, _MOST_BYTES)
                self._sums.of(minute, key[0])[_BYTES[kind]] += number
        elif key not in self.received and (orphan := self._orphan(key)):
            orphan.sent[kind, minute] = orphan.sent.get((kind, minute), 0) + times

    def deferred(self, key: MessageKey, times: int) -> None:
        """A message is deferred for some of its recipients."""
        active = self.active.get(key)
        if active is not None:
            then, size, recipients = active
            if recipients > times:
                self.active[key] = then, size, recipients - times
            else:
                self.removed(key)
        elif key not in self.received and (orphan := self._orphan(key)):
            orphan.deferred += times

    def cancelled(self, key: MessageKey, minute: int) -> None:
        """The client of a message did not finish it."""
        begun = self.received.get(key)
        if begun is not None:
            if minute - begun[0] <= LONGEST_PENDING_MINUTES:
                self._sums.of(minute, key[0])[_ABORTED] += 1
        elif key not in self.active and (orphan := self._orphan(key)):
            orphan.cancelled = minute
        self.removed(key)

    def removed(self, key: MessageKey) -> None:
        """Nothing more comes of a message, or not before the queue manager takes it up again."""
        # only one of them can be there
        was_waiting = self.active.pop(key, None) or self.received.pop(key, None)
        if (not was_waiting or key in self.orphans) and len(self.ended) < MOST_ORPHANS:
            self.ended.add(key)

    def _orphan(self, key: MessageKey) -> Orphan | None:
        """Return a message's orphan to add to, None if it is complete or there are too many."""
        orphan = self.orphans.get(key)
        if orphan is None:
            if len(self.orphans) >= MOST_ORPHANS:
                return None  # the first ones are the likeliest to find their first half
            orphan = self.orphans[key] = Orphan()
        return None if orphan.is_complete else orphan

    def forget_some(self) -> None:
        """Forget the older half of the messages that wait, if they are too many."""
        if len(self.received) > MOST_RECEIVED:
            self.received = _newer_half(self.received)
        if len(self.active) > MOST_ACTIVE:
            self.active = _newer_half(self.active)

    def followed_by(self, later: Messages) -> None:
        """Take in the piece of log after this one."""
        for key, orphan in later.orphans.items():
            for (kind, minute), times in orphan.sent.items():
                self.sent(key, minute, kind, times)
            if orphan.deferred:
                self.deferred(key, orphan.deferred)
            if orphan.active is not None:
                self.activated(key, *orphan.active)
            if orphan.cancelled is not None:
                self.cancelled(key, orphan.cancelled)
        for key in later.ended:
            self.removed(key)
        for key, (minute, logged_in) in later.received.items():
            self.begun(key, minute, logged_in)
        for key, active in later.active.items():
            self.received.pop(key, None)
            self.active[key] = active


def _newer_half(waiting: dict[MessageKey, T]) -> dict[MessageKey, T]:
    return dict(islice(waiting.items(), len(waiting) // 2, None))
