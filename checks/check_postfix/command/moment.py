"""Moment: a point in time as it is written behind --since, --until and --day."""

from __future__ import annotations

from datetime import datetime

from check_postfix.plugin import UsageError, moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from datetime import tzinfo

# What help says of it
SPELLINGS = (
    "2h or 15m, so long ago; 22:00, 'yesterday 22:00' or 'monday 08:00', the last that has passed;"
    " or a date, with a time or without"
)
DAYS = "yesterday, today, monday (the last one), or a date"
SINCE, UNTIL, DAY, AT = "--since", "--until", "--day", "--at"
# Three days that are understood
_DAYS = ("yesterday", "monday", "2026-11-24")


def of(flag: str, written: str, zone: tzinfo | None, after: datetime | None = None) -> datetime:
    """Return the point in time; of a day that is named, its first one.

    flag:  --since and --day are not later than now
    zone:  that is meant if none is written; None for the machine's
    after: where --until has no date, it is after this

    Raises: UsageError
    """
    now = _now(zone)
    try:
        found = moment.read(written, zone, now, after)
    except ValueError as error:
        raise UsageError(f"{flag} {written}: {'; '.join([*error.args, _examples(flag)])}") from None
    if flag == DAY and not (moment.is_day(written) or moment.is_ago(written)):
        raise UsageError(
            f"{flag} {written}: a whole day has no time of day; {_examples(flag)}; or {SINCE} and"
            f" {UNTIL}"
        )
    if flag != UNTIL and found > now:
        # Perhaps another day was meant, or another zone.
        raise UsageError(
            f"{flag} {written}: is understood as {told(found.astimezone(now.tzinfo))}, which is"
            f" still to come; {_examples(flag)}"
        )
    return found


def between(options: Namespace, zone: tzinfo | None) -> tuple[datetime | None, datetime | None]:
    """Return what --since and --until say, None where they were left out.

    Raises: UsageError
    """
    since = None if options.since is None else of(SINCE, options.since, zone)
    until = None if options.until is None else of(UNTIL, options.until, zone, since)
    if since is not None and until is not None and since >= until:
        here = _now(zone).tzinfo
        raise UsageError(
            f"{SINCE} is not before {UNTIL}, which are understood as {told(since.astimezone(here))}"
            f" and {told(until.astimezone(here))}; exchange them"
        )
    return since, until


def told(time: datetime) -> str:
    """Return it as it is told."""
    return time.strftime("%Y-%m-%d %H:%M:%S")


def asked_for(since: str | None, until: str | None) -> str:
    """Return which time was asked for, so that what was understood is seen; nothing if none was."""
    parts = [
        *([f"since {since}"] if since is not None else []),
        *([f"until {until}"] if until is not None else []),
    ]
    return f"asked for {' '.join(parts)}" if parts else ""


def _examples(flag: str) -> str:
    *forms, last = _DAYS if flag == DAY else moment.FORMS
    return f"examples: {', '.join(f'{flag} {form}' for form in forms)} or {flag} {last}"


def _now(zone: tzinfo | None) -> datetime:
    from dateutil import tz

    return datetime.now(zone or tz.tzlocal())
