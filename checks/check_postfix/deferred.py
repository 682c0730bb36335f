"""Warn when Postfix puts off too much of the mail it tries to deliver.

One status= line for one recipient is one delivery attempt, so a message retried
three times is three attempts (postfix/src/global/log_adhoc.c).
"""

from __future__ import annotations

from check_postfix.common.attempts import (
    BOUNCED,
    EXPIRED,
    OPTIONS,
    SENT,
    VOLUME,
    Attempts,
)
from check_postfix.common.log_source import FROM_LOG
from check_postfix.common.not_understood import worst_case
from check_postfix.common.ratio import Ratio
from check_postfix.common.standstill import standstill
from check_postfix.plugin import Check, Label, Threshold, run, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

    from check_postfix.maillog.window.window import Window

_WHOLE = ("sent", "deferred", "bounced")
DEFERRED_RATIO = Ratio(
    Label("deferred_ratio", "deferrals as a percentage of delivery attempts", "%", maximum=100),
    part="deferred",
    whole=_WHOLE,
    noun="delivery attempt",
    none="no delivery attempts",
    nouns="deferrals",
)


def measure(window: Window, options: Namespace) -> dict[str, float]:
    """Return how many delivery attempts there were, and how many of them were deferred.

    expired, deferred_messages and what tells how much mail there was are of all domains
    and relays.
    """
    attempts = Attempts(window, options)
    return {
        **DEFERRED_RATIO.measure(window, options),
        "attempts": attempts.whole(_WHOLE),
        "sent": attempts.count("sent"),
        "deferred": attempts.count("deferred"),
        "bounced": attempts.count("bounced"),
        "expired": window.expired_messages,
        "deferred_messages": window.deferred_messages,
        **{label.name: window.count(label.name) for label in VOLUME},
        "standstill": standstill(window),
    }


def summary(
    measured: Mapping[str, float], window: Window, options: Namespace, is_alarm: bool
) -> str:
    """Return the first line's words."""
    seconds = int(measured["standstill"])
    more = f", nothing has left for {values.span(seconds)}" if seconds else ""
    if seconds and is_alarm and not measured["deferred"]:  # these are of hours before
        earlier = Attempts(window.ending(0, seconds // 60), options)
        if where := earlier.most("deferred", "deferrals"):
            more += f", {where}"
    return DEFERRED_RATIO.summary(measured, window, options, is_alarm, more)


CHECK = Check(
    name="postfix deferred",
    description="Alert when too large a part of the delivery attempts is deferred.",
    source=FROM_LOG,
    labels=[
        DEFERRED_RATIO.label,
        Label("attempts", "delivery attempts"),
        SENT,
        Label("deferred", "delivery attempts that were deferred"),
        BOUNCED,
        EXPIRED,
        Label("deferred_messages", "messages that were deferred, of all domains"),
        *VOLUME,
        Label("standstill", "time for which all mail to other machines was put off", "s"),
    ],
    measure=measure,
    thresholds=[
        Threshold(
            "deferred_ratio",
            "the percentage of delivery attempts that were deferred",
            warning="10",
            critical="25",
            uom="%",
            enough=DEFERRED_RATIO.enough,
        ),
        Threshold(
            "standstill",
            "the time for which all mail to other machines was put off (90s, 15m, 2h, 4d)",
            warning="2h",
            critical="6h",
            suffix="standstill",
            uom="s",
        ),
    ],
    options=OPTIONS,
    summary=summary,
    details=DEFERRED_RATIO.details,
    cause=DEFERRED_RATIO.cause,
    worst_case=worst_case("deferred", "delivery_unknown"),
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


if __name__ == "__main__":
    run(CHECK)
