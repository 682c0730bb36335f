"""postfix-log trace: whole messages, from their first line to what became of them."""

from __future__ import annotations

import time
from functools import partial
from math import inf

from check_postfix.command import declared, hidden, moment, named, names, pattern
from check_postfix.command.alone import Alone
from check_postfix.command.answer import NOT_SHOWN
from check_postfix.command.found import FoundLines
from check_postfix.command.jobs import JOBS
from check_postfix.command.line import read
from check_postfix.command.logs import STANDARD_INPUT, Logs
from check_postfix.command.meter import BytesRead
from check_postfix.command.rotated import Readings
from check_postfix.command.search import MOST_MESSAGES, MOST_STEPS, Search, TooManyError
from check_postfix.command.story import Story, clock
from check_postfix.command.text import clean
from check_postfix.common.log_options import (
    ANONYMISE,
    ARCHIVES,
    FROM_JOURNAL,
    JOURNAL_MATCH,
    LOG,
    STATE,
    TIMEZONE,
)
from check_postfix.mailqueue.errors import QueueError
from check_postfix.plugin import Option, UsageError, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Generator, Iterator
    from datetime import tzinfo
    from typing import TypeVar

    from check_postfix.command.history import Message
    from check_postfix.command.line import Line
    from check_postfix.command.names import Names
    from check_postfix.command.pattern import Pattern
    from check_postfix.mailqueue.listing import QueuedMessage

    T = TypeVar("T")

NOTHING_FOUND, NOT_READ = 1, 3
# In seconds
_QUEUE_TIMEOUT = 20
CONTEXT = Option(
    "--context",
    "show N lines of the log before and after each line with a pattern as well",
    default="0",
    parse=values.count,
    metavar="N",
    short="-C",
    example="3",
)
HELP = "find whole messages, and what became of them"
DESCRIPTION = """\
Find whole messages: every line of each message in which all patterns stand, and of what it
goes on as behind a content filter, an alias or a bounce; in the live log and its rotated
generations, in the order of time. Below its lines stands what became of it.
"""
EPILOG = """\
A pattern is a queue ID or a part of it, a message ID, an address, a domain, a client, an account,
a pseudonym or a class of reasons (greylisted) or of faults (no SASL server) that a check has told,
or any words of a line.
exit codes: 0 found, 1 nothing found, 2 wrong usage, 3 something could not be read.

examples:
  postfix-log trace ann@example.com
      what became of all mail from and to this address
  postfix-log trace ann@example.com example.org --since yesterday
      mail in which both stand, since yesterday, 0:00
  postfix-log trace 4XyzAbC1de --log /var/log/mail.log
      one message
  postfix-log trace 'unknown user' -C 2 --since 1h
      whatever failed because there is no such recipient, with two lines around each
  zcat old.gz | postfix-log trace --log - 203.0.113.7
      what a client did, in a log from standard input
"""
LACKING = (
    "what to look for is missing (all that happened tells postfix-log report): an address, a queue"
    " ID, a client or words of a line"
)
EXAMPLE = "postfix-log trace ann@example.com"


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
        help=f"a line with the pattern is not older ({moment.SPELLINGS}); the rest of its message"
        " may be",
    )  # fmt: skip
    parser.add_argument(
        "--until", metavar="TIME", help="a line with the pattern is older (likewise)"
    )
    declared.add(
        parser, TIMEZONE, "time zone of stamps that do not name one (default: this machine's)"
    )
    parser.add_argument(
        "--brief", action="store_true", help="leave the lines out: only what became of each message"
    )
    declared.add(parser, CONTEXT)
    declared.add(parser, JOBS)
    declared.add(
        parser, ANONYMISE,
        "show pseudonyms for addresses, domains, relays, clients and accounts, as the checks do; of"
        " what other servers answer, codes and our class; of lines that nobody takes apart nothing",
    )  # fmt: skip
    declared.add(parser, STATE, "file of the checks, by whose secret pseudonyms are made")
    parser.add_argument(
        "--no-queue", action="store_true",
        help="do not ask postqueue whether what has not left the queue is still there",
    )  # fmt: skip


def run(options: Namespace) -> Generator[str, None, int]:
    """Yield what is to be printed, and return the exit code.

    Raises: UsageError, LogError
    """
    given = declared.values(options, [TIMEZONE, JOURNAL_MATCH, CONTEXT, JOBS])
    zone = values.zone(given.timezone) if given.timezone else None
    asked = moment.between(options, zone)
    since = 0 if asked[0] is None else asked[0].timestamp()
    until = inf if asked[1] is None else asked[1].timestamp()
    patterns = [
        pattern.of(_read("PATTERN", text, values.text), lambda: names.kept_secret(options.state))
        for text in options.patterns
    ]
    readings = Readings()
    while True:
        with readings:
            return (yield from _run(given, patterns, zone, since, until))


def _run(
    options: Namespace,
    patterns: list[Pattern],
    zone: tzinfo | None,
    since: float,
    until: float,
) -> Generator[str, None, int]:
    logs_named, has_input = named.of(options, STANDARD_INPUT), STANDARD_INPUT in options.log
    with (
        Logs(logs_named, options.archives, zone, since, options.journal_match, has_input) as logs,
        FoundLines() as found,
    ):
        with BytesRead() as progress:
            search = Search(logs, found, since, until, progress.read, options.context, options.jobs)
            try:
                search.run(patterns)
            except TooManyError:
                raise UsageError(
                    f"more than {MOST_MESSAGES} messages match; look for a longer pattern, or in"
                    " a shorter time with --since and --until"
                ) from None
        wanted = set(range(len(patterns)))
        waiting = _waiting(options, search, wanted, logs)
        shows = names.of(options.anonymise, options.state)
        story = Story(clock(zone), waiting, search.last, shows)
        shown = partial(_line, shows, zone)
        number = alone = 0
        lines = Alone()
        is_after_message = False
        for group, there in search.groups():
            if there != wanted:
                continue
            is_message = bool(group[0].key[1])  # otherwise it is a line about none
            if is_message:
                yield from lines.end()
            if number + alone and (is_message or is_after_message):
                yield ""
            number += len(group) if is_message else 0
            alone += not is_message
            is_after_message = is_message
            for message in group:
                near = _near(message, search, logs, shows, shown) if options.context else []
                if is_message:
                    yield from _told(message, story, options.brief, shown, near)
                else:
                    line = message.lines[0]
                    yield from lines.line(line.place, shown(line), near)
        yield from lines.end()
        if number + alone:
            yield ""
        yield from _footer(number, alone, search, logs, clock(zone))
        if asked := moment.asked_for(*(
            clock(zone)(time) if 0 < time < inf else None for time in (since, until)
        )):  # fmt: skip
            yield f"-- {asked}"
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


def _waiting(
    options: Namespace, search: Search, wanted: set[int], logs: Logs
) -> dict[str, QueuedMessage] | None:
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


def _line(shows: Names, zone: tzinfo | None, line: Line) -> str:
    """Return what is shown of a line."""
    return hidden.line(line, shows, clock(zone)) if shows.hides else clean(line.raw)


def _near(
    message: Message, search: Search, logs: Logs, shows: Names, shown: Callable[[Line], str]
) -> list[tuple[tuple[int, int], str]]:
    """Return the lines that stand near those of a message in which a pattern was found."""
    found = []
    for place, raw in search.context([message]):
        line = read(raw, place, logs.files[place[0]].timestamps)
        # Of what nobody understands, nobody knows whom it names.
        plain = NOT_SHOWN if shows.hides else clean(raw)
        found.append((place, plain if line is None else shown(line)))
    return found


def _told(
    message: Message,
    story: Story,
    is_brief: bool,
    shown: Callable[[Line], str],
    near: list[tuple[tuple[int, int], str]],
) -> Iterator[str]:
    """Yield what is told of a message.

    near: places and texts of lines of others that are shown among its own
    """
    yield story.title(message)
    if not is_brief:
        left = list(near)
        for line in message.lines:
            while left and left[0][0] < line.place:
                yield f"  | {left.pop(0)[1]}"
            yield f"  {shown(line)}"
        yield from (f"  | {text}" for _, text in left)
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
    if logs.empty and not logs.files and not logs.notes:
        path = clean(logs.empty[-1].encode("utf-8", "replace"))
        yield f"-- {what}: {path} is empty; send a test mail, or name the mail log with --log"
        return
    read = values.amount(len(logs.files), "file")
    if len(logs.files) == 1 and not logs.files[0].is_on_disk:
        read = logs.files[0].name
    looked_at = search.looked_at()
    if search.first is not None and search.last is not None:
        yield f"-- {what} in {read}: log from {told(search.first)} to {told(search.last)}"
    elif logs.files and not looked_at and not search.has_unread:
        last = told(max(file.modified for file in logs.files))
        yield f"-- {what}: of {read} none was written to since then, the last one {last}"
    elif search.first is None and search.last is None and looked_at:
        read = values.amount(len(looked_at), "file") if looked_at[1:] else read
        yield f"-- {what} in {read} without a line that is understood"
    else:
        yield f"-- {what} in {read}"
    if not parts:
        yield "-- that does not mean that nothing happened: before and after, nobody has looked"
    if search.goes_on:
        yield f"-- they lead to further messages: after {MOST_STEPS} steps nobody has looked on"
    if parts:
        yield from unread
