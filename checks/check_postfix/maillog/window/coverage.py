"""Coverage: of which time the log was read, and what of it is missing."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Coverage:
    """What of one log's time was read.

    start:   minute from which on every line that still exists was read; None if
             there is no line at all
    end:     minute up to which it was read, not included
    last:    minute of the newest line, or None
    complete: whether `start` is where the log begins; otherwise older files are
             still to be read
    gaps:    (first, last) minutes between which lines were destroyed unread
    lines:   lines read of the generations that are known
    events:  events in them; one line can tell of several
    matched, foreign, unparsed: lines that told of events, those of other programs
             than Postfix and Dovecot, those that nobody could read
    notes:   sentences about files that could not be read
    """

    __slots__ = (
        "complete", "end", "events", "foreign", "gaps", "last", "lines", "matched", "notes",
        "start", "unparsed",
    )  # fmt: skip

    def __init__(
        self,
        start: int | None,
        end: int,
        last: int | None = None,
        complete: bool = True,
        gaps: Sequence[tuple[int, int]] = (),
        lines: int = 0,
        events: int = 0,
        matched: int = 0,
        foreign: int = 0,
        unparsed: int = 0,
        notes: Sequence[str] = (),
    ) -> None:
        self.start = start
        self.end = end
        self.last = last
        self.complete = complete
        self.gaps = gaps
        self.lines = lines
        self.events = events
        self.matched = matched
        self.foreign = foreign
        self.unparsed = unparsed
        self.notes = notes

    @property
    def silent(self) -> int:
        """How many lines are Postfix's or Dovecot's and tell of nothing that is counted."""
        return self.lines - self.matched - self.foreign - self.unparsed

    def since(self, minute: int) -> Coverage:
        """Return the coverage without what lies before a minute."""
        return Coverage(
            None if self.start is None else max(self.start, minute), self.end, gaps=self.gaps
        )

    def gaps_in(self, start: int, end: int) -> list[tuple[int, int]]:
        """Return the gaps that touch the minutes from begin up to, not with, end."""
        return [(first, last) for first, last in self.gaps if first < end and start <= last]

    def includes(self, start: int, end: int) -> bool:
        """Tell whether all lines of these minutes that ever were have been read."""
        return (
            self.start is not None
            and self.start <= start
            and end <= self.end
            and not self.gaps_in(start, end)
        )
