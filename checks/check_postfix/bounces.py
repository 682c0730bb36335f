"""Warn when too many recipients fail for good.

A bounce is a delivery attempt with status=bounced; together with the sent ones
these are the final outcomes. A message that expires gets no status=bounced line
for its recipients, so expiries stand beside the ratio and not in it
(postfix/src/qmgr/qmgr_active.c).
"""

from __future__ import annotations

from check_postfix.attempts import MIN_ATTEMPTS, ratio, worst
from check_postfix.from_log import FROM_LOG
from check_postfix.plugin import Check, Metric, Threshold, run, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

    from check_postfix.maillog.window import Window


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
        *ratio("bounce_ratio", bounced, sent + bounced),
        Metric("sent", sent),
        Metric("bounced", bounced),
        Metric("expired", window.count("expired")),
        Metric("bounced_550", window.count("bounced_550")),
        Metric("bounced_554", window.count("bounced_554")),
        Metric("mailbox_full", window.count("mailbox_full")),
    ]


def summary(measured: Mapping[str, float], window: Window, _: Namespace) -> str:
    """Return the first line's words."""
    span = values.span(window.seconds)
    expired = f", {measured['expired']} messages expired" if measured["expired"] else ""
    if "bounce_ratio" not in measured:
        return f"no mail sent or bounced in {span}{expired}"
    outcomes = measured["sent"] + measured["bounced"]
    return f"{measured['bounce_ratio']:g} % of {outcomes} recipients bounced in {span}{expired}"


def details(window: Window, _: Namespace) -> list[str]:
    """Return where mail bounces most, and why."""
    return worst(window, "bounced", "bounces")


CHECK = Check(
    name="postfix bounces",
    description="Alert when too large a part of the recipients fails for good.",
    source=FROM_LOG,
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
