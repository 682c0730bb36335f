"""What the checks of delivery attempts share."""

from __future__ import annotations

from check_postfix.plugin import Label, Metric, Option, values
from check_postfix.tables import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from check_postfix.maillog.window import Window

MIN_ATTEMPTS = Option(
    "--min-attempts",
    "below this many delivery attempts, show the ratio but do not judge it",
    default="20",
    parse=values.count,
    metavar="N",
)

SENT = Label("sent", "delivery attempts that the relay took")
BOUNCED = Label("bounced", "delivery attempts that failed for good")
EXPIRED = Label("expired", "messages given up after too long in the queue")

# Shown of each table.
_ROWS = 5


def ratio(label: Label, part: int, whole: int) -> list[Metric]:
    """Return the metric of a part of a whole in percent, none if there is no whole."""
    if not whole:
        return []
    # Rounded here, so that what is judged is what is shown.
    return [label.of(round(100 * part / whole, 1))]


def worst(window: Window, family: str, what: str) -> list[str]:
    """Return tables of where attempts failed most, and why.

    family: `deferred` or `bounced`
    """
    lines = []
    for field, title in (
        ("domain", "recipient domain"),
        ("relay", "relay"),
        ("reply_code", "reply code"),
        ("enhanced_code", "enhanced status code"),
    ):
        lines += table(f"{what} by {title}", window.keys(family, field), _ROWS)
    return lines
