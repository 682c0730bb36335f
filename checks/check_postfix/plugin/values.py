"""Values: what people write behind an option, and what it means.

Every function takes the text as it was written and returns the value, or raises
ValueError with what was expected and an example.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime, tzinfo

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def text(written: str) -> str:
    """Return any text that is not empty."""
    if not written:
        raise ValueError("must not be empty")
    return written


def count(written: str) -> int:
    """Return a whole number, 0 or more."""
    if not re.fullmatch(r"[0-9]{1,12}", written):
        raise ValueError("is no whole number; write for example 20")
    return int(written)


def duration(written: str) -> int:
    """Return a duration in seconds, more than 0."""
    shape = re.fullmatch(r"([0-9]{1,9})([smhd])", written)
    seconds = int(shape[1]) * _UNITS[shape[2]] if shape else 0
    if not seconds:
        raise ValueError("is no duration; write for example 90s, 15m, 2h or 4d")
    return seconds


def seconds(written: str) -> float:
    """Return seconds, more than 0, written with or without a unit."""
    shape = re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]{1,6})?", written)
    value = float(written) if shape else float(duration(written))
    if not value:
        raise ValueError("is no time span; write for example 10 or 10s")
    return value


def window(written: str) -> int:
    """Return a duration of whole minutes, in seconds."""
    value = duration(written)
    if value % 60:
        raise ValueError("is not whole minutes, which is what is counted by; write for example 15m")
    return value


def zone(written: str) -> tzinfo:
    """Return the time zone of this name."""
    from dateutil import tz

    found = tz.gettz(written)
    if not written or found is None:
        raise ValueError("is no time zone; write for example Europe/Berlin or UTC")
    return found


def moment(written: str, where: tzinfo | None) -> datetime:
    """Return a point in time, read as python-dateutil reads it.

    where: the zone it is meant in if it names none; None for the machine's
    """
    from dateutil import parser, tz

    try:
        found = parser.parse(written)
    except (parser.ParserError, OverflowError):
        raise ValueError(
            "is no date and time; write for example '2026-11-24 16:30' or 16:30"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=where or tz.tzlocal())


def span(seconds: float) -> str:
    """Return a time span as people say it, in its two largest units."""
    left = int(seconds)
    parts = []
    for unit in "dhms":
        number, left = divmod(left, _UNITS[unit])
        if number:
            parts.append(f"{number} {'min' if unit == 'm' else unit}")
    return " ".join(parts[:2]) or "0 s"
