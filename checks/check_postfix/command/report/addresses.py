"""Addresses: how a report spells them, so that one sender or recipient has one name.

The rules are pflogsumm's: the domain is in lower case, the local part as it is written. A host
is known by the last two parts of its name, or three.
"""

from __future__ import annotations

import re

from check_postfix.command.report.tally import LONGEST_NAME
from check_postfix.maillog.syntax.expression import Expression

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

NULL_SENDER = b"<>"
# What stands for the client of mail that was handed in on this machine
PICKUP = b"pickup"

_match_host = Expression(rb"(.*)\.([^.]+)\.([^.]{3}|[^.]{2,3}\.[^.]{2})\Z", re.DOTALL).match
_number = re.compile(
    rb"((?:bounce[ds]?|no(?:list|reply|response)|return|sentto|\d+).*?)(?:[+_.*-]\d+\b)+",
    re.IGNORECASE,
)
_list_recipient = re.compile(rb"[*-](\d+[*-])?[^=*-]+[=*][^@]+@")
_bang_path = Expression(rb"(.*!|)([^!]+)!([^!@]+)@([^.]+)\Z").match


def spelling(
    ignores_case: bool = False, verp: int = 0, bang_paths: bool = False
) -> Callable[[bytes], tuple[bytes, bytes]]:
    """Return what brings an address to the form that it is counted by, and gives its domain too.

    The domain of an address that has none is the address itself. Both are cut where they are
    longer than a name may be.

    ignores_case: whether the local part is in lower case, too
    verp:         1: numbers in senders of lists and bounces become `ID`; 2: and the recipient
                  that such a sender names is left out
    bang_paths:   whether `host.example!user@next` is read as `next!user@host.example`
    """

    def plain(address: bytes) -> tuple[bytes, bytes]:
        if len(address) > LONGEST_NAME:
            return of_long(address)
        local, at, domain = address.rpartition(b"@")
        if not at:
            return address, address
        lower = domain.lower()
        return (address if lower == domain else local + at + lower), lower

    def of_long(address: bytes) -> tuple[bytes, bytes]:
        local, at, domain = address.rpartition(b"@")
        address = (local + at + domain.lower())[:LONGEST_NAME] if at else address[:LONGEST_NAME]
        return address, domain.lower()[:LONGEST_NAME] if at else address

    def spelled(address: bytes) -> tuple[bytes, bytes]:
        if len(address) > LONGEST_NAME:  # none that is one
            return plain(address)
        if bang_paths and (path := _bang_path(address)):
            address = b"%b!%b%b@%b" % (path[4], path[1], path[3], path[2])
        address = address.lower() if ignores_case else plain(address)[0]
        if verp:
            address = _number.sub(rb"\1-ID", address, count=1)
            if verp > 1:
                address = _list_recipient.sub(b"@", address, count=1)
        return plain(address)

    return spelled if ignores_case or verp or bang_paths else plain


def of_client(client: bytes) -> bytes:
    """Return the domain of a client, or its address if it has no name.

    client: `NAME[ADDRESS`
    """
    name, _, address = client.rpartition(b"[")
    if name in (b"", b"unknown"):
        return address
    host = _match_host(name)
    return host[2].lower() + b"." + host[3].lower() if host else name
