"""Warn when too many recipients fail for good.

A bounce is a delivery attempt with status=bounced; together with the sent ones
these are the final outcomes. A message that expires gets no status=bounced line
for its recipients, so expiries stand beside the ratio and not in it
(postfix/src/qmgr/qmgr_active.c).
"""

from __future__ import annotations

from check_postfix.common.attempts import BOUNCED, EXPIRED, MIN_ATTEMPTS, OPTIONS, SENT, Attempts
from check_postfix.common.log_source import FROM_LOG
from check_postfix.common.ratio import Ratio
from check_postfix.plugin import Check, Label, Threshold, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

    from check_postfix.maillog.window.window import Window
    from check_postfix.plugin import Metric

BOUNCE_RATIO = Ratio(
    Label("bounce_ratio", "bounces as a percentage of final outcomes", "%", maximum=100),
    part="bounced",
    whole=("sent", "bounced"),
    noun="recipient",
    none="no mail sent or bounced",
    nouns="bounces",
)
BOUNCED_550 = Label("bounced_550", "bounces after the relay replied 550")
BOUNCED_554 = Label("bounced_554", "bounces after the relay replied 554")
MAILBOX_FULL = Label("mailbox_full", "delivery attempts refused because the mailbox is full")


def measure(window: Window, options: Namespace) -> list[Metric]:
    """Return the ratio of bounces to final outcomes.

    Returns: bounce_ratio in percent; sent, bounced, bounced_550 and bounced_554 (by
             the relay's reply) in recipients; expired in messages, of all domains
             and relays; mailbox_full in delivery attempts, deferred ones too, since a
             full mailbox is often a temporary reply
    """
    attempts = Attempts(window, options)
    return [
        *BOUNCE_RATIO.of(attempts, options),
        SENT.of(attempts.sent),
        BOUNCED.of(attempts.bounced),
        EXPIRED.of(window.expired_messages),
        BOUNCED_550.of(attempts.bounced_with("550")),
        BOUNCED_554.of(attempts.bounced_with("554")),
        MAILBOX_FULL.of(attempts.mailbox_full),
    ]


def summary(measured: Mapping[str, float], window: Window, options: Namespace) -> str:
    """Return the first line's words; what has expired would be missed if only bounces were told."""
    expired = f", {measured['expired']} expired" if measured["expired"] else ""
    return BOUNCE_RATIO.summary(measured, window, options, expired)


CHECK = Check(
    name="postfix bounces",
    description="Alert when too large a part of the recipients fails for good.",
    source=FROM_LOG,
    labels=[BOUNCE_RATIO.label, SENT, BOUNCED, EXPIRED, BOUNCED_550, BOUNCED_554, MAILBOX_FULL],
    measure=measure,
    thresholds=[
        Threshold(
            "bounce_ratio",
            "the percentage of final outcomes (sent or bounced) that were bounces",
            warning="5",
            critical="15",
            uom="%",
            enough=(["sent", "bounced"], MIN_ATTEMPTS),
        )
    ],
    options=OPTIONS,
    summary=summary,
    details=BOUNCE_RATIO.details,
    examples=[
        ("check_postfix_bounces", "judge the last 15 minutes of this machine's mail log"),
        ("check_postfix_bounces --window 1h -v", "say where the mail of the last hour bounced"),
    ],
)


if __name__ == "__main__":
    run(CHECK)
