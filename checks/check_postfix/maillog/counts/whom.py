"""Whom lines name: from the bytes that stand in them to the first fields of their keys.

There can be a different one in each line. So they are read many at a time, each once, by
what Python does to a whole text at once.
"""

from __future__ import annotations

from check_postfix.maillog.counts import network
from check_postfix.maillog.counts.families import LONGEST, SEPARATOR
from check_postfix.maillog.events import fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_RELAY = ">, relay="


def deliveries(named: Iterable[bytes]) -> dict[bytes, str]:
    """Return domain and relay, as they stand in a key, for each of some `@DOMAIN>, relay=HOST`.

    named: all different; where there is no domain, it begins with `>`
    """
    listed = list(named)
    # So begins the first one like the others, and there is no other such byte in any of them.
    text = b"\n".join([b"", *listed])
    if text.isascii() and max(map(len, listed), default=0) <= LONGEST:
        keys = text.decode("ascii").lower().replace("\n@", "\n").replace(_RELAY, SEPARATOR)
        return dict(zip(listed, keys.split("\n")[1:], strict=True))
    return {one: _delivery(one) for one in listed}


def _delivery(named: bytes) -> str:
    domain, _, relay = named.decode("utf-8", "replace").lower().partition(_RELAY)
    return domain.removeprefix("@")[:LONGEST] + SEPARATOR + relay[:LONGEST]


def clients(named: Iterable[bytes]) -> dict[bytes, str]:
    """Return network and name, as they stand in a key, for each of some `NAME[ADDRESS`.

    An address may stand alone.
    """
    listed = list(named)
    text = b"\n".join([b"", *listed]).replace(b"\nunknown[", b"\n[").decode("ascii").lower()
    return {
        one: part[1:] + SEPARATOR
        if part[0] == "[" and ":" not in part and len(part) <= LONGEST
        else _client(one)
        for one, part in zip(listed, text.split("\n")[1:], strict=True)
    }


def _client(named: bytes) -> str:
    name, _, address = named.rpartition(b"[")
    network_of = network.of(address.decode("ascii").lower()[:LONGEST])
    return network_of + SEPARATOR + fields.verified(name)[:LONGEST]
