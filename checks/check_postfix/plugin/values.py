"""Values: what people write after an option, and what it means.

Each function that reads a value takes the text as it was written. It raises ValueError
with what is wrong; what to do about it follows as a second argument, unless an example
of the option says enough.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import tzinfo
    from ipaddress import IPv4Network, IPv6Network

    Network = IPv4Network | IPv6Network

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

# Mail logs are younger; and calendars end.
_LONGEST = 100 * 365 * 86400
_LONGEST_TIMEOUT = 86400
# In bits; the second stands before an IPv4 address in an IPv6 one
_CLIENT_OF_IPV6 = 64
_MAPPED = 96


def text(written: str) -> str:
    """Return any text that is not empty."""
    if not written:
        raise ValueError("is empty", "leave it out, or name something")
    try:
        written.encode()
    except UnicodeEncodeError:  # a byte that Python could not make a character of
        raise ValueError("not UTF-8", "choose a plain name, or make a link with one") from None
    return written


def is_number(written: str, digits: int, decimals: int = 0) -> bool:
    """Tell whether something is a number of at most so many digits and decimals, without a sign.

    An expression would have to be compiled in every run, which takes longer than
    reading all the numbers.
    """
    whole, point, fraction = written.partition(".")
    if point and not is_number(fraction, decimals):
        return False
    return whole.isascii() and whole.isdecimal() and len(whole) <= digits


def count(written: str) -> int:
    """Return a whole number, 0 or more."""
    if not is_number(written, 12):
        raise ValueError("not a whole number")
    return int(written)


def one_of(*words: str) -> Callable[[str], str]:
    """Return what parses one of some words."""

    def parse(written: str) -> str:
        if written not in words:
            raise ValueError("not known here", f"use {_either(words)}")
        return written

    return parse


def _either(words: Sequence[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def duration(written: str) -> int:
    """Return a duration in seconds, more than 0."""
    number, unit = written[:-1], written[-1:]
    seconds = int(number) * UNITS[unit] if unit in UNITS and is_number(number, 9) else 0
    if not seconds:
        raise ValueError("not a duration")
    if seconds > _LONGEST:
        raise ValueError("longer than 100 years")
    return seconds


def timeout(written: str) -> float:
    """Return seconds, more than 0, written with or without a unit."""
    unit = written[-1:] if written[-1:] in UNITS else ""
    number = written.removesuffix(unit)
    value = float(number) * UNITS[unit or "s"] if is_number(number, 9, decimals=6) else 0
    if not 0 < value <= _LONGEST_TIMEOUT:
        raise ValueError("not a time to wait, of at most a day")
    return value


def window(written: str) -> int:
    """Return a duration of whole minutes, in seconds."""
    value = duration(written)
    if value % 60:
        raise ValueError("not whole minutes, by which lines are counted")
    return value


_LONGEST_ZONE = 64


def zone(written: str) -> tzinfo:
    """Return the time zone of this name.

    Rules such as `UTC+3` are no names: half the world reads the sign the other way.
    """
    from dateutil import tz

    # dateutil takes paths as well, each version in another way
    is_name = re.fullmatch(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}", written)
    found = tz.gettz(written) if is_name and len(written) <= _LONGEST_ZONE else None
    if found is None or isinstance(found, tz.tzstr):
        raise ValueError("not a time zone")
    return found


def zone_name(written: str) -> str:
    """Return the name of a time zone."""
    zone(written)
    return written


def code(written: str) -> str:
    """Return a reply code or an enhanced status code."""
    if not re.fullmatch(r"[245]\d\d|[245]\.\d{1,3}\.\d{1,3}", written, re.ASCII):
        raise ValueError("neither a reply code nor an enhanced status code")
    return written


def network(written: str) -> Network:
    """Return a network, or the one of a single address.

    An IPv6 network is at least a /64, since client addresses are kept by /64. One that stands for
    IPv4 (::ffff:192.0.2.7), as Dovecot may write it, is kept as that.
    """
    from ipaddress import IPv4Network, IPv6Network, ip_network

    try:
        found = ip_network(written, strict=False)
    except ValueError:
        raise ValueError("neither an address nor a network") from None
    mapped = isinstance(found, IPv6Network) and found.network_address.ipv4_mapped
    if mapped and found.prefixlen >= _MAPPED:
        return IPv4Network((mapped, found.prefixlen - _MAPPED))
    if isinstance(found, IPv6Network) and found.prefixlen > _CLIENT_OF_IPV6:
        return found.supernet(new_prefix=_CLIENT_OF_IPV6)
    return found


def prom_file(written: str) -> str:
    """Return a path that node-exporter's textfile collector would read."""
    if not written.endswith(".prom"):
        raise ValueError("does not end with .prom, and node-exporter reads no other file")
    return written


def span(seconds: float) -> str:
    """Return a time span as people say it, in its two largest units."""
    left = int(seconds)
    parts = []
    for unit in "dhms":
        number, left = divmod(left, UNITS[unit])
        if number:
            parts.append(f"{number} {'min' if unit == 'm' else unit}")
    return " ".join(parts[:2]) or "0 s"


def exact_span(seconds: float) -> str:
    """Return a time span as people say it; one of less than a minute as exactly as it is known."""
    return span(seconds) if seconds >= UNITS["m"] else f"{seconds:g} s"


def amount(number: float, noun: str, nouns: str = "") -> str:
    """Return how many there are of a countable thing: `1 message`, `2 messages`; see plural()."""
    return f"{number} {plural(number, noun, nouns)}"


def plural(number: float, noun: str, nouns: str = "") -> str:
    """Return what so many of a countable thing are called.

    nouns: what several are called, where that is more than an s
    """
    return noun if number == 1 else nouns or f"{noun}s"
