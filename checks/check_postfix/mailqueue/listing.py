"""A listing: the messages that were in the mail queue when postqueue looked."""

from __future__ import annotations

from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# The queues that showq lists, in its order (postfix/src/showq/showq.c); it never lists "corrupt".
QUEUES = ("maildrop", "active", "incoming", "deferred", "hold")


class Message(namedtuple("Message", "queue queue_id arrival size forced_expire recipients")):
    """One message in the queue.

    queue:          a name of QUEUES
    queue_id:       short or long; unique among the queues of one Postfix instance
    arrival:        epoch seconds
    size:           of the content, in bytes
    forced_expire:  `postsuper -e` or -f was used on it (never seen with Postfix before 3.5)
    recipients:     addresses still to be served, as Postfix quotes them; there may be none

    The sender and the reasons for delay are left out: nothing here asks for them, and in a
    large queue they would be most of the memory.
    """

    __slots__ = ()

    queue: str
    queue_id: str
    arrival: int
    size: int
    forced_expire: bool
    recipients: tuple[str, ...]


class Listing:
    """What was in the queue, each message once.

    It is no snapshot: postqueue walks from queue to queue while Postfix moves messages.
    One that was met twice is taken where it was met last; one that moved the other way is missed.
    """

    __slots__ = ("messages",)

    messages: tuple[Message, ...]

    def __init__(self, messages: Iterable[Message]) -> None:
        """Take the messages in the order of the listing, and drop those that were met again."""
        self.messages = tuple({message.queue_id: message for message in messages}.values())

    def within(self, queues: Iterable[str]) -> Iterator[Message]:
        """Yield the messages of these queues."""
        count_matching = frozenset(queues)
        return (message for message in self.messages if message.queue in count_matching)

    def count(self) -> int:
        """Return the number of messages in all queues."""
        return len(self.messages)

    def counts(self) -> dict[str, int]:
        """Return the number of messages by queue: all of QUEUES, and any other that was named."""
        counts = dict.fromkeys(QUEUES, 0)
        for message in self.messages:
            counts[message.queue] = counts.get(message.queue, 0) + 1
        return counts

    def size(self) -> int:
        """Return the size of all messages, in bytes."""
        return sum(message.size for message in self.messages)

    def oldest_age(self, now: float, queues: Iterable[str]) -> int:
        """Return the age of the oldest message in these queues, in whole seconds.

        It is 0 when there is none, and when the clock was set back after the message came.
        """
        return max((age(message, now) for message in self.within(queues)), default=0)


def age(message: Message, now: float) -> int:
    """Return for how many whole seconds a message has been here: never less than 0."""
    # Postfix keeps whole seconds, and qshape counts in them: so is the present cut too.
    return max(0, int(now) - message.arrival)
