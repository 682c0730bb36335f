"""The checks beside a real Postfix: every number is compared with what was done."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from .commands import CHECKS, LOG_CHECKS, READER, ROOT, Result
from .history import is_of_a_calm_day
from .outcome import Outcome, perfdata

pytestmark = pytest.mark.integration

OK, WARNING, CRITICAL, UNKNOWN = range(4)
# By the thresholds in observations.py.
STATES = {
    "deferred": WARNING,
    "bounces": CRITICAL,
    "auth": WARNING,
    "rejects": WARNING,
    "queue": WARNING,
}
LABELS = {
    "deferred": "deferred_ratio attempts sent deferred bounced expired",
    "bounces": "bounce_ratio sent bounced expired bounced_550 bounced_554 mailbox_full",
    "auth": "auth_failures auth_worst_client auth_clients auth_backend_errors"
    " auth_accounts auth_worst_account",
    "rejects": "reject_factor rejects rejects_usual",
    "queue": "queue_size queue_oldest active deferred hold incoming queue_bytes",
}
# A ratio is printed with one decimal.
ROUNDING = 0.051

by_root_and_reader = pytest.mark.parametrize("user", [ROOT, READER])
of_each_check = pytest.mark.parametrize("check", CHECKS)
of_each_log_check = pytest.mark.parametrize("check", LOG_CHECKS)


def tells(result: Result, truth: Mapping[str, float]) -> bool:
    """Compare what the truth has a number for, and be quiet on standard error."""
    assert result.stderr == ""
    numbers = perfdata(result.stdout)
    assert {label: numbers.get(label) for label in truth} == pytest.approx(truth, abs=ROUNDING)
    return True


def queue_truth(scenario: Outcome, instance: str) -> dict[str, Any]:
    """Return what is in an instance's queue, by the perfdata's labels but for the age."""
    sizes = {"active": 0, "deferred": 0, "hold": 0, "incoming": 0} | scenario.done["queues"][
        instance
    ]
    size = sum(message["message_size"] for message in scenario.done["listings"][instance])
    return {"queue_size": sum(sizes.values()), "queue_bytes": size, **sizes}


@by_root_and_reader
@of_each_log_check
@pytest.mark.parametrize("occasion", ["first", "second", "log found by itself", "RFC 3339"])
def test_a_check_counts_what_was_done(
    scenario: Outcome, user: str, check: str, occasion: str
) -> None:
    result = scenario.results[f"{user}/{check}/{occasion}"]

    assert tells(result, scenario.done["perfdata"]["everything"][check])


@by_root_and_reader
@of_each_log_check
def test_a_check_of_one_instance_counts_what_was_done_there(
    scenario: Outcome, user: str, check: str
) -> None:
    result = scenario.results[f"{user}/{check}/second instance"]

    assert tells(result, scenario.done["perfdata"]["postfix-out"][check])


@by_root_and_reader
@pytest.mark.parametrize(
    ("instance", "occasion"), [("postfix", "first"), ("postfix-out", "second instance")]
)
def test_the_queue_check_counts_the_messages_that_wait(
    scenario: Outcome, user: str, instance: str, occasion: str
) -> None:
    result = scenario.results[f"{user}/queue/{occasion}"]

    assert tells(result, queue_truth(scenario, instance))


@by_root_and_reader
def test_the_queue_check_tells_the_age_of_the_oldest_message(scenario: Outcome, user: str) -> None:
    # The first message that got stuck came before all others at this instance.
    arrivals = [message["arrival_time"] for message in scenario.done["listings"]["postfix-out"]]
    age = scenario.done["over"] - min(arrivals)

    oldest = perfdata(scenario.results[f"{user}/queue/second instance"].stdout)["active_oldest"]

    assert age - 1 <= oldest <= age + 60


@by_root_and_reader
@of_each_check
@pytest.mark.parametrize("occasion", ["first", "second"])
def test_the_state_follows_from_the_thresholds(
    scenario: Outcome, user: str, check: str, occasion: str
) -> None:
    assert scenario.results[f"{user}/{check}/{occasion}"].exit_code == STATES[check]


def test_a_single_client_that_guesses_passwords_is_critical(scenario: Outcome) -> None:
    assert scenario.results["root/auth/one guesser"].exit_code == CRITICAL


def test_rejects_are_compared_with_those_of_earlier_days(scenario: Outcome) -> None:
    usual = sum(map(is_of_a_calm_day, scenario.log().read_text().splitlines()))
    rejects = scenario.done["perfdata"]["everything"]["rejects"]["rejects"]

    truth = {"rejects": rejects, "rejects_usual": usual, "reject_factor": rejects / usual}

    assert tells(scenario.results["root/rejects/after a week"], truth)


@of_each_check
def test_every_label_has_a_situation_in_which_it_is_not_0(scenario: Outcome, check: str) -> None:
    outputs = [
        perfdata(result.stdout)
        for name, result in scenario.results.items()
        if name.split("/")[1] == check
    ]

    seen = {label for output in outputs for label, number in output.items() if number}

    assert set(LABELS[check].split()) <= seen


@of_each_log_check
def test_a_log_that_may_not_be_read_is_unknown_and_the_group_named(
    scenario: Outcome, check: str
) -> None:
    result = scenario.results[f"stranger/{check}/unreadable"]

    assert result.exit_code == UNKNOWN
    assert result.stderr == ""
    assert re.search(r"/var/log/mail\.log.*\badm\b", result.stdout.splitlines()[0])


@by_root_and_reader
def test_a_postfix_that_is_down_is_critical_and_not_an_empty_queue(
    scenario: Outcome, user: str
) -> None:
    result = scenario.results[f"{user}/queue/postfix down"]

    assert result.exit_code == CRITICAL
    assert result.stderr == ""
    assert "down" in result.stdout.splitlines()[0]
