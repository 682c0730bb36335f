"""Silence: since when those who are looked at have logged nothing.

A small server is silent every night and at weekends. To say so each time would teach people not
to read what stands in brackets. So a silence is ordinary if on an earlier day of the same kind
the same time of day lay in one that lasted as long.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from check_postfix.maillog.source.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import tzinfo

    from check_postfix.maillog.window.coverage import Coverage

_SATURDAY = 5
# So many days before are looked at.
_DAYS = 28


class Silence(Value):
    """Who has logged nothing in a window, or for longer than may be.

    A line breaks it that a daemon of Postfix or Dovecot has written.

    last:  minute of the newest line of all that is looked at, None if that is no silence
    whose: what was chosen, such as `host mx2`; nothing if all is looked at
    most:  minutes that it may last
    parts: (name, minute of its newest line) of each host or log that is silent for longer,
           while others are not
    is_ordinary: whether `last` is no news at this time of day
    """

    last: int | None = None
    whose: str = ""
    most: int = 0
    parts: Sequence[tuple[str, int]] = ()
    is_ordinary: bool = False

    def is_too_long(self, end: int) -> bool:
        """Tell whether it lasts longer than it may.

        end: minute after the last one that is looked at
        """
        return self.last is not None and end - self.last > self.most


def is_ordinary(
    last: int,
    start: int,
    end: int,
    zone: tzinfo | None,
    coverage: Coverage,
    around: Callable[[int, int, int], tuple[int, int] | None],
) -> bool:
    """Tell whether an earlier day had a silence like this one.

    Saturdays and Sundays are one kind of day, all others the other.

    last:       minute of the newest line
    start, end: of the window, in which there is none
    zone:       whose time of day counts; None for the machine's
    coverage:   what of the log was read
    around:     from (start, end, most) to the minutes, from and up to, around these in which
                nothing was counted, `most` minutes behind them; None if something was
    """
    length = end - last - 1
    is_weekend = _is_weekend(end, zone)
    for first, after in _same_time(start, end, zone):
        if _is_weekend(after, zone) != is_weekend or not coverage.includes(first, after):
            continue
        found = around(first, after, length)
        if found and found[1] - found[0] >= length and coverage.includes(*found):
            return True
    return False


def _same_time(start: int, end: int, zone: tzinfo | None) -> Iterator[tuple[int, int]]:
    """Yield a window's minutes of each earlier day, yesterday's first."""
    # On the wall clock: with daylight saving in between, a day is not 24 hours.
    there = datetime.fromtimestamp(start * 60, zone)
    for days in range(1, _DAYS + 1):
        then = int((there - timedelta(days=days)).timestamp()) // 60
        if then + end - start <= start:  # a window of days must not be compared with itself
            yield then, then + end - start


def _is_weekend(minute: int, zone: tzinfo | None) -> bool:
    return datetime.fromtimestamp(minute * 60, zone).weekday() >= _SATURDAY
