"""Pseudonyms: they are shown in place of addresses and domains when nobody is to be named.

They are keyed with the store's own secret. A name keeps its pseudonym as long as
the store lives, and nobody without the store can try names until one fits.
"""

from __future__ import annotations

from check_postfix.maillog.counts.families import MANY
from check_postfix.maillog.source.generation import fingerprint

_PERSONAL = ("client", "domain", "relay", "sender", "network")
# In hexadecimal digits
_LENGTH = 10


def of(secret: bytes, field: str, value: str) -> str:
    """Return `client-3f9a2c41d0` for an address, and likewise for domain, relay and sender.

    A client's name would tell its address, so nothing is left of it. Values that name
    nobody are returned as they are: other fields, the sign for many values, and a
    relay that is one of Postfix's own words (`none`, `local`).
    """
    if field == "client_name":
        return ""
    if value == MANY or field not in _PERSONAL:
        return value
    if field == "relay" and "." not in value and ":" not in value:
        return value
    return f"{field}-{digits(secret, field, value)}"


def digits(secret: bytes, kind: str, value: str) -> str:
    """Return the hexadecimal digits that stand for a value of a kind of things."""
    return fingerprint(f"{kind} {value}".encode("utf-8", "replace"), secret).hex()[:_LENGTH]
