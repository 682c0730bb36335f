"""Against the usual: how a check says what has come lately, and what is usual on this host.

Judged are the last quarters of an hour, whatever window the counts are of.
"""

from __future__ import annotations

from check_postfix.maillog.window import usual
from check_postfix.maillog.window.usual import LASTING, LASTING_MORE, LESS, MORE, QUARTER, UNJUDGED
from check_postfix.plugin import values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from check_postfix.maillog.window.compared import Compared

    # From a number to it with its noun: `1 message received`
    Amount = Callable[[float], str]

# A stop that shows within this time, in minutes, needs no word.
_SOON = 60
_WEEK = 7 * 24 * 60
# From a number far below the least that is usual to one far above the most
_BLOCKS = "▁▂▃▄▅▆▇█"
_UNREAD = "?"
_PER_BLOCK = 4  # quarter-hours


def factor(compared: Compared) -> float | None:
    """Return the factor to the usual; None if nothing is usual yet, or the log was not read."""
    verdict = compared.verdict
    return None if verdict.how == UNJUDGED else round(verdict.factor, 2)


def words(compared: Compared, minutes: int, number: int, amount: Amount, basis: str = "") -> str:
    """Return what has come, and what is usual.

    minutes: length of the window
    number:  what it came to
    basis:   of what it is usual, if not of that
    """
    range_, verdict = compared.range, compared.verdict
    said = f"{amount(number)} in {values.span(minutes * 60)}"
    if minutes != QUARTER and verdict.number is not None and verdict.how != LESS:
        said += f", {amount(verdict.number)} in the last {values.span(QUARTER * 60)}"
    days = f"({values.amount(range_.days, 'day')}{basis and ', '}{basis})"
    limit = _number(verdict.limit)
    times = f"{_factor(verdict.factor)} x usual {_number(verdict.usual)}"
    if verdict.how == UNJUDGED:
        return f"{said}, {_why_not(compared)}"
    if verdict.how == MORE:
        return f"{said}, {times}, usual up to {limit} {days}"
    if verdict.how == LASTING_MORE:
        assert verdict.number is not None
        return (
            f"at least {amount(verdict.number)} in each quarter of the last hour, {times},"
            f" usual up to {limit} for so long {days}"
        )
    if verdict.how == LESS:
        assert verdict.number is not None
        few = f"{amount(verdict.number)} in {values.span(verdict.quarters * QUARTER * 60)}"
        return f"{few}, usually {limit} at least {days}"
    return f"{said}, usual {range_.lows.get(1, 0)} to {limit} {days}"


def silence(compared: Compared, nothing: str) -> str:
    """Return for how long nothing has come.

    nothing: what is missing, `no message received`
    """
    most = compared.range.silence or 0
    for_how_long = values.span(compared.recent.silence * 60)
    words = f"{nothing} for {for_how_long}"
    if most:
        days = values.amount(compared.range.days, "day")
        words += f", usually {values.span(most * 60)} at most ({days})"
    return words


def stop_shows(compared: Compared) -> str:
    """Return when a stop would be told, where that takes long; else nothing."""
    if compared.verdict.how == UNJUDGED:
        return ""
    after = compared.range.stop_shows
    if after is None or after > _WEEK:
        return "a stop would not show within a week"
    return f"a stop would show after {values.span(after * 60)}" if after > _SOON else ""


def last_day(compared: Compared) -> list[str]:
    """Return a line that draws the last day: a block for each hour, the oldest first.

    The lowest block is nothing, the fourth the most that is usual now in a quarter of an hour,
    the highest what is more than twice that.
    """
    if not compared.range.is_known:
        return []
    high = max(compared.range.high, 1)
    hours = [
        compared.last_day[first : first + _PER_BLOCK]
        for first in range(0, len(compared.last_day), _PER_BLOCK)
    ]
    drawn = "".join(_block(hour, high) for hour in hours)
    low = compared.range.lows.get(1, 0)
    return [
        f"last 24 h: {drawn} (most in 15 min of each hour; ▄ is {_number(high)}, the most that is"
        f" usual now, {low} the least)"
    ]


def _block(hour: Sequence[int | None], high: float) -> str:
    known = [number for number in hour if number is not None]
    if not known:
        return _UNREAD
    if not max(known):
        return _BLOCKS[0]
    at = int(max(known) / high * len(_BLOCKS) / 2)
    return _BLOCKS[max(1, min(at, len(_BLOCKS) - 1))]


def _why_not(compared: Compared) -> str:
    days, needed = compared.range.days, usual.LEAST_DAYS
    if days < needed:
        return f"usual not known yet ({days} of {needed} days)"
    if compared.range.level is None:
        return "usual not known at this time of day"
    return "not held against the usual: not all of it was read"


def _factor(factor: float) -> str:
    """Return a factor with two digits that tell, or as a whole number."""
    return f"{factor:.2g}" if factor < 99.5 else f"{factor:.0f}"


def _number(value: float) -> str:
    """Return a number of messages that nobody counted: whole, but where it is small."""
    return f"{value:.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


assert LASTING * QUARTER == 60  # as the words say
