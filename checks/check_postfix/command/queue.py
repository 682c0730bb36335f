"""postfix-log queue: what waits, for whom, since when, why, until when, and what to do."""

from __future__ import annotations

import time

from check_postfix.command import columns, declared, named, names, remedy, retry
from check_postfix.command.logs import Logs
from check_postfix.command.meter import BytesRead
from check_postfix.command.rotated import Readings
from check_postfix.command.story import clock
from check_postfix.command.text import clean
from check_postfix.command.waits import NO_REASON, ON_HOLD, Waits
from check_postfix.common.log_options import (
    ANONYMISE,
    ARCHIVES,
    FROM_JOURNAL,
    JOURNAL_MATCH,
    LOG,
    STATE,
    TIMEZONE,
)
from check_postfix.common.queue_source import CONFIG_DIR, POSTQUEUE, QUEUE
from check_postfix.maillog.errors import LogError
from check_postfix.mailqueue import age, instances, postqueue
from check_postfix.mailqueue.listing import OTHERS, QUEUES
from check_postfix.plugin import values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Generator, Iterator, Sequence
    from datetime import tzinfo

    from check_postfix.command.names import Names
    from check_postfix.command.waits import Group
    from check_postfix.mailqueue.instances import Instance

NOTHING_FOUND, NOT_READ = 1, 3
BY = ("sender", "relay", "reason", "domain")
# In seconds: a large queue takes its time, and nobody else waits.
_TIMEOUT = 600
# So many remedies are told: those for most of the mail.
_MOST_REMEDIES = 5

HELP = "say what waits, for whom, since when and why, until when, and what to do"
DESCRIPTION = """\
Say what waits in the queue: by sender, relay, reason, and by domain and age as qshape does; the
largest last, where the eye is. Of deferred mail it is told when it is tried next, about: that
follows from the last attempt in the log and from Postfix's backoff times.
"""
EPILOG = """\
The queues of all Postfix instances of this machine are looked at. exit codes: 0 mail waits,
1 none does, 2 wrong usage, 3 something could not be read.

examples:
  postfix-log queue
      what waits on this machine
  postfix-log queue --by sender --rows 50
      the 50 senders with most mail in the queue
  postfix-log queue --queue active --queue incoming
      what is on its way just now, by the same numbers as qshape
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what may be written after the subcommand."""
    parser.add_argument(
        "--by", metavar="WHAT", choices=BY, action="append", default=[],
        help=f"only by this: {', '.join(BY)} (default: by all of them)",
    )  # fmt: skip
    declared.add(parser, columns.ROWS)
    declared.add(parser, QUEUE, "only what is in this queue (default: all of them)")
    declared.add(
        parser, CONFIG_DIR,
        "configuration directory of one Postfix instance (default: all instances)",
    )  # fmt: skip
    declared.add(parser, POSTQUEUE)
    parser.add_argument(
        "--no-log", action="store_true",
        help="do not look in the log for when mail was tried, to tell when it is tried next",
    )  # fmt: skip
    for option in (LOG, ARCHIVES, FROM_JOURNAL, JOURNAL_MATCH, TIMEZONE, STATE):
        declared.add(parser, option)
    declared.add(
        parser, ANONYMISE, "show pseudonyms for addresses, domains and relays, as the checks do"
    )


def run(options: Namespace) -> Generator[str, None, int]:
    """Yield what is to be printed, and return the exit code.

    Raises: UsageError, QueueError, StoreError
    """
    given = declared.values(
        options, [columns.ROWS, QUEUE, POSTQUEUE, TIMEZONE, JOURNAL_MATCH, ARCHIVES]
    )
    shows = names.of(options.anonymise, options.state)
    queues = given.queue or QUEUES
    waits = Waits(time.time(), queues)
    asked = _asked(given)
    postqueue.read(asked, _TIMEOUT, time.time(), given.postqueue, waits)
    number = sum(sums.messages for sums in waits.within(queues))
    if not number:
        where = "" if not given.queue else f" in {' and '.join(given.queue)}"
        yield f"nothing waits{where}"
        return NOTHING_FOUND
    zone = None if given.timezone is None else values.zone(given.timezone)
    notes: list[str] = []
    planned = "" if options.no_log else _planned(given, waits, zone, notes)
    yield from _head(waits, queues)
    for what in [each for each in BY if each in (options.by or BY)]:
        yield ""
        yield from _table(waits, what, given.rows, shows, zone, bool(planned))
        if what == "domain":
            yield from _ages(waits, queues, given.rows, shows)
    if planned:
        yield ""
        yield f"next attempt: {planned}"
    if not options.by:
        yield from _remedies(waits, queues)
    for note in notes:
        yield f"-- not read: {note}"
    if not waits.complete:
        yield f"-- no end of the listing within {_TIMEOUT} s: that is not all"
    return NOT_READ if notes or not waits.complete else 0


def _asked(given: Namespace) -> list[Instance]:
    if given.config_dir or given.postqueue:
        return [instances.Instance(given.config_dir, True)]
    return [instances.DEFAULT, *instances.others()]


def _head(waits: Waits, queues: Sequence[str]) -> Iterator[str]:
    sums = [(name, waits.queues[name]) for name in dict.fromkeys(queues) if name in waits.queues]
    total = sum(one.messages for _, one in sums)
    size = sum(one.size for _, one in sums)
    oldest = values.span(max(one.oldest for _, one in sums))
    yield f"{values.amount(total, 'message')}, {values.amount(size, 'byte')}, the oldest {oldest}"
    sums.sort(key=lambda pair: pair[1].messages)
    rows = [(one.messages, values.span(one.oldest), f"in {name}") for name, one in sums]
    yield from columns.table(("messages", "oldest", "queue"), rows)
    if len(waits.by_instance) > 1:
        of_instances = sorted(waits.by_instance.items(), key=lambda pair: pair[1])
        yield from columns.table(
            ("messages", "instance"), [(n, name or "the main one") for name, n in of_instances]
        )


def _table(
    waits: Waits, what: str, rows: int, shows: Names, zone: tzinfo | None, is_planned: bool
) -> Iterator[str]:
    """Yield what waits by one thing, the largest last."""
    groups = sorted(
        waits.by[what].items(), key=lambda pair: (pair[1].messages, pair[1].oldest, pair[0])
    )
    hidden = groups[: max(0, len(groups) - rows)]
    heads = ["messages", "oldest", *(["next"] if is_planned else []), f"by {what}"]
    told = clock(zone)
    table: list[list[object]] = []
    if hidden:
        rest = sum(group.messages for _, group in hidden)
        oldest = values.span(max(group.oldest for _, group in hidden))
        table.append(
            [rest, oldest, *([""] if is_planned else []), f"in {len(hidden)} more, see --rows"]
        )
    for value, group in groups[len(hidden) :]:
        next_time = [_time(group, waits.now, told)] if is_planned else []
        table.append(
            [
                group.messages,
                values.span(group.oldest),
                *next_time,
                _shown(what, value, group, shows),
            ]
        )
    yield from columns.table(heads, table)


def _time(group: Group, now: int, told: Callable[[float], str]) -> str:
    if group.next is None:
        return "-"
    return "due" if group.next <= now else told(group.next)[11:16]


def _shown(what: str, value: str, group: Group, shows: Names) -> str:
    if value == OTHERS:
        return "others"
    if what == "reason":
        # What others have said in it may name somebody.
        is_said = shows.hides and value not in (NO_REASON, ON_HOLD)
        return remedy.kind(group.words) if is_said else clean(value.encode("utf-8", "replace"))
    each = {"sender": shows.address, "relay": shows.relay, "domain": shows.domain}
    return each[what](value)


def _ages(waits: Waits, queues: Sequence[str], rows: int, shows: Names) -> Iterator[str]:
    """Yield the age table: qshape's numbers, the largest last, with the total below."""
    total, *domains = age.table(waits, queues)
    shown = [
        row if row.domain == "others" else row._replace(domain=shows.domain(row.domain))
        for row in domains[:rows]
    ]
    head, *lines = age.render([total, *shown], rows)
    yield ""
    yield "recipients by domain and by age of their message, in minutes:"
    yield head
    if len(domains) > rows:
        yield f"{len(domains) - rows} more".rjust(age.NAME_WIDTH)
    yield from reversed(lines)


def _remedies(waits: Waits, queues: Sequence[str]) -> Iterator[str]:
    """Yield what to do about most of the mail, the most important last."""
    found: dict[str, tuple[int, str, str]] = {}
    for value, group in waits.by["reason"].items():
        if value in (NO_REASON, ON_HOLD, OTHERS):
            continue
        kind, what = remedy.named(group.words)
        before = found.get(kind, (0, what, group.example))
        found[kind] = (before[0] + group.messages, *before[1:])
    for queue, what in (("hold", remedy.ON_HOLD), ("maildrop", remedy.IN_MAILDROP)):
        if queue in queues and queue in waits.queues:
            found[f"in {queue}"] = waits.queues[queue].messages, what, ""
    if not found:
        return
    largest = sorted(found.items(), key=lambda pair: pair[1][0])[-_MOST_REMEDIES:]
    yield ""
    yield "what to do:"
    for kind, (number, what, example) in largest:
        of_example = f" (for example {clean(example.encode())})" if example else ""
        yield f"  {values.amount(number, 'message')}, {kind}{of_example}: {what}"


def _planned(given: Namespace, waits: Waits, zone: tzinfo | None, notes: list[str]) -> str:
    """Find out when deferred mail is tried next; return that in words, nothing if unknown."""
    if not waits.deferred:
        return ""
    backoffs = {
        instance: retry.backoff(instance or None, is_here=given.postqueue is None)
        for instance in {instance for instance, _ in waits.deferred}
    }
    arrivals = {
        queue_id.encode(): float(arrival) for (_, queue_id), (arrival, _) in waits.deferred.items()
    }
    since = waits.now - max(each.longest for each in backoffs.values()) - 3600
    try:
        last = _last_attempts(given, zone, arrivals, since, notes)
    except LogError as error:
        notes.append(str(error))
        return ""
    next_times = {}
    for (instance, queue_id), (arrival, _) in waits.deferred.items():
        tried = last.get(queue_id.encode())
        if tried is not None:
            next_times[instance, queue_id] = backoffs[instance].next(arrival, tried)
    waits.plan(next_times)
    if not next_times:
        return "not known: the log does not tell of the last attempts"
    told = clock(zone)
    first, last_of_all = min(next_times.values()), max(next_times.values())
    words = f"about {told(first)[:16]}" if first > waits.now else "now due"
    if last_of_all > max(first, waits.now):
        words += f" for the first, about {told(last_of_all)[:16]} for the last"
    if unknown := len(waits.deferred) - len(next_times):
        words += f"; of {values.amount(unknown, 'message')} the log tells no attempt"
    is_told = all(each.is_told for each in backoffs.values())
    return words + ("" if is_told else " (by Postfix's default backoff times)")


def _last_attempts(
    given: Namespace,
    zone: tzinfo | None,
    arrivals: dict[bytes, float],
    since: float,
    notes: list[str],
) -> dict[bytes, float]:
    readings = Readings()
    while True:
        with (
            readings,
            Logs(named.of(given), given.archives, zone, since, given.journal_match) as logs,
            BytesRead() as progress,
        ):
            found = retry.last_attempts(logs, arrivals, since, progress.read)
            notes += logs.notes
            return found
