"""Rotated: logs are read anew where one of them is rotated meanwhile."""

from __future__ import annotations

from check_postfix.command.logs import Rotated
from check_postfix.maillog.errors import LogError

# How often it may be.
_TRIES = 3


class Readings:
    """The readings of which one is to be whole: `while True: with readings: return ...`."""

    def __init__(self) -> None:
        self._left = _TRIES

    def __enter__(self) -> None:
        """Begin one."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> bool:
        """Tell whether another one follows.

        Raises: LogError after the last
        """
        if not isinstance(error, Rotated):
            return False
        self._left -= 1
        if not self._left:
            raise LogError("the log was rotated each time while it was read; try once more")
        return True
