"""Accounts are told apart by a keyed pseudonym, and by nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from check_postfix.maillog.counts.account import Accounts

KEY = bytes(range(32))
pseudonym = Accounts(KEY).pseudonym
NAMES = st.binary(min_size=1, max_size=300)


@given(NAMES)
def test_it_is_short_and_made_of_hexadecimal_digits(name):
    found = pseudonym(name)

    assert len(found) == 10
    assert set(found) <= set("0123456789abcdef")


def test_upper_and_lower_case_are_one_account():
    assert pseudonym(b"Ann@Example.NET") == pseudonym(b"ann@example.net")
    assert pseudonym("J\u00d6RG".encode()) == pseudonym("j\u00f6rg".encode())


def test_different_names_have_different_pseudonyms():
    names = [b"ann", b"ann@example.net", b"bob", b"ann ", b"\xff"]

    assert len({pseudonym(name) for name in names}) == len(names)


def test_another_state_has_another_pseudonym_for_the_same_name():
    assert pseudonym(b"ann") != Accounts(KEY[::-1]).pseudonym(b"ann")


def test_a_name_is_told_by_as_much_as_postfix_and_dovecot_write_of_it():
    long = b"a" * 79

    assert pseudonym(long + b"bc" * 20) == pseudonym(long + b"b")
    assert pseudonym(long + b"b") != pseudonym(long + b"c")
