"""We stay as fast as we are: ratios of CPU time, wide enough for noise, too narrow for 1.5 times.

What is compared runs in turn on one core, and the least CPU time of several rounds
counts, so that a busy machine changes little. To see the ratios of now:

    python -m tests.bench.test_ratios
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from . import ground
from .race import TIME, Runner, Times, pin, race
from .shapes import CentralEvenly

# Our CPU time divided by that of `import nagiosplugin, sqlite3, argparse, re`, or of
# the reference scanner, as measured last. Put in a new one when it has become less.
MEASURED = {
    "nothing new, by floor": 1.12,
    "200 KB new, by floor": 1.60,
    "20 MB at first, by reference scanner": 3.00,
    "20 MB in a .gz at first, by reference scanner": 2.70,
    "20 MB of 200 hosts, domains drawn evenly, by reference scanner": 9.40,
}
MARGIN = 1.25

# MiB
RSS_STEADY = 24
RSS_READING = 40
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
    log = ground.one_day(directory / "mail.log", 2 * ground.MEGABYTE)
    field = [floor(), ours(log.path)]
    race(field, 1)
    times = race(field, 15, lambda: log.write_now(new) if new else None, with_rss=True)
    return f"{new // 1000} KB new, by floor" if new else "nothing new, by floor", times


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


def judge(name: str, times: dict[str, Times], most_memory: float) -> None:
    assert ratio(times) <= MEASURED[name] * MARGIN, f"{name}: {times}"
    if times["ours"].rss is not None:
        assert times["ours"].rss <= most_memory


@pytest.mark.parametrize("new", [0, 200_000])
def test_a_run_each_minute_takes_little_longer_than_its_imports(new, tmp_path):
    judge(*steady(tmp_path, new), RSS_STEADY)


def test_a_first_run_takes_as_long_as_it_did_beside_the_reference_scanner(tmp_path):
    judge(*first(tmp_path), RSS_READING)


def test_a_log_of_many_hosts_takes_as_long_as_it_did_beside_the_reference_scanner(tmp_path):
    judge(*hardest(tmp_path), RSS_READING)


def test_a_compressed_archive_takes_as_long_as_it_did_beside_the_reference_scanner(tmp_path):
    judge(*unpacked(tmp_path), RSS_READING)


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
        directories = [Path(place, name) for name in "abcde"]
        for directory in directories:
            directory.mkdir()
        for name, times in (
            steady(directories[0], 0),
            steady(directories[1], 200_000),
            first(directories[2]),
            unpacked(directories[3]),
            hardest(directories[4]),
        ):
            print(f"{ratio(times):.2f}  {name}")
