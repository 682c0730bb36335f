"""Delays: how long deliveries took, as the `delay=` and `delays=` of their lines say.

The four stages are the time before the queue manager took the message up, in the active queue,
for the connection, and for the transmission. Of mail that was put off the first is its whole age.
So a delivery whose first stage is short is surely a first one, and is added to the histograms at
once. One that took long is kept with its queue ID as well; where its first stage was long, whoever
looks at it finds out whether the message had been put off before (window/delays.py).

Source: postfix/src/global/log_adhoc.c, the times; postfix/src/qmgr/qmgr_active.c, the first of
them. Nothing is tried again before minimal_backoff_time, 300 s.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from itertools import chain
from operator import add

from check_postfix.maillog.counts import cells, histogram
from check_postfix.maillog.counts.histogram import BEFORE_QUEUE, LATE, SLOW_BUCKET, WHOLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    # First minute, number of minutes
    Span = tuple[int, int]


_STARTS = [histogram.start(bucket) for bucket in range(1, histogram.MOST + 1)]
# So many different times are remembered; ordinary ones have two digits.
_MOST_KNOWN = 20_000
_ZERO = ord("0")


def bucket(seconds: float) -> int:
    """Return in which bucket of a histogram some seconds are."""
    return bisect_right(_STARTS, seconds)


def may_be_slow(times: bytes) -> bool:
    """Tell whether a delivery may have taken SLOW seconds: its delay begins with two digits."""
    return times[1] >= _ZERO


def buckets(times: bytes) -> tuple[int, ...] | None:
    """Return the buckets of a delay and its stages, as `T, delays=A/B/C/D` says; None if unclear.

    A local user can make a line that has dots only.
    """
    try:
        return tuple([bucket(float(one)) for one in _split(times)])
    except ValueError:
        return None


def is_slow(found: Sequence[int]) -> bool:
    """Tell whether a delivery with these buckets took SLOW seconds."""
    return found[WHOLE] >= SLOW_BUCKET


def is_late(found: Sequence[int]) -> bool:
    """Tell whether it had waited so long before the queue manager took it up."""
    return is_slow(found) and found[BEFORE_QUEUE] >= SLOW_BUCKET


def key_of(found: Iterable[int]) -> str:
    """Return buckets as they stand in a key."""
    return "/".join(map(str, found))


def _split(times: bytes) -> list[bytes]:
    return times.replace(b", delays=", b"/").split(b"/")


class _FirstCells(dict[int, tuple[int, ...]]):
    """Origin -> first cells of its histograms of the whole and of the stages."""

    def __missing__(self, origin: int) -> tuple[int, ...]:
        found = self[origin] = tuple([cells.first(origin, place) for place in range(LATE)])
        return found


class Delays:
    """How long the deliveries of a piece of log took.

    since, keys_since: minutes before which nothing is counted, or by quarters of an hour only

    found: (first minute, number of minutes) -> cell -> number
    """

    def __init__(self, since: int = 0, keys_since: int = 0) -> None:
        self._since = since
        self._keys_since = keys_since
        self._known: dict[bytes, int] = {}
        self._firsts = _FirstCells()
        self.found: dict[Span, Counter[int]] = {}

    def clear(self) -> None:
        """Begin anew."""
        self.found = {}
        self._firsts.clear()

    def add(self, minute: int, origin: int, found: Sequence[int], number: int) -> None:
        """Add a number of deliveries with these buckets."""
        of_span = self._of_span(minute)
        if is_late(found):
            of_span[cells.first(origin, LATE) + found[WHOLE]] += number
            return
        for first, of_bucket in zip(self._firsts[origin], found, strict=True):
            of_span[first + of_bucket] += number

    def add_quick(self, minute: int, several: Sequence[tuple[int, bytes]]) -> None:
        """Add deliveries of which none may be slow.

        several: of each its origin, and its `T, delays=A/B/C/D`
        """
        if minute < self._since:
            return
        origins, all_times = zip(*several, strict=True)
        numbers = _split(b"/".join(all_times))
        known = self._known.__getitem__
        try:
            found = list(map(known, numbers))
        except KeyError:
            if not self._learn(numbers):  # one of them is odd
                for origin, times in several:
                    if of_one := buckets(times):
                        self.add(minute, origin, of_one, 1)
                return
            found = list(map(known, numbers))
        firsts = chain.from_iterable(map(self._firsts.__getitem__, origins))
        self._of_span(minute).update(map(add, found, firsts))

    def _learn(self, numbers: Iterable[bytes]) -> bool:
        """Remember in which buckets some times are; tell whether all of them are times."""
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        try:
            new = set(numbers).difference(self._known)
            self._known.update({one: bucket(float(one)) for one in new})
        except ValueError:
            return False
        return True

    def _of_span(self, minute: int) -> Counter[int]:
        if minute < self._since:
            return Counter()
        span = (
            (minute, 1)
            if minute >= self._keys_since
            else (minute - minute % histogram.QUARTER, histogram.QUARTER)
        )
        found = self.found.get(span)
        if found is None:
            found = self.found[span] = Counter()
        return found
