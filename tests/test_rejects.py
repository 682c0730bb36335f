"""Rejects as a multiple of what is usual."""

from __future__ import annotations

import pytest

from check_postfix.maillog.counts.families import MANY
from check_postfix.rejects import CHECK, REJECTED
from tests.support.builders import a_window, options


def judge(*arguments, verbosity=0, **window):
    return CHECK.judge(a_window(**window), options(CHECK, *arguments), verbosity)


def test_within_what_is_usual_it_is_ok():
    outcome = judge(rejected_smtpd=100, usual=80)

    assert outcome.exit_code == 0
    assert outcome.line == (
        "POSTFIX REJECTS OK - 100 rejects in 15 min, usual 80 to 140 (28 days)"
        " | reject_factor=1;3;10;0 rejects=100;;;0 rejects_usual=80;;;0"
        " gaps=0;;;0 not_understood=0;;;0"
    )


def test_several_times_the_usual_is_a_warning():
    outcome = judge(rejected_smtpd=412, usual=100)

    assert outcome.exit_code == 1
    assert outcome.line == (
        "POSTFIX REJECTS WARNING - 412 rejects in 15 min, 4.1 x usual 100, usual up to 164"
        " (28 days) | reject_factor=4.12;3;10;0 rejects=412;;;0 rejects_usual=100;;;0"
        " gaps=0;;;0 not_understood=0;;;0"
    )


def test_more_than_usual_by_less_than_the_factor_is_said_and_ok():
    outcome = judge(rejected_smtpd=200, usual=100)

    assert outcome.exit_code == 0
    assert "200 rejects in 15 min, 2 x usual 100, usual up to 164" in outcome.line


def test_a_factor_of_hundreds_is_a_whole_number():
    outcome = judge(rejected_smtpd=100_000, usual=100)

    assert "100000 rejects in 15 min, 1000 x usual 100, usual up to 164" in outcome.line


def test_with_too_little_history_there_is_no_factor_and_no_alarm():
    outcome = judge(rejected_smtpd=100_000)

    assert outcome.exit_code == 0
    assert outcome.line == (
        "POSTFIX REJECTS OK - 100000 rejects in 15 min, usual not known yet (3 of 7 days)"
        " | rejects=100000;;;0 gaps=0;;;0 not_understood=0;;;0"
    )


def test_with_too_little_history_the_absolute_thresholds_count():
    outcome = judge(
        "--warning-count", "1000", "--critical-count", "99999", rejected_smtpd=100_000
    )  # fmt: skip

    assert outcome.exit_code == 2
    assert outcome.line == (
        "POSTFIX REJECTS CRITICAL - 100000 rejects in 15 min, usual not known yet (3 of 7 days)"
        " | rejects=100000;1000;99999;0 gaps=0;;;0 not_understood=0;;;0"
    )


def test_where_none_is_usual_a_handful_is_and_an_attack_is_told():
    calm, warning, critical = (judge(rejected_smtpd=number, usual=0) for number in (28, 60, 110))

    assert (calm.exit_code, warning.exit_code, critical.exit_code) == (0, 1, 2)
    assert calm.words == "POSTFIX REJECTS OK - 28 rejects in 15 min, usual 0 to 28 (28 days)"
    assert warning.words == (
        "POSTFIX REJECTS WARNING - 60 rejects in 15 min, 6.4 x usual 9.4, usual up to 28 (28 days)"
    )


def test_the_floor_can_be_moved():
    assert judge(rejected_smtpd=60, usual=0).exit_code == 1
    assert judge("--min-rejects", "60", rejected_smtpd=60, usual=0).exit_code == 0
    assert judge("--min-rejects", "0", rejected_smtpd=11, usual=0).exit_code == 2


def test_the_floor_does_not_hold_back_the_absolute_thresholds():
    outcome = judge("--warning-count", "10", rejected_smtpd=11, usual=1)

    assert outcome.exit_code == 1
    assert outcome.line == (
        "POSTFIX REJECTS WARNING - 11 rejects in 15 min, usual 1 to 33 (28 days)"
        " | reject_factor=1;3;10;0 rejects=11;10;;0 rejects_usual=10.9;;;0"
        " gaps=0;;;0 not_understood=0;;;0"
    )


def test_few_rejects_are_no_trouble():
    outcome = judge(rejected_smtpd=0, usual=1000, before=[0] * 15, silent=600)

    assert outcome.exit_code == 0
    assert outcome.words == (
        "POSTFIX REJECTS OK - 0 rejects in 15 min, usual 1000 to 1142 (28 days)"
    )


@pytest.mark.parametrize(
    ("arguments", "state"),
    [
        (["-w", "5"], 0),
        (["-w", "4.9"], 1),
        (["-c", "5"], 1),
        (["-c", "4.9"], 2),
        (["-w", "@5:5", "-c", "~:"], 1),
        (["-w", "5:", "-c", "5.1:"], 2),
        (["--warning-count", "500", "-w", "9"], 0),
        (["--warning-count", "499", "-w", "9"], 1),
        (["--critical-count", "500"], 1),
        (["--critical-count", "499"], 2),
    ],
)
def test_factor_and_number_have_thresholds_of_their_own(arguments, state):
    outcome = judge(*arguments, rejected_smtpd=500, usual=100)

    assert outcome.exit_code == state


@pytest.mark.parametrize("counter", REJECTED)
def test_every_way_to_refuse_counts(counter):
    assert "500 rejects" in judge(**{counter: 500}).words


@pytest.mark.parametrize("other", ["reject_warning", "held", "discarded", "bounced"])
def test_what_refuses_nothing_does_not_count(other):
    without = judge(rejected_smtpd=100, usual=100)

    outcome = judge(rejected_smtpd=100, usual=100, **{other: 5000})

    assert str(outcome) == str(without)


def test_one_reject_is_told_in_the_singular():
    assert judge(rejected_mime=1).words == (
        "POSTFIX REJECTS OK - 1 reject in 15 min, usual not known yet (3 of 7 days)"
    )


def test_verbose_shows_who_refuses_whom_and_how():
    keys = {
        "rejected client": [("198.51.100.7", 9), ("", 3)],
        "rejected reply_code": [("554", 10), ("450", 2)],
    }

    outcome = judge(
        keys=keys, rejected_smtpd=2, rejected_postscreen=9, rejected_mime=1, verbosity=1
    )  # fmt: skip

    assert outcome.lines == [
        "rejects by program:",
        "  9  postscreen",
        "  2  smtpd",
        "  1  MIME checks",
        "rejects by client:",
        "  9  198.51.100.7",
        "  3  others",
        "rejects by reply code:",
        "  10  554",
        "   2  450",
    ]


def test_verbose_shows_the_five_worst_clients():
    clients = [(f"198.51.100.{i}", 20 - i) for i in range(7)]

    outcome = judge(keys={"rejected client": clients}, rejected_smtpd=119, verbosity=1)

    assert outcome.lines[2:] == [
        "rejects by client:",
        *(f"  {20 - i}  198.51.100.{i}" for i in range(5)),
        "  29  in 2 more",
    ]


def named(client, name, number):
    return {"client": client, "client_name": name}, number


def test_verbose_shows_the_verified_names_of_clients():
    keys = {
        "rejected": [
            named("192.0.2.1", "mx.example.net", 5),
            named("192.0.2.1", "old.example.net", 4),
            named("192.0.2.2", "", 3),
            named("192.0.2.2", "mx.example.org", 2),
            named("192.0.2.3", MANY, 4),
            named("192.0.2.4", f"{'a' * 60}.example", 1),
        ]
    }

    assert judge(keys=keys, verbosity=1).lines == [
        "rejects by client:",
        "  9  192.0.2.1 (mx.example.net)",
        "  5  192.0.2.2",
        "  4  192.0.2.3",
        f"  1  192.0.2.4 (+{'a' * 31}.example)",
    ]


def test_verbose_tells_why_and_which_block_list():
    blocked = {"client": "192.0.2.1", "reply_code": "554", "reason": "blocked by a list"}
    keys = {
        "rejected": [
            ({**blocked, "blocklist": "zen.spamhaus.org"}, 7),
            ({**blocked, "client": "192.0.2.2", "blocklist": "bl.example.org"}, 2),
            ({"client": "192.0.2.1", "reply_code": "450", "reason": "greylisted"}, 5),
        ]
    }

    assert judge(keys=keys, verbosity=1).lines == [
        "rejects by client:",
        "  12  192.0.2.1",
        "   2  192.0.2.2",
        "rejects by reason:",
        "  9  blocked by a list",
        "  5  greylisted",
        "rejects by block list:",
        "  7  zen.spamhaus.org",
        "  2  bl.example.org",
        "rejects by reply code:",
        "  9  554",
        "  5  450",
    ]


def test_without_our_own_monitoring_the_rest_is_held_against_all_that_is_usual():
    keys = {"rejected client": [("192.0.2.1", 470), ("198.51.100.7", 60)]}

    outcome = judge("--ignore-client", "192.0.2.0/24", keys=keys, usual=5, rejected_smtpd=530)

    assert outcome.line == (
        "POSTFIX REJECTS WARNING - 60 rejects in 15 min, 4.4 x usual 14, usual up to 41"
        " (28 days, of all rejects), all from 198.51.100.7"
        " | reject_factor=4.36;3;10;0 rejects=60;;;0 rejects_usual=13.8;;;0"
        " gaps=0;;;0 not_understood=0;;;0"
    )
