"""The checks beside a real Postfix: every number is compared with what was done."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from .commands import CHECKS, LOG_CHECKS, READER, ROOT, Result
from .history import is_of_a_calm_day
from .mailboxes import SLOW
from .outcome import Outcome, perfdata

pytestmark = pytest.mark.integration

OK, WARNING, CRITICAL, UNKNOWN = range(4)
# By the thresholds in observations.py.
STATES = {
    "deferred": WARNING,
    "bounces": CRITICAL,
    "auth": WARNING,
    "rejects": WARNING,
    "volume": WARNING,
    "delay": WARNING,
    "senders": WARNING,
    "recipients": WARNING,
    "log": WARNING,
    "queue": WARNING,
}
LABELS = {
    "deferred": "deferred_ratio attempts sent deferred bounced expired",
    "bounces": "bounce_ratio sent bounced expired bounced_550 bounced_554 mailbox_full",
    "auth": "auth_failures auth_worst_client auth_clients auth_backend_errors"
    " auth_accounts auth_worst_account auth_failures_slow auth_worst_client_slow"
    " auth_worst_account_slow",
    "rejects": "reject_factor rejects rejects_usual",
    "volume": "volume_factor received sent connections usual_low usual_high silence silence_factor",
    # The other stages are no time at all on a quick machine.
    "delay": "delay_p95 delay_p99 delay_transmission deliveries",
    "senders": "senders sender_worst_messages sender_worst_recipients sender_worst_clients"
    " sender_worst_bounced sender_worst_factor sender_busiest_factor",
    "recipients": "recipients recipient_worst_messages recipient_worst_clients"
    " recipient_worst_rejects recipient_worst_factor",
    "log": "log_age lines warnings",
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


def test_a_password_that_was_guessed_is_told_by_whom_and_whose(scenario: Outcome) -> None:
    """From Dovecot's and Postfix's own lines; alice, who is known there, is not suspected."""
    result = scenario.results["root/auth/after a week"]

    assert result.exit_code == CRITICAL
    assert perfdata(result.stdout)["auth_guessed"] == 1
    assert re.search(
        r" CRITICAL - bob may be guessed: 203\.0\.113\.77 failed at \d\d accounts and then"
        r" logged in as bob by imap at .*; change the password, see: postfix-log trace --log \S+"
        r" --since \S+ bob login:; ",
        result.stdout,
    )


def test_before_a_week_is_known_nobody_is_said_to_have_guessed(scenario: Outcome) -> None:
    result = scenario.results["root/auth/first"]

    assert "logins from where an address guesses, not judged" in result.stdout
    assert "auth_guessed" not in perfdata(result.stdout)


def test_an_account_that_is_stolen_is_told_by_name(scenario: Outcome) -> None:
    result = scenario.results["root/senders/after a week"]

    assert result.exit_code == CRITICAL
    assert " CRITICAL - bob: " in result.stdout
    done = scenario.done["truth"]["postfix"]
    bounced = 100 * done["returned"]["bob"] / done["addressed"]["bob"]
    assert perfdata(result.stdout)["sender_worst_bounced"] == pytest.approx(bounced, abs=ROUNDING)


def test_a_recipient_that_is_asked_for_is_counted_by_name(scenario: Outcome) -> None:
    result = scenario.results["root/recipients/asked for"]

    assert "ann@example.net" in result.stdout
    numbers = perfdata(result.stdout)
    assert numbers["recipient_worst_clients"] >= 2
    assert numbers["recipient_worst_rejects"] >= 3


def test_a_relay_that_takes_long_is_found_and_named(scenario: Outcome) -> None:
    result = scenario.results["root/delay/slow relay"]

    numbers = perfdata(result.stdout)
    assert SLOW <= numbers["delay_transmission"] <= SLOW + 3
    # Some wait until there is room for them.
    assert numbers["delay_p99"] >= SLOW
    # On a busy machine others wait as well; how long, says Postfix.
    text = scenario.log().read_text()
    sent = re.findall(r"to=<(\S+)@(\S+)>, .*\bdelay=([\d.]+), .*status=sent", text)
    slow = [(user, domain) for user, domain, seconds in sent if float(seconds) >= 10]
    there = sum(domain == "example.org" for _, domain in slow)
    assert ("slow", "example.org") in slow
    table = result.stdout.partition("first deliveries of 10 s and more by recipient domain:\n")[2]
    assert f"  {there}  example.org\n" in table


def test_rejects_are_compared_with_those_of_earlier_days(scenario: Outcome) -> None:
    calm = sum(map(is_of_a_calm_day, scenario.log().read_text().splitlines()))
    rejects = scenario.done["perfdata"]["everything"]["rejects"]["rejects"]
    result = scenario.results["root/rejects/after a week"]

    assert tells(result, {"rejects": rejects})
    assert perfdata(result.stdout)["rejects_usual"] >= calm


def test_mail_that_stops_is_told_after_a_week_like_this_day(scenario: Outcome) -> None:
    result = scenario.results["root/volume/after a week"]

    assert result.exit_code in (WARNING, CRITICAL)
    assert "no message received for " in result.stdout


def test_a_log_that_ended_yesterday_is_a_day_old(scenario: Outcome) -> None:
    result = scenario.results["root/log/since yesterday"]

    assert perfdata(result.stdout)["log_age"] == pytest.approx(86400, abs=600)


def test_far_more_mail_than_in_a_calm_week_is_told(scenario: Outcome) -> None:
    result = scenario.results["root/volume/after a calm week"]

    assert result.exit_code in (WARNING, CRITICAL)
    assert perfdata(result.stdout)["volume_factor"] >= 3
    assert " x usual " in result.stdout


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

    # To the check of the log itself that is what it looks for.
    assert result.exit_code == (CRITICAL if check == "log" else UNKNOWN)
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
