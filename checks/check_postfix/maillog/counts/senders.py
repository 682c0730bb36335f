"""Senders: what is counted of whoever hands mail in.

Each kind of sender is a family of its own, so that many of one do not crowd out another. Its
numbers are messages, recipients, and recipients that bounced; messages of an account by the
network that they came from as well.

An account's name is kept as it is: its login has succeeded, so it is no mistyped password. A
client is kept only if it is near or watched: others are strangers, and there are too many.
"""

from __future__ import annotations

from check_postfix.maillog.counts import network
from check_postfix.maillog.events.sender import ACCOUNT, CLIENT, SEPARATOR, UID

# What a number is of. It stands in each key, so it is short.
MESSAGES, RECIPIENTS, BOUNCED = "m", "r", "b"

# Addresses that no stranger has: this machine's, and those of private networks (RFC 1918, 3927,
# 4193, 4291).
_NEAR = ("127.", "10.", "192.168.", "169.254.", *[f"172.{second}." for second in range(16, 32)])
_NEAR_6 = ("fc", "fd", "fe8", "fe9", "fea", "feb")
_LOOPBACK = "::1"


def is_near(client: str) -> bool:
    """Tell whether a client's address is this machine's, or of a private network."""
    if ":" in client and "." not in client:
        return client.startswith(_NEAR_6) or client == _LOOPBACK
    return client.rpartition(":")[2].startswith(_NEAR)


def is_kept(sender: str) -> bool:
    """Tell whether anything is kept of a sender."""
    kind, _, name = sender.partition(SEPARATOR)
    return kind != CLIENT or is_near(name)


def source_of(sender: str) -> str:
    """Return where the mail of a sender comes from: the network of a client, else who it is."""
    kind, _, name = sender.partition(SEPARATOR)
    if kind == UID:
        return f"uid {name}"
    return network.around(name) if kind == CLIENT else name


def key_of(sender: str, what: str, client: str = "") -> tuple[str, str]:
    """Return the family of a sender, and the key under which something of it is counted.

    client: address that its messages came from
    """
    kind, _, name = sender.partition(SEPARATOR)
    if kind == CLIENT:
        name = name if name == _LOOPBACK else network.of(name)
    fields = [what, name]
    if kind == ACCOUNT:
        fields.append(network.around(client))
    return kind, SEPARATOR.join(fields)
