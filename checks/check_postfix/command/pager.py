"""A pager: an answer that is longer than the terminal's screen is shown page by page.

It is the user's own (PAGER), else less. less is told to start no other program: who may run
postfix-log as root by sudo must not get a shell from there.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys

from check_postfix import child
from check_postfix.command import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from typing import IO

_USUAL = "less"
# Of less: colours as they are; what is shown stays on the screen at the end; nothing to page if it
# fits after all.
_LESS = "FRX"
# A terminal that cannot move its cursor.
_DUMB = "dumb"


def shown(lines: Generator[str, None, int]) -> int:
    """Print lines, by a pager if they fill the screen; return what `lines` returns.

    Nothing is shown before as many are there, or all of them: it is meant for lines that come at
    once when they come.

    Raises: BrokenPipeError if nobody reads any more, and there is no pager
    """
    held: list[str] = []
    command = _command()
    left = _rows() - 1 if command else 0  # below the last line is the prompt
    while left > 0:
        try:
            held.append(next(lines))
        except StopIteration as end:
            _print(held, sys.stdout)
            return int(end.value)
        left -= max(1, -(-len(held[-1]) // _columns()))
    if held and command and (pager := _started(command)):
        return _paged(pager, held, lines)
    _print(held, sys.stdout)
    return text.printed(lines, sys.stdout)


def _rows() -> int:
    """Return how many lines the terminal has that standard output is, 0 if it is none."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).lines
    except OSError:
        return 0


def _columns() -> int:
    return os.get_terminal_size(sys.stdout.fileno()).columns or 1


def _command() -> list[str] | None:
    """Return the user's pager, None if there is none, or if it is not wanted or of no use."""
    if os.environ.get("TERM") == _DUMB:
        return None
    try:
        words = shlex.split(os.environ.get("PAGER", _USUAL))
    except ValueError:  # a quote that does not end
        return None
    if not words:
        return None
    # As ever, nothing is run from a place that depends on where one is.
    program: str | None = words[0]
    if not words[0].startswith("/"):
        program = None if "/" in words[0] else child.find(words[0])
    return [program, *words[1:]] if program else None


def _started(command: list[str]) -> subprocess.Popen[str] | None:
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            env={"LESS": _LESS, **os.environ, "LESSSECURE": "1"},
            encoding=sys.stdout.encoding,
            errors="replace",
        )
    except OSError:
        return None


def _paged(
    pager: subprocess.Popen[str], held: Iterable[str], lines: Generator[str, None, int]
) -> int:
    """Hand lines to a running pager, and wait until its user has seen enough."""
    assert pager.stdin is not None  # it is a pipe
    try:
        with pager.stdin:
            _print(held, pager.stdin)
            return text.printed(lines, pager.stdin)
    except BrokenPipeError:  # they have
        return 0
    finally:
        # From here on Ctrl-C is the pager's alone.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        pager.wait()
        signal.signal(signal.SIGINT, before)


def _print(lines: Iterable[str], file: IO[str]) -> None:
    for line in lines:
        print(line, file=file)
