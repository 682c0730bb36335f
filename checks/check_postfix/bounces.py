"""Warn when too many recipients fail for good.

A bounce is a delivery attempt with status=bounced. Sent and bounced attempts are the final
outcomes. A message that expires gets no status=bounced line for its recipients, so the
ratio leaves expiries out (postfix/src/qmgr/qmgr_active.c).
"""

from __future__ import annotations

from collections import namedtuple

from check_postfix.common.attempts import BOUNCED, EXPIRED, OPTIONS, SENT, Attempts
from check_postfix.common.log_source import FROM_LOG
from check_postfix.common.not_understood import worst_case
from check_postfix.common.ratio import Ratio
from check_postfix.plugin import Check, Label, Threshold, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

    from check_postfix.maillog.window.window import Window

BOUNCE_RATIO = Ratio(
    Label("bounce_ratio", "bounces as a percentage of final outcomes", "%", maximum=100),
    part="bounced",
    whole=("sent", "bounced"),
    noun="recipient",
    none="no mail sent or bounced",
    nouns="bounces",
)


class JudgedReason(namedtuple("JudgedReason", "label suffix what words")):
    """A reason for bounces that has thresholds of its own.

    label:  of the number
    suffix: of its options
    what:   it is a number of
    words:  behind the number in the first line
    """

    __slots__ = ()

    label: str
    suffix: str
    what: str
    words: str


REASONS = (
    JudgedReason(
        "mailbox_full",
        "full",
        "delivery attempts refused because the mailbox is full",
        "to full mailboxes",
    ),
    JudgedReason(
        "bounced_550",
        "550",
        "bounces after the reply 550, mostly to addresses that do not exist",
        "replied 550",
    ),
    JudgedReason(
        "bounced_554",
        "554",
        "bounces after the reply 554, mostly because we are taken for spammers",
        "replied 554",
    ),
)


def measure(window: Window, options: Namespace) -> dict[str, float]:
    """Return how many recipients' mail was sent and bounced, and with which replies.

    expired is of all domains and relays. mailbox_full counts deferrals too, since the
    reply about a full mailbox is often a temporary one.
    """
    attempts = Attempts(window, options)
    return {
        **BOUNCE_RATIO.measure(window, options),
        "sent": attempts.count("sent"),
        "bounced": attempts.count("bounced"),
        "expired": window.expired_messages,
        "bounced_550": attempts.bounced_with("550"),
        "bounced_554": attempts.bounced_with("554"),
        "mailbox_full": attempts.mailbox_full(),
    }


def summary(
    measured: Mapping[str, float], window: Window, options: Namespace, is_alarm: bool
) -> str:
    """Return the first line's words, with what has expired: no bounce tells of it.

    Reasons that are judged are said as well.
    """
    more = f", {measured['expired']} expired" if measured["expired"] else ""
    for label, suffix, _, words in REASONS:
        limits = (getattr(options, f"{state}_{suffix}") for state in ("warning", "critical"))
        if measured[label] and any(limit is not None for limit in limits):
            more += f", {measured[label]} {words}"
    return BOUNCE_RATIO.summary(measured, window, options, is_alarm, more)


CHECK = Check(
    name="postfix bounces",
    description="Alert when too large a part of the recipients fails for good.",
    source=FROM_LOG,
    labels=[
        BOUNCE_RATIO.label,
        SENT,
        BOUNCED,
        EXPIRED,
        Label("bounced_550", "bounces after the relay replied 550"),
        Label("bounced_554", "bounces after the relay replied 554"),
        Label("mailbox_full", "delivery attempts refused because the mailbox is full"),
    ],
    measure=measure,
    thresholds=[
        Threshold(
            "bounce_ratio",
            "the percentage of final outcomes (sent or bounced) that were bounces",
            warning="5",
            critical="15",
            uom="%",
            enough=BOUNCE_RATIO.enough,
        ),
        # What is ordinary of these differs from server to server too much for a default.
        *[
            Threshold(reason.label, f"the number of {reason.what}", suffix=reason.suffix)
            for reason in REASONS
        ],
    ],
    options=OPTIONS,
    summary=summary,
    details=BOUNCE_RATIO.details,
    cause=BOUNCE_RATIO.cause,
    worst_case=worst_case("bounced", "delivery_unknown"),
    examples=[
        ("check_postfix_bounces", "judge the last 15 minutes of this machine's mail log"),
        (
            "check_postfix_bounces --window 1h --warning-550 50 --warning-full 20",
            "tell a list of addresses that has become old from mailboxes that are full",
        ),
        ("check_postfix_bounces --window 1h -v", "say where the mail of the last hour bounced"),
    ],
)


if __name__ == "__main__":
    run(CHECK)
