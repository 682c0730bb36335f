"""Moment: a point in time as it is written behind --since, --until and --day."""

from __future__ import annotations

from datetime import datetime, timedelta

from check_postfix.plugin import UsageError, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import tzinfo

# Word -> days before today
_DAYS = {"today": 0, "yesterday": 1}


def of(flag: str, written: str, zone: tzinfo | None) -> datetime:
    """Return the point in time; of a day that is named, its first one.

    zone: that is meant if none is written; None for the machine's

    Raises: UsageError
    """
    from dateutil import tz

    if (ago := _DAYS.get(written)) is not None:
        now = datetime.now(zone or tz.tzlocal())
        return now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=ago)
    try:
        return values.moment(written, zone)
    except ValueError as error:
        cause, *fix = error.args
        example = f"{flag} yesterday, or {flag} 2026-11-24"
        raise UsageError(
            f"{flag} {written}: {'; '.join([cause, *fix])}; example: {example}"
        ) from None
