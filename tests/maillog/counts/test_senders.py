"""Who has handed mail in: what is kept of whom."""

from __future__ import annotations

import pytest

from check_postfix.maillog.counts import senders
from check_postfix.maillog.events import sender
from check_postfix.maillog.events.event import Event


@pytest.mark.parametrize(
    "client",
    ["127.0.0.1", "::1", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.7.7", "fd00::7",
     "fe80::1", "::ffff:10.1.2.3", "169.254.1.1"],
)  # fmt: skip
def test_this_machine_and_private_networks_are_near(client: str) -> None:
    assert senders.is_near(client)


@pytest.mark.parametrize(
    "client",
    ["203.0.113.5", "172.15.0.1", "172.32.0.1", "2001:db8::1", "unknown", "", "::ffff:203.0.113.5",
     "100.64.0.1", "11.0.0.1"],
)  # fmt: skip
def test_others_are_strangers_and_nothing_is_kept_of_them(client: str) -> None:
    assert not senders.is_near(client)
    assert not senders.is_kept(f"by_client\t{client}")


def test_an_account_goes_before_a_client_and_a_message_that_comes_again_has_no_new_sender() -> None:
    ann = Event("received", client="10.0.0.7", account=b"Ann@Example.com")

    assert sender.of(ann) == "by_account\tann@example.com"
    assert sender.of(ann._replace(other_id=b"4F00000001")) == "by_account\tann@example.com"
    assert sender.of(Event("received", client="10.0.0.7")) == "by_client\t10.0.0.7"
    assert sender.of(Event("received", client="127.0.0.1", other_id=b"4F00000001")) == ""
    assert sender.of(Event("received", uid="33")) == "by_uid\t33"
    assert sender.of(Event("received", uid="0", other_id=b"4F00000001")) == ""


def test_an_accounts_name_cannot_end_a_field_or_a_line() -> None:
    assert sender.of_account(b"a\tb\nc\x7f") == "by_account\ta?b?c?"
    family, key = senders.key_of(sender.of_account(b"a\tb\nc"), senders.MESSAGES, "203.0.113.7")

    assert (family, key) == ("by_account", "m\ta?b?c\t203.0.113.0/24")


def test_a_client_of_ipv6_is_its_network_but_this_machine_is_itself() -> None:
    assert senders.key_of("by_client\tfd00:1:2:3:4::7", senders.RECIPIENTS) == (
        "by_client", "r\tfd00:1:2:3::/64",
    )  # fmt: skip
    assert senders.key_of("by_client\t::1", senders.RECIPIENTS) == ("by_client", "r\t::1")
