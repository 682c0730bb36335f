"""The span of time that a report is about, in whole minutes."""

from __future__ import annotations

from collections import namedtuple
from datetime import timedelta

from check_postfix.command import moment
from check_postfix.plugin import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from datetime import datetime, tzinfo

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
        day = moment.of(moment.DAY, options.day, zone)
        first = day.replace(hour=0, minute=0, second=0, microsecond=0)
        # In its zone, a day need not have 24 hours.
        return Span(_minute(first), _minute(first + timedelta(days=1)))
    begin, end = moment.between(options, zone)
    since = 0 if begin is None else _minute(begin)
    until = _NEVER if end is None else _minute(end)
    if since >= until:
        raise UsageError("--since and --until are of one minute; let them be a minute apart")
    return Span(since, until)


def _minute(time: datetime) -> int:
    return int(time.timestamp()) // 60
