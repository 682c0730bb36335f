"""Lines about mail that were not understood: what is said of them, and what they could change.

A line of a new Postfix, of an old one or in a frame that nobody knows must not make mail
invisible. So it is counted, and where a check would say something else if all of these were
failures, an OK of that check is worth nothing.

Strangers can write a recipient or a reply so that a delivery reads in two ways, or is cut
off. These lines are said as well, but they never decide alone: else whoever sends mail could
blind the checks.
"""

from __future__ import annotations

from check_postfix.maillog.counts.families import FAMILY
from check_postfix.plugin import Remark, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from check_postfix.maillog.window.window import Window

# Counter -> what its lines are. UNPARSED may be anything, so every check fears it.
UNPARSED = "unparsed"
DECIDING = {
    "delivery_unknown": "deliveries",
    "reject_unknown": "rejects",
    "login_unknown": "failed logins",
    UNPARSED: "in an unknown frame",
}
OF_STRANGERS = {
    "delivery_ambiguous": "ambiguous deliveries",
    "line_truncated": "cut off",
}
COUNTERS = {**DECIDING, **OF_STRANGERS}
# What is understood of the same kinds.
_UNDERSTOOD = (
    "sent", "forwarded", "filtered", "deferred", "softbounce", "bounced", "probes",
    *(kind for kind, family in FAMILY.items() if family == "rejected"),
    "auth_failed", "auth_client_error", "auth_backend_error", "received", "expired",
)  # fmt: skip

# From this share on, in percent, they are said in the first line. A single odd line among
# thousands is no news; -vv has it.
SHARE = 1
# So many are a warning. On a quiet server a single odd line is a large part of all.
_SEVERAL, _WARNING = 5, 1
# That -vv shows
_EXAMPLES = 5


def number(window: Window) -> int:
    """Return how many lines of a window were not understood."""
    return window.count(*COUNTERS)


def worst_case(failure: str, *unknown: str) -> Callable[[Window], Window | None]:
    """Return what makes of a window the one in which all that could be a failure is one.

    failure: the counter of a check's failures
    unknown: the counters of DECIDING whose lines may be such failures, besides UNPARSED
    """

    def supposed(window: Window) -> Window | None:
        more = window.count(*unknown, UNPARSED)
        return window.supposing(failure, more) if more else None

    return supposed


def remark(window: Window) -> Remark | None:
    """Return what is to be said in the first line, None if that is nothing."""
    unknown = number(window)
    known = window.count(*_UNDERSTOOD)
    if not unknown or 100 * unknown < SHARE * (unknown + known):
        return None
    words = f"{values.amount(unknown, 'line')} about mail not understood{_example(window)}"
    return Remark(words, finding=_WARNING if unknown >= _SEVERAL else 0)


def lines(window: Window) -> list[str]:
    """Return lines for -vv: how many of what, and what they look like; none if there are none."""
    of = [f"{n} {what}" for counter, what in COUNTERS.items() if (n := window.count(counter))]
    if not of:
        return []
    shown = [f"  {count:>6}  {what}" for what, count in _examples(window)[:_EXAMPLES]]
    return [f"not understood in the window: {', '.join(of)}", *shown]


def _example(window: Window) -> str:
    examples = _examples(window)
    return f", such as '{examples[0][0]}'; see -vv" if examples else "; see -vv"


def _examples(window: Window) -> list[tuple[str, int]]:
    """Return what lines look like, without what may be personal, and how many do; most first."""
    rows = window.keys("not_understood", "reason", "service")
    return [(f"{program}: {look}" if program else look, n) for (look, program), n in rows]
