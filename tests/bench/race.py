"""A race: commands run in turn on the same data, pinned to one core, and their medians."""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

TIME = "/usr/bin/time"


class Runner(NamedTuple):
    """Who runs.

    name:    what it is called in the tables
    command: a program and its arguments, or one string for the shell
    before:  what must be done before every run (forget a state, say); not timed
    said:    from its output to what it says is the number of deferred attempts
    rounds:  the most rounds it takes part in; 0 for all
    truth:   the true number, where its log is another one than the others'
    """

    name: str
    command: Sequence[str] | str
    before: Callable[[], None] = lambda: None
    said: Callable[[str], int | None] = lambda _: None
    rounds: int = 0
    truth: int | None = None


class Times(NamedTuple):
    """How long somebody took.

    wall, cpu: medians, in seconds
    least:     the least CPU time, which the neighbours' noise hardly touches
    spread:    of wall time, from the lower to the upper quartile, in parts of its median
    rss:       the largest resident set in MiB, None where that was not measured
    said:      the number of deferred attempts that it says there are
    truth:     what it ought to say, where its log is another one than the others'
    """

    wall: float
    cpu: float
    least: float
    spread: float
    rss: float | None
    said: int | None
    truth: int | None


def pin() -> None:
    """Pin this process, and what it starts, to one core."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def environment() -> dict[str, str]:
    """Return this process's environment without what would have Python work as it never does.

    In a test run Python may be told to keep no compiled modules; a check that has
    to compile itself takes 30 ms longer.
    """
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def run(command: Sequence[str] | str) -> tuple[float, float, str]:
    """Return wall and CPU seconds and the output of one run.

    Raises: RuntimeError if it could not do its work (a plugin's exit codes are no failure)
    """
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        shell=isinstance(command, str),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    text = output.decode(errors="replace")
    if process.returncode not in (0, 1, 2, 3) or "Traceback (most recent call last)" in text:
        raise RuntimeError(f"{command} failed with exit code {process.returncode}:\n{text[-2000:]}")
    return wall, usage.ru_utime + usage.ru_stime, text


def resident(command: Sequence[str] | str) -> float | None:
    """Return the largest resident set of a run in MiB.

    A child starts with the size of its parent, and the kernel remembers the larger
    of both; so a small program has to be the parent.
    """
    if not os.access(TIME, os.X_OK):
        return None
    shell = ["sh", "-c", command] if isinstance(command, str) else list(command)
    done = subprocess.run(
        [TIME, "-f", "%M", *shell], env=environment(), capture_output=True, text=True, check=False
    )
    return int(done.stderr.split()[-1]) / 1024


def race(
    runners: Sequence[Runner],
    rounds: int,
    each_round: Callable[[], None] = lambda: None,
    with_rss: bool = False,
) -> dict[str, Times]:
    """Return the times of each runner; in every round all run once, in changing order."""
    shuffled = random.Random(rounds)
    walls: dict[str, list[float]] = {runner.name: [] for runner in runners}
    cpus: dict[str, list[float]] = {runner.name: [] for runner in runners}
    outputs: dict[str, str] = {}
    for number in range(rounds):
        each_round()
        order = [r for r in runners if not r.rounds or number < r.rounds]
        shuffled.shuffle(order)
        for runner in order:
            runner.before()
            wall, cpu, outputs[runner.name] = run(runner.command)
            walls[runner.name].append(wall)
            cpus[runner.name].append(cpu)
    if with_rss:
        each_round()
    return {
        runner.name: Times(
            statistics.median(walls[runner.name]),
            statistics.median(cpus[runner.name]),
            min(cpus[runner.name]),
            _spread(walls[runner.name]),
            _resident(runner) if with_rss else None,
            runner.said(outputs[runner.name]),
            runner.truth,
        )
        for runner in runners
    }


def _resident(runner: Runner) -> float | None:
    runner.before()
    return resident(runner.command)


def _spread(walls: list[float]) -> float:
    if len(walls) < 4:
        return (max(walls) - min(walls)) / statistics.median(walls)
    lower, middle, upper = statistics.quantiles(walls, n=4)
    return (upper - lower) / middle
