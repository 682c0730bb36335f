"""The span of time that a report is about, in whole minutes."""

from __future__ import annotations

from collections import namedtuple
from datetime import datetime, timedelta

from check_postfix.plugin import UsageError, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from datetime import tzinfo

_DAYS = {"today": 0, "yesterday": 1}
# After every log.
_NEVER = 1 << 40


class Span(namedtuple("Span", "since until")):
    """From a minute on up to before another; minutes since 1970.

    since: 0 for the begin of the log
    until: a minute after every log for its end
    """

    __slots__ = ()

    since: int
    until: int

    @property
    def begins(self) -> bool:
        """Whether it was said when it begins."""
        return self.since > 0

    @property
    def ends(self) -> bool:
        """Whether it was said when it ends."""
        return self.until < _NEVER


def of(options: Namespace, zone: tzinfo | None) -> Span:
    """Return what --since, --until and --day say.

    Raises: UsageError
    """
    if options.day is not None:
        if options.since is not None or options.until is not None:
            raise UsageError("--day is a whole day; leave --since and --until out")
        day = _moment("--day", options.day, zone)
        first = day.replace(hour=0, minute=0, second=0, microsecond=0)
        # In its zone, a day need not have 24 hours.
        return Span(_minute(first), _minute(first + timedelta(days=1)))
    since = 0 if options.since is None else _minute(_moment("--since", options.since, zone))
    until = _NEVER if options.until is None else _minute(_moment("--until", options.until, zone))
    if since >= until:
        raise UsageError("--since is not before --until; exchange them")
    return Span(since, until)


def _minute(moment: datetime) -> int:
    return int(moment.timestamp()) // 60


def _moment(flag: str, written: str, zone: tzinfo | None) -> datetime:
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
