"""A threshold: a metric with its warning and critical range."""

from __future__ import annotations

from check_postfix.plugin.option import Option
from check_postfix.plugin.values import UNITS, is_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Sequence
    from typing import Any

    from nagiosplugin import Range

# No longer than what a float holds exactly, and a line of output has room for.
_DIGITS = 12
_DECIMALS = 6
# Of ranges, and the ends of one in a unit; other numbers are best without one.
_EXAMPLE = "{0} (alert above {0}), {0}: (below {0}), {0}:{1} (outside) or @{0}:{1} (inside)"
_ENDS = {"s": ("1h", "5h")}


class Least:
    """How much there must be of something to judge a metric.

    count:  from (subject, options) to how much there is
    option: with the least number
    of:     what it is a number of
    """

    __slots__ = ("count", "of", "option")

    def __init__(self, count: Callable[[Any, Namespace], float], option: Option, of: str) -> None:
        self.count = count
        self.option = option
        self.of = of


class Threshold:
    """What a metric is compared with.

    metric:  its name
    what:    what is compared, for the help text
    warning, critical: default ranges; None for none
    suffix:  of the options, where it is not a check's main threshold: `--warning-client`
    uom:     `%` allows a percent sign in ranges, `s` allows 90s, 15m, 2h, 4d
    enough:  with less of any of these, the metric is shown but not judged
    """

    def __init__(
        self,
        metric: str,
        what: str,
        warning: str | None = None,
        critical: str | None = None,
        suffix: str = "",
        uom: str = "",
        enough: Sequence[Least] = (),
    ) -> None:
        self.metric = metric
        self.enough = enough
        self.warning = self._option("warning", what, warning, suffix, uom)
        self.critical = self._option("critical", what, critical, suffix, uom)

    def oddity(self, options: Namespace) -> str:
        """Return what is odd about the ranges as they were given, nothing if they are not odd.

        A warning that begins where it is critical already is mostly two numbers swapped.
        """
        warning = getattr(options, self.warning.name)
        critical = getattr(options, self.critical.name)
        usual = self.warning.default
        if usual is not None and warning == self.warning.parse(usual):
            return ""  # who gives one of the two only wants an alarm sooner
        if not warning or not critical or warning.invert or critical.invert:
            return ""
        if critical.start <= warning.start and warning.end <= critical.end:
            return ""
        flags = self.critical.short or self.critical.flag, self.warning.short or self.warning.flag
        ends = shown(critical, 0), shown(warning, 0)
        return f"{flags[0]} {ends[0]} alerts before {flags[1]} {ends[1]}"

    def state_of(self, number: float, options: Namespace) -> int:
        """Return what a number makes of a check by itself: 0 for OK, 1 for WARNING, 2 for CRITICAL.

        Whether there is enough to judge it is not asked.
        """
        for state, option in ((2, self.critical), (1, self.warning)):
            limits = getattr(options, option.name)
            if limits is not None and not limits.match(number):
                return state
        return 0

    def _option(self, state: str, what: str, default: str | None, suffix: str, uom: str) -> Option:
        return Option(
            f"--{state}{'-' if suffix else ''}{suffix}",
            f"{state.upper()} if {what} is outside this range",
            default=default,
            parse=lambda written: parse_range(written, uom),
            metavar="RANGE",
            short="" if suffix else f"-{state[0]}",
            example=_EXAMPLE.format(*_ENDS.get(uom, ("10", "20"))),
        )


def parse_range(written: str, uom: str) -> Range:
    """Return a range of the Monitoring Plugins guidelines: `[@][start:]end`.

    Raises: ValueError
    """
    # postfix-log, which judges nothing, does not load it.
    from nagiosplugin import Range

    inverted = "@" if written.startswith("@") else ""
    start, colon, end = written.removeprefix("@").rpartition(":")
    try:
        if colon:
            start = start if start == "~" else _limit(start, uom)
            end = end and _limit(end, uom)
        else:
            end = _limit(end, uom)
    except ValueError:
        raise ValueError("not a range") from None
    try:
        return Range(f"{inverted}{start}{colon}{end}")
    except ValueError:
        raise ValueError("a range that starts after its end", "swap the two") from None


def _limit(written: str, uom: str) -> str:
    """Return a limit of a range without its unit.

    Raises: ValueError
    """
    sign = "-" if written.startswith("-") else ""
    plain = written.removeprefix("-")
    if uom == "%":
        plain = plain.removesuffix("%")
    unit = plain[-1:] if uom == "s" and plain[-1:] in UNITS else ""
    plain = plain.removesuffix(unit)
    if not is_number(plain, _DIGITS, _DECIMALS):
        raise ValueError
    return sign + (number(float(plain) * UNITS[unit]) if unit else plain)


def shown(limits: Range | None, minimum: float | None) -> str:
    """Return a range for perfdata: as a plain number where that means the same.

    minimum: the least value that the metric can have, None if there is none
    """
    if limits is None:
        return ""
    open_below = limits.start == float("-inf") and minimum is not None and minimum >= 0
    start = "~:" if limits.start == float("-inf") else f"{number(limits.start)}:"
    end = "" if limits.end == float("inf") else number(limits.end)
    if limits.invert:
        return f"@{start}{end}"
    return end if open_below or limits.start == 0 else start + end


def number(value: float) -> str:
    """Return a number as perfdata wants it: no exponent, no needless fraction."""
    if value == int(value):
        return str(int(value))
    return f"{value:.6f}".rstrip("0").rstrip(".")
