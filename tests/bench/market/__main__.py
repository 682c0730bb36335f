"""Run check_postfix against everything else on the same log, and print the tables.

    python -m tests.bench.market                 everything, about 15 minutes
    python -m tests.bench.market --quick         a tenth of the log, fewer rounds
    python -m tests.bench.market steady first    some of the races only
    python -m tests.bench.market lost            who loses lines or counts them twice

The programs are fetched into a scratch directory; nothing is installed.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench import ground
from tests.bench.modes import MODES
from tests.bench.race import pin, race
from tests.bench.shapes import SHAPES, CentralEvenly

from . import goals, losses, report, series
from .contenders import field
from .programs import Market
from .runners import OURS, Runners, for_maillogger


class Bench:
    """What the races share.

    size:   of the log, in bytes
    rounds: of the short races, and scenarios in each mode of `lost`
    cores:  those that there are when nothing is pinned to one
    """

    def __init__(self, scratch: Path, size: int, rounds: int, cores: set[int]) -> None:
        self.scratch = scratch
        self.size = size
        self.rounds = rounds
        self.cores = cores
        self.market = Market(scratch)

    def runners(self, name: str) -> Runners:
        return Runners(self.market, self.scratch / f"states-{name}")

    def directory(self, name: str) -> Path:
        directory = self.scratch / name
        directory.mkdir()
        return directory


def steady(bench: Bench) -> list[str]:
    """A run each minute: nothing new, 200 KB new, 2 MB new; two weeks in the state."""
    path = bench.directory("steady") / "mail.log"
    log = ground.history(path, bench.size, days=14, rotations=7)
    runners = bench.runners("steady")
    field = [
        runners.ours(path), *runners.floor(), *runners.check_logfiles(path),
        *runners.followers(path),
    ]  # fmt: skip
    field = [runner._replace(rounds=0) for runner in field]
    race(field, 1)  # all go to the end of the log
    lines = []
    for title, new, limits, aims in (
        ("Nothing new", 0, goals.NOTHING_NEW, goals.AIM_NOTHING_NEW),
        ("200 KB new", 200_000, goals.SOME_NEW, goals.AIM_SOME_NEW),
        ("2 MB new", 2_000_000, goals.MUCH_NEW, None),
    ):
        times = race(field, bench.rounds, _appending(log, new), with_rss=True)
        lines += report.standings(title, times, limits, aims)
        lines += _memory(times[OURS].rss, goals.RSS_STEADY, goals.AIM_RSS_STEADY)
    return lines


def first(bench: Bench) -> list[str]:
    """The first run on a log of a day."""
    directory = bench.directory("first")
    path = directory / "mail.log"
    log = ground.one_day(path, bench.size)
    theirs = for_maillogger(directory / "for-maillogger.log", bench.size)
    runners = bench.runners("first")
    field = [
        runners.ours(path, fresh=True)._replace(
            command=[*runners.ours(path).command, "--window", "2d"]
        ),
        *runners.check_logfiles(path, fresh=True), *runners.followers(path, fresh=True),
        *runners.whole(path, theirs),
    ]  # fmt: skip
    times = race(field, min(bench.rounds, 7), with_rss=True)
    title = f"First run, {bench.size // ground.MEGABYTE} MB"
    return [
        *report.standings(
            title, times, goals.FIRST, goals.AIM_FIRST, log.truth.totals["deferred"]
        ),
        f"{log.truth.lines:,} lines, {log.truth.events:,} events, of which we count each.", "",
        *_memory(times[OURS].rss, goals.RSS_READING),
    ]  # fmt: skip


def shapes(bench: Bench) -> list[str]:
    """The first run on logs of other shapes, in which hardly a line says what another has."""
    directory = bench.directory("shapes")
    runners = bench.runners("shapes")
    lines = []
    for number, (shape, kind) in enumerate(SHAPES.items()):
        path = directory / f"{number}.log"
        log = ground.one_day(path, bench.size * 4 // 5, truth=kind())
        field = [
            runners.ours(path, fresh=True)._replace(
                command=[*runners.ours(path).command, "--window", "2d"]
            ),
            runners.reference(path),
            *runners.pflogsumm(path),
        ]
        times = race(field, min(bench.rounds, 5), with_rss=True)
        title = f"First run, {bench.size * 4 // 5 // ground.MEGABYTE} MB: {shape}"
        limits = goals.HARDEST if kind is CentralEvenly else goals.SHAPES
        lines += report.standings(title, times, limits, truth=log.truth.totals["deferred"])
        lines += _memory(times[OURS].rss, goals.RSS_READING)
        path.unlink()
    return lines


def unpacked(bench: Bench) -> list[str]:
    """The first run on a log whose archive is compressed."""
    log = ground.one_day(bench.scratch / "unpacked.log", bench.size)
    path = ground.compressed(log.path, bench.scratch / "unpacked")
    archive = path.with_name("mail.log.1.gz")
    runners = bench.runners("unpacked")
    field = [
        runners.ours(path, fresh=True),
        runners.reference(archive),
        *runners.unpacking([archive]),
    ]
    times = race(field, min(bench.rounds, 7), with_rss=True)
    title = f"First run, {bench.size // ground.MEGABYTE} MB in a .gz"
    return [
        *report.standings(title, times, goals.COMPRESSED),
        *_memory(times[OURS].rss, goals.RSS_READING),
    ]


def catch_up(bench: Bench) -> list[str]:
    """The first run after two weeks with seven rotations."""
    path = bench.directory("catch_up") / "mail.log"
    since = time.time() - 14 * 86400
    log = ground.history(path, bench.size, days=14, rotations=7)
    archives = sorted(path.parent.glob("mail.log.*"), key=lambda file: file.stat().st_mtime)
    runners = bench.runners("catch_up")
    field = [
        runners.ours(path, fresh=True)._replace(
            command=[*runners.ours(path).command, "--window", "15d"]
        ),
        *runners.check_logfiles(path, since=since),
        *runners.unpacking([*archives, path]),
    ]
    times = race(field, min(bench.rounds, 7), with_rss=True)
    title = f"Catching up: 14 days, 7 rotations, {bench.size // ground.MEGABYTE} MB in all"
    return [
        *report.standings(
            title, times, goals.CATCH_UP, truth=log.truth.totals["deferred"]
        ),
        *_memory(times[OURS].rss, goals.RSS_READING),
    ]  # fmt: skip


def hostile(bench: Bench) -> list[str]:
    """Lines that somebody made long to keep us busy."""
    return series.hostile(bench.market)


def growth(bench: Bench) -> list[str]:
    """What a run costs as everything around it grows."""
    return series.growth(bench.market, bench.directory("growth"), bench.size, bench.rounds)


def crowd(bench: Bench) -> list[str]:
    """Twenty checks started at the same second."""
    return series.crowd(bench.market, bench.directory("crowd"), bench.size)


def backlog(bench: Bench) -> list[str]:
    """Ten times the log: is the window answered in time, and what is kept when time is up?"""
    return series.backlog(bench.market, bench.directory("backlog"), bench.size * 10)


def lost(bench: Bench) -> list[str]:
    """Who loses lines, or counts them twice, when the log is rotated."""
    pinned = os.sched_getaffinity(0)
    os.sched_setaffinity(0, bench.cores)  # no times are taken
    try:
        seeds = range(1, 1 + bench.rounds)
        return losses.report(field(bench.market), MODES, seeds, bench.directory("lost"))
    finally:
        os.sched_setaffinity(0, pinned)


RACES: dict[str, Callable[[Bench], list[str]]] = {
    race.__name__: race
    for race in (steady, first, shapes, unpacked, catch_up, hostile, growth, crowd, backlog, lost)
}


def _appending(log: ground.Log, size: int) -> Callable[[], None]:
    return lambda: log.write_now(size) if size else None


def _memory(rss: float | None, goal: float, aim: float | None = None) -> list[str]:
    if rss is None:
        return ["Memory was not measured: there is no /usr/bin/time.", ""]
    line = f"Memory: {rss:.1f} MiB; goal {report.met(rss, goal)}"
    if aim:
        line += f"; aim {report.met(rss, aim)}"
    return [line + ".", ""]


def main() -> None:
    """Run the races that were asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.market",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("races", nargs="*", metavar="RACE", help=", ".join(RACES))
    parser.add_argument("--quick", action="store_true", help="10 MB instead of 100, 5 rounds")
    parser.add_argument(
        "--rounds",
        type=int,
        help="rounds of the short races, scenarios a mode of lost (default: 25)",
    )
    given = parser.parse_args()
    if strange := set(given.races) - set(RACES):
        parser.error(f"no such race: {', '.join(strange)}; there are {', '.join(RACES)}")
    size = (10 if given.quick else 100) * ground.MEGABYTE
    rounds = given.rounds or (5 if given.quick else 25)
    with tempfile.TemporaryDirectory(prefix="check_postfix-bench-") as scratch:
        cores = os.sched_getaffinity(0)
        pin()
        bench = Bench(Path(scratch), size, rounds, cores)
        command = shlex.join(["python", "-m", "tests.bench.market", *sys.argv[1:]])
        print("\n".join([*report.machine(bench.market, command), ""]), flush=True)
        for name in given.races or RACES:
            print("\n".join(RACES[name](bench)), flush=True)


if __name__ == "__main__":
    main()
