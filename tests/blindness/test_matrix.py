"""Trouble while the eyes are shut: no check may be OK then, and say nothing about it.

Each fault is played with each check's own trouble, with a state and without. What must be said
is in EXPECTED, of the check of the log itself in EXPECTED_OF_LOG.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.definitions import log_checks, names
from tests.support.server import CRITICAL, OK, UNKNOWN, WARNING, Server

from .faults import (
    clock_ahead,
    clock_ahead_and_back,
    clock_back_and_right_again,
    clock_behind,
    foreign_log,
    lines_cut,
    log_cut,
    no_fault,
    ordinary_days,
    silent,
    stamps_ahead,
    stamps_behind,
    taken_over,
    unknown_frame,
    unreadable_generation,
    unreadable_log,
)
from .trouble import ASKED, ORDINARY, TROUBLE, of_others

CHECKS = names(log_checks())
pytestmark = pytest.mark.usefixtures("utc")


class Expected(NamedTuple):
    """What must be said: one of these exit codes, and such a remark, where it is no alarm.

    Of the check of the log itself, which alarms of what the others only remark, with it.
    """

    exit_codes: tuple[int, ...]
    remark: str = ""


ALARM = Expected((CRITICAL,))
WITHOUT_A_REMARK = {
    "deferred": "POSTFIX DEFERRED OK - 1.6 % of 62 delivery attempts deferred in 15 min",
    "bounces": "POSTFIX BOUNCES OK - 1.6 % of 61 recipients bounced in 15 min",
    "auth": "POSTFIX AUTH OK - 2 failed logins in 15 min, 2 from 203.0.113.77 at 1 account",
    "rejects": "POSTFIX REJECTS OK - 4 rejects in 15 min, usual 0 to 39 (7 days)",
    "volume": "POSTFIX VOLUME OK - 0 messages received in 15 min, usual 0 to 28 (7 days),"
    " a stop would not show within a week",
    "delay": "POSTFIX DELAY OK - 95 % of 60 first deliveries within 2.1 s in 15 min",
    "senders": "POSTFIX SENDERS OK - no message of accounts in 15 min",
    "recipients": "POSTFIX RECIPIENTS OK - 1 recipient, busiest recipient-X: 62 messages in 15 min,"
    " usual 0 to 194 (7 days)",
    "log": "POSTFIX LOG OK - newest line 5 min old, no trouble in 15 min",
}
# A remark is enough where the trouble cannot be known, or is not certain.
EXPECTED: dict[Callable[[Server, str], None], tuple[Expected, Expected]] = {
    # fault: with a state, without one
    no_fault: (ALARM, ALARM),
    unknown_frame: (Expected((UNKNOWN,), "not understood"),) * 2,
    silent: (Expected((UNKNOWN,), "since 2026-11-18 15:55"),) * 2,
    stamps_behind: (
        Expected((UNKNOWN,), "5 h behind .*--timezone"),
        Expected((OK,), "stamped 5 h before the file was written; .* --timezone"),
    ),
    stamps_ahead: (
        Expected((UNKNOWN,), "1 h ahead .*--timezone"),
        Expected((UNKNOWN,), "1 h ahead .*--timezone"),
    ),
    unreadable_generation: (Expected((UNKNOWN,), r"mail\.log\.1: .*permission"),) * 2,
    unreadable_log: (Expected((UNKNOWN,), r"mail\.log: permission denied; "),) * 2,
    log_cut: (
        Expected((OK, UNKNOWN), "log lines lost between 15:44 and 15:55"),
        Expected((OK, UNKNOWN), "log begins 15:55"),
    ),
    # some end where a stranger's text can have made them too long: these never decide alone
    lines_cut: (Expected((OK, UNKNOWN, CRITICAL), "300 lines about mail not understood"),) * 2,
    foreign_log: (Expected((UNKNOWN,), "none of .* is of a daemon of Postfix"),) * 2,
    taken_over: (Expected((OK, UNKNOWN), r"no (log |mail )?line\b.* for (2 h|1 h 59 min)"),) * 2,
    clock_ahead_and_back: (ALARM, ALARM),
    clock_back_and_right_again: (ALARM, ALARM),
    clock_ahead: (Expected((UNKNOWN,), "since 2026-11-24|clock"),) * 2,
    clock_behind: (Expected((UNKNOWN,), "60 d ahead|clock|nothing of that time"),) * 2,
}
FATAL = Expected((WARNING,), r"smtpd died 300 times: .* \(300 fatal errors\) in 15 min")
# What makes others UNKNOWN is CRITICAL for it; what it is there to see is a WARNING.
EXPECTED_OF_LOG: dict[Callable[[Server, str], None], tuple[Expected, Expected]] = {
    no_fault: (FATAL, FATAL),
    unknown_frame: (Expected((WARNING,), "300 lines about mail not understood"),) * 2,
    silent: (Expected((CRITICAL,), "since 2026-11-18 15:55"),) * 2,
    stamps_behind: (
        Expected((CRITICAL,), "5 h behind .*--timezone"),
        Expected((OK,), "stamped 5 h before the file was written; .* --timezone"),
    ),
    stamps_ahead: (Expected((CRITICAL,), "1 h ahead .*--timezone"),) * 2,
    unreadable_generation: (Expected((CRITICAL,), r"mail\.log\.1: .*permission"),) * 2,
    unreadable_log: (Expected((CRITICAL,), r"mail\.log: permission denied; "),) * 2,
    log_cut: (
        Expected((WARNING,), "log lines lost between 15:44 and 15:55"),
        Expected((OK,), "log begins 15:55"),
    ),
    # such a line says at its begin what it is
    lines_cut: (FATAL, FATAL),
    foreign_log: (Expected((CRITICAL,), "none of .* is of a daemon of Postfix"),) * 2,
    taken_over: (Expected((OK,), "no log line for 2 h"),) * 2,
    clock_ahead_and_back: (FATAL, FATAL),
    clock_back_and_right_again: (FATAL, FATAL),
    clock_ahead: (Expected((CRITICAL,), "since 2026-11-24"),) * 2,
    clock_behind: (Expected((CRITICAL,), "nothing of that time"),) * 2,
}

OF_PERMISSIONS = (unreadable_generation, unreadable_log)


# Checks that a quick run plays each fault with. What all of them share sees most faults.
QUICK = ("deferred", "auth", "volume")


def cells() -> list[object]:
    """Return each fault with each check, with a state and without."""
    found = []
    for fault in EXPECTED:
        for check in CHECKS:
            for stateful in (True, False):
                name = f"{fault.__name__}-{check}-{'with' if stateful else 'without'} state"
                marks = () if check in QUICK else pytest.mark.heavy
                found.append(pytest.param(fault, check, stateful, id=name, marks=marks))
    return found


def played(
    fault: Callable[[Server, str], None], check: str, stateful: bool, directory: Path
) -> Server:
    """Play a fault; return the server at its end."""
    server = Server(directory, stateful, like_any_user=fault in OF_PERMISSIONS)
    fault(server, TROUBLE[check])
    if fault not in (clock_ahead, clock_behind):
        server.goes_to(0)
    return server


@pytest.mark.parametrize(("fault", "check", "stateful"), cells())
def test_no_check_is_ok_without_a_remark_while_its_eyes_are_shut(fault, check, stateful, tmp_path):
    of_check = EXPECTED_OF_LOG if check == "log" else EXPECTED
    expected = of_check[fault][0 if stateful else 1]

    said = played(fault, check, stateful, tmp_path).says(check, *ASKED.get(check, ()))

    assert said.exit_code in expected.exit_codes, said.line
    if said.exit_code in (OK, UNKNOWN) or check == "log":
        assert re.search(expected.remark, said.line), said.line


def test_each_fault_is_played_with_the_check_of_the_log_as_well():
    assert EXPECTED_OF_LOG.keys() == EXPECTED.keys()


@pytest.mark.parametrize("stateful", [True, False], ids=["with state", "without state"])
@pytest.mark.parametrize("check", CHECKS)
def test_nothing_is_remarked_where_nothing_is_in_the_way(check, stateful, tmp_path):
    server = Server(tmp_path, stateful)
    ordinary_days(server)
    server.goes_to(-5)
    server.writes(ORDINARY)
    server.appends(of_others(range(55, 56)))
    server.goes_to(0)

    said = server.says(check, *ASKED.get(check, ()))

    assert said.exit_code == OK
    assert re.sub(r"recipient-\w+", "recipient-X", said.line) == WITHOUT_A_REMARK[check]
