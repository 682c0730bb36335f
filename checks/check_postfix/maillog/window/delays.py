"""Delays: how long the first deliveries of a window took, and apart from them the retries.

The first stage of a delivery is the whole age of mail that had been put off, so during trouble it
would look well, and when that is over it would alarm. So a delivery that had waited for SLOW
seconds before the queue manager took it up is a first one only if no earlier line puts its message
off, or holds it, back to the time at which it came in. Messages are joined by their queue IDs,
which are kept as long as keys are. Where that is not known it is left open, and is said.
"""

from __future__ import annotations

from bisect import bisect_left

from check_postfix.maillog.counts import histogram
from check_postfix.maillog.counts.families import MANY
from check_postfix.maillog.counts.histogram import BEFORE_QUEUE, LATE, SLOW_BUCKET, WHOLE
from check_postfix.maillog.source.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from check_postfix.maillog.counts.histogram import Histogram

    # Minute, origin, key, number
    Rows = Iterator[tuple[int, int, tuple[str, ...], int]]
    # From a family and two minutes to its rows
    Read = Callable[[str, int, int], Rows]

# No message is looked for longer than this, in minutes; a retry follows maximal_backoff_time
# (4000 s) after what put it off.
_LONGEST = 24 * 60
# Seconds. Between what put a message off and the try that follows lie 300 or more, and half a
# minute or so is not known of either time.
_BETWEEN = 150


class Slow(Value):
    """Some deliveries of one message that took long and are first ones.

    domain, relay: to which domain, by way of which relay; MANY if that is not known
    buckets: of the histograms: the whole delay, and its four stages
    number:  how many
    """

    domain: str = ""
    relay: str = ""
    buckets: tuple[int, ...] = ()
    number: int = 0


class Delays(Value):
    """How long the deliveries of a window took.

    first:   place -> histogram of the first deliveries: of the whole delay and the four stages
    slow:    first deliveries that took SLOW seconds and more, as far as they are kept apart
    retried: histogram of the whole age of what had been put off before
    open:    how many deliveries may be first ones or not
    """

    first: Mapping[int, Histogram] = {}
    slow: Iterable[Slow] = ()
    retried: Histogram = {}
    open: int = 0

    @property
    def number(self) -> int:
        """How many first deliveries there were."""
        return sum(self.first.get(WHOLE, {}).values())


class _Late:
    """A delivery of which it is open whether it is a first one.

    came, taken_up: seconds since 1970 at which its message came in, and the queue manager took it
                    up for this try
    """

    __slots__ = ("came", "slow", "taken_up")

    def __init__(self, minute: int, slow: Slow) -> None:
        whole, _, *in_queue = map(histogram.seconds, slow.buckets)
        self.slow = slow
        # The middle of a minute is the nearest to what is known.
        self.came = minute * 60 + 30 - whole * 1.02 - 60
        self.taken_up = minute * 60 + 30 - sum(in_queue)


def delays(
    counted: Mapping[int, Histogram],
    start: int,
    end: int,
    known_since: int,
    read: Read,
) -> Delays:
    """Return how long the deliveries of a window took.

    counted:     the histograms of the window
    start, end:  its minutes
    known_since: minute from which on all lines are read and keys are kept
    read:        the rows of a family, the newest hours first
    """
    first = {place: dict(numbers) for place, numbers in counted.items() if place != LATE}
    late = counted.get(LATE, {})
    named: list[Slow] = []
    asked: dict[tuple[int, str], list[_Late]] = {}
    for minute, origin, (queue_id, domain, relay, times), number in read("slow", start, end):
        if times == MANY:
            continue
        slow = Slow(domain, relay, tuple(map(int, times.split("/"))), number)
        if slow.buckets[BEFORE_QUEUE] >= SLOW_BUCKET:
            asked.setdefault((origin, queue_id), []).append(_Late(minute, slow))
        else:
            named.append(slow)
    unsettled = sum(late.values())
    retried: Histogram = {}
    if asked:
        found, again = _settled(asked, start, end, known_since, read)
        for slow in found:
            for place, bucket in enumerate(slow.buckets):
                histogram.add(first.setdefault(place, {}), {bucket: slow.number})
        for slow in again:
            histogram.add(retried, {slow.buckets[WHOLE]: slow.number})
        named += found
        unsettled -= sum(slow.number for slow in found) + sum(retried.values())
    return Delays(first, named, retried, max(0, unsettled))


def _settled(
    asked: Mapping[tuple[int, str], list[_Late]],
    start: int,
    end: int,
    known_since: int,
    read: Read,
) -> tuple[list[Slow], list[Slow]]:
    """Return those that are first deliveries, and those that are not; what is open is in neither.

    asked: (origin, queue ID) -> deliveries
    """
    left = {message: list(several) for message, several in asked.items()}
    again: list[Slow] = []
    oldest = start - _LONGEST
    unknown_at: list[int] = []  # minutes in which some messages are not kept apart
    start = end
    reached = end
    while left and reached > oldest and reached * 60 > min(_came(left)):
        # An hour at a time, as they are kept: mostly one or two have the answer.
        reached, before = max(oldest, (reached - 1) // 60 * 60), reached
        for minute, origin, (queue_id, _), _ in read("deferred_messages", reached, before):
            if queue_id == MANY:
                unknown_at.append(minute)
                continue
            message = origin, queue_id
            if message not in left:
                continue
            then = minute * 60 + 30
            waiting = []
            for late in left[message]:
                if late.came <= then <= late.taken_up - _BETWEEN:
                    again.append(late.slow)
                else:
                    waiting.append(late)
            if waiting:
                left[message] = waiting
            else:
                del left[message]
    unknown_at.sort()
    found = []
    for several in left.values():
        for late in several:
            first_unknown = bisect_left(unknown_at, late.came // 60)
            is_known = late.came >= max(oldest, known_since) * 60 and (
                first_unknown == len(unknown_at) or unknown_at[first_unknown] * 60 > late.taken_up
            )
            if is_known:
                found.append(late.slow)
    return found, again


def _came(left: Mapping[tuple[int, str], list[_Late]]) -> Iterator[float]:
    return (late.came for several in left.values() for late in several)
