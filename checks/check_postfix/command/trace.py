"""postfix-log trace: whole messages, from their first line to what became of them."""

from __future__ import annotations

import time
from argparse import Namespace
from math import inf

from check_postfix.command import declared
from check_postfix.command.found import Found
from check_postfix.command.logs import STANDARD_INPUT, Logs, Replaced
from check_postfix.command.pattern import Pattern
from check_postfix.command.progress import Progress
from check_postfix.command.search import MOST_MESSAGES, MOST_STEPS, Search, TooManyError
from check_postfix.command.story import Story, clock
from check_postfix.command.text import clean
from check_postfix.common import named_logs
from check_postfix.common.log_options import ARCHIVES, FROM_JOURNAL, JOURNAL_MATCH, LOG, TIMEZONE
from check_postfix.maillog.errors import LogError
from check_postfix.maillog.store.store import Store
from check_postfix.mailqueue.errors import QueueError
from check_postfix.plugin import UsageError, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable, Generator, Iterator
    from datetime import tzinfo
    from typing import TypeVar

    from check_postfix.command.history import Message
    from check_postfix.common.named_logs import NamedLog
    from check_postfix.mailqueue.listing import Message as Waiting

    T = TypeVar("T")

NOTHING_FOUND, NOT_READ = 1, 3
# How often a log may be rotated while it is read.
_TRIES = 3
# In seconds
_QUEUE_TIMEOUT = 20
_STORE_TIMEOUT = 1
HELP = "find whole messages, and what became of them"
DESCRIPTION = """\
Find whole messages: every line of each message in which all patterns stand, and of what it
goes on as behind a content filter, an alias or a bounce; in the live log and its rotated
generations, in the order of time. Below its lines stands what became of it.
"""
EPILOG = """\
A pattern is a queue ID or a part of it, a message ID, an address, a domain, a client, an account,
or any words of a line. exit codes: 0 found, 1 nothing found, 2 wrong usage, 3 something could
not be read.

examples:
  postfix-log trace ann@example.com
      what became of all mail from and to this address
  postfix-log trace ann@example.com example.org --since yesterday
      mail in which both stand, since yesterday, 0:00
  postfix-log trace 4XyzAbC1de --log /var/log/mail.log
      one message
  zcat old.gz | postfix-log trace --log - 203.0.113.7
      what a client did, in a log from standard input
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what may be written after the subcommand."""
    parser.add_argument("patterns", metavar="PATTERN", nargs="+", help="what to look for")
    declared.add(
        parser,
        LOG,
        "mail log, or a pattern with dates or wildcards; its rotated generations are found;"
        " - for standard input (default: as the checks find it)",
    )
    for option in (ARCHIVES, FROM_JOURNAL, JOURNAL_MATCH):
        declared.add(parser, option)
    parser.add_argument(
        "--since", metavar="TIME",
        help="a line with the pattern is not older; the rest of its message may be",
    )  # fmt: skip
    parser.add_argument("--until", metavar="TIME", help="a line with the pattern is older")
    declared.add(
        parser, TIMEZONE, "time zone of stamps that do not name one (default: this machine's)"
    )
    parser.add_argument(
        "--brief", action="store_true", help="leave the lines out: only what became of each message"
    )
    parser.add_argument(
        "--no-queue", action="store_true",
        help="do not ask postqueue whether what has not left the queue is still there",
    )  # fmt: skip


def run(options: Namespace) -> Generator[str, None, int]:
    """Yield what is to be printed, and return the exit code.

    Raises: UsageError, LogError
    """
    zone = None
    if options.timezone is not None:
        TIMEZONE.value(options.timezone)
        zone = values.zone(options.timezone)
    for match in options.journal_match:
        JOURNAL_MATCH.value(match)
    since, until = (
        written and _read(flag, written, lambda text: values.moment(text, zone).timestamp())
        for flag, written in (("--since", options.since), ("--until", options.until))
    )
    patterns = [Pattern(_read("PATTERN", text, values.text)) for text in options.patterns]
    for _ in range(_TRIES):
        try:
            return (yield from _run(options, patterns, zone, since or 0, until or inf))
        except Replaced:
            continue
    raise LogError("the log was rotated each time while it was read; try once more")


def _run(
    options: Namespace,
    patterns: list[Pattern],
    zone: tzinfo | None,
    since: float,
    until: float,
) -> Generator[str, None, int]:
    named, has_input = _named(options), STANDARD_INPUT in options.log
    with (
        Logs(named, options.archives, zone, since, options.journal_match, has_input) as logs,
        Found() as found,
    ):
        with Progress() as progress:
            search = Search(logs, found, since, until, progress.read)
            try:
                search.run(patterns)
            except TooManyError:
                raise UsageError(
                    f"more than {MOST_MESSAGES} messages match; look for a longer pattern, or in"
                    " a shorter time with --since and --until"
                ) from None
        wanted = set(range(len(patterns)))
        waiting = _waiting(options, search, wanted, logs)
        story = Story(clock(zone), waiting, search.last)
        number = alone = 0
        for group, there in search.groups():
            if there != wanted:
                continue
            is_message = bool(group[0].key[1])
            if number or (alone and is_message):
                yield ""
            number += len(group) if is_message else 0
            alone += not is_message
            for message in group:
                yield from _told(message, story, options.brief)
        if number + alone:
            yield ""
        yield from _footer(number, alone, search, logs, clock(zone))
    if logs.notes:
        return NOT_READ
    return 0 if number + alone else NOTHING_FOUND


def _read(what: str, written: str, parse: Callable[[str], T]) -> T:
    """Return what was written, read.

    Raises: UsageError
    """
    try:
        return parse(written)
    except ValueError as error:
        cause, *fix = error.args
        raise UsageError(f"{what} {written}: {'; '.join([cause, *fix])}") from None


def _named(options: Namespace) -> list[NamedLog]:
    """Return the logs to read, besides standard input.

    Raises: LogError, UsageError
    """
    paths = [path for path in options.log if path != STANDARD_INPUT]
    if options.log and not paths and not options.journal and not options.journal_match:
        return []
    chosen = Namespace(**{**vars(options), "log": paths})
    with Store(None, _STORE_TIMEOUT) as store:
        return named_logs.of(chosen, store)[0]


def _waiting(
    options: Namespace, search: Search, wanted: set[int], logs: Logs
) -> dict[str, Waiting] | None:
    """Ask postqueue for what has not left the queue; None if it was not asked."""
    if options.no_queue or STANDARD_INPUT in options.log:
        return None
    open_ids = {
        message.key[1].decode("ascii")
        for group, there in search.groups()
        if there == wanted
        for message in group
        if message.key[1] and not message.is_removed
    }
    if not open_ids:
        return None
    from check_postfix.mailqueue import instances, postqueue

    try:
        every = [instances.DEFAULT, *instances.others()]
        return postqueue.find(open_ids, every, _QUEUE_TIMEOUT, time.time())
    except QueueError as error:
        logs.notes.append(str(error))
        return None


def _told(message: Message, story: Story, is_brief: bool) -> Iterator[str]:
    if not message.key[1]:  # a line that is about no message
        yield from (clean(line.raw) for line in message.lines)
        return
    yield story.title(message)
    if not is_brief:
        yield from (f"  {clean(line.raw)}" for line in message.lines)
    yield from (f"  = {line}" for line in story.lines(message))


def _footer(
    number: int, alone: int, search: Search, logs: Logs, told: Callable[[float], str]
) -> Iterator[str]:
    """Yield what was found, and where the evidence ends."""
    unread = [f"-- not read: {clean(note.encode())}" for note in logs.notes]
    parts = [values.amount(number, "message")] if number else []
    if alone:
        parts.append(values.amount(alone, "line") + " about no message")
    if not parts:
        yield from unread
    what = " and ".join(parts) or "nothing found"
    read = values.amount(len(logs.files), "file")
    if search.first is None or search.last is None:
        yield f"-- {what} in {read}" + " without a line that is understood" * bool(logs.files)
    else:
        yield f"-- {what} in {read}: log from {told(search.first)} to {told(search.last)}"
    if not parts:
        yield "-- that does not mean that nothing happened: before and after, nobody has looked"
    if search.goes_on:
        yield f"-- they lead to further messages: after {MOST_STEPS} steps nobody has looked on"
    if parts:
        yield from unread
