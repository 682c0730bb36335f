"""Run a check: from the command line to output and exit code, whatever happens.

Everything goes to standard output; a plugin that dies with a traceback on
standard error tells Nagios nothing. Help and wrong use are UNKNOWN, exit code 3.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import textwrap
import time
from argparse import SUPPRESS, ArgumentParser, Namespace, RawDescriptionHelpFormatter

from check_postfix import __version__, ending
from check_postfix.ending import Ended
from check_postfix.plugin import values
from check_postfix.plugin.errors import Unknown, UsageError
from check_postfix.plugin.option import Option
from check_postfix.plugin.output import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, NoReturn

    from check_postfix.plugin.check import Check

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

# How much of two names is the same where one may be meant for the other: --windows, --window.
_ALIKE = 0.7
# What writing a small file may take, in seconds.
_WRITING = 1.0


class _TimedOut(BaseException):
    """The time is up. Not an Exception, so that nothing on the way takes it for its own."""


def run(check: Check, arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a check and leave with its exit code."""
    sys.unraisablehook = lambda error: _unraisable(check, error)
    given = sys.argv[1:] if arguments is None else arguments
    text, code = outcome_of(check, given, answers=True)
    left = text.encode("utf-8", "replace")
    try:
        # Past sys.stdout, which is None when closed, and complains at exit when nobody reads.
        while left:
            left = left[os.write(1, left) :]
    except OSError:
        code = UNKNOWN
    # What is about to be thrown away need not be looked through once more.
    gc.freeze()
    raise SystemExit(code)


def _unraisable(check: Check, error: Any) -> None:
    """Be silent about what goes wrong where nobody can be told, such as in closing a file.

    What was to end the run has been lost there: end it.
    """
    if isinstance(error.exc_value, (Ended, _TimedOut)):
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
            _start_timer(options.timeout)
            started = time.monotonic()
            with check.source.open(options) as subject:
                outcome = check.judge(subject, options, options.verbose)
            if options.verbose >= 3:
                outcome.add(_how(options, time.monotonic() - started))
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            ending.be_deaf()
    except UsageError as error:
        outcome = Outcome(check.name, UNKNOWN, f"{error}; see {check.executable} --help")
    except Unknown as error:
        outcome = Outcome(check.name, error.state, str(error))
    except _TimedOut as error:
        outcome = Outcome(
            check.name,
            UNKNOWN,
            f"timed out after {options.timeout:g} s; see where with -vvv, or raise --timeout",
            lines=_where(error, options),
        )
    except Ended as error:
        outcome = Outcome(check.name, UNKNOWN, str(error))
    except KeyboardInterrupt:
        outcome = Outcome(check.name, UNKNOWN, "interrupted")
    except Exception as error:  # noqa: BLE001 - the last resort: Nagios must be told
        outcome = Outcome(check.name, UNKNOWN, _unexpected(error), lines=_where(error, options))
    if getattr(options, PROMETHEUS.name, None):
        _export(check, outcome, options)
    return _printed(outcome, getattr(options, OUTPUT.name, None)), outcome.exit_code


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


def _export(check: Check, outcome: Outcome, options: Namespace) -> None:
    """Write the outcome for Prometheus, or say in it why that was not possible."""
    from check_postfix import unwritable
    from check_postfix.plugin import prometheus

    path = options.prometheus
    try:
        _start_timer(_WRITING)
        try:
            prometheus.write(path, prometheus.exposition(check, outcome, options, time.time()))
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
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
    except _TimedOut:
        outcome.add_trouble(f"writing {path} took longer than {_WRITING:g} s; is the disk well?")


def _how(options: Namespace, seconds: float) -> list[str]:
    """Return lines for -vvv: with what, and how fast."""
    import nagiosplugin

    python = ".".join(map(str, sys.version_info[:3]))
    return [
        f"check_postfix {__version__}, Python {python},"
        f" nagiosplugin {getattr(nagiosplugin, '__version__', 'of unknown version')}",
        f"measured and judged in {seconds * 1000:.0f} ms",
        *(f"{name} = {value}" for name, value in sorted(vars(options).items())),
    ]


def _start_timer(seconds: float) -> None:
    def time_is_up(*_: object) -> None:
        raise _TimedOut

    signal.signal(signal.SIGALRM, time_is_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _where(error: BaseException, options: Namespace) -> list[str]:
    """Return the lines of a traceback, with -vvv only."""
    if options.verbose < 3:
        return []
    import traceback

    return "".join(traceback.format_exception(error)).splitlines()


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print to standard error."""
        raise UsageError(message)


def options_of(
    check: Check, arguments: Sequence[str], options: Namespace | None = None
) -> Namespace:
    """Return the values of all options, by name.

    options: where an error ends it, filled with what was understood, None for the rest
    Raises:  UsageError naming the option, what is wrong and what would be right
    """
    options = options or Namespace(verbose=0)
    faults = []
    try:
        _, strange = _parser(check).parse_known_args(list(arguments), options)
        faults += [UsageError(_not_an_option(written, check)) for written in strange[:1]]
    except UsageError as error:
        faults.append(error)
    for option in check.options + list(STANDARD):
        if option.switch:
            continue
        try:
            value = _value(option, getattr(options, option.name))
        except UsageError as error:
            faults.append(error)
            value = None
        setattr(options, option.name, value)
    if faults:
        raise faults[0]
    return options


def _not_an_option(written: str, check: Check) -> str:
    if not written.startswith("-"):
        return f"{written}: every value needs an option before it"
    import difflib

    # The dashes, which all have, would make any two of them alike.
    names = [option.flag.lstrip("-") for option in check.options + list(STANDARD)]
    near = difflib.get_close_matches(written.partition("=")[0].lstrip("-"), names, 1, _ALIKE)
    return f"{written}: no such option" + (f"; did you mean --{near[0]}?" if near else "")


def _value(option: Option, written: Any) -> Any:
    if option.repeatable:
        return [option.value(one) for one in written or ()]
    if written is None:
        written = option.default
    return None if written is None else option.value(written)


def _parser(check: Check) -> ArgumentParser:
    parser = _Parser(
        prog=check.executable,
        description=textwrap.fill(check.description, _COLUMNS),
        formatter_class=lambda prog: RawDescriptionHelpFormatter(
            prog, max_help_position=28, width=_COLUMNS
        ),
        epilog=_epilog(check),
        add_help=False,
        allow_abbrev=False,
        usage=f"{check.executable} [options]",
    )
    groups = (
        ("thresholds", [o for t in check.thresholds for o in (t.warning, t.critical)]),
        ("what is judged", list(check.own_options)),
        ("what is read", list(check.source.options)),
        ("standard options", list(STANDARD)),
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
            action="append" if option.repeatable else "store",
            help=help_text,
        )


def _epilog(check: Check) -> str:
    lines = [
        "ranges: 10 alerts above 10, 10: below 10, 10:20 outside, @10:20 inside,",
        "        ~:10 above 10 only, where numbers can be below 0",
    ]
    if check.examples:
        lines += ["", "examples:"]
        for command, what in check.examples:
            lines += [
                f"  {command}",
                *textwrap.wrap(f"      {what}", _COLUMNS - 1, subsequent_indent="      "),
            ]
    return "\n".join(lines)


def help_text(check: Check) -> str:
    """Return the text of --help, 80 columns wide."""
    return _parser(check).format_help()
