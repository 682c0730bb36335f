"""How often the usual level alarms without cause, and what it finds.

    python -m tests.usual.score --months 20

A check each 5 minutes; Icinga tells of what is not OK three times in a row.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from check_postfix.maillog.window.usual import DAYS, LASTING, Range, Recent, Usual, judge
from check_postfix.volume import CHECK
from tests.support.builders import options
from tests.usual.months import HISTORY, PER_DAY, SHAPES, SIZES, STEP, Month, with_trouble

QUARTER = 15 // STEP
TRIES = 3
# What is put in: factor, steps
SPIKE, STOP = (5.0, 15 // STEP), (0.0, 60 // STEP)


class Score(NamedTuple):
    """Alarms without cause in a month's time, CRITICAL ones among them, and what was found.

    spikes, stops: whether each was found, of those where 30 are expected in 15 minutes
    """

    alarms: float
    critical: float
    spikes: list[bool]
    stops: list[bool]


class Server:
    """What the check says of a server at each step, by thresholds as they are by default."""

    def __init__(self, month: Month) -> None:
        self._month = month
        self._ranges: dict[int, Range] = {}
        self._days: dict[int, Usual] = {}
        given = options(CHECK)
        self._limits = [
            (getattr(given, f"{state}{suffix}"), suffix)
            for suffix in ("", "_silence_factor")
            for state in ("warning", "critical")
        ]

    def state(self, end: int, counts: Sequence[int]) -> int:
        """Return the exit code of a check that ends at a step.

        counts: as the month's, but for trouble of this day
        """
        usual = self._range(end - QUARTER // 2 - 1)
        spans = max(LASTING, usual.spans)
        quarters = [sum(counts[end - (n + 1) * QUARTER : end - n * QUARTER]) for n in range(spans)]
        silent = 0
        while silent < end and not counts[end - 1 - silent]:
            silent += 1
        verdict = judge(Recent(quarters, silent * STEP), usual)
        values = {"": verdict.factor, "_silence_factor": verdict.silence}
        failed = [not limit.match(values[suffix]) for limit, suffix in self._limits]
        return 2 if failed[1] or failed[3] else int(failed[0] or failed[2])

    def _range(self, step: int) -> Range:
        quarter = step // QUARTER
        if quarter not in self._ranges:
            day, of_day = divmod(quarter, PER_DAY // QUARTER)
            if day not in self._days:
                self._days[day] = Usual([self._quarters(ago) for ago in range(day - DAYS, day)])
            self._ranges[quarter] = self._days[day].at(of_day)
        return self._ranges[quarter]

    def _quarters(self, day: int) -> list[int | None]:
        counts = self._month.counts[day * PER_DAY : (day + 1) * PER_DAY]
        return [sum(counts[at : at + QUARTER]) for at in range(0, PER_DAY, QUARTER)]


def score(size: int, shape: str, seed: int, each: int = 4) -> Score:
    """Score one month, and so many troubles of each kind in it."""
    month = Month(size, shape, seed)
    server = Server(month)
    first, last = HISTORY * PER_DAY, len(month.counts)
    runs: list[list[int]] = [[]]
    for end in range(first + 1, last + 1):
        if state := server.state(end, month.counts):
            runs[-1].append(state)
        elif runs[-1]:
            runs.append([])
    hard = [run for run in runs if len(run) >= TRIES]
    months = (last - first) / PER_DAY / 30
    chance = Random(seed)
    found = []
    for factor, steps in (SPIKE, STOP):
        enough = [
            step
            for step in range(first + PER_DAY // 24, last - PER_DAY)
            if sum(month.rates[step : step + QUARTER]) >= 30
        ]
        of_kind = []
        for begin in chance.sample(enough, min(each, len(enough))):
            counts = with_trouble(month, begin, steps, factor, chance)
            ends = range(begin + 1, begin + steps + QUARTER + 1)
            of_kind.append(any(server.state(end, counts) for end in ends))
        found.append(of_kind)
    critical = [run for run in hard if max(run) == 2]
    return Score(len(hard) / months, len(critical) / months, *found)


def main() -> None:
    """Print a table, a row for each size."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--months", type=int, default=4, help="seeds of each shape and size")
    parser.add_argument("--first", type=int, default=1, help="seed")
    given = parser.parse_args()
    print("| a day | months | WARNING | CRITICAL | 5 x for 15 min, % | stop of 60 min, % |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: |")
    for size in SIZES:
        scores = [
            score(size, shape, seed)
            for shape in SHAPES
            for seed in range(given.first, given.first + given.months)
        ]
        number = len(scores)
        alarms = sum(one.alarms for one in scores) / number
        critical = sum(one.critical for one in scores) / number
        spikes = _percent([found for one in scores for found in one.spikes])
        stops = _percent([found for one in scores for found in one.stops])
        print(f"| {size} | {number} | {alarms:.2f} | {critical:.2f} | {spikes} | {stops} |")


def _percent(found: Sequence[bool]) -> str:
    return f"{100 * sum(found) / len(found):.0f} of {len(found)}" if found else "none expected"


if __name__ == "__main__":
    main()
