"""Warn when too many recipients fail for good.

A bounce is a delivery attempt with status=bounced; together with the sent ones
these are the final outcomes. A message that expires gets no status=bounced line
for its recipients, so expiries stand beside the ratio and not in it
(postfix/src/qmgr/qmgr_active.c).
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

BOUNCE_RATIO = Label("bounce_ratio", "bounces as a percentage of final outcomes", "%", maximum=100)
BOUNCED_550 = Label("bounced_550", "bounces after the relay replied 550")
BOUNCED_554 = Label("bounced_554", "bounces after the relay replied 554")
MAILBOX_FULL = Label("mailbox_full", "delivery attempts refused because the mailbox is full")


def measure(window: Window, _: Namespace) -> list[Metric]:
    """Return the ratio of bounces to final outcomes.

    Returns: bounce_ratio in percent, left out when there was no outcome;
             sent, bounced, bounced_550 and bounced_554 (by the relay's reply) in
             recipients; expired in messages; mailbox_full in delivery attempts,
             deferred ones too, since a full mailbox is often a temporary reply
    """
    sent = window.count("sent")
    bounced = window.count("bounced")
    return [
        *ratio(BOUNCE_RATIO, bounced, sent + bounced),
        SENT.of(sent),
        BOUNCED.of(bounced),
        EXPIRED.of(window.count("expired")),
        BOUNCED_550.of(window.count("bounced_550")),
        BOUNCED_554.of(window.count("bounced_554")),
        MAILBOX_FULL.of(window.count("mailbox_full")),
    ]


def summary(measured: Mapping[str, float], window: Window, _: Namespace) -> str:
    """Return the first line's words."""
    span = values.span(window.seconds)
    expired = f", {measured['expired']} expired" if measured["expired"] else ""
    if "bounce_ratio" not in measured:
        return f"no mail sent or bounced in {span}{expired}"
    recipients = values.amount(measured["sent"] + measured["bounced"], "recipient")
    return f"{measured['bounce_ratio']:g} % of {recipients} bounced in {span}{expired}"


def details(window: Window, _: Namespace) -> list[str]:
    """Return where mail bounces most, and why."""
    return worst(window, "bounced", "bounces")


CHECK = Check(
    name="postfix bounces",
    description="Alert when too large a part of the recipients fails for good.",
    source=FROM_LOG,
    labels=[BOUNCE_RATIO, SENT, BOUNCED, EXPIRED, BOUNCED_550, BOUNCED_554, MAILBOX_FULL],
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
    options=[MIN_ATTEMPTS],
    summary=summary,
    details=details,
    examples=[
        ("check_postfix_bounces", "judge the last 15 minutes of this machine's mail log"),
        ("check_postfix_bounces --window 1h -v", "say where the mail of the last hour bounced"),
    ],
)


def main() -> None:
    """Run the check."""
    run(CHECK)


if __name__ == "__main__":
    main()
