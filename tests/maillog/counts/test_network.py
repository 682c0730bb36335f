"""What of a client's address tells one client from another."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from check_postfix.maillog.counts import network


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:0:1::", "2001:db8:0:1::/64"),
        ("::1", "::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("unknown", "unknown"),
        ("", ""),
        ("1:2:3", "1:2:3"),
        ("1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8:9"),
    ],
)
def test_an_ipv6_client_is_its_64(address, client):
    assert network.of(address) == client


@given(st.ip_addresses(v=6))
def test_every_ipv6_client_is_its_64(address: IPv6Address):
    if address.ipv4_mapped or "." in str(address):
        return

    assert ip_network(network.of(str(address))) == ip_network((int(address) >> 64 << 64, 64))


@given(st.text(st.sampled_from("0123456789abcdef.:"), max_size=60))
def test_whatever_looks_like_an_address_is_some_client(address):
    assert "\t" not in network.of(address)


@pytest.mark.parametrize(
    ("address", "around"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3::7", "2001:db8:1:2::/64"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_an_account_comes_from_a_24_or_a_64(address: str, around: str) -> None:
    assert network.around(address) == around
