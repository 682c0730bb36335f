"""Accounts are told apart by a keyed pseudonym, and by nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from check_postfix.maillog.account import pseudonym

KEY = bytes(range(32))
NAMES = st.binary(min_size=1, max_size=300)


@given(NAMES)
def test_it_is_short_and_made_of_hexadecimal_digits(name):
    found = pseudonym(KEY, name)

    assert len(found) == 10
    assert set(found) <= set("0123456789abcdef")


def test_upper_and_lower_case_are_one_account():
    assert pseudonym(KEY, b"Ann@Example.NET") == pseudonym(KEY, b"ann@example.net")
    assert pseudonym(KEY, "J\u00d6RG".encode()) == pseudonym(KEY, "j\u00f6rg".encode())


def test_different_names_have_different_pseudonyms():
    names = [b"ann", b"ann@example.net", b"bob", b"ann ", b"\xff"]

    assert len({pseudonym(KEY, name) for name in names}) == len(names)


def test_another_state_has_another_pseudonym_for_the_same_name():
    assert pseudonym(KEY, b"ann") != pseudonym(KEY[::-1], b"ann")


def test_a_name_is_told_by_as_much_as_postfix_and_dovecot_write_of_it():
    long = b"a" * 79

    assert pseudonym(KEY, long + b"bc" * 20) == pseudonym(KEY, long + b"b")
    assert pseudonym(KEY, long + b"b") != pseudonym(KEY, long + b"c")
