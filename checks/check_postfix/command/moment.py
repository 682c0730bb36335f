"""Moment: a point in time as it is written behind --since, --until and --day."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from check_postfix.plugin import UsageError, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import tzinfo

# What help says of it
SPELLINGS = "2h or 15m, so long ago; 08:00; a date, or both"
SINCE, UNTIL, DAY = "--since", "--until", "--day"
# Word -> days before today
_DAYS = {"today": 0, "yesterday": 1}
# How a unit may be written -> in seconds
_UNITS = (
    (r"s(?:ec(?:ond)?s?)?", 1),
    (r"m(?:in(?:ute)?s?)?", 60),
    (r"h(?:(?:ou)?rs?)?", 3600),
    (r"d(?:ays?)?", 86400),
    (r"w(?:eeks?)?", 7 * 86400),
)
_UNIT = "|".join(unit for unit, _ in _UNITS)
_ONE = rf"(\d{{1,9}}(?:\.\d{{1,3}})?)\s*({_UNIT})(?![a-z])\s*"
_match_ago = re.compile(rf"-?\s*(?P<parts>(?:{_ONE})+)(?:ago)?", re.IGNORECASE | re.ASCII).fullmatch
_begins_so = re.compile(rf"-?\s*{_ONE}", re.IGNORECASE | re.ASCII).match
_parts = re.compile(_ONE, re.IGNORECASE | re.ASCII).findall
# A date without signs between has more digits.
_match_number = re.compile(r"[+-]?\d{1,7}", re.ASCII).fullmatch


def of(flag: str, written: str, zone: tzinfo | None) -> datetime:
    """Return the point in time; of a day that is named, its first one.

    flag: --since is not later than now
    zone: that is meant if none is written; None for the machine's

    Raises: UsageError
    """
    from dateutil import tz

    now = _now(zone or tz.tzlocal())
    if (ago := _DAYS.get(written)) is not None:
        return now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=ago)
    if written == "now":
        return now
    if _match_number(written):
        time = "yesterday" if flag == DAY else f"3h for three hours ago, {flag} 03:00"
        raise UsageError(
            f"{flag} {written}: an hour, a day or how long ago? example: {flag} {time}, or"
            f" {flag} 2026-11-24"
        )
    if _begins_so(written):
        return _ago(flag, written, now)
    try:
        found = values.moment(written, zone, now)
    except ValueError as error:
        cause, *fix = error.args
        example = f"{flag} yesterday, or {flag} 2026-11-24"
        raise UsageError(
            f"{flag} {written}: {'; '.join([cause, *fix])}; example: {example}"
        ) from None
    if flag == SINCE and found > now:
        # Perhaps another day was meant, or another zone.
        understood = found.astimezone(now.tzinfo).strftime("%Y-%m-%d %H:%M:%S")
        raise UsageError(
            f"{flag} {written}: is understood as {understood}, which is still to come; example:"
            f" {flag} 1h for an hour ago, or {flag} yesterday"
        )
    return found


def _ago(flag: str, written: str, now: datetime) -> datetime:
    """Return the point in time that is so long ago.

    Raises: UsageError
    """
    if found := _match_ago(written):
        seconds = sum(float(number) * _seconds(unit) for number, unit in _parts(found["parts"]))
        if seconds:
            try:
                # By the clock of the world: an hour ago is an hour ago on any night.
                return datetime.fromtimestamp(now.timestamp() - seconds, now.tzinfo)
            except (OverflowError, ValueError, OSError):
                pass
    raise UsageError(
        f"{flag} {written}: neither how long ago nor a time; example: {flag} 1h, {flag} '1h 30m',"
        f" or {flag} 08:00"
    )


def _seconds(unit: str) -> int:
    return next(
        seconds for spelled, seconds in _UNITS if re.fullmatch(spelled, unit, re.IGNORECASE)
    )


def _now(zone: tzinfo) -> datetime:
    return datetime.now(zone)
