"""Waits: what waits in the queue, by sender, relay and reason besides what a listing sums up.

Whatever the size of the queue, this fits into some tens of megabytes.
"""

from __future__ import annotations

from check_postfix.mailqueue import reason
from check_postfix.mailqueue.listing import OTHERS, Listing, domain
from check_postfix.mailqueue.seen import Seen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from check_postfix.mailqueue.listing import QueuedMessage

# So many senders, relays, reasons and domains are kept apart: the first ones. The others are
# summed.
MOST_APART = 10_000
# The next attempt is looked up of so many deferred messages, the first ones.
MOST_LOOKED_UP = 100_000
NO_REASON = "not tried yet, or being tried now"
ON_HOLD = "on hold, nobody tries it"
NO_RELAY = "none"


class Group:
    """Messages that have something in common.

    messages, size: how many, and their size in bytes
    oldest:  age of the oldest, in seconds
    example: queue ID of the oldest
    words:   why the oldest waits, in Postfix's words
    next:    when the first of them is tried again, about, in seconds since 1970; None where
             that is not known
    """

    __slots__ = ("example", "messages", "next", "oldest", "size", "words")

    def __init__(self) -> None:
        self.messages = 0
        self.size = 0
        self.oldest = -1
        self.example = self.words = ""
        self.next: float | None = None

    def add(self, message: QueuedMessage, age: int) -> None:
        """Count a message of this age, in seconds."""
        self.messages += 1
        self.size += message.size
        if age > self.oldest:
            self.oldest = age
            self.example = message.queue_id
            self.words = message.reason


class Waits(Listing):
    """What waits.

    by: `sender`, `relay`, `reason` or `domain` -> value -> Group; the value OTHERS is that of
        all that are not kept apart
    deferred: (instance, queue ID) -> (arrival, the names of its groups) of the deferred messages
        of which it is looked up when they are tried next
    """

    __slots__ = ("_queues", "by", "deferred")

    def __init__(self, now: float, queues: Sequence[str]) -> None:
        """Begin without a message.

        now:    epoch seconds
        queues: whose messages are grouped; all are counted
        """
        self.by: dict[str, dict[str, Group]] = {
            name: {} for name in ("sender", "relay", "reason", "domain")
        }
        self.deferred: dict[tuple[str, str], tuple[int, list[Group]]] = {}
        self._queues = frozenset(queues)
        super().__init__((), now)

    def take(self, messages: Iterable[QueuedMessage], instance: str = "") -> None:
        """Count the messages of an instance, in the order of their listing."""
        super().take(self._noted(messages, instance), instance)

    def _noted(self, messages: Iterable[QueuedMessage], instance: str) -> Iterator[QueuedMessage]:
        seen = Seen()
        for message in messages:
            if not seen.add(message.queue_id):
                continue
            if message.queue in self._queues:
                self._note(message, instance)
            yield message

    def _note(self, message: QueuedMessage, instance: str) -> None:
        why = reason.general(message.reason) if message.reason else ""
        domains = dict.fromkeys(map(domain, message.recipients))
        values = (
            ("sender", message.sender or "MAILER-DAEMON"),
            ("relay", reason.relay(message.reason) or NO_RELAY),
            ("reason", why or (ON_HOLD if message.queue == "hold" else NO_REASON)),
            *(("domain", name) for name in domains),
        )
        age = max(0, self.now - message.arrival)
        groups = []
        for name, value in values:
            group = self._group(self.by[name], value)
            group.add(message, age)
            groups.append(group)
        if message.queue == "deferred" and len(self.deferred) < MOST_LOOKED_UP:
            self.deferred[instance, message.queue_id] = message.arrival, groups

    @staticmethod
    def _group(groups: dict[str, Group], value: str) -> Group:
        if value not in groups:
            if len(groups) >= MOST_APART:
                value = OTHERS
            if value not in groups:
                groups[value] = Group()
        return groups[value]

    def plan(self, next_times: dict[tuple[str, str], float]) -> None:
        """Let groups know when the first of their messages is tried again.

        next_times: (instance, queue ID) -> seconds since 1970, about
        """
        for key, time in next_times.items():
            for group in self.deferred[key][1]:
                if group.next is None or time < group.next:
                    group.next = time
