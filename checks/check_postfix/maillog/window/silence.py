"""Silence: since when those who are looked at have logged nothing."""

from __future__ import annotations

from check_postfix.maillog.source.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Silence(Value):
    """Who has logged nothing in a window, or for longer than may be.

    A line breaks it that a daemon of Postfix or Dovecot has written.

    last:  minute of the newest line of all that is looked at, None if that is no silence
    whose: what was chosen, such as `host mx2`; nothing if all is looked at
    most:  minutes that it may last
    parts: (name, minute of its newest line) of each host or log that is silent for longer,
           while others are not
    """

    last: int | None = None
    whose: str = ""
    most: int = 0
    parts: Sequence[tuple[str, int]] = ()

    def is_too_long(self, end: int) -> bool:
        """Tell whether it lasts longer than it may.

        end: minute after the last one that is looked at
        """
        return self.last is not None and end - self.last > self.most
