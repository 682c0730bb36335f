"""postfix-log report: what happened to mail in some hours or days, problems first."""

from __future__ import annotations

import shlex

from check_postfix.command import declared, moment, named
from check_postfix.command.jobs import JOBS
from check_postfix.command.logs import STANDARD_INPUT, Logs
from check_postfix.command.report import delivery, secret, span
from check_postfix.command.report.book import SEPARATOR, Book
from check_postfix.command.report.extent import Extent
from check_postfix.command.report.names import Names
from check_postfix.command.report.problems import problems, unreadable
from check_postfix.command.report.reading import Reading
from check_postfix.command.report.section import Report
from check_postfix.command.report.sections import Limits, Sections
from check_postfix.command.report.tally import Shelf
from check_postfix.command.rotated import Readings
from check_postfix.command.text import clean_all
from check_postfix.command.uncollected import uncollected
from check_postfix.common.log_options import (
    ANONYMISE,
    ARCHIVES,
    FROM_JOURNAL,
    JOURNAL_MATCH,
    LOG,
    STATE,
    TIMEZONE,
    WHICH_LINES,
)
from check_postfix.common.suspicion import Tries
from check_postfix.plugin import Option, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Generator
    from datetime import tzinfo

    from check_postfix.command.report.span import Span

NOTHING_FOUND, NOT_READ, INTERRUPTED = 1, 3, 130
# Who tried whose password: so many pairs are looked at, the most frequent first.
_MOST_TRIES = 30_000
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


def _limit(written: str) -> int:
    """Return how many rows a section may have."""
    return _EVERYTHING if written == "all" else values.count(written)


def _rows(flag: str, help: str, default: str | None = None) -> Option:
    return Option(flag, help, default, parse=_limit, metavar="N", example="20, or all")


TOP = _rows("--top", "so many rows of each section; 0 leaves it out, all shows every one", "10")
LIMITS = [
    _rows(f"--{name}", f"the same, of {what} (default: as --top)")
    for name, what in (
        ("domains", "domains, clients and sessions"),
        ("users", "senders, recipients, accounts and failed logins"),
        ("deferrals", "reasons why mail was deferred"),
        ("bounces", "reasons and relays of bounces"),
        ("rejects", "reasons and clients that were rejected, held or discarded"),
        ("unreachable", "hosts that could not be reached"),
        ("warnings", "warnings and errors"),
    )
]


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
    for option in (TOP, *LIMITS):
        declared.add(parser, option)
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
    declared.add(parser, JOBS)
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
    given = declared.values(options, [TIMEZONE, JOURNAL_MATCH, TOP, *LIMITS, JOBS])
    zone = values.zone(given.timezone) if given.timezone else None
    delivery.see_that_it_can(given)
    of_time = span.of(given, zone)
    own = {option.name: getattr(given, option.name) for option in LIMITS}
    limits = Limits(given.top, {name: rows for name, rows in own.items() if rows is not None})
    readings = Readings()
    while True:
        with readings:
            return (yield from _run(given, zone, of_time, limits))


def _run(
    options: Namespace, zone: tzinfo | None, of_time: Span, limits: Limits
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
        reading.read(logs, options.jobs)
        book.finish()
        extent = Extent(of_time, logs, zone)
        # Nothing of what is made of very many names refers to itself either.
        with uncollected():
            if not book.lines and (is_closed or reading.has_failed):  # zeros would be believed
                report = _blind(book, extent, names, reading.unread)
            else:
                report = _report(book, options, reading.unread, extent, names, limits)
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
    book: Book,
    options: Namespace,
    unread: list[str],
    extent: Extent,
    names: Names,
    limits: Limits,
) -> Report:
    """Return the report.

    unread: what could not be read, in sentences
    """
    suspicions = _suspicions(book, names)
    sections = Sections(book, names, limits, extent.hours(book))
    told = list(sections.all(suspicions))
    beside = extent.beside("day" if options.day else "time", is_empty=book.first is None)
    found = problems(
        book, suspicions, unread, lambda text: _trace(options, extent, text), names.domain, beside
    )
    return Report(
        _title(book, extent, names), _says(book, extent), found, told, sections.totals(),
        sections.counters(), unread,
    )  # fmt: skip


def _blind(book: Book, extent: Extent, names: Names, unread: list[str]) -> Report:
    """Return the report of logs of which nothing was read, though there is something.

    unread: why not
    """
    says = _says(book, extent)
    return Report(_title(book, extent, names), says, [unreadable(unread)], [], {}, {}, unread)


def _title(book: Book, extent: Extent, names: Names) -> str:
    hosts = [names.host(host) for host in book.hosts if host]
    shown = ", ".join(hosts[:3]) + (f" and {len(hosts) - 3} more" if hosts[3:] else "")
    title = f"Mail of {shown or 'no host'}"
    if book.first is None or book.last is None:
        return title
    first, last = extent.told(book.first), extent.told(book.last)
    day = first.partition(" ")[0]
    end = f" to {last.removeprefix(f'{day} ')}" if last != first else ""
    return f"{title}, {first}{end}"


def _says(book: Book, extent: Extent) -> list[str]:
    """Return what was read, and which time was asked for."""
    lines = values.plural(book.lines, "line")
    said = [f"{book.lines:,} {lines} read, {book.matched:,} of them counted"]
    return [*said, *([asked] if (asked := extent.asked()) else [])]


def _suspicions(book: Book, names: Names) -> list[str]:
    """Return what failed logins are."""
    if not book.total("auth_failed"):
        return []
    assert book.first is not None
    assert book.last is not None
    first = book.logins.first(_MOST_TRIES)
    pairs = [name.partition(SEPARATOR) for name, _ in first]
    clients = clean_all([client for client, _, _ in pairs])
    accounts = clean_all([account for _, _, account in pairs])
    numbers = [number for _, number in first]
    rows = zip(zip(clients, accounts, strict=True), numbers, strict=True)
    tries = Tries(rows, (book.last - book.first) / 60)
    return tries.words(lambda client: names.client(client.encode()))


def _trace(options: Namespace, extent: Extent, text: str) -> str:
    """Return the command that shows the lines with a text."""
    words = ["postfix-log", "trace"]
    for option in WHICH_LINES:
        words += option.words(getattr(options, option.name))
    return shlex.join([*words, *extent.words(), text])
