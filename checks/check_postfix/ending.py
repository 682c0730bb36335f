"""Ending: what is done about a signal that asks a run to end.

This is what an executable loads first, before a signal can find it without an answer. So it
loads nothing itself: the module signal would make Python load two more.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable
else:
    try:
        import _signal as signal
    except ImportError:  # another Python's private name
        import signal

UNKNOWN = 3
_NAMES: dict[int, str] = {
    signal.SIGHUP: "SIGHUP",
    signal.SIGINT: "SIGINT",
    signal.SIGTERM: "SIGTERM",
}


class Ended(BaseException):
    """A signal has asked this run to end. Not an Exception, so that nothing takes it for its own.

    str(error) names it, and what to do about it.
    """


def words(number: int) -> str:
    """Return what to say of a run that a signal of this number has ended."""
    return f"ended by {_NAMES[number]}; let whoever runs this check wait longer than its --timeout"


def say_at_once(what: str) -> None:
    """Let a signal end the run at once with one line; nothing may be begun yet.

    what: `POSTFIX QUEUE`
    """

    def end(number: int, _: object) -> None:
        try:
            os.write(1, f"{what} UNKNOWN - {words(number)}\n".encode())
        finally:
            os._exit(UNKNOWN)

    try:
        _answer(end)
    except KeyboardInterrupt:  # Python's own answer to SIGINT had not yet been replaced
        end(signal.SIGINT, None)


def interrupt() -> None:
    """Let a signal interrupt the run: by Ended, once."""

    def end(number: int, _: object) -> None:
        be_deaf()
        raise raised(Ended(words(number)))

    _answer(end)


# What a signal has raised last
_raised: list[BaseException] = []


def raised(error: BaseException) -> BaseException:
    """Take down what a signal raises, and return it."""
    _raised[:] = [error]
    return error


def raise_again() -> None:
    """Raise what a signal has raised, if it has.

    For wherever it may be lost: SQLite tells only that a function of ours, which it has called, has
    failed.
    """
    if _raised:
        raise _raised.pop()


def forget_what_was_raised() -> None:
    """Be done with what a signal has raised."""
    _raised.clear()


def be_deaf() -> None:
    """Let no signal interrupt what is left to be done, if any could."""
    for number in _answered:
        signal.signal(number, signal.SIG_IGN)


_answered: list[int] = []


def _answer(end: Callable[[int, object], None]) -> None:
    for number in _NAMES:
        # What was started to go on after its terminal, or in the background, is to go on.
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, end)
            _answered.append(number)
