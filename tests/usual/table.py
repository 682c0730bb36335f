"""The tables of tests/README.md: how often the usual level alarms without cause, what it finds.

    python -m tests.usual.table --months 150 --first 101

They are of months that are not of this tree's making, so that nobody fits one to the other; a
directory has them (CHECK_POSTFIX_SHARED_USUAL, with months.py and score.py), and needs numpy.
Without it nothing is scored, and that is said. A month takes a second or two. `--keep FILE` keeps
what each came to, so that a run that was ended goes on where it was; another definition needs
another file.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, NamedTuple

from check_postfix.maillog.window.usual import (
    DAYS,
    LASTING,
    QUARTER,
    QUARTERS,
    Range,
    Recent,
    Usual,
    judge,
)
from check_postfix.volume import CHECK
from tests.support.builders import options
from tests.support.material import ROOT
from tests.usual.rate import rate

BENCH = Path(os.environ.get("CHECK_POSTFIX_SHARED_USUAL", ROOT.parent / "shared" / "usual"))
EVERY, TRIES = 5, 3
# Of what is put in: its name there -> the row of the table
FOUND = {
    "x5 15 min": "5 times as much for 15 min",
    "x10 15 min": "10 times as much for 15 min",
    "x5 60 min": "5 times for an hour",
    "stop 30 min": "a stop of 30 min",
    "stop 60 min": "a stop of 60 min",
    "trickle 60 min": "all but a twentieth missing for an hour",
}
EXPECTED = (1, 3, 10, 30, 100, 300)
# Servers that have bursts as large as what is put in
_LIVELY = {"irregular", "campaigns", "lively"}


class Judge:
    """The check, with its thresholds as they are, for a score that asks for a state and words.

    verdict: what the score takes
    """

    def __init__(self, verdict: type) -> None:
        self._verdict = verdict
        given = options(CHECK)
        self._limits = [
            (getattr(given, f"{state}{suffix}"), suffix)
            for suffix in ("", "_silence_factor")
            for state in ("warning", "critical")
        ]
        # The rows of days are the same lists as long as nothing is put into them.
        self._usual: dict[tuple[int, ...], tuple[Usual, Sequence[object]]] = {}
        self._ranges: dict[tuple[tuple[int, ...], int], Range] = {}

    def __call__(self, _begin: int, end: int, history: Any) -> Any:
        middle = end - QUARTER // 2 - 1
        usual = self._range(history, middle, *history.quarters(middle, DAYS))
        spans = max(LASTING, usual.spans)
        edges = [end - n * QUARTER for n in range(spans + 1)]
        quarters = [
            history.count(start, after) if history.known(start, after) else None
            for after, start in pairwise(edges)
        ]
        verdict = judge(Recent(quarters, history.silence(end)), usual)
        values = {"": verdict.factor, "_silence_factor": verdict.silence}
        failed = [not limit.match(values[suffix]) for limit, suffix in self._limits]
        state = 2 if failed[1] or failed[3] else int(failed[0] or failed[2])
        words = f"{verdict.how} {verdict.number} in {verdict.quarters}, {verdict.factor:.2g} times"
        return self._verdict(state, words=words)

    def _range(self, history: Any, minute: int, days: Sequence[Any], quarter: int) -> Range:
        moved = _moved(history, minute, DAYS)
        key = (*map(id, days), moved)
        if key not in self._usual:
            since = [_moved(history, minute, ago) for ago in range(DAYS, 0, -1)] if moved else ()
            self._usual[key] = Usual(days, since), days
        if (key, quarter) not in self._ranges:
            self._ranges[key, quarter] = self._usual[key][0].at(quarter)
        return self._ranges[key, quarter]


def _moved(history: Any, minute: int, days: int) -> int:
    """Return by how many quarter-hours the clock has been put forward in the days before."""
    shift: int = history.same_time(minute, days) - (minute - days * QUARTERS * QUARTER)
    return shift // QUARTER


class Scored(NamedTuple):
    """What one month came to.

    is_calm: whether nothing as large as what is put in happens there anyway
    alarms:  of each that was told: its state, in which minute it began, and words
    found:   kind -> number expected in 15 min, and after how many minutes it was seen first
    """

    size: int
    name: str
    is_calm: bool
    alarms: list[tuple[int, int, str]]
    found: dict[str, list[tuple[float, int | None]]]


class Bench:
    """The months, and the score of a month."""

    def __init__(self, directory: Path) -> None:
        sys.path.insert(0, str(directory))
        self._months = importlib.import_module("months")
        self._score = importlib.import_module("score")
        self.sizes: tuple[int, ...] = self._months.SIZES
        self._events = [event for event in self._months.EVENTS if event[0] in FOUND]

    def plans(self, size: int, first: int, months: int) -> Iterator[Any]:
        """Yield at least so many servers of a size: of a seed all."""
        found, seed = 0, first
        while found < months:
            of_seed = [plan for plan in self._months.plans(seed) if plan.per_day == size]
            yield from of_seed
            found += len(of_seed)
            seed += 1

    def score(self, plan: Any) -> Scored:
        """Score the month of a server."""
        month, method = self._months.month(plan), Judge(self._score.Verdict)
        alarms = [
            (alarm.state, alarm.begin, alarm.words)
            for alarm in self._score.false_alarms(method, month, EVERY)
            if alarm.length >= TRIES
        ]
        found: dict[str, list[tuple[float, int | None]]] = {}
        seed = plan.seed // 100
        for find in self._score.finds(
            method, month, self._events, every=EVERY, tries=TRIES, seed=seed
        ):
            found.setdefault(find.event, []).append((find.expected, find.warning))
        is_calm = plan.shape != "bots" and not plan.features & _LIVELY
        return Scored(plan.per_day, plan.name, is_calm, alarms, found)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--months", type=int, default=150, help="at least so many of each size")
    parser.add_argument("--first", type=int, default=101, help="seed")
    parser.add_argument("--keep", type=Path, help="file that keeps what each month came to")
    given = parser.parse_args()
    if not (BENCH / "score.py").is_file():
        print(f"skipped: no {BENCH}/score.py; CHECK_POSTFIX_SHARED_USUAL names its directory")
        return
    bench = Bench(BENCH)
    kept = {}
    if given.keep and given.keep.exists():
        with given.keep.open() as lines:
            kept = {one.name: one for one in (Scored(*json.loads(line)) for line in lines)}
    scored = []
    of_sizes = [bench.plans(size, given.first, given.months) for size in bench.sizes]
    for plan in chain.from_iterable(zip(*of_sizes, strict=True)):
        if plan.name not in kept:
            kept[plan.name] = bench.score(plan)
            if given.keep:
                with given.keep.open("a") as file:
                    file.write(json.dumps(kept[plan.name]) + "\n")
        scored.append(kept[plan.name])
    print("\n".join([*alarms(scored), "", *found(scored)]))


def alarms(scored: Sequence[Scored]) -> list[str]:
    """Return the table of alarms without cause."""
    lines = [
        "| messages a day | months | WARNING or CRITICAL | CRITICAL |",
        "| ---: | ---: | ---: | ---: |",
    ]
    for size in sorted({one.size for one in scored}):
        months = [one.alarms for one in scored if one.size == size]
        told = rate([len(month) for month in months])
        critical = rate([sum(alarm[0] == 2 for alarm in month) for month in months])
        lines.append(f"| {size:,} | {len(months)} | {told} | {critical} |")
    return lines


def found(scored: Sequence[Scored]) -> list[str]:
    """Return the table of what is found on calm servers, by how many are expected."""
    names = [f"{low} to {high}" for low, high in pairwise(EXPECTED)]
    lines = [
        "| " + " | ".join(["expected in 15 min", *names, "more"]) + " |",
        "| --- |" + " ---: |" * len(EXPECTED),
    ]
    for event, words in FOUND.items():
        of_event = [find for one in scored if one.is_calm for find in one.found.get(event, ())]
        cells = []
        for low, high in zip(EXPECTED, [*EXPECTED[1:], float("inf")], strict=True):
            seen = [after is not None for expected, after in of_event if low <= expected < high]
            cells.append(f"{100 * sum(seen) / len(seen):.0f}" if seen else "-")
        lines.append("| " + " | ".join([words, *cells]) + " |")
    return lines


if __name__ == "__main__":
    main()
