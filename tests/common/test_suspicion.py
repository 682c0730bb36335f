"""Guessing, an attack on one account, or an old password: told apart by who tried what."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from check_postfix.auth import CHECK
from check_postfix.common.suspicion import ATTACKERS, GUESSED, STUBBORN, Tries
from check_postfix.maillog.counts.families import MANY
from tests.support.builders import a_window, options

OFFICE, GUESSER = "203.0.113.8", "203.0.113.77"


def guessing(accounts=41, number=298, client=GUESSER):
    """Return failures of one address at so many accounts."""
    each, more = divmod(number, accounts)
    return [
        ({"client": client, "account": f"{n:010x}"}, each + (n < more)) for n in range(accounts)
    ]


def attacking(addresses=57, number=290, account="a" * 10):
    """Return failures at one account from so many addresses."""
    each, more = divmod(number, addresses)
    return [
        ({"client": f"198.51.100.{n}", "account": account}, each + (n < more))
        for n in range(addresses)
    ]


def stubborn(number=96, client=OFFICE, account="b" * 10):
    """Return failures of one address at one account."""
    return [({"client": client, "account": account}, number)]


def mistyped(people=14):
    """Return a failure each of some people at home."""
    return [
        ({"client": f"192.0.2.{n}", "account": f"c{n:09x}"}, 1) for n in range(people)
    ]  # fmt: skip


def words(*rows, arguments=(), verbosity=0, minutes=15):
    keys = [row for some in rows for row in some]
    failed = sum(number for _, number in keys)
    window = a_window(keys={"auth_failed": keys}, auth_failed=failed, minutes=minutes)
    outcome = CHECK.judge(window, options(CHECK, *arguments), verbosity)
    return outcome if verbosity else outcome.words.partition(" - ")[2]


def test_one_address_at_many_accounts_is_guessing():
    assert words(guessing(), mistyped()) == (
        "312 failed logins in 15 min, 298 from 203.0.113.77 at 41 accounts: guessing"
    )


def test_many_addresses_at_one_account_attack_it():
    assert words(attacking(), mistyped(22)) == (
        "312 failed logins in 15 min from 79 addresses, 6 from 198.51.100.0 at 1 account,"
        " 290 at 1 account from 57 addresses: one account attacked"
    )


def test_one_address_again_and_again_at_one_account_may_have_an_old_password():
    assert words(stubborn(), mistyped()) == (
        "110 failed logins in 15 min, 96 from 203.0.113.8 at 1 account: an old password?"
    )


def test_what_sounds_harmless_does_not_hide_an_attack():
    assert words(stubborn(), attacking(12, 60)) == (
        "156 failed logins in 15 min, 96 from 203.0.113.8 at 1 account,"
        " 60 at 1 account from 12 addresses: one account attacked"
    )
    assert words(stubborn(), guessing(20, 50)) == (
        "146 failed logins in 15 min, 96 from 203.0.113.8 at 1 account,"
        " 50 from 203.0.113.77 at 20 accounts: guessing"
    )


def test_who_guesses_and_who_attacks_are_both_told():
    assert words(guessing(), attacking(12, 60)) == (
        "358 failed logins in 15 min, 298 from 203.0.113.77 at 41 accounts: guessing,"
        " 60 at 1 account from 12 addresses: one account attacked"
    )


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (guessing(GUESSED, 30), "30 from 203.0.113.77 at 10 accounts: guessing"),
        (guessing(GUESSED - 1, 30), "30 from 203.0.113.77 at 9 accounts"),
        (attacking(ATTACKERS, 10), "10 at 1 account from 10 addresses: one account attacked"),
        (attacking(ATTACKERS - 1, 9), "1 from 198.51.100.0 at 1 account"),
        (stubborn(STUBBORN), "10 from 203.0.113.8 at 1 account: an old password?"),
        (stubborn(STUBBORN - 1), "9 from 203.0.113.8 at 1 account"),
        # Postfix may name the account before: one of ten, but not two of eleven.
        (
            [*stubborn(18), *stubborn(2, account="d" * 10)],
            "20 from 203.0.113.8 at 2 accounts: an old password?",
        ),
        ([*stubborn(17), *stubborn(3, account="d" * 10)], "20 from 203.0.113.8 at 2 accounts"),
    ],
)  # fmt: skip
def test_nothing_is_suspected_below_the_limits(rows, said):
    assert words(rows).endswith(said)


@pytest.mark.parametrize(("elsewhere", "is_attacked"), [(10, True), (11, False)])
def test_addresses_that_fail_more_often_elsewhere_attack_no_single_account(elsewhere, is_attacked):
    others = [
        ({"client": f"198.51.100.{n % 10}", "account": f"d{n:09x}"}, 1) for n in range(elsewhere)
    ]

    assert ("one account attacked" in words(attacking(10, 10), others)) == is_attacked


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (guessing(19, 30), "30 from 203.0.113.77 at 19 accounts"),
        (guessing(20, 30), "30 from 203.0.113.77 at 20 accounts: guessing"),
        (attacking(19, 19), "1 from 198.51.100.0 at 1 account"),
        (attacking(20, 20), "20 at 1 account from 20 addresses: one account attacked"),
        (stubborn(19), "19 from 203.0.113.8 at 1 account"),
        (stubborn(20), "20 from 203.0.113.8 at 1 account: an old password?"),
    ],
)
def test_of_a_window_longer_than_an_hour_the_limits_grow_with_it(rows, said):
    assert words(rows, minutes=120).endswith(said)


def test_many_addresses_at_many_accounts_attack_no_single_one():
    rows = [row for n in range(20) for row in guessing(9, 9, client=f"198.51.100.{n}")]

    assert words(rows) == (
        "180 failed logins in 15 min from 20 addresses, 9 from 198.51.100.0 at 9 accounts"
    )


def test_where_no_account_is_named_nothing_is_suspected():
    assert words([({"client": GUESSER}, 298)], [({"client": OFFICE}, 14)]) == (
        "312 failed logins in 15 min, 298 from 203.0.113.77"
    )


def test_where_less_than_half_name_an_account_nothing_is_suspected():
    assert words(guessing(20, 20), [({"client": GUESSER}, 20)]) == (
        "40 failed logins in 15 min, 40 from 203.0.113.77 at 20 accounts: guessing"
    )
    assert words(guessing(20, 20), [({"client": GUESSER}, 21)]) == (
        "41 failed logins in 15 min, 41 from 203.0.113.77"
    )


def test_of_an_address_that_is_not_known_nothing_is_suspected():
    assert words(guessing(client="unknown"), stubborn(90, client=MANY)) == (
        "388 failed logins in 15 min, 298 from unknown"
    )


def test_accounts_that_were_too_many_to_be_kept_apart_are_more():
    many = [({"client": GUESSER, "account": MANY}, 1000)]

    assert words(guessing(), many) == (
        "1298 failed logins in 15 min, 1298 from 203.0.113.77 at 41 or more accounts: guessing"
    )


def test_of_one_account_only_nothing_is_suspected():
    """What else the addresses tried is not looked at."""
    window = a_window(keys={"auth_failed": guessing(20, 400)}, auth_failed=400)

    outcome = CHECK.judge(window, options(CHECK, "--account", f"{3:010x}"))

    assert outcome.words == "POSTFIX AUTH OK - 20 failed logins in 15 min, 20 from 203.0.113.77" + (
        " at 1 account"
    )


def test_a_forgotten_device_can_be_left_out():
    assert words(stubborn(), guessing(20, 50), arguments=["--ignore-account", "b" * 10]) == (
        "50 failed logins in 15 min, 50 from 203.0.113.77 at 20 accounts: guessing"
    )


def test_accounts_have_numbers_of_their_own():
    window = a_window(keys={"auth_failed": [*guessing(20, 50), *attacking(12, 60)]})

    outcome = CHECK.judge(window, options(CHECK))

    assert " auth_accounts=21;;;0 auth_worst_account=60;;;0 " in outcome.line


def test_verbose_shows_clients_with_their_accounts_and_accounts_with_their_addresses():
    outcome = words(
        [({"client": OFFICE, "client_name": "nat.example.net", "account": "b" * 10}, 96)],
        attacking(3, 12),
        [({"client": GUESSER}, 2)],
        verbosity=1,
    )

    assert outcome.lines == [
        "failed logins by client:",
        "  96  203.0.113.8 (nat.example.net) at 1 account",
        "   4  198.51.100.0 at 1 account",
        "   4  198.51.100.1 at 1 account",
        "   4  198.51.100.2 at 1 account",
        "   2  203.0.113.77",
        "failed logins by account:",
        "  96  account-bbbbbbbbbb from 1 address",
        "  12  account-aaaaaaaaaa from 3 addresses",
    ]


KEYS = st.tuples(
    st.sampled_from(["192.0.2.1", "192.0.2.2", "192.0.2.3", "unknown", MANY]),
    st.sampled_from(["", MANY, *"abcdefghijkl"]),
)
COUNTED = st.dictionaries(KEYS, st.integers(1, 40))


@given(COUNTED, st.randoms())
def test_the_order_in_which_they_are_told_decides_nothing(counted, rng):
    shuffled = list(counted.items())
    rng.shuffle(shuffled)

    assert Tries(shuffled).words(str) == Tries(counted.items()).words(str)


@given(COUNTED)
def test_whoever_failed_most_stands_first_with_all_their_failures(counted):
    sums: dict[str, int] = {}
    for (client, _), number in counted.items():
        if client != MANY:
            sums[client] = sums.get(client, 0) + number

    said = Tries(counted.items()).words(str)

    worst = min(sums, key=lambda client: (-sums[client], client), default=None)
    assert bool(said) == bool(sums)
    assert worst is None or said[0].startswith(f"{sums[worst]} from {worst}")
