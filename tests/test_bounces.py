"""Bounces in percent of final outcomes."""

from __future__ import annotations

import pytest

from check_postfix.bounces import CHECK
from tests.support.builders import a_window, options


def judge(*arguments, verbosity=0, **window):
    return CHECK.judge(a_window(**window), options(CHECK, *arguments), verbosity)


def test_a_small_part_bounced_is_ok():
    outcome = judge(sent=95, bounced=5)

    assert outcome.exit_code == 0
    assert outcome.line == (
        "POSTFIX BOUNCES OK - 5 % of 100 recipients bounced in 15 min"
        " | bounce_ratio=5%;5;15;0;100 sent=95;;;0 bounced=5;;;0 expired=0;;;0"
        " bounced_550=0;;;0 bounced_554=0;;;0 mailbox_full=0;;;0 gaps=0;;;0 not_understood=0;;;0"
    )


def test_more_than_the_warning_range_is_a_warning_and_every_reason_is_counted():
    outcome = judge(
        sent=90, bounced=10, bounced_550=4, bounced_554=3, mailbox_full=2, expired=1
    )  # fmt: skip

    assert outcome.exit_code == 1
    assert outcome.line == (
        "POSTFIX BOUNCES WARNING - 10 % of 100 recipients bounced in 15 min, 1 expired"
        " | bounce_ratio=10%;5;15;0;100 sent=90;;;0 bounced=10;;;0 expired=1;;;0"
        " bounced_550=4;;;0 bounced_554=3;;;0 mailbox_full=2;;;0 gaps=0;;;0 not_understood=0;;;0"
    )


def test_more_than_the_critical_range_is_critical():
    outcome = judge("--min-attempts", "4", "--min-failures", "1", sent=3, bounced=1)

    assert outcome.exit_code == 2
    assert outcome.line == (
        "POSTFIX BOUNCES CRITICAL - 25 % of 4 recipients bounced in 15 min"
        " | bounce_ratio=25%;5;15;0;100 sent=3;;;0 bounced=1;;;0 expired=0;;;0"
        " bounced_550=0;;;0 bounced_554=0;;;0 mailbox_full=0;;;0 gaps=0;;;0 not_understood=0;;;0"
    )


@pytest.mark.parametrize(
    ("limits", "bounced", "state"),
    [
        ("10", 100, 0),
        ("10", 101, 2),
        ("10:", 99, 2),
        ("10:", 100, 0),
        ("@10:20", 200, 2),
        ("@10:20", 201, 0),
        ("~:", 999, 0),
    ],
)
def test_the_critical_range_alerts_as_written(limits, bounced, state):
    outcome = judge("-w", "~:", "-c", limits, sent=1000 - bounced, bounced=bounced)

    assert outcome.exit_code == state


def test_a_ratio_of_too_few_outcomes_is_shown_but_not_judged():
    outcome = judge(sent=1, bounced=18)

    assert outcome.exit_code == 0
    assert outcome.line == (
        "POSTFIX BOUNCES OK - 94.7 % of 19 recipients bounced in 15 min"
        " (fewer than 20 recipients, not judged)"
        " | bounce_ratio=94.7%;;;0;100 sent=1;;;0 bounced=18;;;0 expired=0;;;0"
        " bounced_550=0;;;0 bounced_554=0;;;0 mailbox_full=0;;;0 gaps=0;;;0 not_understood=0;;;0"
    )
    assert judge(sent=2, bounced=18).exit_code == 2


def test_a_ratio_of_too_few_bounces_is_shown_but_not_judged():
    outcome = judge(sent=20, bounced=4)

    assert outcome.words == (
        "POSTFIX BOUNCES OK - 16.7 % of 24 recipients bounced in 15 min"
        " (fewer than 5 bounced, not judged)"
    )
    assert judge(sent=20, bounced=5).exit_code == 2


def test_without_outcomes_there_is_no_ratio_but_expiries_are_told():
    outcome = judge(expired=2, deferred=30)

    assert outcome.exit_code == 0
    assert outcome.line == (
        "POSTFIX BOUNCES OK - no mail sent or bounced in 15 min, 2 expired"
        " | sent=0;;;0 bounced=0;;;0 expired=2;;;0"
        " bounced_550=0;;;0 bounced_554=0;;;0 mailbox_full=0;;;0 gaps=0;;;0 not_understood=0;;;0"
    )


@pytest.mark.parametrize("other", ["deferred", "softbounce", "forwarded", "probes"])
def test_what_is_not_final_is_not_in_the_ratio(other):
    without = judge(sent=80, bounced=20)

    outcome = judge(sent=80, bounced=20, **{other: 500})

    assert str(outcome) == str(without)


def test_verbose_shows_where_mail_bounces_and_why():
    keys = {
        "bounced domain": [("example.net", 2)],
        "bounced relay": [("mx.example.net", 2)],
        "bounced reply_code": [("550", 2)],
        "bounced enhanced_code": [("5.1.1", 1), ("5.7.1", 1)],
    }

    outcome = judge(sent=98, bounced=2, keys=keys, verbosity=1)

    assert outcome.lines == [
        "bounces by recipient domain:",
        "  2  example.net",
        "bounces by relay:",
        "  2  mx.example.net",
        "bounces by reply code:",
        "  2  550",
        "bounces by enhanced status code:",
        "  1  5.1.1",
        "  1  5.7.1",
    ]


KEYS = {
    "sent": [({"domain": "example.net", "relay": "mx.example.net"}, 30)],
    "bounced": [
        ({"domain": "example.net", "reply_code": "550", "enhanced_code": "5.1.1",
          "reason": "unknown user"}, 10),
        ({"domain": "example.org", "reply_code": "554", "enhanced_code": "5.7.1",
          "reason": "blocked by a list"}, 19),
        ({"domain": "example.net", "reply_code": "552", "enhanced_code": "5.2.2",
          "reason": "mailbox full"}, 1),
    ],
    "deferred": [({"domain": "example.net", "reason": "mailbox full"}, 2)],
}  # fmt: skip


def test_per_domain_the_worst_that_has_enough_recipients_is_judged():
    outcome = judge("--per", "domain", keys=KEYS, sent=30, bounced=30, bounced_550=10)
    fewer = judge("--per", "domain", "--min-attempts", "19", keys=KEYS, sent=30, bounced=30)

    assert outcome.exit_code == 2
    assert outcome.line == (
        "POSTFIX BOUNCES CRITICAL - example.net: 26.8 % of 41 recipients bounced in 15 min,"
        " 5.1.1 unknown user"
        " | bounce_ratio=26.8%;5;15;0;100 sent=30;;;0 bounced=30;;;0 expired=0;;;0"
        " bounced_550=10;;;0 bounced_554=0;;;0 mailbox_full=0;;;0 gaps=0;;;0 not_understood=0;;;0"
    )
    assert fewer.words == (
        "POSTFIX BOUNCES CRITICAL - example.org: 100 % of 19 recipients bounced in 15 min,"
        " 5.7.1 blocked by a list"
    )


def test_of_one_domain_every_number_is_that_domains_but_the_expired():
    outcome = judge("--domain", "example.net", keys=KEYS, sent=99, bounced=99, expired=3)

    assert outcome.line == (
        "POSTFIX BOUNCES CRITICAL - 26.8 % of 41 recipients bounced in 15 min,"
        " all to example.net: 5.1.1 unknown user, 3 expired"
        " | bounce_ratio=26.8%;5;15;0;100 sent=30;;;0 bounced=11;;;0 expired=3;;;0"
        " bounced_550=10;;;0 bounced_554=0;;;0 mailbox_full=3;;;0 gaps=0;;;0 not_understood=0;;;0"
    )


def test_a_filter_on_failures_takes_nothing_from_the_recipients_nor_from_what_is_enough():
    keys = {
        "sent": [({"domain": "example.net"}, 10)],
        "bounced": [
            ({"domain": "example.net", "reply_code": "554", "enhanced_code": "5.7.1"}, 10),
            ({"domain": "example.net", "reply_code": "550", "enhanced_code": "5.1.1"}, 4),
        ],
    }

    outcome = judge(
        "--code", "5.1.1", "--min-failures", "4", keys=keys, sent=10, bounced=14, bounced_554=10
    )

    assert outcome.line == (
        "POSTFIX BOUNCES CRITICAL - 16.7 % of 24 recipients bounced in 15 min,"
        " all to example.net: 5.1.1"
        " | bounce_ratio=16.7%;5;15;0;100 sent=10;;;0 bounced=4;;;0 expired=0;;;0"
        " bounced_550=4;;;0 bounced_554=0;;;0 mailbox_full=0;;;0 gaps=0;;;0 not_understood=0;;;0"
    )


@pytest.mark.parametrize(
    ("suffix", "counter", "said"),
    [
        ("full", "mailbox_full", "30 to full mailboxes"),
        ("550", "bounced_550", "30 replied 550"),
        ("554", "bounced_554", "30 replied 554"),
    ],
)
def test_a_full_mailbox_and_a_stale_list_have_thresholds_of_their_own(suffix, counter, said):
    counted = {"sent": 1000, "bounced": 30, counter: 30}

    assert judge(**counted).exit_code == 0
    assert judge(f"--warning-{suffix}", "30", **counted).exit_code == 0
    warning = judge(f"--warning-{suffix}", "29", **counted)
    assert warning.exit_code == 1
    assert said in warning.line
    assert judge(f"--critical-{suffix}", "29", **counted).exit_code == 2
