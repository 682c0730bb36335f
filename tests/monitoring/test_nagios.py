"""What a real Nagios 4 makes of nagios/ and of the checks: by itself, by NRPE and by NSCA."""

from __future__ import annotations

import re

import pytest

from tests.support.definitions import log_checks, names

from .cases import CASES, LABELS, LINES, PERFDATA, STATES, at_any_time
from .one_nagios import BY_NRPE, CENTRAL, LOCAL, MEANT, PASSIVE

pytestmark = pytest.mark.integration

EACH_CASE = [f"{check} {state}" for check, states in CASES.items() for state in states]
EACH_CHECK = pytest.mark.parametrize("check", CASES)
HOSTILE = [f"{check} hostile" for check in names(log_checks())]
UNKNOWN = 3


def as_printed(service: dict[str, str]) -> str:
    """Return what Nagios knows of a service, put together again."""
    first = service["output"]
    if service["performance_data"]:
        first += " | " + service["performance_data"]
    return at_any_time("\n".join([first, *service["long_output"].splitlines()]) + "\n")


def by_hand(one_nagios, name: str) -> str:
    """Return what a check prints; Nagios makes ":" of ";" in the words of the first line."""
    first, newline, rest = one_nagios["by hand"][name]["printed"].partition("\n")
    words, bar, perfdata = first.partition(" | ")
    return at_any_time(words.replace(";", ":") + bar + perfdata + newline + rest)


def test_nagios_accepts_what_is_shipped(one_nagios):
    assert one_nagios["validated"] == 0, one_nagios["words"]
    assert re.findall(r"Total (?:Warnings|Errors): +(\d+)", one_nagios["words"]) == ["0", "0"]


@pytest.mark.parametrize("case", EACH_CASE)
def test_every_state_arrives_as_it_was_printed(case, one_nagios):
    service = one_nagios["services"][f"{LOCAL}!{case}"]

    assert service["exit_status"] == STATES.index(case.split()[1])
    assert as_printed(service) == by_hand(one_nagios, case)


@EACH_CHECK
def test_text_and_perfdata_are_what_an_operator_expects(check, one_nagios):
    service = one_nagios["services"][f"{LOCAL}!{check} WARNING"]

    assert at_any_time(service["output"]) == LINES[check]
    # How many bytes three messages have is Postfix's affair.
    labels = [label for label in service["performance_data"].split() if "_bytes" not in label]
    assert at_any_time(" ".join(labels)) == PERFDATA[check]


@pytest.mark.parametrize("case", EACH_CASE)
def test_the_perfdata_file_holds_what_was_meant(case, one_nagios):
    _, _, perfdata = one_nagios["by hand"][case]["printed"].strip().partition(" | ")

    assert at_any_time(one_nagios["perfdata"][f"{LOCAL}!{case}"]) == at_any_time(perfdata)


@pytest.mark.parametrize("case", [*HOSTILE, *(f"postfix-{check}" for check in CASES)])
def test_long_output_arrives_whole(case, one_nagios):
    assert as_printed(one_nagios["services"][f"{LOCAL}!{case}"]) == by_hand(one_nagios, case)


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_words_in_the_log_add_no_label_and_no_markup(case, one_nagios):
    service = one_nagios["services"][f"{LOCAL}!{case}"]

    labels = [label.partition("=")[0] for label in service["performance_data"].split()]
    assert labels == LABELS[case.split()[0]]
    assert not set(service["output"] + service["long_output"]) & set("|<>\u202e\x1b")


def test_hostile_words_in_a_notification_are_not_executed(one_nagios):
    """Nagios puts the output into a shell's command line, as Debian's own commands do."""
    assert one_nagios["notified"].startswith("POSTFIX DEFERRED CRITICAL - ")
    assert "/tmp/pwned" in one_nagios["notified"]
    assert not one_nagios["pwned"]


def test_quoted_options_reach_the_command_line_unchanged(one_nagios):
    output = one_nagios["services"][f"{LOCAL}!quoted"]["output"]

    assert output.startswith(f"POSTFIX AUTH UNKNOWN - --host {MEANT.replace('|', '/')}: not in ")


def test_a_central_log_is_judged_by_host(one_nagios):
    """The same log also holds the trouble of mx4."""
    assert one_nagios["services"][f"{CENTRAL}!postfix-deferred"]["output"] == (
        "POSTFIX DEFERRED OK - 0 % of 40 delivery attempts deferred in 15 min"
    )


@EACH_CHECK
def test_results_arrive_by_nrpe(check, one_nagios):
    service = one_nagios["services"][f"{BY_NRPE}!postfix-{check}"]

    assert as_printed(service) == by_hand(one_nagios, f"postfix-{check}")
    assert (
        service["exit_status"] == (one_nagios["by hand"][f"postfix-{check}"]["printed_exit_status"])
    )


def test_nrpe_tells_whether_it_is_there(one_nagios):
    assert one_nagios["services"][f"{BY_NRPE}!nrpe"]["output"].startswith("NRPE v")


@pytest.mark.parametrize("command", [*CASES, "long"])
def test_the_first_line_fits_into_a_packet_of_nrpe_2(command, one_nagios):
    arrived = one_nagios["nrpe 2"][command]["output"]
    printed = one_nagios["by hand"]["long" if command == "long" else f"postfix-{command}"]

    first, printed_first = arrived.partition("\n")[0], printed["printed"].partition("\n")[0]
    assert at_any_time(first) == at_any_time(printed_first)


def test_long_output_is_cut_by_nrpe_2_only(one_nagios):
    printed = one_nagios["by hand"]["long"]["printed"]

    assert len(printed.encode()) > 1024
    assert len(one_nagios["nrpe 2"]["long"]["output"].encode()) <= 1024
    # The very last line says how long it took.
    assert len(one_nagios["nrpe"]["long"]["output"].splitlines()) == len(printed.splitlines())


def test_nrpe_takes_no_options_from_outside(one_nagios):
    assert one_nagios["nrpe arguments"]["exit_status"] == UNKNOWN
    assert "POSTFIX" not in one_nagios["nrpe arguments"]["output"]


@EACH_CHECK
def test_a_mail_server_reports_by_itself(check, one_nagios):
    service = one_nagios["reported"][f"{PASSIVE}!postfix-{check}"]

    assert as_printed(service) == by_hand(one_nagios, f"passive {check}")


@EACH_CHECK
def test_a_mail_server_that_reports_no_more_is_unknown(check, one_nagios):
    service = one_nagios["silent"][f"{PASSIVE}!postfix-{check}"]

    assert service["exit_status"] == UNKNOWN
    assert service["output"].startswith("UNKNOWN: no report for 5 minutes")
