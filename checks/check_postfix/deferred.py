"""Warn when Postfix puts off too much of the mail it tries to deliver.

One status= line for one recipient is one delivery attempt, so a message retried
three times is three attempts (postfix/src/global/log_adhoc.c).
"""

from __future__ import annotations

from check_postfix.attempts import BOUNCED, EXPIRED, MIN_ATTEMPTS, OPTIONS, SENT, Attempts, ratio
from check_postfix.from_log import FROM_LOG
from check_postfix.plugin import Check, Label, Threshold, run, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

    from check_postfix.attempts import Worst
    from check_postfix.maillog.window import Window
    from check_postfix.plugin import Metric

DEFERRED_RATIO = Label(
    "deferred_ratio", "deferrals as a percentage of delivery attempts", "%", maximum=100
)
ATTEMPTS = Label("attempts", "delivery attempts")
DEFERRED = Label("deferred", "delivery attempts that were deferred")


def _worst(attempts: Attempts, options: Namespace) -> Worst | None:
    return attempts.worst("deferred", ("sent", "deferred", "bounced"), options.min_attempts)


def measure(window: Window, options: Namespace) -> list[Metric]:
    """Return the ratio of deferrals to delivery attempts.

    Returns: all but deferred_ratio (in percent) and expired (in messages) are
             delivery attempts; the ratio is left out when there were none, or
             with --per no domain had enough; expired is of all domains and relays
    """
    attempts = Attempts(window, options)
    part, whole = attempts.deferred, attempts.sent + attempts.deferred + attempts.bounced
    judged = ratio(DEFERRED_RATIO, part, whole)
    if options.per:
        worst = _worst(attempts, options)
        judged = ratio(DEFERRED_RATIO, worst.part, worst.whole) if worst else []
    return [
        *judged,
        ATTEMPTS.of(whole),
        SENT.of(attempts.sent),
        DEFERRED.of(attempts.deferred),
        BOUNCED.of(attempts.bounced),
        EXPIRED.of(window.count("expired")),
    ]


def summary(measured: Mapping[str, float], window: Window, options: Namespace) -> str:
    """Return the first line's words."""
    span = values.span(window.seconds)
    whole = measured["attempts"]
    who = why = ""
    if options.per and whole:
        worst = _worst(Attempts(window, options), options)
        if worst is None:
            least = values.amount(options.min_attempts, "delivery attempt")
            return f"no recipient domain with {least} in {span}, {whole} in all"
        who, whole, why = f"{worst.name}: ", worst.whole, worst.why and f", {worst.why}"
    if "deferred_ratio" not in measured:
        return f"no delivery attempts in {span}"
    attempts = values.amount(whole, "delivery attempt")
    return f"{who}{measured['deferred_ratio']:g} % of {attempts} deferred in {span}{why}"


def details(window: Window, options: Namespace) -> list[str]:
    """Return where mail is deferred most, and why."""
    return Attempts(window, options).tables("deferred", "deferrals")


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
    options=OPTIONS,
    summary=summary,
    details=details,
    examples=[
        ("check_postfix_deferred", "judge the last 15 minutes of this machine's mail log"),
        (
            "check_postfix_deferred -w 5 -c 15 --window 1h -v",
            "alert above 5 and 15 %, and say where mail is deferred",
        ),
        (
            "check_postfix_deferred --per domain --min-attempts 50 -w 30 -c 60",
            "alert when one recipient domain puts off most of what it is sent",
        ),
    ],
)


def main() -> None:
    """Run the check."""
    run(CHECK)


if __name__ == "__main__":
    main()
