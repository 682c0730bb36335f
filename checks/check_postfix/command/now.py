"""postfix-log now: every check once, the worst first."""

from __future__ import annotations

import importlib
import sys
import time

from check_postfix import programs
from check_postfix.command import declared
from check_postfix.common.cause import SEE
from check_postfix.common.log_options import OPTIONS
from check_postfix.common.log_remarks import local_time
from check_postfix.common.log_source import FROM_LOG
from check_postfix.common.span import AskedSpan
from check_postfix.plugin.check import SEVERITY
from check_postfix.plugin.run import outcome_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Generator

    from check_postfix.plugin import Check

# Exit code -> what a terminal shows it in: green, yellow, red, magenta
_COLOURS = {0: 32, 1: 33, 2: 31, 3: 35}

# Of what is equally bad, the others follow from this: Postfix is down.
_FIRST = "postfix queue"

HELP = "run every check once, the worst first"
DESCRIPTION = """\
Run every check once with its default thresholds and say what each finds, the worst first.
Below what is not OK stands the command that shows why.
"""
EPILOG = """\
The exit code is that of the worst: 2 CRITICAL, 1 WARNING, 3 UNKNOWN, 0 OK.

examples:
  postfix-log now
      what is wrong just now
  postfix-log now --window 2h -v
      what has been wrong in the last two hours, with the worst offenders
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what may be written after the subcommand: the options of all checks of the log."""
    for option in OPTIONS:
        declared.add(parser, option)
    parser.add_argument(
        "-v", "--verbose", action="count", default=0,
        help="say more: -v the worst offenders, -vv what was read",
    )  # fmt: skip


def run(options: Namespace) -> Generator[str, None, int]:
    """Yield what each check says, and return the exit code of the worst.

    Raises: UsageError
    """
    span = AskedSpan(declared.values(options, OPTIONS), time.time())
    checks = [importlib.import_module(f"check_postfix.{name}").CHECK for name in programs.NAMES]
    checks.sort(key=lambda check: check.name != _FIRST)
    outcomes = [outcome_of(check, _arguments(check, options)) for check in checks]
    outcomes.sort(key=lambda outcome: -SEVERITY[outcome[1]])
    for text, state in outcomes:
        first, *more = text.splitlines()
        if not options.verbose:
            # The next step, which is what an alarm needs.
            more = [line for line in more if state and line.startswith(SEE)]
        # Nothing from the log can look like the begin of perfdata.
        words = first.partition(" | ")[0]
        yield f"\033[{_COLOURS[state]}m{words}\033[0m" if sys.stdout.isatty() else words
        yield from (f"  {line}" for line in more)
    if options.at is not None:
        judged = f"{local_time(span.start)} to {local_time(span.end, span.start)}"
        yield f"-- judged: {judged}; the queue as it is now"
    return outcomes[0][1]


def _arguments(check: Check, options: Namespace) -> list[str]:
    """Return what was written, as far as this check has such options."""
    written = ["-v"] * max(1, options.verbose)
    for option in OPTIONS if check.source is FROM_LOG else ():
        written += option.words(getattr(options, option.name))
    return written
