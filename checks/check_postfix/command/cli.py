"""The command line of postfix-log."""

from __future__ import annotations

import argparse
import importlib
import io
import os
import signal
import sqlite3
import sys
from contextlib import closing
from gettext import gettext

from check_postfix import __version__, ending
from check_postfix.command import moment, text, users
from check_postfix.maillog.errors import LogError, StoreError
from check_postfix.mailqueue.errors import QueueError
from check_postfix.plugin import Unknown, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from typing import Any, NoReturn

# Name -> module of this room. Each has HELP, DESCRIPTION, EPILOG, add_arguments() and run(); its
# left(), if it has one, says what is left to do when Ctrl-C has ended it.
SUBCOMMANDS = {
    "now": "now",
    "trace": "trace",
    "report": "report.report",
    "queue": "queue",
    "top": "top",
    "rehearse": "rehearse",
    "status": "status",
    "doctor": "doctor.doctor",
    "ingest": "ingest",
    "purge": "purge",
}

# Whose lines come at once when they come; what is longer than a screen goes to a pager.
PAGED = ("report", "queue", "top", "rehearse")

WRONG_USAGE, NOT_READ = 2, 3
# How argparse begins to say it
_LACKS = gettext("the following arguments are required: %s").partition("%s")[0]
# What a shell says of a program that a signal has ended
_OF_SIGNALS = 128


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and exit: 0 found, 1 nothing found, 2 wrong usage, 3 not read."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # what the log names need not be in this encoding
    options = _options(sys.argv[1:] if arguments is None else arguments)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
    try:
        sys.exit(_run(options))
    except UsageError as error:
        _complain(str(error), WRONG_USAGE)
    except (LogError, StoreError, QueueError, Unknown) as error:
        _complain(users.for_a_person(str(error)), NOT_READ)
    except sqlite3.Error as error:  # a temporary file's: the state's are told by its name
        _complain(
            f"cannot keep what does not fit into memory in a temporary file: {error};"
            " let SQLITE_TMPDIR name a directory with more room",
            NOT_READ,
        )
    except KeyboardInterrupt:
        left = getattr(module_of(options.subcommand), "left", _all_is_not_printed)
        _complain(f"ended by Ctrl-C; {left()}", _OF_SIGNALS + signal.SIGINT)
    except BrokenPipeError:  # whoever reads it has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def _interrupt(*_: object) -> NoReturn:
    raise ending.raised(KeyboardInterrupt())


def module_of(name: str) -> Any:
    """Return the module of a subcommand; one of many is needed."""
    return importlib.import_module(f"check_postfix.command.{SUBCOMMANDS[name]}")


def _all_is_not_printed() -> str:
    return "what is printed is not all"


def _run(options: argparse.Namespace) -> int:
    with closing(module_of(options.subcommand).run(options)) as lines:
        if options.subcommand in PAGED and sys.stdout.isatty():
            # In a pipe nothing needs it.
            from check_postfix.command import pager

            return pager.shown(lines)
        return text.printed(lines, sys.stdout)


def _complain(words: str, status: int) -> NoReturn:
    sys.stdout.flush()
    print(f"postfix-log: {words}", file=sys.stderr)
    sys.exit(status)


class _Parser(argparse.ArgumentParser):
    """Tells in one line what is wrong, what may be meant, and where help is."""

    # What is said where a word is missing, and of an option that is not known; how it is used
    lacking = strange_may_be = example = ""

    def error(self, message: str) -> NoReturn:
        """Say it and exit."""
        if self.lacking and message.startswith(_LACKS):
            message = f"{self.lacking}, as in {self.example}"
        _complain(f"{message}; see {self.prog} --help", WRONG_USAGE)

    def strange(self, written: Sequence[str]) -> NoReturn:
        """Say of words that nothing like the first one is taken here."""
        from check_postfix.command import meant

        word = written[0]
        if word[:1] == "-" and word[1:]:
            said, found = "no such option", meant.by_option(word, self)
        else:
            said, found = "only options are expected here", meant.by_words(written, self)
        if found:
            said += f"; did you mean {found}?"
        elif self.strange_may_be:
            said += f"; {self.strange_may_be}, as in {self.example}"
        self.error(f"{word}: {said}")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Say which choices there are; argparse calls it."""
        if action.choices is None or value in action.choices:
            return
        from check_postfix.command import meant

        choices = [str(choice) for choice in action.choices]
        near = meant.near(value, choices)
        there_are = f"there are {', '.join(choices)}"
        self.error(
            f"{action.option_strings[0]} {value}: "
            + (f"did you mean {near}?; {there_are}" if near else there_are)
        )


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the values of all options."""
    asked = [name for name in SUBCOMMANDS if name in arguments[:1]]
    parser, subparsers = parsers(asked or SUBCOMMANDS.keys())
    if not arguments:
        parser.print_help()
        sys.exit(WRONG_USAGE)
    if not asked and not _is_of_all(arguments[0], parser):
        from check_postfix.command import meant

        found = meant.by_subcommand(arguments, SUBCOMMANDS)
        said = f"did you mean {found}?" if found else f"there are {', '.join(SUBCOMMANDS)}"
        parser.error(f"{arguments[0]}: no subcommand; {said}")
    if asked and any(
        flag in arguments for flag in (moment.SINCE, moment.UNTIL, moment.DAY, moment.AT)
    ):
        from check_postfix.command import meant

        if wrong := meant.in_quotes(arguments):
            subparsers[asked[0]].error(wrong)
    options, strange = parser.parse_known_args(_joined(arguments))
    if strange:
        subparsers[options.subcommand].strange(strange)
    return options


def _is_of_all(written: str, parser: argparse.ArgumentParser) -> bool:
    """Tell whether it is an option of the command itself, maybe a shortened one."""
    from check_postfix.command import meant

    return any(
        written == flag or (len(written) > len("--") and flag.startswith(written))
        for flag in meant.flags(parser)
    )


def _joined(arguments: Sequence[str]) -> list[str]:
    """Return them with `--since -1h` as one, which would be taken for two options otherwise."""
    joined: list[str] = []
    for written in arguments:
        is_ago = written[:1] == "-" and written[1:2].isdigit()
        if is_ago and joined and joined[-1] in (moment.SINCE, moment.UNTIL):
            joined[-1] += f"={written}"
        else:
            joined.append(written)
    return joined


def parsers(names: Collection[str] = SUBCOMMANDS.keys()) -> tuple[_Parser, dict[str, _Parser]]:
    """Return the parser of the command, and those of these subcommands by name."""
    parser = _Parser(
        prog="postfix-log", description="From an alarm about mail to its cause, in the mail log."
    )
    parser.add_argument("-V", "--version", action="version", version=f"postfix-log {__version__}")
    subparsers = parser.add_subparsers(dest="subcommand", required=True, metavar="SUBCOMMAND")
    each = {}
    for name in names:
        module = module_of(name)
        each[name] = subparser = subparsers.add_parser(
            name,
            help=module.HELP,
            description=module.DESCRIPTION,
            epilog=module.EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(subparser)
        subparser.lacking = getattr(module, "LACKING", "")
        subparser.strange_may_be = getattr(module, "STRANGE_MAY_BE", "")
        subparser.example = getattr(module, "EXAMPLE", "")
    return parser, each
