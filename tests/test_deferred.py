"""Deferrals in percent of delivery attempts."""

from __future__ import annotations

import pytest

from check_postfix.deferred import CHECK
from check_postfix.plugin import Unknown
from tests.support.builders import a_window, options


def judge(*arguments, verbosity=0, **window):
    return CHECK.judge(a_window(**window), options(CHECK, *arguments), verbosity)


def test_a_small_part_deferred_is_ok():
    outcome = judge(sent=90, deferred=5, bounced=5, expired=1)

    assert outcome.exit_code == 0
    assert outcome.line == (
        "POSTFIX DEFERRED OK - 5 % of 100 delivery attempts deferred in 15 min"
        " | deferred_ratio=5%;10;25;0;100 attempts=100;;;0 sent=90;;;0 deferred=5;;;0"
        " bounced=5;;;0 expired=1;;;0 deferred_messages=5;;;0"
        " accepted=0;;;0 bytes_received=0B;;;0 bytes_delivered=0B;;;0 standstill=0s;7200;21600;0"
        " gaps=0;;;0 not_understood=0;;;0"
    )


@pytest.mark.parametrize(("sent", "state", "is_judged"), [(1, 0, False), (2, 2, True)])
def test_what_there_is_too_little_of_is_no_number_to_learn_thresholds_from(sent, state, is_judged):
    window, asked = a_window(sent=sent, deferred=18), options(CHECK)

    code, judged = CHECK.rehearsed(window, asked)

    assert (code, "deferred_ratio" in judged) == (state, is_judged)


def test_more_than_the_warning_range_is_a_warning():
    outcome = judge(sent=80, deferred=20)

    assert outcome.exit_code == 1
    assert outcome.line == (
        "POSTFIX DEFERRED WARNING - 20 % of 100 delivery attempts deferred in 15 min"
        " | deferred_ratio=20%;10;25;0;100 attempts=100;;;0 sent=80;;;0 deferred=20;;;0"
        " bounced=0;;;0 expired=0;;;0 deferred_messages=20;;;0"
        " accepted=0;;;0 bytes_received=0B;;;0 bytes_delivered=0B;;;0 standstill=0s;7200;21600;0"
        " gaps=0;;;0 not_understood=0;;;0"
    )


def test_more_than_the_critical_range_is_critical():
    outcome = judge("--min-attempts", "3", "--min-failures", "2", sent=1, deferred=2, minutes=60)

    assert outcome.exit_code == 2
    assert outcome.line == (
        "POSTFIX DEFERRED CRITICAL - 66.7 % of 3 delivery attempts deferred in 1 h"
        " | deferred_ratio=66.7%;10;25;0;100 attempts=3;;;0 sent=1;;;0 deferred=2;;;0"
        " bounced=0;;;0 expired=0;;;0 deferred_messages=2;;;0"
        " accepted=0;;;0 bytes_received=0B;;;0 bytes_delivered=0B;;;0 standstill=0s;7200;21600;0"
        " gaps=0;;;0 not_understood=0;;;0"
    )


@pytest.mark.parametrize(
    ("limits", "deferred", "state"),
    [
        ("10", 100, 0),
        ("10", 101, 1),
        ("10%", 101, 1),
        ("10.1", 101, 0),
        ("10:", 100, 0),
        ("10:", 99, 1),
        ("10:20", 99, 1),
        ("10:20", 200, 0),
        ("10:20", 201, 1),
        ("@10:20", 99, 0),
        ("@10:20", 100, 1),
        ("@10:20", 200, 1),
        ("@10:20", 201, 0),
        ("~:", 1000, 0),
        ("~:10", 101, 1),
        ("0", 1, 1),
        ("0", 0, 0),
    ],
)
def test_a_range_alerts_outside_its_ends_and_with_an_at_sign_inside(limits, deferred, state):
    ranges = "-w", limits, "-c", "~:", "--min-failures", "1"

    outcome = judge(*ranges, sent=1000 - deferred, deferred=deferred)

    assert outcome.exit_code == state


def test_what_is_judged_is_what_is_shown():
    outcome = judge("-w", "33.3", sent=2000, deferred=1000)  # 33.333... %

    assert outcome.exit_code == 2
    assert "deferred_ratio=33.3%;33.3;25;0;100" in outcome.line
    assert judge("-w", "33.3", "-c", "33.3", sent=2000, deferred=1000).exit_code == 0


def test_a_ratio_of_too_few_attempts_is_shown_but_not_judged():
    outcome = judge(sent=1, deferred=18)

    assert outcome.exit_code == 0
    assert outcome.line == (
        "POSTFIX DEFERRED OK - 94.7 % of 19 delivery attempts deferred in 15 min"
        " (fewer than 20 delivery attempts, not judged)"
        " | deferred_ratio=94.7%;;;0;100 attempts=19;;;0 sent=1;;;0 deferred=18;;;0"
        " bounced=0;;;0 expired=0;;;0 deferred_messages=18;;;0"
        " accepted=0;;;0 bytes_received=0B;;;0 bytes_delivered=0B;;;0 standstill=0s;7200;21600;0"
        " gaps=0;;;0 not_understood=0;;;0"
    )


def test_as_many_attempts_as_are_asked_for_are_judged():
    assert judge(sent=2, deferred=18).exit_code == 2
    assert judge("--min-attempts", "21", sent=2, deferred=18).exit_code == 0


def test_a_ratio_of_too_few_deferrals_is_shown_but_not_judged():
    outcome = judge(sent=20, deferred=3)

    assert outcome.exit_code == 0
    assert outcome.words == (
        "POSTFIX DEFERRED OK - 13 % of 23 delivery attempts deferred in 15 min"
        " (fewer than 5 deferred, not judged)"
    )
    assert outcome.line.partition(" | ")[2].startswith("deferred_ratio=13%;;;0;100 ")


@pytest.mark.parametrize(("deferred", "state"), [(4, 0), (5, 1)])
def test_from_five_deferrals_on_a_ratio_is_judged(deferred, state):
    assert judge(sent=20 - deferred, deferred=deferred).exit_code == state


def test_how_many_deferrals_it_takes_can_be_chosen():
    assert judge("--min-failures", "3", sent=20, deferred=3).exit_code == 1
    assert judge("--min-failures", "4", sent=20, deferred=3).exit_code == 0


def test_a_ratio_of_few_deferrals_that_is_no_alarm_keeps_its_ranges_and_has_no_remark():
    outcome = judge(sent=99, deferred=1)

    assert outcome.line.startswith(
        "POSTFIX DEFERRED OK - 1 % of 100 delivery attempts deferred in 15 min"
        " | deferred_ratio=1%;10;25;0;100 "
    )


def test_without_attempts_there_is_no_ratio():
    outcome = judge(expired=3)

    assert outcome.exit_code == 0
    assert outcome.line == (
        "POSTFIX DEFERRED OK - no delivery attempts in 15 min"
        " | attempts=0;;;0 sent=0;;;0 deferred=0;;;0 bounced=0;;;0 expired=3;;;0"
        " deferred_messages=0;;;0 accepted=0;;;0 bytes_received=0B;;;0"
        " bytes_delivered=0B;;;0 standstill=0s;7200;21600;0 gaps=0;;;0 not_understood=0;;;0"
    )


def test_a_softbounce_is_a_deferral():
    outcome = judge(sent=70, deferred=10, softbounce=20)

    assert outcome.exit_code == 2
    assert outcome.line == (
        "POSTFIX DEFERRED CRITICAL - 30 % of 100 delivery attempts deferred in 15 min"
        " | deferred_ratio=30%;10;25;0;100 attempts=100;;;0 sent=70;;;0 deferred=30;;;0"
        " bounced=0;;;0 expired=0;;;0 deferred_messages=30;;;0"
        " accepted=0;;;0 bytes_received=0B;;;0 bytes_delivered=0B;;;0 standstill=0s;7200;21600;0"
        " gaps=0;;;0 not_understood=0;;;0"
    )


@pytest.mark.parametrize(
    "other", ["probes", "forwarded", "delivery_unknown", "delivery_ambiguous", "line_truncated"]
)
def test_what_is_no_delivery_does_not_count_as_an_attempt(other):
    without = judge(sent=80, deferred=20)

    outcome = judge(sent=80, deferred=20, **{other: 500})

    assert outcome.exit_code == without.exit_code
    assert outcome.values | {"not_understood": 0} == without.values


def test_one_attempt_is_told_in_the_singular():
    outcome = judge(sent=1)

    assert outcome.words == "POSTFIX DEFERRED OK - 0 % of 1 delivery attempt deferred in 15 min"


def test_verbose_shows_where_mail_is_deferred_and_why():
    keys = {
        "deferred domain": [
            ("example.net", 12), ("example.org", 3), ("a.example", 2), ("b.example", 2),
            ("c.example", 1), ("d.example", 1), ("e.example", 1),
        ],
        "deferred relay": [("none", 22)],
        "deferred enhanced_code": [("4.4.1", 22)],
    }  # fmt: skip

    outcome = judge(sent=80, deferred=22, keys=keys, verbosity=1)

    assert outcome.lines == [
        "deferrals by recipient domain:",
        "  12  example.net",
        "   3  example.org",
        "   2  a.example",
        "   2  b.example",
        "   1  c.example",
        "   2  in 2 more",
        "deferrals by relay:",
        "  22  none (no server was reached)",
        "deferrals by enhanced status code:",
        "  22  4.4.1",
    ]


def test_without_verbose_there_is_one_line():
    assert judge(sent=80, deferred=22, keys={"deferred relay": [("none", 22)]}).lines == []


# -- per domain, and of some only

OUTLOOK = {"domain": "outlook.com", "relay": "mx.outlook.com"}
LIMITED = {**OUTLOOK, "reply_code": "451", "enhanced_code": "4.7.651", "reason": "rate limited"}
KEYS = {
    "sent": [
        ({"domain": "example.net", "relay": "mx.example.net"}, 500),
        (OUTLOOK, 68),
        ({"domain": "example.org", "relay": "127.0.0.1"}, 5),
        ({"domain": "*", "relay": "*"}, 40),
    ],
    "deferred": [
        (LIMITED, 340),
        ({**OUTLOOK, "relay": "none", "enhanced_code": "4.4.1", "reason": "connection refused"}, 2),
        ({"domain": "example.org", "enhanced_code": "4.4.1", "reason": "connection refused"}, 9),
        ({"domain": "*", "relay": "*", "enhanced_code": "4.4.1", "reason": "DNS"}, 30),
    ],
    "bounced": [({**OUTLOOK, "enhanced_code": "5.1.1", "reason": "unknown user"}, 2)],
}
COUNTED = {"sent": 613, "deferred": 381, "bounced": 2, "expired": 4}


def test_per_domain_the_worst_that_has_enough_attempts_is_judged():
    outcome = judge("--per", "domain", keys=KEYS, **COUNTED)

    assert outcome.exit_code == 2
    assert outcome.line == (
        "POSTFIX DEFERRED CRITICAL - outlook.com: 83 % of 412 delivery attempts deferred in 15 min,"
        " 4.7.651 rate limited"
        " | deferred_ratio=83%;10;25;0;100 attempts=996;;;0 sent=613;;;0 deferred=381;;;0"
        " bounced=2;;;0 expired=4;;;0"
        " deferred_messages=381;;;0 accepted=0;;;0 bytes_received=0B;;;0"
        " bytes_delivered=0B;;;0 standstill=0s;7200;21600;0 gaps=0;;;0 not_understood=0;;;0"
    )


def test_per_domain_a_domain_with_too_few_attempts_is_passed_over():
    outcome = judge("--per", "domain", "--min-attempts", "14", keys=KEYS, **COUNTED)
    fewer = judge("--per", "domain", "--min-attempts", "413", keys=KEYS, **COUNTED)

    assert outcome.words == (
        "POSTFIX DEFERRED CRITICAL - outlook.com: 83 % of 412 delivery attempts deferred in 15 min,"
        " 4.7.651 rate limited"
    )
    assert fewer.words == (
        "POSTFIX DEFERRED OK - example.net: 0 % of 500 delivery attempts deferred in 15 min"
    )


def test_per_domain_one_with_few_deferrals_does_not_hide_one_with_many():
    keys = {
        "sent": [({"domain": "example.net"}, 16), ({"domain": "example.com"}, 100)],
        "deferred": [({"domain": "example.net"}, 4), ({"domain": "example.com"}, 20)],
    }

    outcome = judge("--per", "domain", keys=keys, sent=116, deferred=24)
    few = judge("--per", "domain", "--min-failures", "21", keys=keys, sent=116, deferred=24)

    assert outcome.exit_code == 1
    assert "example.com: 16.7 % of 120" in outcome.words
    assert few.words == (
        "POSTFIX DEFERRED OK - example.net: 20 % of 20 delivery attempts deferred in 15 min"
        " (fewer than 21 deferred, not judged)"
    )


def test_per_domain_what_was_not_kept_apart_is_no_domain():
    known = {row["domain"] for rows in KEYS.values() for row, _ in rows} - {"*"}
    left_out = [word for name in sorted(known) for word in ("--ignore-domain", name)]

    outcome = judge("--per", "domain", *left_out, keys=KEYS, **COUNTED)

    assert "attempts=70;" in outcome.line
    assert "deferred_ratio" not in outcome.line


def test_per_domain_without_a_domain_that_has_enough_nothing_is_judged():
    outcome = judge("--per", "domain", "--min-attempts", "501", keys=KEYS, **COUNTED)

    assert outcome.exit_code == 0
    assert outcome.line == (
        "POSTFIX DEFERRED OK - no recipient domain with 501 delivery attempts in 15 min, 996 in all"
        " | attempts=996;;;0 sent=613;;;0 deferred=381;;;0 bounced=2;;;0 expired=4;;;0"
        " deferred_messages=381;;;0 accepted=0;;;0 bytes_received=0B;;;0"
        " bytes_delivered=0B;;;0 standstill=0s;7200;21600;0 gaps=0;;;0 not_understood=0;;;0"
    )


def test_per_domain_without_any_attempt_says_so():
    assert judge("--per", "domain").words == (
        "POSTFIX DEFERRED OK - no delivery attempts in 15 min"
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--domain", "Outlook.com"], "83 % of 412 delivery attempts deferred in 15 min"),
        (
            ["--domain", "outlook.com", "--domain", "example.org"],
            "82.4 % of 426 delivery attempts deferred in 15 min",
        ),
        (["--relay", "mx.outlook.com"], "82.9 % of 410 delivery attempts deferred in 15 min"),
        (["--code", "4.4.1"], "4.1 % of 996 delivery attempts deferred in 15 min"),
        (["--code", "451"], "34.1 % of 996 delivery attempts deferred in 15 min"),
        (
            ["--domain", "outlook.com", "--code", "4.4.1"],
            "0.5 % of 412 delivery attempts deferred in 15 min",
        ),
        (["--ignore-domain", "outlook.com"], "6.7 % of 584 delivery attempts deferred in 15 min"),
        (["--exclude-relay", "127.0.0.1"], "38.4 % of 991 delivery attempts deferred in 15 min"),
        (["--domain", "example.com"], "no delivery attempts in 15 min"),
    ],
)
def test_of_some_attempts_only(arguments, words):
    outcome = judge(*arguments, "-w", "~:", "-c", "~:", keys=KEYS, **COUNTED)

    assert outcome.words.partition(" - ")[2] == words


SENT_50_DEFERRED_50 = {
    "sent": [({"domain": "example.net"}, 30), ({"domain": "example.org"}, 20)],
    "deferred": [
        ({"domain": "example.net", "reply_code": "450"}, 40),
        ({"domain": "example.org", "reply_code": "421"}, 10),
    ],
}


def test_a_filter_on_failures_takes_nothing_from_the_attempts():
    outcome = judge("--code", "421", keys=SENT_50_DEFERRED_50, sent=50, deferred=50)

    assert outcome.line == (
        "POSTFIX DEFERRED OK - 10 % of 100 delivery attempts deferred in 15 min"
        " | deferred_ratio=10%;10;25;0;100 attempts=100;;;0 sent=50;;;0 deferred=10;;;0"
        " bounced=0;;;0 expired=0;;;0 deferred_messages=50;;;0"
        " accepted=0;;;0 bytes_received=0B;;;0 bytes_delivered=0B;;;0 standstill=0s;7200;21600;0"
        " gaps=0;;;0 not_understood=0;;;0"
    )


def test_a_filter_on_failures_takes_nothing_from_the_attempts_of_a_domain():
    arguments = ["--per", "domain", "--code", "421"]

    outcome = judge(*arguments, keys=SENT_50_DEFERRED_50, sent=50, deferred=50)

    assert outcome.words == (
        "POSTFIX DEFERRED CRITICAL - example.org: 33.3 % of 30 delivery attempts deferred in 15 min"
    )


@pytest.mark.parametrize("arguments", [["--code", "421"], ["--domain", "example.net"]])
def test_a_filter_on_what_is_not_kept_any_more_is_unknown_and_never_0(arguments):
    with pytest.raises(Unknown) as raised:
        judge(*arguments, sent=50, deferred=50)

    assert str(raised.value) == (
        f"{arguments[0]}: what is asked for is not kept any more of that time; leave it out,"
        " or read the log afresh with --no-state and a longer --keep-keys"
    )
    assert judge(*arguments).exit_code == 0  # of nothing, nothing is missing


def test_verbose_tells_of_what_the_filter_takes_only_and_what_a_code_means():
    outcome = judge("--domain", "outlook.com", keys=KEYS, verbosity=1, **COUNTED)

    assert outcome.lines == [
        "deferrals by recipient domain:",
        "  342  outlook.com",
        "deferrals by relay:",
        "  340  mx.outlook.com",
        "    2  none (no server was reached)",
        "deferrals by reason:",
        "  340  rate limited",
        "    2  connection refused",
        "deferrals by reply code:",
        "  340  451",
        "deferrals by enhanced status code:",
        "  340  4.7.651 rate limited",
        "    2  4.4.1 connection refused",
    ]
