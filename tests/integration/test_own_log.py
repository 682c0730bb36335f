"""A Postfix that writes its own log and rotates it itself: each message is counted once."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest

from . import namespace, packages
from .commands import Result
from .outcome import perfdata

pytestmark = pytest.mark.integration

SECONDS = 180
LABELS = ("sent", "deferred", "bounced", "gaps")

Run = tuple[str, dict[str, int], Result]


@pytest.fixture(scope="module")
def runs() -> list[Run]:
    """What was to be counted, and what the check said, run after run."""
    if reason := namespace.why_impossible():
        pytest.skip(reason)
    packages.install("postfix", "iproute2", "gzip")
    with tempfile.TemporaryDirectory(prefix="check_postfix-") as directory:
        Path(directory).chmod(0o755)
        namespace.run_inside("tests.integration.own_log", directory, timeout=SECONDS)
        results = json.loads(Path(directory, "results.json").read_text())
    return [(occasion, truth, Result(**said)) for occasion, truth, said in results]


def test_each_message_is_counted_once_whenever_the_check_runs(runs: list[Run]) -> None:
    said = [
        (occasion, {label: perfdata(result.stdout)[label] for label in LABELS})
        for occasion, _, result in runs
    ]

    assert said == [(occasion, truth) for occasion, truth, _ in runs]
    assert {result.stderr for _, _, result in runs} == {""}


def test_what_postfix_has_overwritten_before_it_was_read_is_said(runs: list[Run]) -> None:
    *before, (_, _, last) = runs

    assert "log lines lost between" in last.stdout
    assert not any("lost" in result.stdout for _, _, result in before)
