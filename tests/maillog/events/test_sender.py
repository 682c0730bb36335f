"""Senders are made of the bytes that name them, once each; little is remembered of strangers."""

from __future__ import annotations

import tracemalloc

import pytest

from check_postfix.maillog.counts import network
from check_postfix.maillog.counts.account import Accounts
from check_postfix.maillog.events import sender
from check_postfix.maillog.events.sender import Senders

CLIENT = b"mail.example.org[2001:DB8::1"


def test_who_has_logged_in_is_an_account_and_anybody_else_a_client():
    senders = Senders()

    for _ in range(2):
        assert senders.of(CLIENT, b"Ann\x01") == "by_account\tann?"
        assert senders.of(CLIENT, b"") == "by_client\t2001:db8::1"
        assert senders.address(CLIENT) == "2001:db8::1"
        assert senders.address(b"192.0.2.7") == "192.0.2.7"


def test_an_account_that_is_called_as_a_client_is_written_is_still_an_account():
    senders = Senders()
    senders.of(CLIENT, b"")

    assert senders.of(CLIENT, CLIENT) == sender.of_account(CLIENT)


@pytest.mark.parametrize("size", [10, 60_000])
def test_what_is_remembered_of_100_000_strangers_is_bounded(size):
    senders, accounts = Senders(), Accounts(bytes(32))
    number = 100_000 if size == 10 else 300
    tracemalloc.start()
    for one in range(number):
        name = b"%0*d" % (size, one)
        senders.of(b"x[%d" % one, name)
        senders.address(b"x[%d" % one)
        accounts.pseudonym(name)
        network.around(f"1.{one:0{size}}")
        network.of(f"1:{one:0{size}}")
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert held < 10 << 20
