"""postfix-log top: who and what had most of it in a window, beside what is usual.

The numbers are those of the checks: they come from the same state file, or with --no-state from
the same reading. Recipients are kept nowhere, so they are counted in the log itself, by the same
recogniser.
"""

from __future__ import annotations

from check_postfix.command import columns, declared, named, names, recipients, typical
from check_postfix.command.logs import Logs
from check_postfix.command.meter import BytesRead
from check_postfix.command.rotated import Readings
from check_postfix.command.text import clean
from check_postfix.common import cause
from check_postfix.common.log_options import OPTIONS
from check_postfix.common.log_remarks import local_time
from check_postfix.common.log_source import FROM_LOG
from check_postfix.common.tables import relay_note
from check_postfix.maillog.counts.families import MANY
from check_postfix.maillog.store.held import HeldAnswers
from check_postfix.maillog.window.window import DEFERRALS
from check_postfix.plugin import values
from check_postfix.rejects import REJECTED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Generator, Iterator

    from check_postfix.maillog.window.window import Window

NOTHING_FOUND, NOT_READ = 1, 3
# A family of events -> what it is called above its column
_TITLES = {
    "sent": "sent",
    "deferred": "deferred",
    "bounced": "bounced",
    "rejected": "rejects",
    "auth_failed": "failed logins",
}
# A family -> the counters that count all of its events
_COUNTERS = {
    "sent": ("sent",),
    "deferred": DEFERRALS,
    "bounced": ("bounced",),
    "rejected": REJECTED,
    "auth_failed": ("auth_failed",),
}
# What is told of -> the families that have such a field. Rows are sorted by what comes first.
_FAMILIES = {
    "client": ("auth_failed", "rejected"),
    "account": ("auth_failed",),
    "domain": ("deferred", "bounced", "sent"),
    "relay": ("deferred", "bounced", "sent"),
    "reason": ("deferred", "bounced", "rejected"),
}
_RECIPIENT = "recipient"
BY = (*_FAMILIES, _RECIPIENT)
# In seconds. Without a state the whole log is read, and nobody else waits.
_TIMEOUT, _LONG_TIMEOUT = 10.0, 86400.0

HELP = "say which clients, accounts, domains, relays, recipients and reasons lead in a window"
DESCRIPTION = """\
Say which clients, accounts, domains, relays, reasons and recipients had most of the failures in a
window, by the same numbers as the checks; and what is usual for each: the median of equally long
windows in the 24 hours before, as soon as there are four. Names are kept for two days, so earlier
days are not compared with. Of a window of more than 6 hours nothing is known to be usual: -.
"""
EPILOG = """\
exit codes: 0 found, 1 nothing found, 2 wrong usage, 3 something could not be read.

examples:
  postfix-log top
      of the last 15 minutes
  postfix-log top --by client --by account --window 6h --rows 50
      who guesses passwords, and whose
  postfix-log top --no-state --log old.log --at 2026-11-24T18:16Z --window 1d
      of a day in an old log
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what may be written after the subcommand."""
    parser.add_argument(
        "--by", metavar="WHAT", choices=BY, action="append", default=[],
        help=f"only by this: {', '.join(BY)} (default: by all of them)",
    )  # fmt: skip
    declared.add(parser, columns.ROWS)
    for option in OPTIONS:
        declared.add(parser, option)


def run(options: Namespace) -> Generator[str, None, int]:
    """Yield what is to be printed, and return the exit code.

    Raises: UsageError, LogError, Unknown
    """
    given = declared.values(options, [columns.ROWS, *OPTIONS])
    given.timeout = _LONG_TIMEOUT if options.no_state else _TIMEOUT
    asked = [what for what in BY if what in (options.by or BY)]
    with FROM_LOG.open(given) as window:
        remarks = FROM_LOG.remarks(window)
        found = 0
        yield _head(window)
        held = window.through(HeldAnswers)
        for what in asked:
            if what != _RECIPIENT:
                lines = list(_table(window, held, what, given.rows))
                if what == "account" and lines and not given.no_state:
                    lines += _whose(window, given)
                found += bool(lines)
                yield from lines
        start, end = window.start, window.end
    if _RECIPIENT in asked:
        lines = _recipients(given, start, end)
        found += bool(lines)
        yield from lines
    for remark in remarks:
        yield f"-- {remark.text}"
    if any(remark.unknown for remark in remarks):
        return NOT_READ
    return 0 if found else NOTHING_FOUND


def _head(window: Window) -> str:
    span = f"{local_time(window.start)} to {local_time(window.end, window.start)}"
    numbers = ", ".join(
        _amount(window.count(*counters), _TITLES[family]) for family, counters in _COUNTERS.items()
    )
    return f"{span}: {numbers}"


def _amount(number: int, title: str) -> str:
    """Return how many there are of what a column is about: `1 reject`, `2 sent`."""
    return values.amount(number, title[:-1]) if title.endswith("s") else f"{number} {title}"


def _table(window: Window, held: Window, what: str, rows: int) -> Iterator[str]:
    """Yield the lines of a table.

    held: the same window, of a store that is held in memory
    """
    families = _FAMILIES[what]
    numbers: dict[str, list[int]] = {}
    for at, family in enumerate(families):
        for (value,), number in window.keys(family, what):
            numbers.setdefault(value, [0] * len(families))[at] = number
    if not numbers:
        return
    ordered = sorted(numbers.items(), key=lambda pair: ([-number for number in pair[1]], pair[0]))
    # All of them are failures but what was sent.
    failures = [at for at, family in enumerate(families) if family != "sent"]
    ordered.sort(key=lambda pair: -sum(pair[1][at] for at in failures))
    usual = [typical.of_each(held, families[at], what) for at in failures]
    table = []
    for value, counted in ordered[:rows]:
        levels = [of(value) for of in usual]
        known = [level for level in levels if level is not None]
        shown = f"{sum(known):g}" if len(known) == len(levels) else "-"
        table.append([*counted, shown, _shown(window, what, value)])
    if more := ordered[rows:]:
        rest = [sum(counted[at] for _, counted in more) for at in range(len(families))]
        table.append([*rest, "", f"in {len(more)} more, see --rows"])
    yield ""
    heads = [*(_TITLES[family] for family in families), "usual", f"by {what}"]
    yield from columns.table(heads, table)


def _whose(window: Window, given: Namespace) -> Iterator[str]:
    """Yield the command that finds the first account in the log; none where names are hidden."""
    for (value,), _ in window.keys("auth_failed", "account"):
        if value not in ("", MANY):
            name = window.name("account", value)
            for line in cause.command(window, given, [name], are_names=False):
                yield f"  whose that is: {line.removeprefix(cause.SEE)}"
            return


def _shown(window: Window, what: str, value: str) -> str:
    if value == MANY:
        return "others"
    note = relay_note(value) if what == "relay" else ""
    return clean(window.name(what, value).encode("utf-8", "replace")) + note


def _recipients(given: Namespace, start: int, end: int) -> list[str]:
    """Return the lines of the table of recipients; none if there are none.

    Raises: LogError, UsageError
    """
    zone = None if given.timezone is None else values.zone(given.timezone)
    shows = names.of(given.anonymise, None if given.no_state else given.state)
    since = start * 60
    readings = Readings()
    while True:
        with (
            readings,
            Logs(named.of(given), given.archives, zone, since, given.journal_match) as logs,
            BytesRead() as progress,
            recipients.Recipients() as counted,
        ):
            counted.count(logs, (since, end * 60), given.host, given.instance, progress.read)
            table = [
                [*numbers, shows.address(address) or "(cannot be told)"]
                for address, numbers in counted.most(given.rows)
            ]
            if not table:
                return []
            if more := counted.rest(given.rows):
                table.append([*more[1:], f"in {more[0]} more, see --rows"])
            heads = [*recipients.KINDS, f"by {_RECIPIENT}"]
            notes = [f"-- not read: {clean(note.encode())}" for note in logs.notes]
            return ["", *columns.table(heads, table), *notes]
