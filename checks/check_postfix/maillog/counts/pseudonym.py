"""Pseudonyms: what is shown in place of an address or a domain when nobody is to be named.

They are keyed with the store's own secret: the same name keeps its pseudonym as
long as the store lives, and nobody without the store can try names until one fits.
"""

from __future__ import annotations

from check_postfix.maillog.counts.counts import MANY
from check_postfix.maillog.source.generation import fingerprint

_PERSONAL = ("client", "domain", "relay")
# Of its hexadecimal digits
_LENGTH = 10


def of(secret: bytes, field: str, value: str) -> str:
    """Return `client-3f9a2c41d0` for an address, and likewise for domain and relay.

    A client's name is that of its address, so nothing is left of it. What names
    nobody is returned as it is: other fields, what stands for many, and a relay that
    is one of Postfix's own words (`none`, `local`).
    """
    if field == "client_name":
        return ""
    if value == MANY or field not in _PERSONAL:
        return value
    if field == "relay" and "." not in value and ":" not in value:
        return value
    digits = fingerprint(f"{field} {value}".encode(), secret).hex()[:_LENGTH]
    return f"{field}-{digits}"
