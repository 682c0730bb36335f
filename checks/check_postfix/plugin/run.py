"""Run a check: from the command line to output and exit code, whatever happens.

Everything goes to standard output; a plugin that dies with a traceback on
standard error tells Nagios nothing. Help and wrong use are UNKNOWN, exit code 3.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from argparse import SUPPRESS, ArgumentParser, Namespace, RawDescriptionHelpFormatter

from check_postfix import __version__, ending
from check_postfix.ending import Ended
from check_postfix.plugin import values
from check_postfix.plugin.errors import Unknown, Unreadable, UsageError
from check_postfix.plugin.option import Option
from check_postfix.plugin.output import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn

    from check_postfix.plugin.called import Called
    from check_postfix.plugin.check import Check

    # Title and options of each group, as --help shows them
    Groups = Sequence[tuple[str, Sequence[Option]]]

UNKNOWN = 3
_COLUMNS = 80

TIMEOUT = Option(
    "--timeout",
    "give up after this time, which is UNKNOWN",
    default="10",
    parse=values.timeout,
    metavar="SECONDS",
    short="-t",
)
VERBOSE = Option(
    "--verbose",
    "say more: -v the worst offenders, -vv what was read, -vvv how",
    short="-v",
    switch=True,
)
PROMETHEUS = Option(
    "--prometheus",
    "also write the metrics to this file, for node-exporter's textfile collector",
    parse=values.prom_file,
    metavar="FILE",
    example="/var/lib/prometheus/node-exporter/postfix_queue.prom",
)
OUTPUT = Option(
    "--output",
    "form of what is printed: text, json (for Zabbix), or checkmk (a line of a local check)",
    default="text",
    parse=values.one_of("text", "json", "checkmk"),
    metavar="FORM",
)
VERSION = Option("--version", "show the version", short="-V", switch=True)
HELP = Option("--help", "show this help", short="-h", switch=True)
STANDARD = (TIMEOUT, VERBOSE, PROMETHEUS, OUTPUT, VERSION, HELP)
STANDARD_GROUP = ("standard options", STANDARD)

# For each of its words argparse looks for a translation, which no machine has, and loads what
# reads locales for that: a fortieth of a run.
argparse._ = str  # type: ignore[attr-defined]

# How much of two names is the same where one may be meant for the other: --windows, --window.
_ALIKE = 0.7
# What writing a small file may take, in seconds.
_WRITING = 1.0


class TimedOut(BaseException):
    """The time is up. Not an Exception, so that nothing on the way takes it for its own."""


def run(check: Check, arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a check and leave with its exit code."""
    raise SystemExit(answer(check, sys.argv[1:] if arguments is None else arguments))


def answer(check: Check, arguments: Sequence[str]) -> int:
    """Run a check, print what it says, and return its exit code."""
    sys.unraisablehook = lambda error: _unraisable(check, error)
    text, code = outcome_of(check, arguments, answers=True)
    return code if is_written(text) else UNKNOWN


def is_written(text: str) -> bool:
    """Print a text, and tell whether it is printed."""
    left = text.encode("utf-8", "replace")
    try:
        # Past sys.stdout, which is None when closed, and complains at exit when nobody reads.
        while left:
            left = left[os.write(1, left) :]
    except OSError:
        return False
    return True


def _unraisable(check: Check, error: Any) -> None:
    """Be silent about what goes wrong where nobody can be told, such as in closing a file.

    What was to end the run has been lost there: end it.
    """
    if isinstance(error.exc_value, (Ended, TimedOut)):
        words = str(error.exc_value) or "timed out; raise --timeout"
        os.write(1, str(Outcome(check.name, UNKNOWN, words)).encode())
        os._exit(UNKNOWN)


def outcome_of(check: Check, arguments: Sequence[str], answers: bool = False) -> tuple[str, int]:
    """Return what a check prints when called like this, and its exit code.

    answers: whether signals that end the process are answered from now on, by a line as well
    """
    options = Namespace(verbose=0)
    try:
        try:
            if answers:
                ending.interrupt()
            options_of(check, arguments, options)
            if options.help:
                return help_text(check), UNKNOWN
            if options.version:
                return f"{check.executable} {__version__}\n", UNKNOWN
            start_timer(options.timeout)
            started = time.monotonic()
            with check.source.open(options) as subject:
                outcome = check.judge(subject, options, options.verbose)
            if options.verbose >= 3:
                outcome.add(how(options, time.monotonic() - started))
        finally:
            stop_timer()
            ending.be_deaf()
    except BaseException as error:  # noqa: BLE001 - the last resort: Nagios must be told
        outcome = outcome_of_error(check, error, options)
    if getattr(options, PROMETHEUS.name, None):
        export(outcome, options.prometheus, lambda: _exposition(check, outcome, options))
    return _printed(outcome, getattr(options, OUTPUT.name, None)), outcome.exit_code


def outcome_of_error(
    check: Called, error: BaseException, options: Namespace, executable: str = ""
) -> Outcome:
    """Return what a check says that was ended by an error.

    executable: that was called, if it is not the check's own
    Raises: the error itself, if it is none that a check answers
    """
    state, lines = UNKNOWN, []
    if isinstance(error, UsageError):
        words = f"{error}; see {executable or check.executable} --help"
    elif isinstance(error, Unreadable):
        state, words = check.unreadable, str(error)
    elif isinstance(error, Unknown):
        state, words = error.state, str(error)
    elif isinstance(error, TimedOut):
        lines = _where(error, options)
        words = f"timed out after {options.timeout:g} s; see where with -vvv, or raise --timeout"
    elif isinstance(error, Ended):
        words = str(error)
    elif isinstance(error, KeyboardInterrupt):
        words = "interrupted"
    elif isinstance(error, Exception):
        words, lines = _unexpected(error), _where(error, options)
    else:
        raise error
    return Outcome(check.name, state, words, lines=lines)


def _printed(outcome: Outcome, form: str | None) -> str:
    """Return an outcome in this form; as text where nobody could tell which."""
    if form in (None, "text"):
        return str(outcome)
    # Most runs print text.
    from check_postfix.plugin import forms

    return forms.json(outcome) if form == "json" else forms.checkmk(outcome)


def _unexpected(error: Exception) -> str:
    """Return what is said of an error that nobody has foreseen."""
    if isinstance(error, FileNotFoundError):
        from check_postfix import unwritable

        if unwritable.is_without_directory():
            return (
                "the working directory was deleted; start the check in another one,"
                " or name files by their whole paths"
            )
    return (
        f"internal error: {type(error).__name__}: {error}; please report it with the output of -vvv"
    )


def _exposition(check: Check, outcome: Outcome, options: Namespace) -> str:
    from check_postfix.plugin import prometheus

    return prometheus.exposition(check, outcome, options, time.time())


def export(outcome: Outcome, path: str, text: Callable[[], str]) -> None:
    """Write a file for Prometheus, or say in an outcome why that was not possible.

    text: makes what is to be in it
    """
    from check_postfix import unwritable
    from check_postfix.plugin import prometheus

    try:
        start_timer(_WRITING)
        try:
            prometheus.write(path, text())
        finally:
            stop_timer()
    except prometheus.OthersFile as other:
        outcome.add_trouble(
            f"cannot write {path}: it holds the metrics of {other}; give each check a file of"
            f" its own with {PROMETHEUS.flag}"
        )
    except OSError as error:
        cause, fix = unwritable.why(error.filename or path, error.errno, PROMETHEUS.flag) or (
            (error.strerror or str(error)).lower(),
            f"choose another with {PROMETHEUS.flag}",
        )
        outcome.add_trouble(f"cannot write {path}: {cause}; {fix}")
    except TimedOut:
        outcome.add_trouble(f"writing {path} took longer than {_WRITING:g} s; is the disk well?")


def how(options: Namespace, seconds: float) -> list[str]:
    """Return lines for -vvv: with what, and how fast."""
    import nagiosplugin

    python = ".".join(map(str, sys.version_info[:3]))
    return [
        f"check_postfix {__version__}, Python {python},"
        f" nagiosplugin {getattr(nagiosplugin, '__version__', 'of unknown version')}",
        f"measured and judged in {seconds * 1000:.0f} ms",
        *(f"{name} = {value}" for name, value in sorted(vars(options).items())),
    ]


def start_timer(seconds: float) -> None:
    """Let TimedOut be raised after so many seconds, more than 0."""

    def time_is_up(*_: object) -> None:
        raise ending.raised(TimedOut())

    ending.forget_what_was_raised()
    signal.signal(signal.SIGALRM, time_is_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def stop_timer() -> None:
    """Let it be raised no more."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    ending.forget_what_was_raised()


def _where(error: BaseException, options: Namespace) -> list[str]:
    """Return the lines of a traceback, with -vvv only."""
    if options.verbose < 3:
        return []
    import traceback

    return "".join(traceback.format_exception(error)).splitlines()


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print to standard error."""
        raise UsageError(_in_plain_words(message))


def _in_plain_words(message: str) -> str:
    """Return what argparse says of an option, as `argument -w/--warning: ...`, with what to do."""
    named, _, said = message.removeprefix("argument ").partition(": ")
    flag = named.rpartition("/")[2]
    if said == "expected one argument":
        return f"{flag}: has no value; where one begins with - it is written {flag}=-5"
    before, ignored, written = said.partition("ignored explicit argument ")
    return f"{flag}: takes no value, so not {written[1:-1]}" if ignored and not before else message


class _Once(argparse.Action):
    """Of what chooses one, the last would have its way, and the others would not be looked at."""

    def __call__(
        self, _: ArgumentParser, namespace: Namespace, values: Any, option: Any = None
    ) -> None:
        before = getattr(namespace, self.dest)
        if before not in (None, values):
            raise UsageError(
                f"{option} {values}: beside {before}, and one run judges one or all; run it for"
                " each, or leave it out"
            )
        setattr(namespace, self.dest, values)


def options_of(
    check: Check, arguments: Sequence[str], options: Namespace | None = None
) -> Namespace:
    """Return the values of all options, by name.

    options: where an error ends it, filled with what was understood, None for the rest
    Raises:  UsageError naming the option, what is wrong and what would be right
    """
    options = options or Namespace(verbose=0)
    groups = [*check.groups, STANDARD_GROUP]
    faults = [
        *read(check.executable, groups, arguments, options),
        *evaluate([option for _, members in groups for option in members], options),
    ]
    if faults:
        raise faults[0]
    return options


def read(
    executable: str, groups: Groups, arguments: Sequence[str], options: Namespace
) -> list[UsageError]:
    """Take down what is written for each option, None where there is nothing.

    groups: of the options that there are
    Returns: what is wrong with it
    """
    try:
        parser = _parser(executable, groups)
        _, strange = parser.parse_known_args(list(arguments), options)
    except UsageError as error:
        return [error]
    return [UsageError(_not_an_option(written, groups)) for written in strange[:1]]


def evaluate(declared: Sequence[Option], options: Namespace) -> list[UsageError]:
    """Put values in the place of what is written for options, and defaults where nothing is.

    Returns: what is wrong; the value is None then
    """
    faults = []
    for option in declared:
        if option.switch:
            continue
        try:
            value = _value(option, getattr(options, option.name))
        except UsageError as error:
            faults.append(error)
            value = None
        setattr(options, option.name, value)
    return faults


def _not_an_option(written: str, groups: Groups) -> str:
    if not written.startswith("-"):
        return f"{written}: every value needs an option before it"
    import difflib

    # The dashes, which all have, would make any two of them alike.
    names = [option.flag.lstrip("-") for _, members in groups for option in members]
    near = difflib.get_close_matches(written.partition("=")[0].lstrip("-"), names, 1, _ALIKE)
    return f"{written}: no such option" + (f"; did you mean --{near[0]}?" if near else "")


def _value(option: Option, written: Any) -> Any:
    if option.repeatable:
        return [option.value(one) for one in written or ()]
    if written is None:
        written = option.default
    return None if written is None else option.value(written)


def _parser(executable: str, groups: Groups) -> ArgumentParser:
    parser = _Parser(
        prog=executable,
        formatter_class=lambda prog: RawDescriptionHelpFormatter(
            prog, max_help_position=28, width=_COLUMNS
        ),
        add_help=False,
        allow_abbrev=False,
        usage=f"{executable} [options]",
    )
    for title, members in groups:
        group = parser.add_argument_group(title)
        for option in members:
            _add(group, option)
    return parser


def _add(group: Any, option: Option) -> None:
    flags = [option.short, option.flag] if option.short else [option.flag]
    help_text = option.help_with_default.replace("%", "%%")
    if option is VERBOSE:
        group.add_argument(*flags, action="count", default=SUPPRESS, help=help_text)
    elif option.switch:
        group.add_argument(*flags, action="store_true", help=help_text)
    else:
        group.add_argument(
            *flags,
            metavar=option.metavar,
            action="append" if option.repeatable else _Once if option.chooses else "store",
            help=help_text,
        )


def _epilog(examples: Sequence[tuple[str, str]]) -> str:
    import textwrap

    lines = [
        "ranges: 10 alerts above 10, 10: below 10, 10:20 outside, @10:20 inside,",
        "        ~:10 above 10 only, where numbers can be below 0",
    ]
    if examples:
        lines += ["", "examples:"]
        for command, what in examples:
            lines += [
                f"  {command}",
                *textwrap.wrap(f"      {what}", _COLUMNS - 1, subsequent_indent="      "),
            ]
    return "\n".join(lines)


def help_text(check: Check) -> str:
    """Return the text of --help, 80 columns wide."""
    groups = [*check.groups, STANDARD_GROUP]
    return help_of(check.executable, groups, check.description, check.examples)


def help_of(
    executable: str, groups: Groups, description: str, examples: Sequence[tuple[str, str]]
) -> str:
    """Return the text of --help of an executable with these options, 80 columns wide."""
    # Most runs show none.
    import textwrap

    parser = _parser(executable, groups)
    parser.description = textwrap.fill(description, _COLUMNS)
    parser.epilog = _epilog(examples)
    return parser.format_help()
