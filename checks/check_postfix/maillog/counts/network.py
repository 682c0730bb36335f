"""Networks: the part of an address that tells one client from another.

A client with one IPv6 address has at least the 2^64 of its network (RFC 6177), so
these count as one.
"""

from __future__ import annotations

from functools import lru_cache

# So many are remembered at a time.
_MOST_KNOWN = 8_192
# The longest address, `ABCD:ABCD:ABCD:ABCD:ABCD:ABCD:192.168.158.190`.
_LONGEST = 45
_GROUPS = 8
_GROUPS_OF_NETWORK = 4


def of(address: str) -> str:
    """Return an IPv4 address as it is, and the /64 of an IPv6 address.

    address: as Postfix and Dovecot write it, lower case; anything else is returned as it is
    """
    if ":" not in address or len(address) > _LONGEST:
        return address
    if "." in address:  # ::ffff:192.0.2.1
        return address.rpartition(":")[2]
    return _of_ipv6(address)


@lru_cache(_MOST_KNOWN)
def _of_ipv6(address: str) -> str:
    before, gap, after = address.partition("::")
    groups = before.split(":") if before else []
    if gap:
        last = after.split(":") if after else []
        groups += ["0"] * (_GROUPS - len(groups) - len(last)) + last
    if len(groups) != _GROUPS:
        return address
    network = [group.lstrip("0") or "0" for group in groups[:_GROUPS_OF_NETWORK]]
    while network and network[-1] == "0":
        network.pop()
    return ":".join(network) + "::/64"


def around(address: str) -> str:
    """Return the /24 of an IPv4 address, and the /64 of an IPv6 address.

    Addresses of one provider's customer change within these. Anything else is returned as it is.
    """
    return _around(address) if len(address) <= _LONGEST else address


@lru_cache(_MOST_KNOWN)
def _around(address: str) -> str:
    near = of(address)
    first, dot, _ = near.rpartition(".")
    return f"{first}.0/24" if dot and ":" not in near else near
