"""Timer: what ends a run whose time is up."""

from __future__ import annotations

import signal

from check_postfix import ending


class TimedOut(BaseException):
    """The time is up. Not an Exception, so that nothing on the way takes it for its own."""


def start(seconds: float) -> None:
    """Let TimedOut be raised after so many seconds, more than 0."""

    def time_is_up(*_: object) -> None:
        raise ending.raised(TimedOut())

    ending.forget_what_was_raised()
    signal.signal(signal.SIGALRM, time_is_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def stop() -> None:
    """Let it be raised no more."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    ending.forget_what_was_raised()
