"""A report stays as fast as it is beside pflogsumm, and small, on logs of every shape."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from . import race, shapes
from .ground import one_day

pytestmark = [pytest.mark.bench, pytest.mark.usefixtures("pflogsumm")]

_SIZE = 20_000_000
_ROUNDS = 2
# Our CPU time divided by pflogsumm's, as measured last. Put in a new one when it has become less.
MEASURED = {
    "an ordinary day": 0.54,
    "50,000 recipient domains": 0.28,
    "200 hosts": 0.38,
    "200 hosts, domains drawn evenly": 0.22,
    "an attack": 0.45,
    "1,000 recipients a message": 0.40,
}
MARGIN = 1.25
# In MiB
_MEMORY = 64


REPORT = [sys.executable, "-m", "check_postfix.command", "report", "--log"]
# The time of two processes divided by that of one, on 60 MB: 0.7 to 0.8 where nothing else runs.
TOGETHER = 0.95
_LONG = 60_000_000


@pytest.fixture(scope="session")
def pflogsumm() -> None:
    """Have a real pflogsumm."""
    from tests.integration import packages

    packages.install("pflogsumm")


def test_each_shape_of_log_is_measured() -> None:
    assert MEASURED.keys() == shapes.SHAPES.keys()


@pytest.mark.parametrize("shape", MEASURED)
def test_a_report_takes_as_long_as_it_did_beside_pflogsumm(tmp_path: Path, shape: str) -> None:
    log = tmp_path / "mail.log"
    one_day(log, _SIZE, truth=shapes.SHAPES[shape]())
    command = [*REPORT, str(log), "--jobs", "1"]

    times = race.race(
        [race.Runner("report", command), race.Runner("pflogsumm", ["pflogsumm", str(log)])],
        _ROUNDS,
        with_rss=True,
    )

    report, other = times["report"], times["pflogsumm"]
    assert report.rss is None or report.rss <= _MEMORY
    assert report.least <= MEASURED[shape] * MARGIN * other.least, (report, other)


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="there is one processor only")
def test_two_processes_take_less_time_than_one(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    one_day(log, _LONG)

    times = race.race(
        [race.Runner(jobs, [*REPORT, str(log), "--jobs", jobs]) for jobs in ("1", "2")], 3
    )

    assert times["2"].wall <= TOGETHER * times["1"].wall, times
