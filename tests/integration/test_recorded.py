"""The recorded log, and what the checks say about it: needs nothing but the project."""

import json
from collections import Counter

import pytest

from check_postfix.maillog.events.event import KINDS

from .commands import LOG_CHECKS, run_check
from .counts import counts_of
from .outcome import perfdata
from .record import LOGS, RECORDED, refuse_private_data

TRUTH = json.loads((RECORDED / "truth.json").read_text())
ROUNDING = 0.051

of_each_log = pytest.mark.parametrize("log", LOGS)


@of_each_log
@pytest.mark.parametrize("check", LOG_CHECKS)
def test_a_check_of_the_recorded_log_tells_the_truth(check: str, log: str) -> None:
    options = ["--log", str(RECORDED / log), "--no-state", "--window", "30d"]

    result = run_check(check, [*options, "--at", TRUTH["at"], "--timezone", TRUTH["timezone"]])

    truth = TRUTH["perfdata"]["everything"][check]
    numbers = perfdata(result.stdout)
    assert result.stderr == ""
    assert {label: numbers.get(label) for label in truth} == pytest.approx(truth, abs=ROUNDING)


@of_each_log
def test_each_kind_of_event_in_the_recorded_log_is_counted(log: str) -> None:
    truth: Counter[str] = Counter()
    for deeds in TRUTH["truth"].values():
        truth.update(deeds["counts"], auth_failed=sum(deeds["failures"].values()))

    counts = counts_of(RECORDED / log)

    kinds = KINDS.keys() & truth.keys()
    assert {kind: counts[kind] for kind in kinds} == {kind: truth[kind] for kind in kinds}


@of_each_log
def test_the_recorded_log_names_nobody(log: str) -> None:
    refuse_private_data((RECORDED / log).read_text())
