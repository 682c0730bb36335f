"""Warn when too many recipients fail for good.

A bounce is a delivery attempt with status=bounced; together with the sent ones
these are the final outcomes. A message that expires gets no status=bounced line
for its recipients, so expiries stand beside the ratio and not in it
(postfix/src/qmgr/qmgr_active.c).
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

BOUNCE_RATIO = Label("bounce_ratio", "bounces as a percentage of final outcomes", "%", maximum=100)
BOUNCED_550 = Label("bounced_550", "bounces after the relay replied 550")
BOUNCED_554 = Label("bounced_554", "bounces after the relay replied 554")
MAILBOX_FULL = Label("mailbox_full", "delivery attempts refused because the mailbox is full")


def _worst(attempts: Attempts, options: Namespace) -> Worst | None:
    return attempts.worst("bounced", ("sent", "bounced"), options.min_attempts)


def measure(window: Window, options: Namespace) -> list[Metric]:
    """Return the ratio of bounces to final outcomes.

    Returns: bounce_ratio in percent, left out when there was no outcome, or with
             --per no domain had enough; sent, bounced, bounced_550 and bounced_554
             (by the relay's reply) in recipients; expired in messages, of all domains
             and relays; mailbox_full in delivery attempts, deferred ones too, since a
             full mailbox is often a temporary reply
    """
    attempts = Attempts(window, options)
    judged = ratio(BOUNCE_RATIO, attempts.bounced, attempts.sent + attempts.bounced)
    if options.per:
        worst = _worst(attempts, options)
        judged = ratio(BOUNCE_RATIO, worst.part, worst.whole) if worst else []
    return [
        *judged,
        SENT.of(attempts.sent),
        BOUNCED.of(attempts.bounced),
        EXPIRED.of(window.count("expired")),
        BOUNCED_550.of(attempts.bounced_with("550")),
        BOUNCED_554.of(attempts.bounced_with("554")),
        MAILBOX_FULL.of(attempts.mailbox_full),
    ]


def summary(measured: Mapping[str, float], window: Window, options: Namespace) -> str:
    """Return the first line's words."""
    span = values.span(window.seconds)
    expired = f", {measured['expired']} expired" if measured["expired"] else ""
    whole = measured["sent"] + measured["bounced"]
    who = why = ""
    if options.per and whole:
        worst = _worst(Attempts(window, options), options)
        if worst is None:
            least = values.amount(options.min_attempts, "recipient")
            return f"no recipient domain with {least} in {span}, {whole} in all{expired}"
        who, whole, why = f"{worst.name}: ", worst.whole, worst.why and f", {worst.why}"
    if "bounce_ratio" not in measured:
        return f"no mail sent or bounced in {span}{expired}"
    recipients = values.amount(whole, "recipient")
    ratio_of = f"{measured['bounce_ratio']:g} % of {recipients}"
    return f"{who}{ratio_of} bounced in {span}{why}{expired}"


def details(window: Window, options: Namespace) -> list[str]:
    """Return where mail bounces most, and why."""
    return Attempts(window, options).tables("bounced", "bounces")


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
    options=OPTIONS,
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
