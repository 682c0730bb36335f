"""Line counts: how many log lines were read, and what became of them."""

from __future__ import annotations

from collections import namedtuple


class LineCounts(
    namedtuple("LineCounts", "lines events matched foreign unparsed", defaults=(0, 0, 0, 0, 0))
):
    """Numbers of lines, but for the second.

    A daemon's are a daemon of Postfix's or Dovecot's. Their commands are other programs: anybody
    may call them, and the check of the queue does on a host whose mail is logged elsewhere.

    lines:    read
    events:   in them; one line can tell of several, and some are told by commands
    matched:  a daemon's that tell of events
    foreign:  of other programs than daemons
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
        """How many lines are a daemon's and tell of nothing that is counted."""
        return self.lines - self.matched - self.foreign - self.unparsed

    @property
    def ours(self) -> int:
        """How many lines are a daemon's, whatever they tell of."""
        return self.lines - self.foreign - self.unparsed

    def __add__(self, other: object) -> LineCounts:
        """Return the sums."""
        assert isinstance(other, LineCounts)
        return LineCounts(*map(int.__add__, self, other))
