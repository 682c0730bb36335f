"""Failed logins, all in all and of the worst client."""

from __future__ import annotations

import pytest

from check_postfix.auth import CHECK
from tests.support.builders import a_window, options


def judge(*arguments, verbosity=0, clients=(), **window):
    keys = {"auth_failed client": list(clients)}
    return CHECK.judge(a_window(keys=keys, **window), options(CHECK, *arguments), verbosity)


def test_no_failed_login_is_ok():
    outcome = judge()

    assert outcome.exit_code == 0
    assert outcome.line == (
        "POSTFIX AUTH OK - 0 failed logins in 15 min"
        " | auth_failures=0;100;500;0 auth_worst_client=0;20;100;0 auth_clients=0;;;0"
        " auth_backend_errors=0;;;0 auth_accounts=0;;;0 auth_worst_account=0;;;0"
        " gaps=0;;;0 not_understood=0;;;0"
    )


def test_many_failed_logins_of_many_clients_are_a_warning():
    clients = [(f"192.0.2.{i}", 1) for i in range(101)]

    outcome = judge(auth_failed=101, clients=clients)

    assert outcome.exit_code == 1
    assert outcome.line == (
        "POSTFIX AUTH WARNING - 101 failed logins in 15 min from 101 addresses,"
        " 1 from 192.0.2.0"
        " | auth_failures=101;100;500;0 auth_worst_client=1;20;100;0 auth_clients=101;;;0"
        " auth_backend_errors=0;;;0 auth_accounts=0;;;0 auth_worst_account=0;;;0"
        " gaps=0;;;0 not_understood=0;;;0"
    )


def test_one_client_that_fails_often_is_critical_by_itself():
    outcome = judge(
        "--critical-client", "30", auth_failed=33, clients=[("2001:db8::7", 31), ("192.0.2.1", 2)]
    )

    assert outcome.exit_code == 2
    assert outcome.line == (
        "POSTFIX AUTH CRITICAL - 33 failed logins in 15 min, 31 from 2001:db8::7"
        " | auth_failures=33;100;500;0 auth_worst_client=31;20;30;0 auth_clients=2;;;0"
        " auth_backend_errors=0;;;0 auth_accounts=0;;;0 auth_worst_account=0;;;0"
        " gaps=0;;;0 not_understood=0;;;0"
    )


def test_the_worst_client_is_an_address_never_the_sum_of_those_not_kept_apart():
    outcome = judge(auth_failed=95, clients=[("", 90), ("192.0.2.1", 5)])

    assert outcome.exit_code == 0
    assert outcome.line == (
        "POSTFIX AUTH OK - 95 failed logins in 15 min, 5 from 192.0.2.1"
        " | auth_failures=95;100;500;0 auth_worst_client=5;20;100;0 auth_clients=1;;;0"
        " auth_backend_errors=0;;;0 auth_accounts=0;;;0 auth_worst_account=0;;;0"
        " gaps=0;;;0 not_understood=0;;;0"
    )


def test_a_fault_of_our_own_backend_is_no_failed_login():
    outcome = judge(auth_backend_error=700)

    assert outcome.exit_code == 0
    assert outcome.line == (
        "POSTFIX AUTH OK - 0 failed logins in 15 min, 700 backend errors"
        " | auth_failures=0;100;500;0 auth_worst_client=0;20;100;0 auth_clients=0;;;0"
        " auth_backend_errors=700;;;0 auth_accounts=0;;;0 auth_worst_account=0;;;0"
        " gaps=0;;;0 not_understood=0;;;0"
    )


def test_a_single_one_is_told_in_the_singular():
    outcome = judge(auth_failed=1, auth_backend_error=1)

    assert outcome.words == "POSTFIX AUTH OK - 1 failed login in 15 min, 1 backend error"


@pytest.mark.parametrize("other", ["auth_succeeded", "auth_client_error", "relay_auth_failed"])
def test_what_tests_no_password_of_ours_is_not_counted(other):
    without = judge(auth_failed=7)

    outcome = judge(auth_failed=7, **{other: 5000})

    assert str(outcome) == str(without)


@pytest.mark.parametrize(
    ("arguments", "state"),
    [
        (["-w", "40"], 0),
        (["-w", "39"], 1),
        (["-c", "40"], 0),
        (["-c", "39"], 2),
        (["--warning-client", "15"], 0),
        (["--warning-client", "14"], 1),
        (["--critical-client", "15"], 0),
        (["--critical-client", "14"], 2),
        (["--critical-client", "@15:15"], 2),
        (["-c", "41:"], 2),
    ],
)
def test_both_numbers_have_thresholds_of_their_own(arguments, state):
    outcome = judge(
        *arguments,
        auth_failed=40,
        clients=[("192.0.2.1", 15), ("192.0.2.2", 15), ("192.0.2.3", 10)],
    )

    assert outcome.exit_code == state


def test_verbose_shows_the_ten_worst_clients():
    clients = [(f"192.0.2.{i}", 20 - i) for i in range(12)]

    outcome = judge(auth_failed=174, clients=clients, verbosity=1)

    assert outcome.lines == [
        "failed logins by client:",
        *(f"  {20 - i:>2}  192.0.2.{i}" for i in range(10)),
        "  19  in 2 more",
    ]


def test_verbose_names_the_sum_of_those_not_kept_apart():
    outcome = judge(auth_failed=95, clients=[("", 90), ("192.0.2.1", 5)], verbosity=1)

    assert outcome.lines == ["failed logins by client:", "  90  others", "   5  192.0.2.1"]


CLIENTS = [("192.0.2.1", 15), ("192.0.2.2", 10), ("2001:db8::/64", 4), ("unknown", 2), ("", 3)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--ignore-client", "192.0.2.0/31"], "19 failed logins in 15 min, 10 from 192.0.2.2"),
        (["--ignore-client", "2001:db8::25"], "30 failed logins in 15 min, 15 from 192.0.2.1"),
        (["--ignore-client", "2001:db9::/32"], "34 failed logins in 15 min, 15 from 192.0.2.1"),
        (["--client", "192.0.2.2"], "10 failed logins in 15 min, 10 from 192.0.2.2"),
        (["--client", "2001:db8::/32"], "4 failed logins in 15 min, 4 from 2001:db8::/64"),
        (
            ["--client", "192.0.2.0/24", "--ignore-client", "192.0.2.1"],
            "10 failed logins in 15 min, 10 from 192.0.2.2",
        ),
        (["--client", "198.51.100.0/24"], "0 failed logins in 15 min"),
    ],
)
def test_of_some_clients_only(arguments, words):
    outcome = judge(*arguments, auth_failed=34, clients=CLIENTS)

    assert outcome.words.partition(" - ")[2] == words


def test_verbose_tells_where_and_how_they_tried():
    keys = [
        ({"client": "192.0.2.1", "mechanism": "LOGIN", "service": "submission"}, 7),
        ({"client": "192.0.2.1", "service": "imap"}, 2),
    ]

    outcome = CHECK.judge(a_window(keys={"auth_failed": keys}), options(CHECK), 1)

    assert outcome.lines == [
        "failed logins by client:",
        "  9  192.0.2.1",
        "failed logins by service:",
        "  7  submission",
        "  2  imap",
        "failed logins by mechanism:",
        "  7  LOGIN",
    ]
