"""Lines that were not understood are said, and make an OK worthless where they could change it."""

from __future__ import annotations

import pytest

from check_postfix.common.not_understood import COUNTERS, DECIDING, OF_STRANGERS, UNPARSED
from check_postfix.maillog.events.event import KINDS
from tests.support.builders import a_window, options
from tests.support.definitions import log_checks

CHECKS = {check.name.removeprefix("postfix "): check for check in log_checks()}
# What each check would take a line for that nobody can read.
OWN = {
    "deferred": "delivery_unknown",
    "bounces": "delivery_unknown",
    "auth": "login_unknown",
    "rejects": "reject_unknown",
    "volume": "unparsed",
    "delay": "delivery_unknown",
    "senders": "unparsed",
    "recipients": "delivery_unknown",
}
ARGUMENTS = {
    "rejects": ["--critical-count", "100"],
    "senders": ["--critical-messages", "100"],
    "recipients": ["--critical-messages", "100"],
}
# The check of the log itself fears none: all of these are what it looks for.
LOG = "log"
DECIDED = sorted(CHECKS.keys() - {LOG})


def judged(name, *arguments, **window):
    check = CHECKS[name]
    return check.judge(a_window(**window), options(check, *arguments))


def test_every_check_of_the_log_has_a_kind_of_line_that_it_fears():
    assert [*OWN] == [name for name in CHECKS if name != LOG]


def test_what_is_not_understood_is_a_kind_of_event():
    assert COUNTERS.keys() <= KINDS.keys()


@pytest.mark.parametrize("name", CHECKS)
def test_understood_lines_alone_need_no_words(name):
    outcome = judged(name, sent=60, received=60)

    assert outcome.exit_code == 0
    assert "understood" not in outcome.words
    assert outcome.values["not_understood"] == 0


@pytest.mark.parametrize("name", ["deferred", "bounces"])
@pytest.mark.parametrize("counter", ["delivery_unknown", "unparsed"])
def test_deliveries_that_could_change_the_state_make_an_ok_unknown(name, counter):
    outcome = judged(name, sent=60, **{counter: 40})

    assert outcome.exit_code == 3
    assert "40 lines about mail not understood" in outcome.words
    assert "what was not understood could make it CRITICAL" in outcome.words
    assert outcome.values["not_understood"] == 40


@pytest.mark.parametrize(("name", "counter"), OWN.items())
def test_so_many_lines_of_its_own_kind_make_an_ok_unknown(name, counter):
    arguments = ARGUMENTS.get(name, [])
    usual = 10 if name == "volume" else None

    assert judged(name, *arguments, usual=usual, sent=10, **{counter: 900}).exit_code == 3


@pytest.mark.parametrize(
    ("of", "counter"), [("sent", "delivery_unknown"), ("connections", UNPARSED)]
)
def test_what_is_compared_may_have_come_in_lines_that_were_not_understood(of, counter):
    outcome = judged("volume", "--of", of, usual=10, sent=10, connected_smtpd=10, **{counter: 900})

    assert outcome.exit_code == 3
    assert "what was not understood could make it CRITICAL" in outcome.words


@pytest.mark.parametrize("counter", COUNTERS)
def test_the_check_of_the_log_warns_of_several_lines_of_any_kind(counter):
    outcome = judged(LOG, sent=60, **{counter: 900})

    assert outcome.exit_code == 1
    assert "900 lines about mail not understood" in outcome.words


@pytest.mark.parametrize("name", DECIDED)
@pytest.mark.parametrize("counter", sorted(DECIDING.keys() - {"unparsed"}))
def test_lines_of_another_kind_are_said_and_decide_nothing(name, counter):
    if OWN[name] == counter:
        return
    outcome = judged(name, sent=60, **{counter: 900})

    assert outcome.exit_code == 0
    assert "900 lines about mail not understood" in outcome.words


@pytest.mark.parametrize("name", DECIDED)
@pytest.mark.parametrize("counter", OF_STRANGERS)
def test_lines_that_strangers_can_write_are_said_and_never_decide(name, counter):
    outcome = judged(name, sent=1, **{counter: 900})

    assert outcome.exit_code == 0
    assert "900 lines about mail not understood" in outcome.words


def test_too_few_attempts_stay_unjudged_with_what_was_not_understood():
    outcome = judged("deferred", sent=5, delivery_unknown=3)

    assert outcome.exit_code == 0
    assert "3 lines about mail not understood" in outcome.words


def test_enough_attempts_with_what_was_not_understood_are_judged():
    assert judged("deferred", sent=5, delivery_unknown=15).exit_code == 3


def test_an_alarm_stays_an_alarm():
    outcome = judged("deferred", sent=60, deferred=40, delivery_unknown=40)

    assert outcome.exit_code == 2
    assert "40 lines about mail not understood" in outcome.words
    assert "could make" not in outcome.words


def test_a_single_odd_line_among_thousands_is_no_news():
    outcome = judged("deferred", sent=5000, delivery_unknown=1)

    assert outcome.exit_code == 0
    assert "understood" not in outcome.words
    assert outcome.values["not_understood"] == 1


@pytest.mark.parametrize(("sent", "is_said"), [(99, True), (100, False)])
def test_a_hundredth_of_all_lines_is_news(sent, is_said):
    outcome = judged("deferred", sent=sent, delivery_unknown=1)

    assert ("1 line about mail not understood" in outcome.words) == is_said


def test_the_first_line_shows_what_they_look_like():
    keys = {
        "not_understood": [
            ({"service": "smtp", "reason": "to= relay= novel= status="}, 30),
            ({"service": "", "reason": "aaa 00 00:00:00 aa aaaaaaa/aaaa"}, 10),
        ]
    }
    outcome = judged("deferred", keys=keys, sent=60, delivery_unknown=30, unparsed=10)

    assert "such as 'smtp: to= relay= novel= status='" in outcome.words


def test_vv_says_how_many_of_what_and_what_they_look_like():
    check = CHECKS["deferred"]
    keys = {"not_understood": [({"service": "", "reason": "aaa 00 00:00:00 aaaaaaa/aaaa"}, 10)]}
    outcome = check.judge(
        a_window(keys=keys, sent=60, unparsed=10, line_truncated=2), options(check), verbosity=2
    )

    assert "not understood in the window: 10 in an unknown frame, 2 cut off" in outcome.lines
    assert "      10  aaa 00 00:00:00 aaaaaaa/aaaa" in outcome.lines
