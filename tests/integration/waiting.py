"""Waiting for what another process will do, with an end."""

import time
from collections.abc import Callable


def wait_until(
    happened: Callable[[], bool],
    what: str,
    seconds: float = 90,
    otherwise: Callable[[], str] = str,
) -> None:
    """Return as soon as it happened.

    Raises: TimeoutError, naming what was waited for, and what is the case otherwise
    """
    end = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds} s in vain for {what}; {otherwise()}")
        time.sleep(0.05)
