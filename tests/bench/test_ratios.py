"""We stay as fast as we are: ratios of CPU time, wide enough for noise, too narrow for 1.5 times.

What is compared runs in turn on one core, and the least CPU time of several rounds
counts, so that a busy machine changes little. To see the ratios of now:

    python -m tests.bench.test_ratios
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable
from math import inf
from pathlib import Path

import pytest

from check_postfix.programs import NAMES

from . import ground
from .race import TIME, Runner, Times, pin, race
from .shapes import CentralEvenly

# Our CPU time divided by that of `import nagiosplugin, sqlite3, argparse, re`, or of
# the reference scanner, as measured last. Put in a new one when it has become less.
MEASURED = {
    "nothing new, by floor": 1.16,
    "200 KB new, by floor": 1.96,
    "all ten in one process, nothing new, by floor": 2.24,
    "all ten in one process, 200 KB new, by floor": 3.18,
    "all ten one by one, nothing new, by floor": 12.6,
    "all ten one by one, 200 KB new, by floor": 13.9,
    "20 MB at first, by reference scanner": 6.13,
    "20 MB in a .gz at first, by reference scanner": 5.06,
    "20 MB of 200 hosts, domains drawn evenly, by reference scanner": 9.73,
}
MARGIN = 1.25
# What all conditions of a host may cost in a minute, in floors, whatever was measured. The goals
# are 3 and 14.
TOGETHER, ONE_BY_ONE = 4, 17
# What a virtual machine's neighbours do to its caches lasts for seconds, and slows a store more
# than a scanner: the same commit had 8.96 on one day and 11.81 on another. So what seems too slow
# is measured again.
TRIES = 3

# MiB
RSS_STEADY = 24
RSS_TOGETHER = 26
RSS_READING = 40
RSS_OF_MANY_HOSTS = 48  # the goal is 40
HOSTILE_MS = 25
HOSTILE_GROWTH = 3

SIZE = 20 * ground.MEGABYTE
HERE = Path(__file__).parent

pytestmark = [pytest.mark.bench, pytest.mark.usefixtures("utc")]


@pytest.fixture(autouse=True)
def one_core():
    """Stay on one core."""
    before = os.sched_getaffinity(0)
    pin()
    yield
    os.sched_setaffinity(0, before)


def floor() -> Runner:
    imports = "import nagiosplugin, sqlite3, argparse, re"
    return Runner("floor", [sys.executable, "-c", imports])


def reference(log: Path) -> Runner:
    return Runner("reference", [sys.executable, str(HERE / "reference.py"), str(log)])


def ours(log: Path, fresh: bool = False) -> Runner:
    """check_postfix_deferred, as its executable starts it."""
    state = log.with_suffix(".state")
    program = "import sys; from check_postfix.programs import deferred; sys.exit(deferred())"
    command = [sys.executable, "-c", program, "--log", str(log), "--state", str(state)]
    before = (lambda: state.unlink(missing_ok=True)) if fresh else (lambda: None)
    return Runner("ours", command, before)


def steady(directory: Path, new: int) -> tuple[str, dict[str, Times]]:
    return repeated(directory, new, ours)


def together(directory: Path, new: int) -> tuple[str, dict[str, Times]]:
    name, times = repeated(directory, new, all_together)
    return f"all ten in one process, {name}", times


def one_by_one(directory: Path, new: int) -> tuple[str, dict[str, Times]]:
    name, times = repeated(directory, new, all_one_by_one)
    return f"all ten one by one, {name}", times


def repeated(
    directory: Path, new: int, runner: Callable[[Path], Runner]
) -> tuple[str, dict[str, Times]]:
    log = ground.one_day(directory / "mail.log", 2 * ground.MEGABYTE)
    field = [floor(), runner(log.path)]
    race(field, 1)
    times = race(field, 15, lambda: log.write_now(new) if new else None, with_rss=True)
    return f"{new // 1000} KB new, by floor" if new else "nothing new, by floor", times


def all_together(log: Path) -> Runner:
    """check_postfix_all, as its executable starts it, beside a queue that is empty."""
    options = ["--log", log, "--state", log.with_suffix(".state")]
    of_queue = ["--with", f"queue --postqueue {empty_queue(log.parent)}"]
    return Runner("ours", _executable("together", *options, *of_queue))


def all_one_by_one(log: Path) -> Runner:
    """The ten executables one after another, as cron or Nagios runs them in a minute."""
    state = log.with_suffix(".state")
    commands = [
        _executable(name, "--log", log, "--state", state) for name in NAMES if name != "queue"
    ]
    kept = ["--state", log.with_name("queue.json")]
    commands.append(_executable("queue", "--postqueue", empty_queue(log.parent), *kept))
    return Runner("ours", "; ".join(map(shlex.join, commands)))


def _executable(name: str, *options: object) -> list[str]:
    program = f"import sys; from check_postfix.programs import {name} as run; sys.exit(run())"
    return [sys.executable, "-c", program, *map(str, options)]


def empty_queue(directory: Path) -> Path:
    """Return a program in the place of postqueue that lists nothing."""
    program = directory / "postqueue"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return program


def first(directory: Path) -> tuple[str, dict[str, Times]]:
    log = ground.one_day(directory / "mail.log", SIZE)
    times = race([reference(log.path), ours(log.path, fresh=True)], 5, with_rss=True)
    return "20 MB at first, by reference scanner", times


def hardest(directory: Path) -> tuple[str, dict[str, Times]]:
    """Of the shapes of log the one that takes us longest."""
    log = ground.one_day(directory / "mail.log", SIZE, truth=CentralEvenly())
    times = race([reference(log.path), ours(log.path, fresh=True)], 5, with_rss=True)
    return "20 MB of 200 hosts, domains drawn evenly, by reference scanner", times


def unpacked(directory: Path) -> tuple[str, dict[str, Times]]:
    log = ground.one_day(directory / "plain.log", SIZE)
    path = ground.compressed(log.path, directory / "gz")
    archive = path.with_name("mail.log.1.gz")
    times = race([reference(archive), ours(path, fresh=True)], 5, with_rss=True)
    return "20 MB in a .gz at first, by reference scanner", times


def ratio(times: dict[str, Times]) -> float:
    other = next(name for name in times if name != "ours")
    return times["ours"].least / times[other].least


def judge(
    measure: Callable[[Path], tuple[str, dict[str, Times]]],
    directory: Path,
    most_memory: float,
    most: float = inf,
) -> None:
    ratios = []
    for number in range(TRIES):
        place = directory / str(number)
        place.mkdir()
        name, times = measure(place)
        if times["ours"].rss is not None:
            assert times["ours"].rss <= most_memory
        ratios.append(ratio(times))
        limit = min(most, MEASURED[name] * MARGIN)
        if ratios[-1] <= limit:
            return
    raise AssertionError(f"{name}: {ratios}, and all may be {limit}")


@pytest.mark.parametrize("new", [0, 200_000])
def test_a_run_each_minute_takes_little_longer_than_its_imports(new, tmp_path):
    judge(lambda place: steady(place, new), tmp_path, RSS_STEADY)


@pytest.mark.parametrize("new", [0, 200_000])
def test_all_conditions_in_one_process_cost_a_part_of_what_they_cost_one_by_one(new, tmp_path):
    judge(lambda place: together(place, new), tmp_path, RSS_TOGETHER, TOGETHER)


@pytest.mark.parametrize("new", [0, 200_000])
def test_all_conditions_one_by_one_read_the_log_once(new, tmp_path):
    judge(lambda place: one_by_one(place, new), tmp_path, RSS_STEADY, ONE_BY_ONE)


def test_a_first_run_takes_as_long_as_it_did_beside_the_reference_scanner(tmp_path):
    judge(first, tmp_path, RSS_READING)


def test_a_log_of_many_hosts_takes_as_long_as_it_did_beside_the_reference_scanner(tmp_path):
    judge(hardest, tmp_path, RSS_OF_MANY_HOSTS)


def test_a_compressed_archive_takes_as_long_as_it_did_beside_the_reference_scanner(tmp_path):
    judge(unpacked, tmp_path, RSS_READING)


def test_memory_does_not_grow_with_the_log(tmp_path):
    if not os.access(TIME, os.X_OK):
        pytest.skip(f"{TIME} is not installed, so memory cannot be measured")
    # From 30 MB on all that is remembered has reached its bounds.
    logs = [ground.one_day(tmp_path / f"{size}.log", size * ground.MEGABYTE) for size in (30, 90)]
    small, large = (
        race([ours(log.path, fresh=True)], 1, with_rss=True)["ours"].rss for log in logs
    )

    assert large <= small + 6
    assert large <= RSS_READING


def test_no_line_of_64_kib_keeps_us_busy():
    done = subprocess.run(
        [sys.executable, str(HERE / "hostile.py")], capture_output=True, text=True, check=True
    )

    for line in done.stdout.splitlines():
        ms, growth, shape = line.split("\t")
        assert float(ms) <= HOSTILE_MS, shape
        assert float(growth) <= HOSTILE_GROWTH, shape


if __name__ == "__main__":
    pin()
    with tempfile.TemporaryDirectory() as place:
        directories = [Path(place, name) for name in "abcdefghi"]
        for directory in directories:
            directory.mkdir()
        for name, times in (
            steady(directories[0], 0),
            steady(directories[1], 200_000),
            together(directories[2], 0),
            together(directories[3], 200_000),
            one_by_one(directories[4], 0),
            one_by_one(directories[5], 200_000),
            first(directories[6]),
            unpacked(directories[7]),
            hardest(directories[8]),
        ):
            print(f"{ratio(times):.2f}  {name}")
