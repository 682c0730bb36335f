"""Histograms of seconds: numbers by bucket, of which the sums are kept and not each value.

A bucket reaches from some seconds to 1.02 times that. So histograms of any minutes and hosts can
be added up, and a percentile of the sum is within 2 % of the exact one. Bucket 0 is no time at all.
Postfix writes two digits of a time, which mostly stay as they are.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    # Bucket -> number
    Histogram = dict[int, int]

GROWTH = 1.02
# In seconds. Of a delivery that took so long it is kept whose it was; of one that had waited so
# long before the queue manager took it up, it is asked whether it had been put off. Bucket
# SLOW_BUCKET begins there, and so those of all other seconds are given. What is less than a
# microsecond, which Postfix never writes (delay_logging_resolution_limit), is no time; what is
# longer than 11 days is in the last bucket.
SLOW = 10
SLOW_BUCKET = 815
MOST = 1396
# Places of histograms: of the whole delay, of the four stages, and of the whole delay of those
# that had waited long, of which it is open whether they are first ones.
WHOLE, BEFORE_QUEUE, QUEUE, CONNECTION, TRANSMISSION, LATE = range(6)
STAGES = {
    "before-queue": BEFORE_QUEUE,
    "queue": QUEUE,
    "connection": CONNECTION,
    "transmission": TRANSMISSION,
}
# Minutes that are added up where keys are not kept any more.
QUARTER = 15
# Digits that are shown, if as few tell in which bucket it is.
_DIGITS = 1, 2, 3


def start(bucket: int) -> float:
    """Return the least of the seconds that are in a bucket; the next one's are not."""
    return SLOW * GROWTH ** (bucket - SLOW_BUCKET)


def seconds(bucket: int) -> float:
    """Return a number of few digits that is in a bucket."""
    if not bucket:
        return 0.0
    least, most = start(bucket), start(bucket + 1)
    shown = [float(f"{(least + most) / 2:.{digits}g}") for digits in _DIGITS]
    return next((one for one in shown if least <= one < most), shown[-1])


def percentile(histogram: Mapping[int, int], percent: int) -> float | None:
    """Return the least of these seconds that so many percent of all do not exceed.

    None if there are none
    """
    # As an integer: a product of fractions may be just above a whole number.
    rank = -(-sum(histogram.values()) * percent // 100)
    for bucket in sorted(histogram):
        rank -= histogram[bucket]
        if rank <= 0:
            return seconds(bucket)
    return None


def add(histogram: Histogram, other: Mapping[int, int]) -> None:
    """Add the numbers of another histogram to one."""
    for bucket, number in other.items():
        histogram[bucket] = histogram.get(bucket, 0) + number
