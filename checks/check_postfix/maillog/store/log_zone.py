"""The zone of a log: by which its stamps that name none were read, and are read from now on.

A log is counted by one zone. Whoever runs a check by hand may live in another, so the
environment is asked only about a log that has none yet. A zone is kept as a text that
says where it comes from, and its name:

    named Europe/Berlin     by the administrator, with --timezone
    TZ Europe/Berlin        by the environment of the log's first run
    machine Europe/Berlin   by /etc/localtime; where that has changed, the log's has, too
"""

from __future__ import annotations

import os

from check_postfix.maillog.errors import LogError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import tzinfo

LOCALTIME = "/etc/localtime"

NAMED = "named"
_TZ = "TZ"
_MACHINE = "machine"

# Zones whose offsets were the same on so many days are one.
_DAYS = 400


def settled(path: str, kept: str | None, name: str | None, is_wrong: bool) -> str:
    """Return the zone by which a log is to be read.

    path: of the log
    kept: the zone that it has been read by, None if none
    name: of the zone that the administrator has named, None if none
    is_wrong: whether stamps have proven that the log is in another zone than is kept

    Raises: LogError if two different ones were named, and the first is not proven wrong
    """
    source, _, kept_name = (kept or "").partition(" ")
    if name is not None:
        if source == NAMED and name != kept_name and not is_wrong:
            raise LogError(
                f"--timezone {name}: {path} is counted by {kept_name} in this state file;"
                " name the same zone in all checks, or another file with --state"
            )
        return f"{NAMED} {name}"
    if kept is None and (environment := os.environ.get("TZ")) is not None:
        return f"{_TZ} {environment}"
    return of_machine() if kept is None or source == _MACHINE else kept


def of_machine() -> str:
    """Return the machine's own zone, whatever the environment says."""
    try:
        name = os.readlink(LOCALTIME).rpartition("zoneinfo/")[2]
    except FileNotFoundError:
        name = "UTC"
    except OSError:  # a copy
        import zlib

        try:
            with open(LOCALTIME, "rb") as file:
                name = f"{zlib.crc32(file.read()):08x}"
        except OSError:
            name = "UTC"
    return f"{_MACHINE} {name}"


def rules(zone: str) -> tzinfo | None:
    """Return the rules of a zone; None where they are those that libc goes by."""
    source, _, name = zone.partition(" ")
    environment = os.environ.get("TZ")
    if environment == name if source == _TZ else source == _MACHINE and environment is None:
        return None
    from dateutil import tz

    return _rules(zone) or tz.UTC


def are_alike(zone: str, other: str) -> bool:
    """Tell whether two zones read all stamps that are counted in the same way."""
    from datetime import UTC, datetime, timedelta

    first, second = _rules(zone), _rules(other)
    if first is None or second is None:
        return False
    days = [datetime.now(UTC) - timedelta(days=day) for day in range(-2, _DAYS)]
    return all(
        day.astimezone(first).utcoffset() == day.astimezone(second).utcoffset() for day in days
    )


def _rules(zone: str) -> tzinfo | None:
    """Return the rules of a zone, None if they are not known."""
    from dateutil import tz

    if zone == of_machine():
        return tz.tzfile(LOCALTIME) if os.path.exists(LOCALTIME) else tz.UTC
    return _by_name(zone.partition(" ")[2])


def _by_name(name: str) -> tzinfo | None:
    """Return the rules that a name, or what else TZ may hold, stands for; None if none."""
    from dateutil import tz

    name = name.removeprefix(":")
    try:
        found = tz.gettz(name) if name else tz.UTC
        # Read as POSIX does, in which UTC+3 lies west of Greenwich.
        return tz.tzstr(name, posix_offset=True) if isinstance(found, tz.tzstr) else found
    except ValueError:
        return None
