"""Line counts: how many log lines were read, and what became of them."""

from __future__ import annotations

from collections import namedtuple


class LineCounts(
    namedtuple("LineCounts", "lines events matched foreign unparsed", defaults=(0, 0, 0, 0, 0))
):
    """Numbers of lines, but for the second.

    lines:    read
    events:   in them; one line can tell of several
    matched:  tell of events
    foreign:  are of other programs than Postfix and Dovecot
    unparsed: have no frame that we know, or tell of an event but have no date
    """

    __slots__ = ()

    lines: int
    events: int
    matched: int
    foreign: int
    unparsed: int

    @property
    def uncounted(self) -> int:
        """How many lines are Postfix's or Dovecot's and tell of nothing that is counted."""
        return self.lines - self.matched - self.foreign - self.unparsed

    @property
    def ours(self) -> int:
        """How many lines are Postfix's or Dovecot's, whatever they tell of."""
        return self.lines - self.foreign - self.unparsed

    def __add__(self, other: object) -> LineCounts:
        """Return the sums."""
        assert isinstance(other, LineCounts)
        return LineCounts(*map(int.__add__, self, other))
