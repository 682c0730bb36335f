"""Warn when the queue grows, when mail in it is stuck, or when too much of it waits too long.

A retry takes mail that is days old into active for a moment. So mail in active counts when it
stays there, and deferred mail when it waits for several domains: a misspelt one always does. What
sendmail has put into maildrop is there for a moment only, unless pickup does not take it.
"""

from __future__ import annotations

from check_postfix.common.queue_source import (
    CONFIG_DIR,
    DOWN,
    FROM_QUEUE,
    MAILDROP,
    POSTQUEUE,
    judged_queues,
    shown_queues,
)
from check_postfix.common.tables import table
from check_postfix.maillog.counts.families import MANY
from check_postfix.mailqueue.listing import OTHERS, QUEUES
from check_postfix.mailqueue.reason import SHOWN
from check_postfix.mailqueue.waiting import waiting
from check_postfix.plugin import AtLeast, Check, Label, Option, Threshold, run, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

    from check_postfix.common.queue_source import Queue
    from check_postfix.mailqueue.listing import Listing


MIN_DOMAINS = Option(
    "--min-deferred-domains",
    "below this many domains that deferred mail waits for, its age is not judged: a misspelt or"
    " dead domain is always among them",
    default="3",
    parse=values.count,
    metavar="N",
)
DEFERRED_AGE = Threshold(
    "deferred_age",
    "the age of deferred mail for several domains",
    warning="2d",
    suffix="deferred-age",
    uom="s",
)
# Domains shown with -v
_ROWS = 5


def _named(measured: Mapping[str, float], options: Namespace) -> str:
    """Return what the queues are called whose oldest message the first line tells."""
    oldest = measured["queue_oldest"]
    is_in_maildrop = oldest and measured[f"{MAILDROP}_oldest"] == oldest
    return MAILDROP if is_in_maildrop and not options.queue else " and ".join(shown_queues(options))


def measure(queue: Queue, options: Namespace) -> dict[str, float]:
    """Return the size of the queue and the ages of its messages."""
    listing = queue.listing
    counts = listing.counts()
    measured = {
        "queue_size": listing.count(),
        "queue_oldest": queue.oldest(options),
        **{name: counts[name] for name in QUEUES},
        "queue_bytes": listing.size(),
        **{f"{name}_oldest": listing.oldest_age([name]) for name in QUEUES},
        "deferred_age": listing.age_of_many("deferred", max(1, options.min_deferred_domains)),
    }
    if listing.complete:
        return {**measured}
    return {name: AtLeast(value) for name, value in measured.items()}


def summary(measured: Mapping[str, float], queue: Queue, options: Namespace, _: bool) -> str:
    """Return the first line's words: how much, what waits too long, where most is and why."""
    size = measured["queue_size"]
    if not size:
        return "queue is empty"
    parts = [f"{'' if queue.listing.complete else 'at least '}{values.amount(size, 'message')}"]
    many = measured["deferred_age"]
    if DEFERRED_AGE.state_of(many, options):
        domains = values.amount(max(1, options.min_deferred_domains), "domain")
        parts.append(f"mail for {domains} deferred for {values.span(many)}")
    names = _named(measured, options)
    if measured["queue_oldest"]:
        parts.append(f"oldest in {names} {values.span(measured['queue_oldest'])}")
    elif any(measured[name] for name in shown_queues(options)):
        parts.append(f"none stuck in {names}")
    else:
        parts.append(f"none in {names}")
    return ", ".join([*parts, _most(queue.listing, options)])


def _most(listing: Listing, options: Namespace) -> str:
    """Return which queue has most of the mail, for how long and why."""
    name, sums = max(listing.queues.items(), key=lambda pair: pair[1].messages)
    about = [] if name in judged_queues(options) else [f"oldest {values.span(sums.oldest)}"]
    if named := {reason: n for reason, n in sums.reasons.items() if reason != OTHERS}:
        about.append(f"most often: {max(named, key=lambda reason: named[reason])}")
    number = "all" if sums.messages == listing.count() else sums.messages
    return f"{number} in {name}" + (f" ({', '.join(about)})" if about else "")


def details(queue: Queue, options: Namespace) -> list[str]:
    """Return in which queues the mail is, why, for whom, and for how long; the judged first."""
    listing = queue.listing
    by_queue = sorted(listing.queues.items(), key=lambda pair: -pair[1].messages)
    lines = table(
        "messages by queue",
        [(name, sums.messages) for name, sums in by_queue],
        len(by_queue),
        {name: _oldest(sums.oldest) for name, sums in by_queue},
    )
    if len(listing.by_instance) > 1:
        of_instances = [(name or "main", n) for name, n in listing.by_instance.items()]
        lines += table("messages by instance", of_instances, len(of_instances))
    shown = shown_queues(options)
    others = [name for name, _ in by_queue if name not in shown]
    for queues in (shown, others):
        domains = [
            one._replace(domain=MANY) if one.domain == OTHERS else one
            for one in waiting(listing, queues)
        ]
        lines += table(
            f"recipients waiting in {' and '.join(queues)}",
            [(one.domain, one.recipients) for one in domains],
            _ROWS,
            {one.domain: _oldest(one.oldest) for one in domains},
        )
    for name, sums in by_queue:
        reasons = sorted(sums.reasons.items(), key=lambda pair: -pair[1])
        lines += table(
            f"why mail is in {name}",
            [(MANY if reason == OTHERS else reason, n) for reason, n in reasons],
            _ROWS,
            width=SHOWN,
        )
    return lines


def _oldest(seconds: int) -> str:
    return f", oldest {values.span(seconds)}"


def cause(queue: Queue, options: Namespace) -> list[str]:
    """Return the command that shows what waits, and why; none where nothing does."""
    if not queue.listing.count():
        return []
    import shlex

    words = ["postfix-log", "queue"]
    if options.config_dir:
        words += [CONFIG_DIR.flag, options.config_dir]
    if options.postqueue:
        words += [POSTQUEUE.flag, shlex.join(options.postqueue)]
    return [f"see: {shlex.join(words)}"]


CHECK = Check(
    name="postfix queue",
    description=(
        "Alert when the queue holds too many messages, when one is stuck in it, when deferred"
        " mail for several domains waits too long, or when Postfix does not run. The queue is"
        " read with postqueue, which any user may run unless authorized_mailq_users"
        " says otherwise."
    ),
    source=FROM_QUEUE,
    labels=[
        Label("queue_size", "messages in all queues"),
        Label(
            "queue_oldest",
            "age of the oldest message in the judged queues; in active, of what is stuck there",
            "s",
        ),
        *(Label(name, f"messages in the {name} queue") for name in sorted(QUEUES)),
        Label("queue_bytes", "size of the messages in all queues", "B"),
        *(
            Label(f"{name}_oldest", f"age of the oldest message in the {name} queue", "s")
            for name in sorted(QUEUES)
        ),
        Label("deferred_age", "age that deferred mail for several domains has reached", "s"),
    ],
    measure=measure,
    options=[MIN_DOMAINS, DOWN],
    thresholds=[
        Threshold(
            "queue_size",
            "the number of messages in all queues",
            warning="500",
            critical="2000",
        ),
        Threshold(
            "queue_oldest",
            "the age of the oldest message (in seconds, or written 90s, 15m, 2h, 4d)",
            warning="1h",
            critical="4h",
            suffix="age",
            uom="s",
        ),
        DEFERRED_AGE,
    ],
    summary=summary,
    details=details,
    cause=cause,
    examples=[
        ("check_postfix_queue", "judge the queue of this machine's Postfix"),
        (
            "check_postfix_queue --critical-deferred-age 3d --min-deferred-domains 20 -v",
            "alert when deferred mail for 20 domains is older than that, and say for whom it is",
        ),
        (
            "check_postfix_queue --postqueue 'docker exec mail timeout 9 postqueue'",
            "judge the queue of the Postfix in a container",
        ),
    ],
)


if __name__ == "__main__":
    run(CHECK)
