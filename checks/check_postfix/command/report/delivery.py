"""The delivery of a report: onto a terminal, into a pipe, a file or a mailbox."""

from __future__ import annotations

import os
import sys

from check_postfix.command.report import drawing, plain
from check_postfix.maillog.errors import LogError
from check_postfix.plugin import UsageError, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from check_postfix.command.report.section import Report

# What a report that is sent is attached as
_ATTACHED = "mail-report.html"


def see_that_it_can(options: Namespace) -> None:
    """See whether a report can be delivered, before the log is read.

    Raises: UsageError, LogError
    """
    if options.mail:
        from check_postfix.command.report import letter

        for address in options.mail:
            if not letter.is_address(address):
                raise UsageError(
                    f"--mail {address!r}: not one plain address; example: --mail"
                    " postmaster@example.com"
                )
    if options.html is not None and drawing.library("jinja2") is None:
        raise LogError(
            f"--html needs jinja2, which is not installed; {drawing.how_to_install('jinja2')}"
        )


def deliver(report: Report, options: Namespace) -> Iterator[str]:
    """Deliver a report; yield what is to be printed.

    Raises: LogError
    """
    if options.html is not None:
        from check_postfix.command.report.page import page

        _write(options.html, page(report))
    if options.mail:
        _send(report, options.mail)
    if options.json:
        from check_postfix.command.report import as_json

        yield as_json.text(report)
    elif options.html is None and not options.mail:
        yield from _printed(report)


def _printed(report: Report) -> Iterator[str]:
    if not sys.stdout.isatty():
        return plain.lines(report)
    import shutil

    width = shutil.get_terminal_size().columns
    is_coloured = "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    if drawing.library("rich") is not None:
        from check_postfix.command.report import terminal

        return terminal.lines(report, width, is_coloured)
    return plain.lines(report, width, plain.coloured if is_coloured else plain.no_paint)


def _write(path: str, text: str) -> None:
    """Write a file at once or not at all; only its owner can read it.

    Raises: LogError
    """
    import tempfile

    directory = os.path.dirname(os.path.abspath(path))
    try:
        # mkstemp lets nobody else read it.
        number, scratch = tempfile.mkstemp(prefix=".mail-report-", dir=directory)
        try:
            with os.fdopen(number, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(scratch, path)
        except BaseException:
            os.unlink(scratch)
            raise
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise LogError(f"cannot write {path}: {why}; choose another file with --html") from None


def _send(report: Report, to: list[str]) -> None:
    """Send a report.

    Raises: LogError
    """
    from check_postfix.command.report import letter

    text = "\n".join(plain.lines(report)) + "\n"
    urgent = sum(problem.weight > 1 for problem in report.problems)
    subject = f"{report.title}: {_problems(len(report.problems), urgent)}"
    html = page = ""
    if drawing.library("jinja2") is not None:
        from check_postfix.command.report import page as drawn

        html, page = drawn.letter(report), drawn.page(report)
    letter.send(letter.letter(to, subject, text, html, page, _ATTACHED), to)


def _problems(number: int, urgent: int) -> str:
    if not number:
        return "no problems"
    words = values.amount(number, "problem")
    return f"{words}, {urgent} urgent" if urgent else words
