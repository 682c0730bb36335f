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

Who has handed a message in gets its recipients, and those that bounce, be it at a retry. Through a
content filter a message comes again under another queue ID; what bounces then is its sender's as
well.
"""

from __future__ import annotations

from collections import namedtuple
from itertools import islice

from check_postfix.maillog.counts import senders
from check_postfix.maillog.counts.message_sums import (
    ABORTED,
    ACCEPTED,
    BYTES_DELIVERED,
    BYTES_FILTERED,
    BYTES_RECEIVED,
    RECIPIENTS_SUBMITTED,
)
from check_postfix.maillog.counts.orphan import Orphan
from check_postfix.maillog.counts.sights import Sights
from check_postfix.maillog.events.event import TRIES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Set
    from typing import Any, TypeVar

    from check_postfix.maillog.counts.message_sums import Sums
    from check_postfix.maillog.events.event import Event
    from check_postfix.maillog.events.line_template import LineTemplate

    T = TypeVar("T")
    # What it says, queue ID, minute, size, recipients, how long a delivery took, whom it names,
    # sender, other queue ID
    MessageLine = tuple["Said | LineTemplate", bytes, int, int, int, bytes, Any, str, bytes]
    # Origin, and queue ID: instances and hosts can use the same one.
    MessageKey = tuple[int, bytes]

_BYTES = {"sent": BYTES_DELIVERED, "filtered": BYTES_FILTERED}
# Of one line, however many repeats it claims: a sum must fit into the store.
_MOST_BYTES = 10**11

# So many wait at most. Receipts: more than there are smtpd processes that receive mail at
# a time. Sizes: as many messages as the queue manager has in its active queue
# (qmgr_message_active_limit).
MOST_RECEIVED = 2_000
MOST_ACTIVE = 20_000
MOST_ORPHANS = 10_000
MOST_PUT_OFF = 10_000
# Nothing waits for longer, in minutes.
LONGEST_PENDING_MINUTES = 24 * 60

# What is known of who has handed a message in: nothing; the sender, as sender.py writes it; behind
# the minute in which the queue manager took the message, and a blank, the sender; or the queue ID
# whose earlier half tells it, behind one of these signs: bounces so far are told by the lines
# before the queue manager's, or by those behind it.
_BEFORE, _AFTER = "<", "="
_LINKS = (_BEFORE, _AFTER)


def link_of(sender: str) -> bytes:
    """Return the queue ID whose earlier half tells who a sender is, nothing if it is none."""
    return sender[1:].encode("ascii") if sender.startswith(_LINKS) else b""


def minute_of(sender: str, otherwise: int) -> int:
    """Return the minute in which a message of this sender was taken up, as far as it is known."""
    return int(sender.partition(" ")[0]) if sender[:1].isdecimal() else otherwise


def own_link(key: MessageKey) -> str:
    """Return what is known of the sender of a message whose earlier half tells it."""
    return _AFTER + key[1].decode("ascii")


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


class Messages:
    """The messages of a piece of log; its lines are added in their order.

    sums:    what two halves come to is added to these
    watched: addresses that somebody has asked for by name, lower case

    received: messages that wait for the queue manager: -> (minute, whether the client
              had logged in, sender)
    active:   messages that wait for their deliveries: -> (minute, size, recipients for
              whom it is not deferred, sender if they are tried for the first time)
    put_off:  messages that wait for a retry, or are retried: -> sender
    orphans:  messages that wait for the piece before this one; of those of which one line says
              that they were sent, and nothing else is known, its minute
    ended:    messages whose end is in this piece, but not their start
    sights:   tries to deliver messages to watched addresses
    """

    __slots__ = (
        "_sums", "_watched", "active", "ended", "orphans", "put_off", "received", "sights",
    )  # fmt: skip

    def __init__(self, sums: Sums, watched: Set[bytes] = frozenset()) -> None:
        self._sums = sums
        self._watched = watched
        self.received: dict[MessageKey, tuple[int, bool, str]] = {}
        self.active: dict[MessageKey, tuple[int, int, int, str]] = {}
        self.put_off: dict[MessageKey, str] = {}
        self.orphans: dict[MessageKey, Orphan | int] = {}
        self.ended: set[MessageKey] = set()
        self.sights = Sights()

    def add(self, lines: Iterable[MessageLine]) -> None:
        """Take in what lines say, in their order."""
        active, orphans, watched = self.active, self.orphans, self._watched
        put_off = self.put_off
        for said, queue_id, minute, size, recipients, _, whom, sender, other_id in lines:
            kind = said.kind
            key = said.origin, queue_id
            if watched and kind in TRIES:
                self._watch(key, minute, whom)
            if kind == "sent":
                # Nearly half of all lines, and nearly all where one message has many recipients.
                if key in active or key in orphans or said.times != 1:
                    self.sent(key, minute, kind, said.times)
                elif len(orphans) < MOST_ORPHANS and key not in self.received:
                    orphans[key] = minute
                if other_id:
                    self.comes_again(key, other_id)
            elif kind == "active":
                self.activated(key, minute, size, recipients)
            elif kind == "removed":
                self.removed(key)
                if put_off:
                    put_off.pop(key, None)
                if watched:
                    self.sights.last.pop(key, None)
            elif kind == "received":
                if sender:
                    # Whoever writes to a watched address is looked at, stranger or not.
                    sender = sender if watched or senders.is_kept(sender) else ""
                elif other_id:
                    sender = self._sender_of((said.origin, other_id))
                self.begun(key, minute, said.logged_in, sender)
                if other_id and put_off:
                    self._hand_on_sender((said.origin, other_id), key)
            elif kind == "filtered":
                self.sent(key, minute, kind, said.times)
                if other_id:
                    self.comes_again(key, other_id)
            elif kind == "bounced":
                self.bounced(key, said.times)
            elif kind in ("deferred", "softbounce"):
                self.deferred(key, said.times)
            elif kind == "cancelled":
                self.cancelled(key, minute)

    def begun(self, key: MessageKey, minute: int, logged_in: bool, sender: str = "") -> None:
        """A message is received: a new one, whatever its queue ID stood for before."""
        self.active.pop(key, None)
        self.put_off.pop(key, None)
        self.received.pop(key, None)  # the newest stand last
        self.received[key] = minute, logged_in, sender

    def _sender_of(self, key: MessageKey) -> str:
        """Return who has handed in a message that comes again."""
        active = self.active.get(key)
        if active is not None:
            return active[3]
        return "" if key in self.received else _BEFORE + key[1].decode("ascii")

    def _hand_on_sender(self, key: MessageKey, again: MessageKey) -> None:
        """A message that was put off comes again: what bounces then is its sender's as well."""
        sender = self.put_off.get(key)
        if sender and not self._sender_of(again):
            self.put_off[again] = sender

    def comes_again(self, key: MessageKey, queue_id: bytes) -> None:
        """A content filter says under which queue ID a message comes again.

        That has been received just before. Only if that stands in a piece not read yet, its
        bounces are nobody's.
        """
        again = key[0], queue_id
        sender = self._sender_of(key)
        if again in self.active:
            self.active[again] = *self.active[again][:3], sender
        elif again in self.received:
            self.received[again] = *self.received[again][:2], sender
        if self.put_off:
            self._hand_on_sender(key, again)

    def activated(self, key: MessageKey, minute: int, size: int, recipients: int) -> None:
        """The queue manager takes a message up, for the first time or again."""
        begun = self.received.pop(key, None)
        sender = ""
        if begun is not None:
            then, logged_in, sender = begun
            if minute - then <= LONGEST_PENDING_MINUTES:
                numbers = self._sums.of(minute, key[0])
                numbers[ACCEPTED] += 1
                numbers[BYTES_RECEIVED] += size
                if logged_in:
                    numbers[RECIPIENTS_SUBMITTED] += recipients
                if sender[:1] == "b":
                    self._sums.add_of_sender(minute, key[0], senders.RECIPIENTS, sender, recipients)
            if sender[:1] == "b":
                sender = f"{minute} {sender}"
        elif before := self.active.pop(key, None):
            if before[3]:
                self.put_off.setdefault(key, before[3])
        elif key not in self.put_off and key not in self.ended and (orphan := self._orphan(key)):
            orphan.active = minute, size, recipients
            sender = own_link(key)
        self.active[key] = minute, size, recipients, sender

    def sent(self, key: MessageKey, minute: int, kind: str, times: int) -> None:
        """A message is sent to some of its recipients.

        kind: `sent` or `filtered`
        """
        active = self.active.get(key)
        if active is not None:
            then, size, *_ = active
            if minute - then <= LONGEST_PENDING_MINUTES:
                number = size if times == 1 else min(size * times, _MOST_BYTES)
                self._sums.of(minute, key[0])[_BYTES[kind]] += number
        elif key not in self.received and (orphan := self._orphan(key)):
            orphan.sent[kind, minute] = orphan.sent.get((kind, minute), 0) + times

    def deferred(self, key: MessageKey, times: int) -> None:
        """A message is deferred for some of its recipients."""
        active = self.active.get(key)
        if active is not None:
            then, size, recipients, sender = active
            if recipients > times:
                self.active[key] = then, size, recipients - times, sender
            else:
                self.removed(key)
                if sender:
                    self.put_off.setdefault(key, sender)
        elif key not in self.received and (orphan := self._orphan(key)):
            orphan.deferred += times

    def bounced(self, key: MessageKey, times: int) -> None:
        """A message bounces for some of its recipients."""
        if key in self.active or key in self.put_off:
            self._bounced_of(key[0], self._owner(key), times)
        elif key not in self.received and (orphan := self._orphan(key)):
            orphan.bounced[0] += times

    def _owner(self, key: MessageKey) -> str:
        """Return who has handed in a message, whether or not it is retried."""
        active = self.active.get(key)
        return (active[3] if active else "") or self.put_off.get(key, "")

    def _bounced_of(self, origin: int, sender: str, times: int) -> None:
        """Recipients of a sender's message bounce."""
        if not sender:
            return
        if sender.startswith(_LINKS):
            key = origin, link_of(sender)
            orphan = self._orphan(key, or_complete=True)
            if orphan:
                orphan.bounced[sender[0] == _AFTER] += times
            return
        minute, _, who = sender.partition(" ")
        self._sums.add_of_sender(int(minute), origin, senders.BOUNCED, who, times)

    def _watch(self, key: MessageKey, minute: int, whom: tuple[bytes, bytes, bytes]) -> None:
        """A message is tried to be delivered to somebody, maybe to a watched address.

        whom: the recipient, and whom it was for before aliases, behind something else
        """
        for written in whom[1:]:
            address = written.removesuffix(b">").lower()
            if address in self._watched:
                name = address.decode("utf-8", "replace")
                self.tried(key, minute, name)
                if self.sights.add(key, name, minute, self._may_be_older(key)):
                    self._sums.watched[minute, key[0], name] += 1

    def _may_be_older(self, key: MessageKey) -> bool:
        """Tell whether a message may have begun before this piece."""
        return key in self.orphans and (key not in self.ended or self.goes_on(key))

    def tried(self, key: MessageKey, minute: int, address: str) -> None:
        """A message is tried to be delivered to a watched address."""
        active = self.active.get(key)
        if active is not None:
            self._tried_of(key[0], active[3], minute, address)
        elif key not in self.received and (orphan := self._orphan(key)):
            orphan.tried.add((minute, address, False))

    def _tried_of(self, origin: int, sender: str, minute: int, address: str) -> None:
        """A sender's message is tried to be delivered to a watched address."""
        if not sender:
            return
        if sender.startswith(_LINKS):
            key = origin, link_of(sender)
            if orphan := self._orphan(key, or_complete=True):
                orphan.tried.add((minute, address, sender[0] == _AFTER))
            return
        self._sums.came_from[minute, origin, address, sender.partition(" ")[2]] += 1

    def cancelled(self, key: MessageKey, minute: int) -> None:
        """The client of a message did not finish it."""
        begun = self.received.get(key)
        if begun is not None:
            if minute - begun[0] <= LONGEST_PENDING_MINUTES:
                self._sums.of(minute, key[0])[ABORTED] += 1
        elif key not in self.active and (orphan := self._orphan(key)):
            orphan.cancelled = minute
        self.removed(key)

    def removed(self, key: MessageKey) -> None:
        """Nothing more comes of a message, or not before the queue manager takes it up again."""
        # only one of them can be there
        was_waiting = self.active.pop(key, None) or self.received.pop(key, None)
        if (not was_waiting or key in self.orphans) and len(self.ended) < MOST_ORPHANS:
            self.ended.add(key)

    def _orphan(self, key: MessageKey, or_complete: bool = False) -> Orphan | None:
        """Return a message's orphan to add to, None if there are too many.

        or_complete: whether also one to which no line that follows belongs
        """
        found = self.orphans.get(key)
        if isinstance(found, Orphan):
            return None if found.is_complete and not or_complete else found
        if found is None and len(self.orphans) >= MOST_ORPHANS:
            return None  # the first ones are the likeliest to find their first half
        orphan = self.orphans[key] = Orphan()
        if found is not None:
            orphan.sent["sent", found] = 1
        return orphan

    def forget_some(self) -> None:
        """Forget the older half of the messages that wait, if they are too many."""
        if len(self.received) > MOST_RECEIVED:
            self.received = _newer_half(self.received)
        if len(self.active) > MOST_ACTIVE:
            self.active = _newer_half(self.active)
        if len(self.put_off) > MOST_PUT_OFF:
            self.put_off = _newer_half(self.put_off)
        self.sights.forget_some()

    def followed_by(self, later: Messages) -> None:
        """Take in the piece of log after this one."""
        links = later.links()
        told = {link: self._told(*link) for link in links if link[1][0] == _BEFORE}
        for key, orphan in later.orphans.items():
            if not isinstance(orphan, int):
                self._follow(key, orphan)
            elif key in self.active or key in self.orphans:
                self.sent(key, orphan, "sent", 1)
            elif len(self.orphans) < MOST_ORPHANS and key not in self.received:
                self.orphans[key] = orphan
        told |= {link: self._told(*link) for link in links if link[1][0] == _AFTER}
        self._follow_to_end(later)
        self._wait_as(later, told)

    def _follow(self, key: MessageKey, orphan: Orphan) -> None:
        """Bring an orphan of the piece after this one together with its message."""
        before, after = orphan.bounced
        if before:
            self.bounced(key, before)
        for minute, address, is_after in orphan.tried:
            if not is_after:
                self.tried(key, minute, address)
        for (kind, minute), times in orphan.sent.items():
            self.sent(key, minute, kind, times)
        if orphan.deferred:
            self.deferred(key, orphan.deferred)
        if orphan.active is not None:
            self.activated(key, *orphan.active)
            if after:
                self._bounced_of(key[0], self._owner(key), after)
            for minute, address, is_after in orphan.tried:
                if is_after:
                    self._tried_of(key[0], self.active[key][3], minute, address)
        if orphan.cancelled is not None:
            self.cancelled(key, orphan.cancelled)

    def _follow_to_end(self, later: Messages) -> None:
        """Take back what was counted of watched addresses before, and forget what has ended."""
        sights, put_off = self.sights, self.put_off
        for key, address, minute in sights.taken_back(later.sights, self._may_be_older):
            self._sums.watched[minute, key[0], address] -= 1
        for key in later.ended:
            self.removed(key)
            if (key in put_off or key in sights.last) and not later.goes_on(key):
                put_off.pop(key, None)
                sights.last.pop(key, None)
        sights.followed_by(later.sights)

    def _wait_as(self, later: Messages, told: Mapping[tuple[int, str], tuple[str, str]]) -> None:
        """Let messages wait as they do at the end of the piece after this one.

        told: what this piece tells of who its links stand for, as `_told` returns it
        """
        for key, (minute, logged_in, sender) in later.received.items():
            by, again = told.get((key[0], sender), (sender, ""))
            self.begun(key, minute, logged_in, by)
            if again:
                self.put_off[key] = again
        for key, (minute, size, recipients, sender) in later.active.items():
            self.received.pop(key, None)
            by, again = told.get((key[0], sender), (sender, ""))
            self.active[key] = minute, size, recipients, by
            if again:
                self.put_off[key] = again
        for key, sender in later.put_off.items():
            first, again = told.get((key[0], sender), (sender, ""))
            if by := first or again:
                self.put_off[key] = by

    def links(self) -> set[tuple[int, str]]:
        """Return the links to earlier halves, each with its origin."""
        waiting = [
            (key[0], sender)
            for messages in (self.received, self.active)
            for key, (*_, sender) in messages.items()
        ]
        waiting += [(key[0], sender) for key, sender in self.put_off.items()]
        return {link for link in waiting if link[1].startswith(_LINKS)}

    def goes_on(self, key: MessageKey) -> bool:
        """Tell whether a message that was there before this piece is still in the queue."""
        link = own_link(key)
        active = self.active.get(key)
        return self.put_off.get(key) == link or (active is not None and active[3] == link)

    def _told(self, origin: int, link: str) -> tuple[str, str]:
        """Return what this piece tells of who a link stands for.

        Returns: the sender if it is tried for the first time, else the link where nothing is
                 told; and the sender if it is retried
        """
        key = origin, link_of(link)
        active = self.active.get(key)
        again = self.put_off.get(key, "")
        if active is not None:
            return active[3], "" if active[3] else again
        return "" if again or key in self.received else link, again


def _newer_half(waiting: dict[MessageKey, T]) -> dict[MessageKey, T]:
    return dict(islice(waiting.items(), len(waiting) // 2, None))
