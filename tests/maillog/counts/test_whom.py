"""Whom lines name stands in a key as the event of each line by itself would have it."""

from __future__ import annotations

import pytest

from check_postfix.maillog.counts.counts import tally
from check_postfix.maillog.counts.whom import clients, deliveries
from check_postfix.maillog.events.event import Event
from check_postfix.maillog.events.fields import verified

DOMAINS = [b"", b"example.net", b"Example.NET", "bücher.example".encode(), "ΟΔΟΣ".encode(),
           "İ.example".encode(), b"\xff.example", b"x" * 252, b"x" * 253, b"y" * 300]  # fmt: skip
RELAYS = [b"none", b"MX.example.net", b"a>b", b"relay=x", b"@x", "ΣΑΣ".encode(), b"z" * 300]


def _of_delivery(domain: bytes, relay: bytes) -> str:
    names = [part.decode("utf-8", "replace").lower() for part in (domain, relay)]
    return tally(Event("sent", *names))[2]


def _named(domain: bytes, relay: bytes) -> bytes:
    return (b"@" + domain if domain else b"") + b">, relay=" + relay


@pytest.mark.parametrize("domain", DOMAINS)
def test_of_a_delivery_domain_and_relay_begin_its_key(domain):
    named = {_named(domain, relay): _of_delivery(domain, relay) for relay in RELAYS}

    assert deliveries(named) == named


def test_ordinary_ones_and_odd_ones_are_read_together():
    named = {
        _named(domain, relay): _of_delivery(domain, relay) for domain in DOMAINS for relay in RELAYS
    }

    assert deliveries(named) == named


def test_nobody_is_named_by_nobody():
    assert deliveries([]) == {}
    assert clients([]) == {}


@pytest.mark.parametrize("name", [b"unknown", b"Unknown", b"mail.Example.net", b"n" * 300])
@pytest.mark.parametrize(
    "address", [b"203.0.113.7", b"2001:DB8::7", b"::ffff:192.0.2.1", b"unknown", b"1" * 300]
)
def test_of_a_client_network_and_name_begin_its_key(name, address):
    event = Event("rejected_smtpd", client=address.decode().lower(), client_name=verified(name))
    _, _, key = tally(event)

    assert clients([name + b"[" + address]) == {name + b"[" + address: key.rsplit("\t", 3)[0]}


def test_an_address_may_stand_alone():
    assert clients([b"203.0.113.7", b"[203.0.113.8"]) == {
        b"203.0.113.7": "203.0.113.7\t",
        b"[203.0.113.8": "203.0.113.8\t",
    }
