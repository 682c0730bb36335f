"""The command line of postfix-log."""

from __future__ import annotations

import argparse
import difflib
import os
import signal
import sys
from contextlib import closing

from check_postfix import __version__
from check_postfix.command import now, trace
from check_postfix.maillog.errors import LogError
from check_postfix.plugin import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

# Each is a module with HELP, DESCRIPTION, EPILOG, add_arguments() and run().
SUBCOMMANDS = {"now": now, "trace": trace}

WRONG_USAGE, NOT_READ = 2, 3
# What a shell says of a program that a signal has ended
_OF_SIGNALS = 128


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and exit: 0 found, 1 nothing found, 2 wrong usage, 3 not read."""
    options = _options(sys.argv[1:] if arguments is None else arguments)
    try:
        sys.exit(_run(options))
    except UsageError as error:
        _complain(str(error), WRONG_USAGE)
    except LogError as error:
        _complain(str(error), NOT_READ)
    except KeyboardInterrupt:
        _complain("ended by Ctrl-C; what is printed is not all", _OF_SIGNALS + signal.SIGINT)
    except BrokenPipeError:  # whoever reads it has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def _run(options: argparse.Namespace) -> int:
    with closing(SUBCOMMANDS[options.subcommand].run(options)) as lines:
        while True:
            try:
                print(next(lines))
            except StopIteration as end:
                sys.stdout.flush()
                return int(end.value)


def _complain(words: str, status: int) -> NoReturn:
    sys.stdout.flush()
    print(f"postfix-log: {words}", file=sys.stderr)
    sys.exit(status)


class _Parser(argparse.ArgumentParser):
    """Tells in one line what is wrong, what may be meant, and where help is."""

    def error(self, message: str) -> NoReturn:
        """Say it and exit."""
        _complain(f"{message}; see {self.prog} --help", WRONG_USAGE)

    def strange(self, written: str) -> NoReturn:
        """Say that there is no such option."""
        known = [flag for action in self._actions for flag in action.option_strings]
        near = difflib.get_close_matches(written.partition("=")[0], known, n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
        self.error(f"{written}: no such option{meant}")


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the values of all options."""
    parser, subparsers = _parsers()
    if not arguments:
        parser.print_help()
        sys.exit(WRONG_USAGE)
    options, strange = parser.parse_known_args(arguments)
    if strange:
        subparsers[options.subcommand].strange(strange[0])
    return options


def _parsers() -> tuple[_Parser, dict[str, _Parser]]:
    parser = _Parser(
        prog="postfix-log", description="From an alarm about mail to its cause, in the mail log."
    )
    parser.add_argument("-V", "--version", action="version", version=f"postfix-log {__version__}")
    subparsers = parser.add_subparsers(dest="subcommand", required=True, metavar="SUBCOMMAND")
    each = {}
    for name, module in SUBCOMMANDS.items():
        each[name] = subparser = subparsers.add_parser(
            name,
            help=module.HELP,
            description=module.DESCRIPTION,
            epilog=module.EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(subparser)
    return parser, each
