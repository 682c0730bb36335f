"""What a real Icinga 2 makes of icinga/ and of the checks."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.definitions import checks, log_checks, names, settable

from . import icinga2
from .cases import CASES, LABELS, LINES, PERFDATA, STATES, at_any_time
from .one_icinga import any_value

pytestmark = pytest.mark.integration

EACH_CASE = [f"{check} {state}" for check, states in CASES.items() for state in states]
EACH_CHECK = pytest.mark.parametrize("check", CASES)
HOSTILE = [f"{check} hostile" for check in names(log_checks())]


def words(printed: str) -> str:
    """Return what is left of an output when the perfdata is taken from its first line."""
    first, newline, rest = printed.rstrip("\n").partition("\n")
    return first.partition(" | ")[0] + newline + rest


def labels(printed: str) -> list[str]:
    """Return the perfdata of an output's first line."""
    return printed.partition("\n")[0].partition(" | ")[2].split()


def arrived(result: dict[str, Any]) -> str:
    """Return the output that Icinga keeps, but for the blank that it leaves before the perfdata."""
    first, newline, rest = result["output"].partition("\n")
    return first.removesuffix(" ") + newline + rest


def test_icinga_accepts_what_is_shipped(one_icinga):
    assert one_icinga["validated"] == 0, one_icinga["words"]
    assert icinga2.complaints(one_icinga["words"]) == []


@pytest.mark.parametrize("case", EACH_CASE)
def test_every_state_arrives_as_it_was_printed(case, one_icinga):
    result = one_icinga["services"][case]

    assert result["exit_status"] == STATES.index(case.split()[1])
    assert result["output"].startswith(f"POSTFIX {case.upper()} - ")
    assert at_any_time(arrived(result)) == at_any_time(words(result["printed"]))
    perfdata = " ".join(result["performance_data"])
    assert at_any_time(perfdata).split() == labels(at_any_time(result["printed"]))


@EACH_CHECK
def test_text_and_perfdata_are_what_an_operator_expects(check, one_icinga):
    result = one_icinga["services"][f"{check} WARNING"]

    assert at_any_time(arrived(result)) == LINES[check]
    # How many bytes three messages have is Postfix's affair.
    perfdata = " ".join(label for label in result["performance_data"] if "_bytes" not in label)
    assert at_any_time(perfdata) == PERFDATA[check]


@pytest.mark.parametrize("case", [f"postfix-{check}" for check in CASES] + HOSTILE)
def test_long_output_arrives_whole(case, one_icinga):
    result = one_icinga["services"][case]

    assert result["output"].count("\n") >= 2
    assert at_any_time(arrived(result)) == at_any_time(words(result["printed"]))


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_words_in_the_log_add_no_label_and_no_markup(case, one_icinga):
    result = one_icinga["services"][case]

    assert [label.partition("=")[0] for label in result["performance_data"]] == LABELS[
        case.split()[0]
    ]
    assert not set(result["output"]) & set("|<>\u202e\x1b")


@pytest.mark.parametrize("check", checks(), ids=lambda check: check.executable)
def test_every_option_reaches_the_command_line_unchanged(check, one_icinga):
    command = one_icinga["services"][f"{check.executable} all set"]["command"]

    given = []
    for word in command[1:]:
        if word.startswith("--"):
            given.append([word])
        else:
            given[-1].append(word)
    expected = []
    for option in settable(check):
        if option.switch:
            expected.append([option.flag])
        else:
            value = any_value(option)
            values = value if isinstance(value, list) else [value]
            expected += [[option.flag, one] for one in values]
    assert command[0] == f"/usr/lib/nagios/plugins/{check.executable}"
    assert sorted(given) == sorted(expected)


def test_nothing_is_printed_on_standard_error(one_icinga):
    assert not {name for name, result in one_icinga["services"].items() if result["stderr"]}
