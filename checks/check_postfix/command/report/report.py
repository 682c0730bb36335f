"""postfix-log report: what happened to mail in some hours or days, problems first."""

from __future__ import annotations

import shlex
from argparse import Namespace
from datetime import datetime

from check_postfix.command import declared, jobs, moment, named
from check_postfix.command.logs import STANDARD_INPUT, Logs, Replaced
from check_postfix.command.report import delivery, secret, span
from check_postfix.command.report.book import SEPARATOR, Book
from check_postfix.command.report.names import Names
from check_postfix.command.report.problems import problems, unreadable
from check_postfix.command.report.reading import Reading
from check_postfix.command.report.section import Report
from check_postfix.command.report.sections import Limits, Sections
from check_postfix.command.report.tally import Shelf
from check_postfix.command.text import clean
from check_postfix.command.uncollected import uncollected
from check_postfix.common.log_options import (
    ANONYMISE,
    ARCHIVES,
    FROM_JOURNAL,
    JOURNAL_MATCH,
    LOG,
    STATE,
    TIMEZONE,
)
from check_postfix.common.suspicion import Tries
from check_postfix.maillog.errors import LogError
from check_postfix.plugin import UsageError, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable, Generator
    from datetime import tzinfo

    from check_postfix.command.report.span import Span

NOTHING_FOUND, NOT_READ, INTERRUPTED = 1, 3, 130
_TRIES = 3
_TOP = 10
# In minutes
_HOUR, _DAY = 60, 24 * 60
# Who tried whose password: so many pairs are looked at, the most frequent first.
_MOST_TRIES = 30_000
_ALL = "all"
_EVERYTHING = 1 << 40

HELP = "what happened to mail in some hours or days, problems first"
DESCRIPTION = """\
Tell what happened to mail in some hours or days: problems first, each with the next step; then
how much there was, why mail was deferred, bounced or refused, for whom, how long it took, who
failed to log in, and what could not be read.
"""
EPILOG = """\
exit codes: 0 reported, 1 nothing found, 2 wrong usage, 3 something could not be read.

examples:
  postfix-log report --day yesterday
      the day before, of the log that the checks find
  postfix-log report --since 08:00 --top 3
      since eight, three of each; before eight, since eight of yesterday
  postfix-log report --since 'yesterday 22:00' --until 02:00
      that night
  postfix-log report --day yesterday --mail postmaster@example.com
      the same as mail, for a timer or cron
  postfix-log report --html mail.html
      all that is there, as a page for a browser
  zcat old.gz | postfix-log report --log -
      a log from standard input
"""
_LIMITS = (
    ("domains", "domains, clients and sessions"),
    ("users", "senders, recipients, accounts and failed logins"),
    ("deferrals", "reasons why mail was deferred"),
    ("bounces", "reasons and relays of bounces"),
    ("rejects", "reasons and clients that were rejected, held or discarded"),
    ("unreachable", "hosts that could not be reached"),
    ("warnings", "warnings and errors"),
)


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what may be written after the subcommand."""
    declared.add(
        parser,
        LOG,
        "mail log, or a pattern with dates or wildcards; its rotated generations are found;"
        " - for standard input (default: as the checks find it)",
    )
    for option in (ARCHIVES, FROM_JOURNAL, JOURNAL_MATCH):
        declared.add(parser, option)
    parser.add_argument("--day", metavar="DAY", help=f"a whole day: {moment.DAYS}")
    parser.add_argument(
        "--since", metavar="TIME", help=f"lines are not older, to the minute ({moment.SPELLINGS})"
    )
    parser.add_argument("--until", metavar="TIME", help="lines are older (likewise)")
    declared.add(
        parser, TIMEZONE, "time zone of stamps that do not name one, and of the hours shown"
        " (default: this machine's)",
    )  # fmt: skip
    parser.add_argument(
        "--instance", metavar="NAME", default="",
        help="only this Postfix instance (its syslog_name: postfix, postfix-out ...)",
    )  # fmt: skip
    parser.add_argument(
        "--top", metavar="N", default=str(_TOP),
        help="so many rows of each section; 0 leaves it out, all shows every one"
        f" (default: {_TOP})",
    )  # fmt: skip
    for name, what in _LIMITS:
        parser.add_argument(
            f"--{name}", metavar="N", help=f"the same, of {what} (default: as --top)"
        )
    parser.add_argument(
        "--connections", action="store_true", help="tell of smtpd's sessions, how long they took"
    )
    parser.add_argument(
        "--ignore-case", action="store_true", help="take local parts of addresses in lower case"
    )
    parser.add_argument(
        "--verp", metavar="1|2", choices=("1", "2"), default="0",
        help="take senders of one list together: 1 numbers become ID, 2 recipients are left out",
    )  # fmt: skip
    parser.add_argument(
        "--bang-paths", action="store_true", help="read host!user@next as next!user@host"
    )
    parser.add_argument(
        "--reject-senders", action="store_true", help="tell whose mail was rejected, too"
    )
    jobs.add(parser)
    parser.add_argument("--json", action="store_true", help="print it as JSON, numbers not rounded")
    parser.add_argument(
        "--html", metavar="FILE",
        help="write it as one page of HTML, which only its owner can read; needs jinja2",
    )  # fmt: skip
    parser.add_argument(
        "--mail", metavar="ADDRESS", action="append", default=[],
        help="send it there by sendmail: as text and, with jinja2, as HTML with the page attached",
    )  # fmt: skip
    declared.add(
        parser, ANONYMISE,
        "name nobody: pseudonyms for addresses, domains, clients, relays and accounts, and no words"
        " of the log; they are the checks' where there is a state file",
    )  # fmt: skip
    declared.add(parser, STATE, "state file of the checks, whose key makes the pseudonyms")


def run(options: Namespace) -> Generator[str, None, int]:
    """Yield what is to be printed, and return the exit code.

    Raises: UsageError, LogError
    """
    given = declared.values(options, [TIMEZONE, JOURNAL_MATCH])
    zone = values.zone(given.timezone) if given.timezone else None
    delivery.see_that_it_can(options)
    of_time = span.of(options, zone)
    limits = Limits(
        _limit("--top", options.top),
        {name: _limit(f"--{name}", getattr(options, name)) for name, _ in _LIMITS
         if getattr(options, name) is not None},
    )  # fmt: skip
    processes = jobs.number(options.jobs)
    for _ in range(_TRIES):
        try:
            return (yield from _run(options, zone, of_time, limits, processes))
        except Replaced:
            continue
    raise LogError("the log was rotated each time while it was read; try once more")


def _limit(flag: str, written: str) -> int:
    if written == _ALL:
        return _EVERYTHING
    try:
        return values.count(written)
    except ValueError as error:
        raise UsageError(f"{flag} {written}: {error}; example: {flag} 20, or {flag} all") from None


def _run(
    options: Namespace, zone: tzinfo | None, of_time: Span, limits: Limits, processes: int
) -> Generator[str, None, int]:
    logs_named, has_input = named.of(options, STANDARD_INPUT), STANDARD_INPUT in options.log
    with (
        Logs(
            logs_named, options.archives, zone, of_time.since * 60, options.journal_match, has_input
        ) as logs,
        Shelf() as shelf,
    ):
        book = Book(shelf)
        is_closed = bool(logs.notes)
        names = Names(secret.of(options, logs.notes), options.anonymise)
        reading = Reading(book, options, zone, of_time)
        reading.read(logs, processes)
        book.finish()
        is_blind = not book.lines and (is_closed or reading.has_failed)
        # Nothing of what is made of very many names refers to itself either.
        with uncollected():
            report = _report(book, options, reading, of_time, zone, names, limits, logs, is_blind)
        yield from delivery.deliver(report, options)
        if reading.was_interrupted:
            return INTERRUPTED
        if logs.notes:
            return NOT_READ
        if book.matched and book.hours:
            return 0
        if (options.mail or options.html is not None) and not options.json:
            yield "nothing was found of that time, as the report says that was sent or written"
        return NOTHING_FOUND


def _report(
    book: Book, options: Namespace, reading: Reading, of_time: Span, zone: tzinfo | None,
    names: Names, limits: Limits, logs: Logs, is_blind: bool,
) -> Report:  # fmt: skip
    """Return the report.

    is_blind: whether nothing was read, though there is something
    """

    def told(minute: int) -> str:
        return datetime.fromtimestamp(minute * 60, zone).strftime("%Y-%m-%d %H:%M")

    hosts = [names.host(host) for host in book.hosts if host]
    shown = ", ".join(hosts[:3]) + (f" and {len(hosts) - 3} more" if hosts[3:] else "")
    title = f"Mail of {shown or 'no host'}"
    if book.first is not None and book.last is not None:
        first, last = told(book.first), told(book.last)
        day = first.partition(" ")[0]
        title += f", {first}"
        title += f" to {last.removeprefix(f'{day} ')}" if last != first else ""
    asked = moment.asked_for(
        told(of_time.since) if of_time.begins else None,
        told(of_time.until) if of_time.ends else None,
    )
    says = [
        f"{book.lines:,} {values.plural(book.lines, 'line')} read, {book.matched:,} of them counted"
    ]
    if asked:
        says.append(asked)
    suspicions = _suspicions(book, names)
    begin = _begin(logs) if of_time.begins or of_time.ends else None
    hours = _hours(_read(book, of_time, logs, begin), zone)
    if is_blind:  # zeros would be believed
        return Report(title, says, [unreadable(reading.unread)], [], {}, {}, reading.unread)
    sections = Sections(book, names, limits, hours)
    told_sections = list(sections.all(suspicions))
    found = problems(
        book, suspicions, reading.unread, lambda text: _trace(options, of_time, zone, text),
        names.domain, _beside(options, of_time, begin, logs, told, book.first is None),
    )  # fmt: skip
    return Report(
        title, says, found, told_sections, sections.totals(), sections.counters(), reading.unread
    )


def _begin(logs: Logs) -> int | None:
    """Return the minute of the first line of all files, None if nobody understands it."""
    minutes = []
    for file in logs.files:
        try:
            start, block = next(file.blocks(), (0, b""))
        except LogError:  # which is told where it is read
            continue
        if (line := file.line(block, start, 0)) is not None:
            minutes.append(int(line.time) // 60)
    return min(minutes, default=None)


def _end(logs: Logs) -> int | None:
    """Return the minute of the last line of the newest file, None if nobody understands it.

    It reads that file.
    """
    newest = max(logs.files, key=lambda file: file.modified, default=None)
    if newest is None:
        return None
    last = None
    try:
        for start, block in newest.blocks():
            last = newest.last_line(block, start) or last
    except LogError:  # which is told where it is read
        return None
    return None if last is None else int(last.time) // 60


def _beside(
    options: Namespace, of_time: Span, begin: int | None, logs: Logs, told: Callable[[int], str],
    is_empty: bool,
) -> tuple[str, str] | None:  # fmt: skip
    """Return that the time which was asked for lies before or after the log, and the next step.

    is_empty: whether nothing of that time was found
    """
    what = "day" if options.day else "time"
    if begin is not None and begin >= of_time.until:
        then = "ask for a later time, or say where older generations lie: --archives DIR"
        if all(file.is_on_disk for file in logs.files):
            return f"the log begins {told(begin)}, after that {what}", then
        # Of the journal, no more was asked for.
        return f"the log has no line of that {what}; its next one is of {told(begin)}", then
    end = _end(logs) if of_time.begins and is_empty else None
    if end is None or end >= of_time.since:
        return None
    return (
        f"the log ends {told(end)}, before that {what}",
        "ask for an earlier time, or see where mail is logged by now: postconf maillog_file",
    )


def _read(book: Book, of_time: Span, logs: Logs, begin: int | None) -> tuple[int, int] | None:
    """Return the first and the last minute of that time that was read, None if none was."""
    if book.first is None or book.last is None:
        return None
    first, last = book.first, book.last
    if of_time.begins and begin is not None and begin <= of_time.since:
        first = of_time.since
    written = max((int(file.modified) // 60 for file in logs.files), default=0)
    if of_time.ends and written >= of_time.until:
        last = of_time.until - 1
    return first, last


def _hours(read: tuple[int, int] | None, zone: tzinfo | None) -> list[str]:
    """Return the hours of the day of some minutes, as they went by: `2026-11-24 08`."""
    if read is None:
        return []
    first, last = read
    every = [*range(first, min(last, first + _DAY), _HOUR // 2), last]
    told = [datetime.fromtimestamp(minute * 60, zone).strftime("%Y-%m-%d %H") for minute in every]
    return list(dict.fromkeys(told))


def _suspicions(book: Book, names: Names) -> list[str]:
    """Return what failed logins are."""
    if not book.total("auth_failed"):
        return []
    assert book.first is not None
    assert book.last is not None
    rows = []
    for name, number in book.logins.first(_MOST_TRIES):
        client, _, account = name.partition(SEPARATOR)
        rows.append(((clean(client), clean(account)), number))
    tries = Tries(rows, (book.last - book.first) / 60)
    return tries.words(lambda client: names.client(client.encode()))


def _trace(options: Namespace, of_time: Span, zone: tzinfo | None, text: str) -> str:
    """Return the command that shows the lines with a text."""
    words = ["postfix-log", "trace"]
    for option in (LOG, ARCHIVES, FROM_JOURNAL, JOURNAL_MATCH, TIMEZONE):
        words += option.words(getattr(options, option.name))
    for flag, minute, is_said in (
        ("--since", of_time.since, of_time.begins),
        ("--until", of_time.until, of_time.ends),
    ):
        if is_said:
            at = datetime.fromtimestamp(minute * 60, zone).astimezone(zone)
            words += [flag, at.strftime("%Y-%m-%dT%H:%M%z")]
    return shlex.join([*words, text])
