"""Warn when the queue grows, when mail in it is stuck, or when too much of it waits too long.

A retry takes mail that is days old into active for a moment. So mail in active counts when it
stays there, and deferred mail when it waits for several domains: a misspelt one always does. What
sendmail has put into maildrop is there for a moment only, unless pickup does not take it.
"""

from __future__ import annotations

import os
import time
from collections import namedtuple
from contextlib import contextmanager

from check_postfix.common.tables import table
from check_postfix.maillog.counts.families import MANY
from check_postfix.maillog.errors import StoreError
from check_postfix.maillog.store import location
from check_postfix.mailqueue import age, instances, postqueue, sightings
from check_postfix.mailqueue.errors import BrokenError, DownError, QueueError, SightingsError
from check_postfix.mailqueue.listing import ON_ITS_WAY, OTHERS, QUEUES
from check_postfix.mailqueue.reason import SHOWN
from check_postfix.mailqueue.waiting import waiting
from check_postfix.plugin import (
    AtLeast,
    Check,
    Known,
    Label,
    Option,
    Remark,
    Source,
    Threshold,
    Unknown,
    UsageError,
    run,
    values,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Mapping

    from check_postfix.mailqueue.instances import Instance
    from check_postfix.mailqueue.listing import Listing


def _command(written: str) -> list[str]:
    """Return the words of a command, split as a shell would; nothing else is as in a shell."""
    import shlex

    try:
        words = shlex.split(written)
    except ValueError:
        words = []
    if not words or ("/" in words[0] and not words[0].startswith("/")):
        raise ValueError("not a command")
    return words


CONFIG_DIR = Option(
    "--config-dir",
    "configuration directory of another Postfix instance (default: the main instance)",
    metavar="DIR",
    series="config_dir",
)
ALL_INSTANCES = Option(
    "--all-instances",
    "sum the queues of all Postfix instances that the main one's main.cf names",
    switch=True,
)
POSTQUEUE = Option(
    "--postqueue",
    "command that runs postqueue, no shell: 'docker exec mail timeout 9 postqueue' for that of a"
    " container (default: this machine's)",
    parse=_command,
    metavar="COMMAND",
    example="'docker exec mail postqueue'",
    series="postqueue",
)
QUEUE = Option(
    "--queue",
    "queue whose oldest message is judged, and whose ages -vv shows (default: incoming and active;"
    " maildrop is judged as well)",
    parse=values.one_of(*QUEUES),
    metavar="NAME",
    repeatable=True,
    series="queue",
)
STATE = Option(
    "--state",
    "file that keeps what was in active, as hashes: mail counts that is still there five minutes"
    " later (default: in /var/lib/check_postfix or the user's home)",
    metavar="PATH",
)
NO_STATE = Option(
    "--no-state", "remember nothing: how long mail is in active is not judged then", switch=True
)
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
_STATES = ("ok", "warning", "critical", "unknown")
DOWN = Option(
    "--down",
    "state when Postfix does not run: critical, warning, unknown, or ok for a standby",
    default="critical",
    parse=values.one_of(*_STATES),
    metavar="STATE",
)
# Of the timeout, what postqueue may take.
_LISTING = 0.9
FILE = "queue.json"
# Domains shown with -v, and those of the age table.
_ROWS = 5
# Where sendmail puts mail
_MAILDROP = "maildrop"
_AGE_ROWS = 20


class Queue(namedtuple("Queue", "listing stuck remarks state", defaults=(0, (), None))):
    """What was in the queue.

    stuck:   how long the oldest mail that is stuck in active is there, in seconds
    remarks: what must be said about both
    state:   path of the file that keeps what was in active, None if nothing is kept
    """

    __slots__ = ()

    listing: Listing
    stuck: int
    remarks: tuple[Remark, ...]
    state: str | None

    def oldest(self, options: Namespace) -> int:
        """Return the age of the oldest message in the judged queues, in seconds."""
        judged = _judged(options)
        listed = self.listing.oldest_age(name for name in judged if name != "active")
        return max(listed, self.stuck if "active" in judged else 0)


@contextmanager
def _open(options: Namespace) -> Iterator[Queue]:
    now = time.time()
    asked, remarks = _asked(options)
    try:
        listing = postqueue.read(asked, options.timeout * _LISTING, now, options.postqueue)
    except DownError as error:
        raise Known(str(error), _STATES.index(options.down)) from None
    except BrokenError as error:
        # Of a standby as well: it could not take over.
        raise Known(str(error), _STATES.index("critical")) from None
    except QueueError as error:
        raise Unknown(str(error)) from None
    if not listing.complete:
        spent = f"{options.timeout * _LISTING:g} s"
        remarks.append(Remark(f"no end of the listing within {spent}", unknown=True))
    yield _with_stuck(listing, options, remarks)


def _asked(options: Namespace) -> tuple[list[Instance], list[Remark]]:
    """Return the instances to look at, and what to say of those that are not."""
    if options.all_instances:
        if options.config_dir or options.postqueue:
            other = CONFIG_DIR if options.config_dir else POSTQUEUE
            raise UsageError(f"{ALL_INSTANCES.flag}: does not go with {other.flag}; leave one out")
        return [instances.DEFAULT, *instances.others()], []
    if options.config_dir or options.postqueue:
        return [instances.Instance(options.config_dir, True)], []
    unseen = [one.config_dir for one in instances.others()]
    if not unseen:
        return [instances.DEFAULT], []
    remark = f"not looked at: {', '.join(map(str, unseen))}, see {ALL_INSTANCES.flag}"
    return [instances.DEFAULT], [Remark(remark)]


def _with_stuck(listing: Listing, options: Namespace, remarks: list[Remark]) -> Queue:
    """Return the queue with what is stuck in active, going by earlier polls."""
    stuck, path = 0, None
    # Nothing is said of mail that is there for less time than would prove anything.
    is_in_doubt = "active" in _judged(options) and (
        listing.oldest_age(["active"]) >= sightings.PROOF
    )
    if options.no_state:
        if is_in_doubt:
            remarks.append(Remark("without a state, mail in active is not judged"))
        return Queue(listing, 0, tuple(remarks))
    try:
        path = options.state or os.path.join(os.path.dirname(location.default_store()), FILE)
        asked = [*(options.postqueue or ()), "", options.config_dir or "", options.all_instances]
        found = sightings.compared(path, "\0".join(map(str, asked)), listing)
        stuck = found.oldest
        if found.is_first and is_in_doubt:
            remarks.append(Remark("first look: mail that stays in active is told from now on"))
    except (SightingsError, StoreError) as error:
        remarks.append(Remark(str(error), unknown=True))
    return Queue(listing, stuck, tuple(remarks), path)


def _shown(options: Namespace) -> tuple[str, ...]:
    """Return the queues whose domains and ages are shown."""
    return tuple(options.queue) or ON_ITS_WAY


def _judged(options: Namespace) -> tuple[str, ...]:
    """Return the queues whose oldest message is judged."""
    return tuple(options.queue) or (_MAILDROP, *ON_ITS_WAY)


def _named(measured: Mapping[str, float], options: Namespace) -> str:
    """Return what the queues are called whose oldest message the first line tells."""
    oldest = measured["queue_oldest"]
    is_in_maildrop = oldest and measured[f"{_MAILDROP}_oldest"] == oldest
    return _MAILDROP if is_in_maildrop and not options.queue else " and ".join(_shown(options))


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
    elif any(measured[name] for name in _shown(options)):
        parts.append(f"none stuck in {names}")
    else:
        parts.append(f"none in {names}")
    return ", ".join([*parts, _most(queue.listing, options)])


def _most(listing: Listing, options: Namespace) -> str:
    """Return which queue has most of the mail, for how long and why."""
    name, sums = max(listing.queues.items(), key=lambda pair: pair[1].messages)
    about = [] if name in _judged(options) else [f"oldest {values.span(sums.oldest)}"]
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
    shown = _shown(options)
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


def _where(queue: Queue, options: Namespace) -> list[str]:
    command = " ".join(options.postqueue or ["postqueue"])
    directory = f" -c {options.config_dir}" if options.config_dir else ""
    return [f"read: {command}{directory}", f"state: {queue.state or 'none'}"]


def _about(queue: Queue, options: Namespace) -> list[str]:
    """Return the ages of the mail in the judged queues by recipient domain, as qshape does."""
    rows = age.table(queue.listing, _shown(options))
    title = f"recipients in {' and '.join(_shown(options))} by age in minutes:"
    return [title, *age.render(rows, _AGE_ROWS)]


CHECK = Check(
    name="postfix queue",
    description=(
        "Alert when the queue holds too many messages, when one is stuck in it, when deferred"
        " mail for several domains waits too long, or when Postfix does not run. The queue is"
        " read with postqueue, which any user may run unless authorized_mailq_users"
        " says otherwise."
    ),
    source=Source(
        options=[CONFIG_DIR, ALL_INSTANCES, POSTQUEUE, QUEUE, STATE, NO_STATE],
        open=_open,
        remarks=lambda queue: list(queue.remarks),
        where=_where,
        about=_about,
    ),
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
