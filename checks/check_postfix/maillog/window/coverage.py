"""Coverage: of which time the log was read, and what of it is missing."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Coverage:
    """What of one log's time was read.

    begin:   minute from which on every line that still exists was read; None if
             there is no line at all
    end:     minute up to which it was read, not included
    last:    minute of the newest line, or None
    complete: whether `begin` is where the log begins; otherwise older files are
             still to be read
    gaps:    (first, last) minutes between which lines were destroyed unread
    lines:   lines read of the generations that are known
    events:  events in them; one line can tell of several
    telling, foreign, unframed: lines that told of events, those of other programs
             than Postfix and Dovecot, those that nobody could read
    notes:   sentences about files that could not be read
    """

    __slots__ = (
        "begin", "complete", "end", "events", "foreign", "gaps", "last", "lines", "notes",
        "telling", "unframed",
    )  # fmt: skip

    def __init__(
        self,
        begin: int | None,
        end: int,
        last: int | None = None,
        complete: bool = True,
        gaps: Sequence[tuple[int, int]] = (),
        lines: int = 0,
        events: int = 0,
        telling: int = 0,
        foreign: int = 0,
        unframed: int = 0,
        notes: Sequence[str] = (),
    ) -> None:
        self.begin = begin
        self.end = end
        self.last = last
        self.complete = complete
        self.gaps = gaps
        self.lines = lines
        self.events = events
        self.telling = telling
        self.foreign = foreign
        self.unframed = unframed
        self.notes = notes

    @property
    def silent(self) -> int:
        """How many lines are Postfix's or Dovecot's and tell of nothing that is counted."""
        return self.lines - self.telling - self.foreign - self.unframed

    def since(self, minute: int) -> Coverage:
        """Return the coverage without what lies before a minute."""
        return Coverage(
            None if self.begin is None else max(self.begin, minute), self.end, gaps=self.gaps
        )

    def gaps_in(self, begin: int, end: int) -> list[tuple[int, int]]:
        """Return the gaps that touch the minutes from begin up to, not with, end."""
        return [(first, last) for first, last in self.gaps if first < end and begin <= last]

    def includes(self, begin: int, end: int) -> bool:
        """Tell whether all lines of these minutes that ever were have been read."""
        return (
            self.begin is not None
            and self.begin <= begin
            and end <= self.end
            and not self.gaps_in(begin, end)
        )
