"""A real Postfix with one daemon in a chroot that has no zone: it is told of, with the fix."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

import pytest

from . import namespace, packages
from .chroot import RUNS
from .commands import Result

pytestmark = pytest.mark.integration

SECONDS = 120


@pytest.fixture(scope="module")
def played() -> tuple[list[Result], str]:
    """What the check said, run after run, and the log before the zone was copied."""
    if reason := namespace.why_impossible():
        pytest.skip(reason)
    packages.install("postfix", "iproute2", "tzdata")
    with tempfile.TemporaryDirectory(prefix="check_postfix-") as directory:
        Path(directory).chmod(0o755)
        namespace.run_inside("tests.integration.chroot", directory, timeout=SECONDS)
        said = json.loads(Path(directory, "results.json").read_text())
        return [Result(**one) for one in said], Path(directory, "mail.log").read_text()


def test_the_daemon_in_the_chroot_writes_another_time_than_the_others(
    played: tuple[list[Result], str],
) -> None:
    _, log = played
    hours = {
        program: {
            int(hour) for hour in re.findall(rf" (\d\d):\d\d:\d\d mx postfix/{program}\[", log)
        }
        for program in ("smtp", "qmgr")
    }

    assert not hours["smtp"] & hours["qmgr"]


def test_it_is_told_of_and_is_unknown_from_the_third_run(played: tuple[list[Result], str]) -> None:
    said, _ = played

    for result in said[:RUNS]:
        assert re.search(
            r"stamps of smtp \d h behind the other daemons; copy /etc/localtime into the chroot",
            result.stdout,
        )
    assert [result.exit_code for result in said[:RUNS]] == [0, 0, 3]


def test_nothing_of_it_is_said_once_the_zone_is_there(played: tuple[list[Result], str]) -> None:
    said, _ = played

    for result in said[RUNS:]:
        assert "daemons" not in result.stdout
        assert "deferred=0" not in result.stdout
