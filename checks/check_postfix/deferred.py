"""Warn when Postfix puts off too much of the mail it tries to deliver.

One status= line for one recipient is one delivery attempt, so a message retried
three times is three attempts (postfix/src/global/log_adhoc.c).
"""

from __future__ import annotations

from check_postfix.attempts import BOUNCED, EXPIRED, MIN_ATTEMPTS, SENT, ratio, worst
from check_postfix.from_log import FROM_LOG
from check_postfix.plugin import Check, Label, Threshold, run, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

    from check_postfix.maillog.window import Window
    from check_postfix.plugin import Metric

DEFERRED_RATIO = Label(
    "deferred_ratio", "deferrals as a percentage of delivery attempts", "%", maximum=100
)
ATTEMPTS = Label("attempts", "delivery attempts")
DEFERRED = Label("deferred", "delivery attempts that were deferred")


def measure(window: Window, _: Namespace) -> list[Metric]:
    """Return the ratio of deferrals to delivery attempts.

    Returns: all but deferred_ratio (in percent) and expired (in messages) are
             delivery attempts; the ratio is left out when there were none
    """
    sent = window.count("sent")
    deferred = window.count("deferred", "softbounce")
    bounced = window.count("bounced")
    attempts = sent + deferred + bounced
    return [
        *ratio(DEFERRED_RATIO, deferred, attempts),
        ATTEMPTS.of(attempts),
        SENT.of(sent),
        DEFERRED.of(deferred),
        BOUNCED.of(bounced),
        EXPIRED.of(window.count("expired")),
    ]


def summary(measured: Mapping[str, float], window: Window, _: Namespace) -> str:
    """Return the first line's words."""
    span = values.span(window.seconds)
    if "deferred_ratio" not in measured:
        return f"no delivery attempts in {span}"
    attempts = values.amount(measured["attempts"], "delivery attempt")
    return f"{measured['deferred_ratio']:g} % of {attempts} deferred in {span}"


def details(window: Window, _: Namespace) -> list[str]:
    """Return where mail is deferred most, and why."""
    return worst(window, "deferred", "deferrals")


CHECK = Check(
    name="postfix deferred",
    description="Alert when too large a part of the delivery attempts is deferred.",
    source=FROM_LOG,
    labels=[DEFERRED_RATIO, ATTEMPTS, SENT, DEFERRED, BOUNCED, EXPIRED],
    measure=measure,
    thresholds=[
        Threshold(
            "deferred_ratio",
            "the percentage of delivery attempts that were deferred",
            warning="10",
            critical="25",
            uom="%",
            enough=(["attempts"], MIN_ATTEMPTS),
        )
    ],
    options=[MIN_ATTEMPTS],
    summary=summary,
    details=details,
    examples=[
        ("check_postfix_deferred", "judge the last 15 minutes of this machine's mail log"),
        (
            "check_postfix_deferred -w 5 -c 15 --window 1h -v",
            "alert above 5 and 15 %, and say where mail is deferred",
        ),
    ],
)


def main() -> None:
    """Run the check."""
    run(CHECK)


if __name__ == "__main__":
    main()
