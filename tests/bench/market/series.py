"""Series: how the cost of a run grows with what is around it."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import time
from itertools import cycle, islice
from pathlib import Path

from tests.bench import ground
from tests.bench.race import Runner, environment, race, run
from tests.bench.shapes import GROWING
from tests.support.definitions import log_checks, names

from . import goals, report
from .programs import Market

BENCH = Path(__file__).parents[1]
_LINES_READ = re.compile(r"log: (\d+) lines read: \d+ with (\d+) events")


def hostile(market: Market) -> list[str]:
    """Return what long lines of every bad shape cost."""
    done = subprocess.run(
        [market.ours, str(BENCH / "hostile.py")], capture_output=True, text=True, check=True
    )
    rows = []
    for line in done.stdout.splitlines():
        ms, factor, shape = line.split("\t")
        rows.append(
            [
                shape,
                f"{float(ms):.2f}",
                report.met(float(ms), goals.HOSTILE_MS),
                factor if float(factor) else "",
                report.met(float(factor), goals.HOSTILE_GROWTH) if float(factor) else "",
            ]
        )
    heads = ["64 KiB of", "ms", "goal", "twice as long", "goal"]
    return ["### Hostile lines", "", *report.table(heads, rows), ""]


def growth(market: Market, directory: Path, size: int, rounds: int) -> list[str]:
    """Return what a run with 200 KB new costs while one thing around it grows tenfold, twice."""
    ages, spans = _state_ages(market, directory, size, rounds)
    rows = [
        _row("age of the state", ages, spans),
        _row("files of older generations", *_generations(market, directory, rounds)),
        _row("size of the live log", *_live_sizes(market, directory, size, rounds)),
        _row("checks in the same minute", *_checks(market, directory)),
        *(
            _row(f"{what} in the log", *_of_shape(market, directory, size, rounds, what))
            for what in GROWING
        ),
    ]
    heads = ["CPU ms per run", "x1", "x10", "x100", "x10 / x1", "x100 / x1", "x1, x10, x100 are"]
    more = 1000 * (ages[1] - ages[0])
    return [
        "### Growth", "", "200 KB new in every run.", "", *report.table(heads, rows), "",
        f"Ten times the state: {more:+.1f} ms; goal {report.met(more, goals.STATE_MS)}.", "",
    ]  # fmt: skip


def _row(name: str, times: list[float], what: list[str]) -> list[str]:
    one, ten, hundred = times
    return [
        name, *(f"{t * 1000:.1f}" for t in times), f"{ten / one:.2f}", f"{hundred / one:.2f}",
        ", ".join(what),
    ]  # fmt: skip


def _runs(market: Market, logs: list[ground.Log], rounds: int) -> list[float]:
    """Return the medians of runs on several logs, all of which get 200 KB in every round."""
    field = []
    for log in logs:
        state = log.path.with_suffix(".sqlite3")
        command = [market.check("deferred"), "--log", str(log.path), "--state", str(state)]
        field.append(Runner(log.path.stem, command))
    for _ in range(2):  # until there is nothing left to read
        race(field, 1)

    def append() -> None:
        for log in logs:
            log.write_now(200_000)

    times = race(field, rounds, append)
    return [times[runner.name].cpu for runner in field]


def _state_ages(
    market: Market, directory: Path, size: int, rounds: int
) -> tuple[list[float], list[str]]:
    """The same rate of mail for 30 days, 3 days, 7 hours: as long as anything is kept."""
    logs = []
    for days in (0.3, 3, 30):
        log = ground.Log(_place(directory, f"age{days}") / f"age{days}.log")
        now = time.time()
        log.write(int(size * days / 30), now - days * 86400, now - 60)
        # Rotated away: it is the state that is to grow, not the live log.
        archive = log.path.with_name(log.path.name + ".1")
        log.path.rename(archive)
        log.write_now(10_000)
        logs.append(log)
    return _runs(market, logs, rounds), ["7.2 h", "3 days", "30 days"]


def _generations(market: Market, directory: Path, rounds: int) -> tuple[list[float], list[str]]:
    logs = []
    for number in (1, 10, 100):
        path = _place(directory, f"generations{number}") / f"generations{number}.log"
        log = ground.history(path, 50_000 * (number + 1), days=14, rotations=number)
        logs.append(log)
    return _runs(market, logs, rounds), ["1", "10", "100 (.gz)"]


def _live_sizes(
    market: Market, directory: Path, size: int, rounds: int
) -> tuple[list[float], list[str]]:
    logs = []
    for part in (100, 10, 1):
        path = _place(directory, f"live{part}") / f"live{part}.log"
        logs.append(ground.one_day(path, size // part))
    return _runs(market, logs, rounds), [f"{size / p / 10**6:g} MB" for p in (100, 10, 1)]


def _of_shape(
    market: Market, directory: Path, size: int, rounds: int, what: str
) -> tuple[list[float], list[str]]:
    """Return what runs cost on logs that name ever more domains, hosts or clients."""
    kind = GROWING[what]
    logs = []
    for part in (0.01, 0.1, 1):
        name = f"{what}{part:g}"
        path = _place(directory, name) / f"{name}.log"
        logs.append(ground.one_day(path, size // 10, truth=kind(growth=part)))
    numbers = [f"{kind.number * part:,.0f}" for part in (0.01, 0.1, 1)]
    return _runs(market, logs, rounds), numbers


def _checks(market: Market, directory: Path) -> tuple[list[float], list[str]]:
    """Return the CPU time per check of so many checks that share one state, one after the other."""
    log = ground.one_day(_place(directory, "checks") / "mail.log", ground.MEGABYTE)
    state = log.path.with_suffix(".sqlite3")
    commands = [
        [market.check(name), "--log", str(log.path), "--state", str(state)]
        for name in names(log_checks())
    ]
    run(commands[0])
    times = []
    for number in (1, 10, 100):
        log.write_now(200_000)
        times.append(sum(run(command)[1] for command in islice(cycle(commands), number)) / number)
    return times, ["1", "10", "100"]


def _place(directory: Path, name: str) -> Path:
    place = directory / name
    place.mkdir()
    return place


def crowd(market: Market, directory: Path, size: int, number: int = 20) -> list[str]:
    """Return how long checks wait that all start at the same second with a log to be read."""
    log = ground.one_day(directory / "mail.log", size)
    state = directory / "state"
    check = [market.check("deferred"), "--log", str(log.path), "--state", str(state)]
    floor = [market.ours, "-c", "import nagiosplugin, sqlite3, argparse, re"]
    alone = race(
        [Runner("alone", check, lambda: state.unlink(missing_ok=True))], 3
    )["alone"].wall  # fmt: skip
    starting, _ = _at_once(floor, number)
    state.unlink()
    walls, outputs = _at_once([*check, "-vv"], number)
    median = statistics.median(walls)
    limit = alone + max(starting)
    counted = {int(found[1]) for out in outputs if (found := _LINES_READ.search(out))}
    right = counted == {log.truth.lines}
    return [
        f"### A crowd of {number} at the same second, {size // ground.MEGABYTE} MB to be read", "",
        f"One alone reads for {alone:.2f} s; {number} floors at once take {max(starting):.2f} s."
        f" The median of the crowd took {median:.2f} s, the last {max(walls):.2f} s;"
        f" goal: the median {report.met(round(median, 2), round(limit, 2))}.",
        f"Each line counted once, says each of them: {'yes' if right else f'NO: {counted}'}.", "",
    ]  # fmt: skip


def _at_once(command: list[str], number: int) -> tuple[list[float], list[str]]:
    start = time.perf_counter()
    running = [
        subprocess.Popen(
            command,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(number)
    ]
    ended: dict[int, float] = {}
    while len(ended) < number:
        process, _ = os.wait()
        ended[process] = time.perf_counter() - start
    outputs = []
    for process in running:
        assert process.stdout is not None
        process.returncode = 0
        outputs.append(process.stdout.read())
        process.stdout.close()
    return list(ended.values()), outputs


def backlog(market: Market, directory: Path, size: int) -> list[str]:
    """Return what the first runs on a huge log answer, and when everything is read."""
    log = ground.one_day(directory / "mail.log", size)
    command = [
        market.check("deferred"), "-vv", "--log", str(log.path),
        "--state", str(directory / "state"),
    ]  # fmt: skip
    rows = []
    for number in range(1, 11):
        wall, _, said = run(command)
        found = _LINES_READ.search(said)
        read = int(found[1]) if found else 0
        first_line = said.partition("|")[0].strip()
        rows.append([str(number), f"{wall:.2f}", f"{100 * read / log.truth.lines:.0f}", first_line])
        if read >= log.truth.lines:
            break
    heads = ["run", "s", "% of lines read", "said"]
    return [
        f"### A backlog of {size // ground.MEGABYTE:,} MB", "",
        "Goal: the window is answered by the first run, within its timeout of 10 s, and later runs"
        f" go on; {log.truth.lines:,} lines, each counted once.", "",
        *report.table(heads, rows), "",
    ]  # fmt: skip
