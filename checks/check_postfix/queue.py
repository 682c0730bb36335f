"""Warn when the queue grows, or when mail in it gets old.

Mail in the deferred queue may wait for days. Mail in incoming and active may not, so its
age is judged, unless other queues are asked for.
"""

from __future__ import annotations

import time
from collections import namedtuple
from contextlib import contextmanager

from check_postfix.common.tables import table
from check_postfix.mailqueue import age, postqueue
from check_postfix.mailqueue.errors import QueueError
from check_postfix.mailqueue.listing import QUEUES
from check_postfix.mailqueue.waiting import waiting
from check_postfix.plugin import Check, Label, Option, Source, Threshold, Unknown, run, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Mapping

    from check_postfix.mailqueue.listing import Listing

CONFIG_DIR = Option(
    "--config-dir",
    "configuration directory of another Postfix instance (default: the main instance)",
    metavar="DIR",
    series="config_dir",
)
QUEUE = Option(
    "--queue",
    "queue whose oldest message is judged, and whose ages -vv shows (default: incoming and active)",
    parse=values.one_of(*QUEUES),
    metavar="NAME",
    repeatable=True,
    series="queue",
)
_USUAL_QUEUES = ("incoming", "active")

# Domains shown with -v, and those of the age table.
_ROWS = 5
_AGE_ROWS = 20


class Queue(namedtuple("Queue", "listing now")):
    """What was in the queue, and when it was looked at (seconds since 1970)."""

    __slots__ = ()

    listing: Listing
    now: float


@contextmanager
def _open(options: Namespace) -> Iterator[Queue]:
    now = time.time()
    try:
        listing = postqueue.read(options.config_dir, options.timeout * 0.9, now)
    except QueueError as error:
        raise Unknown(str(error)) from None
    yield Queue(listing, now)


def _judged(options: Namespace) -> tuple[str, ...]:
    return tuple(options.queue) or _USUAL_QUEUES


def measure(queue: Queue, options: Namespace) -> dict[str, float]:
    """Return the size of the queue and the age of its oldest message."""
    listing, now = queue
    counts = listing.counts()
    return {
        "queue_size": listing.count(),
        "queue_oldest": listing.oldest_age(now, _judged(options)),
        **{name: counts[name] for name in QUEUES},
        "queue_bytes": listing.size(),
    }


def summary(measured: Mapping[str, float], _: Queue, options: Namespace) -> str:
    """Return the first line's words."""
    size = measured["queue_size"]
    if not size:
        return "queue is empty"
    words = values.amount(size, "message")
    names = " and ".join(_judged(options))
    if any(measured[name] for name in _judged(options)):
        return f"{words}, oldest in {names} {values.span(measured['queue_oldest'])}"
    return f"{words}, none in {names}"


def details(queue: Queue, options: Namespace) -> list[str]:
    """Return in which queues the mail is, for whom, and for how long; the judged ones first."""
    listing, now = queue
    counts = {name: number for name, number in listing.counts().items() if number}
    ages = {name: _oldest(listing.oldest_age(now, [name])) for name in counts}
    by_queue = sorted(counts.items(), key=lambda pair: -pair[1])
    lines = table("messages by queue", by_queue, len(by_queue), ages)
    judged = _judged(options)
    for queues in (judged, [name for name in counts if name not in judged]):
        domains = waiting(listing, now, queues)
        lines += table(
            f"recipients waiting in {' and '.join(queues)}",
            [(one.domain, one.recipients) for one in domains],
            _ROWS,
            {one.domain: _oldest(one.oldest) for one in domains},
        )
    return lines


def _oldest(seconds: int) -> str:
    return f", oldest {values.span(seconds)}"


def _about(queue: Queue, options: Namespace) -> list[str]:
    """Return the ages of the mail in the judged queues by recipient domain, as qshape does."""
    listing, now = queue
    rows = age.table(listing, now, _judged(options))
    title = f"recipients in {' and '.join(_judged(options))} by age in minutes:"
    return [title, *age.render(rows, _AGE_ROWS)]


CHECK = Check(
    name="postfix queue",
    description=(
        "Alert when the queue holds too many messages, or one waits too long. The queue is"
        " read with postqueue, which any user may run unless authorized_mailq_users"
        " says otherwise."
    ),
    source=Source(options=[CONFIG_DIR, QUEUE], open=_open, about=_about),
    labels=[
        Label("queue_size", "messages in all queues"),
        Label("queue_oldest", "age of the oldest message in the judged queues", "s"),
        *(Label(name, f"messages in the {name} queue") for name in sorted(QUEUES)),
        Label("queue_bytes", "size of the messages in all queues", "B"),
    ],
    measure=measure,
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
    ],
    summary=summary,
    details=details,
    examples=[
        ("check_postfix_queue", "judge the queue of this machine's Postfix"),
        (
            "check_postfix_queue --queue deferred --warning-age 1d -v",
            "alert when deferred mail is older than a day, and say for whom it is",
        ),
    ],
)


if __name__ == "__main__":
    run(CHECK)
