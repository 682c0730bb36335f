"""Run a check: from the command line to output and exit code, whatever happens.

Everything goes to standard output; a plugin that dies with a traceback on
standard error tells Nagios nothing. Help and wrong use are UNKNOWN, exit code 3.
"""

from __future__ import annotations

import os
import sys
import time
from argparse import Namespace

from check_postfix import __version__, ending
from check_postfix.ending import Ended
from check_postfix.plugin import timer
from check_postfix.plugin.arguments import OUTPUT, PROMETHEUS, help_text, options_of
from check_postfix.plugin.errors import Unknown, Unreadable, UsageError
from check_postfix.plugin.output import Outcome
from check_postfix.plugin.timer import TimedOut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn

    from check_postfix.plugin.called import Called
    from check_postfix.plugin.check import Check

UNKNOWN = 3
# What writing a small file may take, in seconds.
_WRITING = 1.0


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
    outcome = judged(check, arguments, options, answers)
    if isinstance(outcome, str):
        return outcome, UNKNOWN
    return _printed(outcome, getattr(options, OUTPUT.name, None)), outcome.exit_code


def judged(
    check: Check, arguments: Sequence[str], options: Namespace, answers: bool = False
) -> Outcome | str:
    """Return what a check says when called like this, or the text that was asked for instead.

    options: filled with what was understood
    answers: as of outcome_of
    """
    try:
        try:
            if answers:
                ending.interrupt()
            options_of(check, arguments, options)
            if options.help:
                return help_text(check)
            if options.version:
                return f"{check.executable} {__version__}\n"
            timer.start(options.timeout)
            started = time.monotonic()
            with check.source.open(options) as subject:
                outcome = check.judge(subject, options, options.verbose)
            if options.verbose >= 3:
                outcome.add(how(options, time.monotonic() - started))
        finally:
            timer.stop()
            ending.be_deaf()
    except BaseException as error:  # noqa: BLE001 - the last resort: Nagios must be told
        outcome = outcome_of_error(check, error, options)
    if getattr(options, PROMETHEUS.name, None):
        export(outcome, options.prometheus, lambda: _exposition(check, outcome, options))
    return outcome


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
        timer.start(_WRITING)
        try:
            prometheus.write(path, text())
        finally:
            timer.stop()
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


def _where(error: BaseException, options: Namespace) -> list[str]:
    """Return the lines of a traceback, with -vvv only."""
    if options.verbose < 3:
        return []
    import traceback

    return "".join(traceback.format_exception(error)).splitlines()
