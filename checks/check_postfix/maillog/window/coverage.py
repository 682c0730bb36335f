"""Coverage: of which time the log was read, and what of it is missing."""

from __future__ import annotations

from check_postfix.maillog.source.line_counts import LineCounts
from check_postfix.maillog.source.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Coverage(Value):
    """What of one log's time was read.

    start:   minute from which on every line that still exists was read; None if
             there is no line at all
    end:     minute up to which it was read, not included
    last:    minute of the newest line, or None
    complete: whether `start` is where the log begins; otherwise older files are
             still to be read
    gaps:    (first, last) minutes between which lines were destroyed unread
    line_counts: of the lines read of the generations that are known
    notes:   sentences about files that could not be read
    """

    start: int | None = None
    end: int = 0
    last: int | None = None
    complete: bool = True
    gaps: Sequence[tuple[int, int]] = ()
    line_counts: LineCounts = LineCounts()
    notes: Sequence[str] = ()

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
