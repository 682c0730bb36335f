"""Failed logins, all in all and of the worst client."""

from __future__ import annotations

import pytest

from check_postfix.auth import CHECK
from check_postfix.common.log_remarks import local_time
from check_postfix.maillog.counts.families import MANY
from check_postfix.maillog.store.places import Login
from check_postfix.plugin import AtLeast
from check_postfix.plugin.run import outcome_of
from tests.support import mail_log, perfdata
from tests.support.builders import NOON, AView, a_coverage, a_window, options

# What is told of the slow window where nothing came.
SLOW = (
    "auth_failures_slow=0;;;0 auth_worst_client_slow=0;;;0 auth_worst_account_slow=0;;;0"
    " auth_guessed=0;;0;0"
)


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
        f" {SLOW} gaps=0;;;0 not_understood=0;;;0"
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
        f" {SLOW} gaps=0;;;0 not_understood=0;;;0"
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
        f" {SLOW} gaps=0;;;0 not_understood=0;;;0"
    )


def test_the_worst_client_is_an_address_never_the_sum_of_those_not_kept_apart():
    outcome = judge(auth_failed=95, clients=[("", 90), ("192.0.2.1", 5)])

    assert outcome.exit_code == 0
    assert outcome.line == (
        "POSTFIX AUTH OK - 95 failed logins in 15 min, 5 from 192.0.2.1"
        " | auth_failures=95;100;500;0 auth_worst_client=5;20;100;0 auth_clients=1;;;0"
        " auth_backend_errors=0;;;0 auth_accounts=0;;;0 auth_worst_account=0;;;0"
        f" {SLOW} gaps=0;;;0 not_understood=0;;;0"
    )


def test_a_fault_of_our_own_backend_is_no_failed_login():
    outcome = judge(auth_backend_error=700)

    assert outcome.exit_code == 0
    assert outcome.line == (
        "POSTFIX AUTH OK - 0 failed logins in 15 min, 700 backend errors"
        " | auth_failures=0;100;500;0 auth_worst_client=0;20;100;0 auth_clients=0;;;0"
        " auth_backend_errors=700;;;0 auth_accounts=0;;;0 auth_worst_account=0;;;0"
        f" {SLOW} gaps=0;;;0 not_understood=0;;;0"
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


def numbers(outcome):
    return {label: one.value for label, one in perfdata.of(outcome.line).items()}


GUESSER = "192.0.2.7"
HOUR = 60
DAY = 24 * HOUR


def slowly(*arguments, tried=(), logins=None, most=(), verbosity=0, **window):
    """Judge failed logins of a day, and logins from their networks; 28 days are known."""
    known = {GUESSER: list(logins or ())} if not isinstance(logins, dict) else logins
    seen = None if most is None else {}
    given = a_window(tried=tried, logins=known, most=seen, **window)
    return CHECK.judge(given, options(CHECK, *arguments), verbosity)


def failures(accounts=14, ago=3 * HOUR, client=GUESSER, first=0):
    """Return failures of a client at so many accounts, each at another minute."""
    return [
        (NOON - ago + number - first, client, f"a{number}", 1)
        for number in range(first, first + accounts)
    ]


def login(account="a3", ago=HOUR, service="imap", name="ann@example.com", client=GUESSER):
    return Login(account, NOON - ago, service, name, client)


def test_slow_guessing_adds_up_in_a_longer_window():
    tried = [(NOON - hour * HOUR, f"198.51.100.{hour}", "ann", 2) for hour in range(1, 24)] + [
        (NOON - hour * HOUR, GUESSER, f"a{hour}", 3) for hour in range(1, 24)
    ]

    outcome = slowly(tried=tried)

    assert outcome.exit_code == 0
    found = numbers(outcome)
    assert found["auth_failures_slow"] == 115
    assert found["auth_worst_client_slow"] == 69
    assert found["auth_worst_account_slow"] == 46


@pytest.mark.parametrize(
    ("arguments", "state"),
    [
        (["-c", "1"], 0),
        (["--warning-slow", "27"], 1),
        (["--warning-slow", "28"], 0),
        (["--critical-slow", "27"], 2),
        (["--warning-client-slow", "19"], 1),
        (["--critical-client-slow", "20"], 0),
        (["--critical-client-slow", "19"], 2),
        (["--warning-account-slow", "4"], 1),
        (["--critical-account-slow", "4"], 2),
        (["--critical-account-slow", "4", "--slow-window", "1h"], 0),
        (["--critical-account-slow", "4", "--ignore-client", GUESSER], 0),
        (["--critical-account-slow", "4", "--ignore-account", "ann"], 0),
    ],
)
def test_of_the_slow_window_nothing_is_judged_until_it_is_asked_for(arguments, state):
    tried = [(NOON - 300, GUESSER, f"a{number % 10}", 1) for number in range(20)]
    tried = [*tried[:15], (NOON - 200, GUESSER, "ann", 5), *failures(8, client="198.51.100.9")]

    outcome = slowly(*arguments, tried=tried)

    assert outcome.exit_code == state


@pytest.mark.parametrize(
    ("name", "at_least"),
    [("ann", set()), (MANY, {"auth_worst_client_slow", "auth_worst_account_slow"})],
)
def test_where_names_are_not_kept_apart_the_worst_may_be_worse(name, at_least):
    window = a_window(tried=[(NOON - HOUR, GUESSER, "bob", 3), (NOON - HOUR, GUESSER, name, 2)])

    measured = CHECK.measure(window, options(CHECK))

    assert {label for label, number in measured.items() if isinstance(number, AtLeast)} == at_least


def test_of_a_slow_window_that_is_forgotten_nothing_is_told(monkeypatch):
    window = a_window(tried=[(NOON - HOUR, GUESSER, "bob", 3)])
    assert CHECK.measure(window, options(CHECK))["auth_failures_slow"] == 3

    monkeypatch.setattr(AView, "oldest_keys", window.end)

    assert not [label for label in CHECK.measure(window, options(CHECK)) if "slow" in label]


def test_an_alarm_of_the_slow_window_says_of_whom():
    tried = [(NOON - 60 * hour, GUESSER, "ann", 20) for hour in range(1, 24)]

    outcome = slowly("--critical-client-slow", "300", tried=tried)

    assert outcome.exit_code == 2
    assert outcome.words == (
        "POSTFIX AUTH CRITICAL - 0 failed logins in 15 min, 460 failed logins in 1 d,"
        f" 460 from {GUESSER} at 1 account: an old password?"
    )


def test_verbose_shows_the_worst_clients_of_the_slow_window():
    outcome = slowly(tried=[*failures(3), (NOON - 60, "", "", 2)], verbosity=1)

    assert outcome.lines == ["failed logins in 1 d by client:", f"  3  {GUESSER}"]


def test_who_has_failed_at_many_accounts_and_then_gets_in_has_guessed():
    outcome = slowly(tried=failures(14), logins=[login()])

    assert outcome.exit_code == 2
    assert outcome.words == (
        f"POSTFIX AUTH CRITICAL - ann@example.com may be guessed: {GUESSER} failed at 14 accounts"
        f" and then logged in as ann@example.com by imap at {at(HOUR)} from a network new to it;"
        " change the password; 0 failed logins in 15 min"
    )
    assert numbers(outcome)["auth_guessed"] == 1


def at(ago):
    return local_time(NOON - ago, NOON)


def test_at_smtp_a_login_shows_only_with_mail_and_that_is_said():
    outcome = slowly(tried=failures(14), logins=[login(service="smtp")])

    assert outcome.exit_code == 2
    assert (
        f"failed at 14 accounts and then sent mail as ann@example.com at {at(HOUR)} from a network"
        " new to it (an SMTP login shows only with mail); change the password"
    ) in outcome.words


def test_another_address_of_the_same_network_is_named():
    outcome = slowly(tried=failures(14), logins=[login(client="192.0.2.99")])

    assert "failed at 14 accounts and then 192.0.2.99 logged in as ann@example.com" in outcome.words


def test_of_several_daemons_the_login_of_the_guesser_itself_is_told():
    own = login(ago=HOUR - 1)

    outcome = slowly(tried=failures(14), logins=[login(client="192.0.2.99"), own])

    assert numbers(outcome)["auth_guessed"] == 1
    assert f"and then logged in as ann@example.com by imap at {at(HOUR - 1)}" in outcome.words


def test_of_several_the_latest_is_named_and_verbose_tells_of_all():
    logins = [login("a3", 2 * HOUR), login("a4", HOUR, name="bob@example.com")]

    outcome = slowly(tried=failures(14), logins=logins, verbosity=1)

    assert numbers(outcome)["auth_guessed"] == 2
    assert "- bob@example.com may be guessed:" in outcome.words
    assert ", and 1 more account; change the password" in outcome.words
    assert any(line.startswith("ann@example.com may be guessed:") for line in outcome.lines)


def got_in(outcome):
    """Return what -v says of who has logged in from where most failures come from."""
    begin = next(
        number for number, line in enumerate(outcome.lines) if "from the network of" in line
    )
    return outcome.lines[begin:]


WORST = {"auth_failed client": [(GUESSER, 30), ("198.51.100.9", 2)]}


def test_verbose_names_who_has_logged_in_from_where_most_failures_come_from():
    old = login("a9", 20 * DAY, name="", service="pop3")
    logins = [old, login("a3", 2 * HOUR), login("a4", HOUR, "smtp", "bob@example.com")]

    outcome = slowly(tried=failures(3), logins=logins, keys=WORST, verbosity=1)

    assert got_in(outcome)[:4] == [
        f"logged in from the network of {GUESSER}, for the first time:",
        f"  {at(HOUR)}  bob@example.com with mail",
        f"  {at(2 * HOUR)}  ann@example.com by imap",
        f"  {at(20 * DAY)}  account-a9 by pop3",
    ]


def test_who_came_from_the_very_address_is_told_before_who_came_from_its_network():
    near = login("a4", HOUR, name="bob@example.com", client="192.0.2.99")

    outcome = slowly(tried=failures(3), logins=[login(ago=DAY), near], keys=WORST, verbosity=1)

    assert got_in(outcome)[1:3] == [
        f"  {at(DAY)}  ann@example.com by imap",
        f"  {at(HOUR)}  bob@example.com by imap from 192.0.2.99",
    ]


def test_of_many_who_have_logged_in_the_latest_are_named():
    logins = [login(f"a{n}", n * HOUR, name=f"u{n}@example.com") for n in range(9, 0, -1)]

    outcome = slowly(tried=failures(3), logins=logins, keys=WORST, verbosity=1)

    assert len(got_in(outcome)) == 7
    assert got_in(outcome)[1].endswith(" u1@example.com by imap")
    assert got_in(outcome)[-1] == "  4 more accounts"


def test_that_nobody_has_logged_in_is_said_where_it_is_known():
    known = slowly(tried=failures(3), keys=WORST, verbosity=1)
    unknown = slowly(tried=failures(3), keys=WORST, most=None, verbosity=1)

    assert got_in(known)[0] == f"no login is known from the network of {GUESSER}"
    assert not any("the network of" in line for line in unknown.lines)


def test_of_several_clients_that_failed_as_often_in_each_run_the_same_is_named():
    # In one network, each at the same accounts: in a set of pairs their order would be chance's.
    clients = [f"192.0.2.{n}" for n in range(10, 30)]
    tried = [
        (minute, client, account, number)
        for client in clients
        for minute, _, account, number in failures(14)
    ]
    at_one = [login(client="192.0.2.99")]

    outcome = slowly(tried=tried, logins=dict.fromkeys(clients, at_one))

    assert "192.0.2.10 failed at 14 accounts" in outcome.words


def test_whose_name_is_kept_no_longer_is_told_by_its_pseudonym():
    outcome = slowly(tried=failures(14), logins=[login(name="", client="")])

    assert "- account-a3 may be guessed:" in outcome.words


@pytest.mark.parametrize(("accounts", "state"), [(9, 0), (10, 2)])
def test_ten_accounts_make_a_guesser(accounts, state):
    assert slowly(tried=failures(accounts), logins=[login()]).exit_code == state


def test_failures_after_a_login_are_none_before_it():
    tried = [*failures(9), *failures(5, ago=HOUR - 1, first=9)]

    assert slowly(tried=tried, logins=[login()]).exit_code == 0
    assert slowly(tried=tried, logins=[login(ago=HOUR - 2)]).exit_code == 2


def test_a_first_try_that_succeeds_counts_where_nobody_was_known():
    """Dovecot does not tell of failures that a success follows in the same connection."""
    stranger = login("never tried")
    known = login("a colleague", 9 * DAY)

    assert slowly(tried=failures(14), logins=[stranger]).exit_code == 2
    assert slowly(tried=failures(14), logins=[known, stranger]).exit_code == 0
    assert slowly(tried=failures(14), logins=[known, login()]).exit_code == 2
    other = login("never tried", client="192.0.2.99")
    assert slowly(tried=failures(14), logins=[other]).exit_code == 0


# What must not alarm.


def test_a_mistyped_password_of_a_user_is_no_guess():
    typo = [(NOON - HOUR - 1, GUESSER, "ann", 1)]

    assert slowly(tried=typo, logins=[login("ann", 30 * DAY)]).exit_code == 0
    assert slowly(tried=typo, logins=[login("ann")]).exit_code == 0


def test_an_office_whose_people_log_in_from_there_all_the_time_is_no_guesser():
    people = [login(f"a{number}", 20 * DAY) for number in range(14)]

    assert slowly(tried=failures(14), logins=people).exit_code == 0


def test_a_new_colleague_in_an_office_is_no_guesser():
    people = [login(f"a{number}", 20 * DAY) for number in range(14)]
    tried = [*failures(14), (NOON - HOUR - 1, GUESSER, "new", 2)]

    assert slowly(tried=tried, logins=[*people, login("new")]).exit_code == 0


def test_an_office_that_has_moved_to_another_network_is_no_guesser():
    people = [login(f"a{number}", HOUR - number) for number in range(14)]

    assert slowly(tried=failures(14), logins=people).exit_code == 0


def test_a_new_telephone_on_a_mobile_network_is_no_guesser():
    elsewhere = {"198.51.100.7": [login(client="198.51.100.7")]}

    assert slowly(tried=failures(14), logins=elsewhere).exit_code == 0


def test_many_users_of_one_mobile_address_are_no_guessers():
    known = [login(f"a{number}", 5 * DAY) for number in range(12)]
    tried = [*failures(12), (NOON - HOUR - 1, GUESSER, "new", 1)]

    assert slowly(tried=tried, logins=[*known, login("new")]).exit_code == 0


def test_in_the_first_days_nobody_can_tell_who_is_new_and_that_is_said():
    outcome = slowly(tried=failures(14), logins=[login()], most=None)

    assert outcome.exit_code == 0
    assert outcome.words == (
        "POSTFIX AUTH OK - 1 login from where an address guesses, not judged: usual not known yet"
        " (3 of 7 days); 0 failed logins in 15 min"
    )
    assert "auth_guessed" not in outcome.line
    assert numbers(slowly(tried=failures(14), most=None))["auth_guessed"] == 0


@pytest.mark.parametrize(
    ("arguments", "state"),
    [
        (["--webmail", "192.0.2.0/24"], 0),
        (["--webmail", GUESSER], 0),
        (["--webmail", "192.0.2.80"], 2),
        (["--ignore-client", GUESSER], 0),
        (["--client", "198.51.100.0/24"], 0),
        (["--account", "a3"], 2),
        (["--account", "a4"], 0),
        (["--ignore-account", "a3"], 0),
        (["--slow-window", "1h"], 0),
        (["--critical-guessed", "1"], 0),
        (["--critical-guessed", "1", "--warning-guessed", "0"], 1),
    ],
)
def test_of_guesses_too_only_those_that_are_asked_for(arguments, state):
    assert slowly(*arguments, tried=failures(14), logins=[login()]).exit_code == state


def test_a_login_from_webmail_beside_a_guesser_is_left_out():
    outcome = slowly(
        "--webmail", "192.0.2.80", tried=failures(14), logins=[login(client="192.0.2.80")]
    )

    assert outcome.exit_code == 0


def test_where_less_is_read_than_the_slow_window_a_number_is_a_lower_bound():
    tried = failures(14)
    short = a_coverage(start=NOON - 4 * HOUR)

    beyond = slowly("--critical-slow", "13", tried=tried, coverage=short)
    below = slowly("--critical-slow", "15:", tried=tried, coverage=short)

    assert (beyond.exit_code, below.exit_code) == (2, 0)
    assert slowly("--critical-slow", "15:", tried=tried).exit_code == 2


def test_a_slow_window_of_which_a_part_is_forgotten_is_said_to_be_shorter(tmp_path):
    """Another check may have asked that clients are kept for less long."""
    log = mail_log.write(
        tmp_path / "mail.log",
        mail_log.lines([mail_log.login_failed()] * 30, 300),
        mail_log.lines([mail_log.login_failed()] * 2, 20),
    )
    read = ["--log", str(log), "--state", str(tmp_path / "state")]
    slow = ["--critical-slow", "10", "--keep-keys"]

    text, code = outcome_of(CHECK, [*read, *slow, "48h"])
    assert (code, "slow window" in text) == (2, False)
    text, code = outcome_of(CHECK, [*read, *slow, "1h"])
    assert "of the slow window 1 h only, clients are kept no longer (--keep-keys)" in text
    text, code = outcome_of(CHECK, [*read, "--slow-window", "1h"])
    assert "slow window" not in text
