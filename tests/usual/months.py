"""Months: what an ordinary server counts in each 5 minutes, and trouble that is put in.

Nothing in a month is trouble: a curve of the day, weekends, days that are better or worse, slow
drift, messages that come in twos and threes, and bursts of the sizes that real logs have. The same
seed makes the same month.
"""

from __future__ import annotations

from math import exp, log
from random import Random

STEP = 5  # minutes
PER_DAY = 24 * 60 // STEP
HISTORY, TEST = 28, 14  # days
SIZES = (30, 300, 3_000, 50_000)  # messages a day
SHAPES = {
    # by hours, of a working day and of one of a weekend
    "office": ("1 1 1 1 1 2 4 12 30 38 36 32 24 30 36 34 30 20 9 6 4 3 2 1", 0.15),
    "hosting": ("8 6 5 5 5 7 12 20 30 36 36 34 31 33 34 33 31 28 25 24 23 20 16 11", 0.5),
    "even": ("1 " * 24, 1.0),
}
# Bursts a day, how large half of them are, by the size of the server, and how much they differ.
_BURSTS, _SPREAD = 0.2, 0.8
_CLUMP = 1.3


class Month:
    """A server's counts.

    counts: in each STEP since a Monday's midnight
    rates:  what is expected in each, without bursts
    """

    def __init__(self, size: int, shape: str, seed: int) -> None:
        chance = Random(f"{size} {shape} {seed}")
        curve, weekend = SHAPES[shape]
        hours = [float(part) for part in curve.split()]
        whole = sum(hours) * (5 + 2 * weekend) / 7
        drift, self.rates = 0.0, []
        for step in range((HISTORY + TEST) * PER_DAY):
            day, of_day = divmod(step, PER_DAY)
            if not of_day:
                luck = chance.gauss(0, 0.1)
            drift += chance.gauss(0, 0.03) - drift / 18
            hour = of_day * len(hours) / PER_DAY
            here, there = hours[int(hour)], hours[(int(hour) + 1) % len(hours)]
            part = here + (there - here) * (hour % 1)
            level = size * part / whole / (PER_DAY / len(hours)) * (weekend if day % 7 > 4 else 1)
            self.rates.append(level * exp(luck + drift))
        self.counts = [
            sum(_clump(chance) for _ in range(poisson(chance, rate / _CLUMP)))
            if rate < 1000
            else poisson(chance, rate)
            for rate in self.rates
        ]
        for _ in range(poisson(chance, _BURSTS * (HISTORY + TEST))):
            begin, long = chance.randrange(len(self.counts) - 4), chance.choice([1, 2, 3])
            number = int(1.2 * size**0.45 * exp(chance.gauss(0, _SPREAD)))
            for step in range(begin, begin + long):
                self.counts[step] += number // long


def _clump(chance: Random) -> int:
    return 1 + int(log(1 - chance.random()) / log(1 - 1 / _CLUMP))


def poisson(chance: Random, mean: float) -> int:
    """Return how often something happened that does so many times on average."""
    if mean > 50:
        return max(0, round(chance.gauss(mean, mean**0.5)))
    limit, number, product = exp(-mean), 0, chance.random()
    while product > limit:
        number += 1
        product *= chance.random()
    return number


def with_trouble(month: Month, begin: int, steps: int, factor: float, chance: Random) -> list[int]:
    """Return the counts of a month in which so many times as much came, or nothing at all."""
    counts = list(month.counts)
    for step in range(begin, min(begin + steps, len(counts))):
        more = poisson(chance, month.rates[step] * (factor - 1)) if factor else -counts[step]
        counts[step] += more
    return counts
