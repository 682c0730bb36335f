"""What several checks say, said as one."""

from __future__ import annotations

import pytest

from check_postfix.plugin import Check, Label, Source
from check_postfix.plugin.joint import Joint
from check_postfix.plugin.output import Outcome, Perfdata

OK, WARNING, CRITICAL, UNKNOWN = 0, 1, 2, 3


def a_check(name, *labels):
    return Check(
        f"some {name}", "", Source([], lambda _: None), lambda *_: {}, [], lambda *_: "",
        labels=[Label(label, meaning) for label, meaning in labels],
    )  # fmt: skip


def joint(*states, words="words", remarks=()):
    checks = [a_check(name) for name in "abcdefghij"[: len(states)]]
    said = [
        (check, Outcome(check.name, state, words, remarks=remarks))
        for check, state in zip(checks, states, strict=True)
    ]
    return Joint("some all", checks, said)


def a_number(label, value):
    return Perfdata(label, value, "", "", "", 0, None)


@pytest.mark.parametrize(
    ("states", "worst"),
    [
        ((OK, OK), OK),
        ((OK, UNKNOWN), UNKNOWN),
        ((UNKNOWN, WARNING), WARNING),
        ((CRITICAL, UNKNOWN, WARNING), CRITICAL),
    ],
)
def test_the_worst_decides_and_what_is_not_known_hides_no_alarm(states, worst):
    assert joint(*states).exit_code == worst


def test_the_worst_is_named_first():
    assert joint(OK, UNKNOWN, CRITICAL, WARNING).line == (
        "SOME ALL CRITICAL - c CRITICAL, d WARNING, b UNKNOWN: words; 1 OK"
    )


def test_what_keeps_a_check_from_knowing_is_why_it_is_unknown():
    said = joint(WARNING, UNKNOWN, words="5 of 10", remarks=["nothing logged for 4 d"])

    assert said.line == (
        "SOME ALL WARNING - a WARNING: 5 of 10 (nothing logged for 4 d);"
        " b UNKNOWN: nothing logged for 4 d"
    )


def test_long_words_give_way_to_each_other():
    checks = [a_check("a"), a_check("b")]
    said = [
        (check, Outcome(check.name, CRITICAL, f"{check.name} {'long ' * 99}")) for check in checks
    ]

    line = Joint("some all", checks, said).words

    assert 380 < len(line) <= 400
    assert line.startswith("SOME ALL CRITICAL - a CRITICAL: some a long long ")
    assert "...; b CRITICAL: some b long long " in line


def test_every_name_is_there_however_many_have_reasons_of_their_own():
    names = "deferred bounces auth rejects volume delay senders recipients log queue".split()  # noqa: SIM905
    checks = [a_check(name) for name in names]
    said = [
        (check, Outcome(check.name, UNKNOWN, f"{number} {'long ' * 100}"))
        for number, check in enumerate(checks)
    ]

    line = Joint("postfix all", checks, said).words

    assert all(f" {name} UNKNOWN: " in line for name in names)


def test_each_check_has_its_line_and_then_what_it_says_beyond():
    checks = [a_check("a", ("x", "a number")), a_check("b")]
    said = [
        (checks[0], Outcome("some a", OK, "one", [a_number("x", 1)], ["more", "of a"])),
        (checks[1], Outcome("some b", OK, "two")),
    ]

    assert str(Joint("some all", checks, said)) == (
        "SOME ALL OK - all conditions are OK | x=1;;;0\n"
        "SOME A OK - one\nSOME B OK - two\nsome a:\n  more\n  of a\n"
    )


def labels(checks, chosen):
    said = [
        (
            check,
            Outcome(
                check.name, OK, "",
                [a_number(label.name, number) for label in check.labels],
            ),
        )
        for number, check in enumerate(checks)
        if check in chosen
    ]  # fmt: skip
    return Joint("some all", checks, said).perfdata


def test_a_label_of_several_checks_is_said_once_and_one_that_means_something_else_is_renamed():
    checks = [
        a_check("a", ("gaps", "holes"), ("sent", "messages")),
        a_check("b", ("gaps", "holes"), ("sent", "recipients")),
    ]

    assert labels(checks, checks) == "gaps=0;;;0 sent=0;;;0 b_sent=1;;;0"


def test_a_label_is_called_the_same_whichever_checks_are_run():
    checks = [
        a_check("a", ("gaps", "holes"), ("sent", "messages")),
        a_check("b", ("gaps", "holes"), ("sent", "recipients")),
    ]

    assert labels(checks, checks[1:]) == "gaps=1;;;0 b_sent=1;;;0"
