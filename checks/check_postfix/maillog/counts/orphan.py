"""Orphan: what is known of a message whose first half is not in the piece of log."""

from __future__ import annotations


class Orphan:
    """What is known of a message whose first half is not in the piece of log.

    sent:     (kind, minute) -> number of sent lines
    deferred: number of deferrals
    active:   (minute, size, recipients) of the queue manager's first line
    cancelled: minute in which the client gave up
    bounced:  number of recipients that bounced before that line of the queue manager, and of
              those that did behind it
    tried:    (minute, watched address, whether behind that line) of tries to deliver it

    With `active` or `cancelled` it is complete: the lines that follow belong to that.
    """

    __slots__ = ("active", "bounced", "cancelled", "deferred", "sent", "tried")

    def __init__(self) -> None:
        self.bounced = [0, 0]
        self.tried: set[tuple[int, str, bool]] = set()
        self.sent: dict[tuple[str, int], int] = {}
        self.deferred = 0
        self.active: tuple[int, int, int] | None = None
        self.cancelled: int | None = None

    @property
    def is_complete(self) -> bool:
        """Whether no line that follows is part of it."""
        return self.active is not None or self.cancelled is not None


def is_complete(orphan: Orphan | int | None) -> bool:
    """Tell whether no line that follows is part of what `Messages.orphans` has of a message."""
    return isinstance(orphan, Orphan) and orphan.is_complete
