"""A listing: what was in the mail queue when postqueue looked, in sums.

Whatever the size of the queue, the sums fit into a few megabytes: no message is kept.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import namedtuple

from check_postfix.mailqueue.reason import general
from check_postfix.mailqueue.seen import Seen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# The queues that showq lists, in its order (postfix/src/showq/showq.c); it never lists "corrupt".
QUEUES = ("maildrop", "active", "incoming", "deferred", "hold")
# Mail in these is on its way; in the others it may rightly wait for days.
ON_ITS_WAY = ("incoming", "active")

# The lower end of each age but the first, which starts at 0, in minutes: qshape's.
LIMITS = (5, 10, 20, 40, 80, 160, 320, 640, 1280)
LIMITS_IN_SECONDS = tuple(60 * limit for limit in LIMITS)

# So many domains and reasons of each queue are kept apart: the first ones. The others are summed.
MOST_DOMAINS = 10_000
MOST_REASONS = 1_000
# The reasons of so many messages of a queue are looked at, and then one in SAMPLE stands for
# as many: that takes as long as all the rest.
ALL_REASONS = 10_000
SAMPLE = 10
# What stands for the others. No address holds a NUL.
OTHERS = "\0"
# So many queue IDs are kept of the mail that is on its way; Postfix takes up 20,000 at a time.
MOST_ON_ITS_WAY = 50_000

# Perl's lc() of bytes leaves what is not ASCII as it is.
ASCII_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


class QueuedMessage(
    namedtuple(
        "QueuedMessage",
        "queue queue_id arrival size forced_expire recipients reason sender",
        defaults=("", ""),
    )
):
    """One message in the queue.

    queue:          a name of QUEUES
    queue_id:       short or long; unique among the queues of one Postfix instance
    arrival:        epoch seconds
    size:           of the content, in bytes
    forced_expire:  `postsuper -e` or -f was used on it (never seen with Postfix before 3.5)
    recipients:     addresses still to be served, as Postfix quotes them; there may be none
    reason:         why the first of them that was tried is not served yet, in Postfix's words;
                    nothing where none was tried, and while a message is tried again
    sender:         its envelope address; MAILER-DAEMON where that is empty
    """

    __slots__ = ()

    queue: str
    queue_id: str
    arrival: int
    size: int
    forced_expire: bool
    recipients: tuple[str, ...]
    reason: str
    sender: str


class Waiting:
    """The recipients of one domain in one queue.

    recipients: still to be served
    oldest:     age of the oldest message for it, in seconds
    first:      likewise, of the messages that name it before any other domain
    by_age:     recipients by age of their message: up to 5, 10, 20 ... 1280 minutes, and older;
                without those of messages that `postsuper -e` or -f has marked
    """

    __slots__ = ("by_age", "first", "oldest", "recipients")

    def __init__(self) -> None:
        self.recipients = 0
        self.oldest = 0
        self.first = -1
        self.by_age = [0] * (len(LIMITS) + 1)


class QueueSums:
    """What is in one queue.

    messages, size: how many, and their size in bytes
    oldest:         age of the oldest message, in seconds; 0 where there is none
    domains:        domain -> Waiting, with OTHERS
    reasons:        reason without particulars -> messages, with OTHERS; in a large queue
                    an estimate
    """

    __slots__ = ("domains", "messages", "oldest", "reasons", "size")

    def __init__(self) -> None:
        self.messages = 0
        self.size = 0
        self.oldest = 0
        self.domains: dict[str, Waiting] = {}
        self.reasons: dict[str, int] = {}

    def add(self, message: QueuedMessage, age: int) -> None:
        """Count a message of this age, in seconds."""
        self.messages += 1
        self.size += message.size
        if age > self.oldest:
            self.oldest = age
        if message.reason and (self.messages <= ALL_REASONS or not self.messages % SAMPLE):
            reason = general(message.reason)
            if reason not in self.reasons and len(self.reasons) >= MOST_REASONS:
                reason = OTHERS
            weight = 1 if self.messages <= ALL_REASONS else SAMPLE
            self.reasons[reason] = self.reasons.get(reason, 0) + weight
        bucket = bisect_right(LIMITS_IN_SECONDS, age)
        waiting = None
        for recipient in message.recipients:
            is_first = waiting is None
            name = domain(recipient)
            waiting = self.domains.get(name)
            if waiting is None:
                if len(self.domains) >= MOST_DOMAINS:
                    name = OTHERS
                    waiting = self.domains.get(OTHERS)
                if waiting is None:
                    waiting = self.domains[name] = Waiting()
            waiting.recipients += 1
            if age > waiting.oldest:
                waiting.oldest = age
            if is_first and age > waiting.first:
                waiting.first = age
            if not message.forced_expire:
                waiting.by_age[bucket] += 1


class Listing:
    """What was in the queue, each message once.

    It is no snapshot: postqueue walks from queue to queue while Postfix moves messages.
    One that was met twice is taken where it was met first; one that moved the other way is missed.

    now:        epoch seconds
    queues:     queue -> QueueSums, of those that have mail
    on_its_way: (instance, queue ID) -> (queue, arrival) of the first 50,000 messages in incoming
                and active
    by_instance: instance -> messages
    complete:   whether that is the whole queue
    """

    __slots__ = ("by_instance", "complete", "now", "on_its_way", "queues")

    def __init__(self, messages: Iterable[QueuedMessage], now: float) -> None:
        self.now = int(now)
        self.queues: dict[str, QueueSums] = {}
        self.on_its_way: dict[tuple[str, str], tuple[str, int]] = {}
        self.by_instance: dict[str, int] = {}
        self.complete = True
        # An instance that was not asked has not said that it has none.
        if messages:
            self.take(messages)

    def take(self, messages: Iterable[QueuedMessage], instance: str = "") -> None:
        """Count the messages of an instance, in the order of their listing."""
        seen = Seen()
        self.by_instance.setdefault(instance, 0)
        for message in messages:
            if not seen.add(message.queue_id):
                continue
            self.by_instance[instance] += 1
            queue = message.queue
            sums = self.queues.get(queue)
            if sums is None:
                sums = self.queues[queue] = QueueSums()
            # Postfix keeps whole seconds, and qshape counts in them: so is the present cut too.
            sums.add(message, max(0, self.now - message.arrival))
            if queue in ON_ITS_WAY and len(self.on_its_way) < MOST_ON_ITS_WAY:
                self.on_its_way[instance, message.queue_id] = queue, message.arrival

    def within(self, queues: Iterable[str]) -> Iterator[QueueSums]:
        """Yield the sums of those of these queues that have mail."""
        return (self.queues[name] for name in dict.fromkeys(queues) if name in self.queues)

    def count(self) -> int:
        """Return the number of messages in all queues."""
        return sum(sums.messages for sums in self.queues.values())

    def counts(self) -> dict[str, int]:
        """Return the number of messages by queue: all of QUEUES, and any other that was named."""
        return dict.fromkeys(QUEUES, 0) | {
            name: sums.messages for name, sums in self.queues.items()
        }

    def size(self) -> int:
        """Return the size of all messages, in bytes."""
        return sum(sums.size for sums in self.queues.values())

    def oldest_age(self, queues: Iterable[str]) -> int:
        """Return the age of the oldest message in these queues, in whole seconds.

        It is 0 when there is none, and when the clock was set back after the message came.
        """
        return max((sums.oldest for sums in self.within(queues)), default=0)

    def age_of_many(self, queue: str, domains: int) -> int:
        """Return the age that mail for so many domains in a queue has reached, in seconds.

        It is 0 when mail for fewer domains waits there. A message counts for the first of
        its domains only, so that these are as many messages.
        """
        ages = sorted(
            waiting.first
            for sums in self.within([queue])
            for waiting in sums.domains.values()
            if waiting.first >= 0
        )
        return ages[-domains] if len(ages) >= domains else 0


def domain(address: str) -> str:
    """Return what qshape counts an address under: its domain, or all of it where it has none."""
    name = address.lower() if address.isascii() else address.translate(ASCII_LOWER)
    name = name or "MAILER-DAEMON"
    name = name.rpartition("@")[2].replace("..", ".")
    # One outer dot goes, at each end, but never the last character.
    if len(name) > 1:
        name = name.removeprefix(".")
    if len(name) > 1:
        name = name.removesuffix(".")
    return name
