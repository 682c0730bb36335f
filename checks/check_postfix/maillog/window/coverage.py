"""Coverage: of which time the log was read, and what of it is missing."""

from __future__ import annotations

from check_postfix.maillog.source.line_counts import LineCounts
from check_postfix.maillog.source.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Unread(Value):
    """A file that is there and cannot be read.

    why:         a sentence with the file's name, the cause and the fix
    first, last: minutes between which its unread lines may have been written
    """

    path: str = ""
    why: str = ""
    first: int = 0
    last: int = 0


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
    offset:  minutes that its stamps run ahead of this machine's clock, negative if behind,
             because they are in another zone than they are read by; 0 if that is not proven
    seems:   minutes, as a negative number, that its newest stamp lies before the time at which the
             file was written, if that looks like another zone
    ahead:   minutes that its newest stamp lies in the future
    unread:  what is there and could not be read
    notes:   further sentences about what was read
    absence: why there is no line of Postfix or Dovecot, and what can be done about it; of
             several logs, of those that have none
    """

    start: int | None = None
    end: int = 0
    last: int | None = None
    complete: bool = True
    gaps: Sequence[tuple[int, int]] = ()
    line_counts: LineCounts = LineCounts()
    notes: Sequence[str] = ()
    absence: str = ""
    offset: int = 0
    seems: int = 0
    ahead: int = 0
    unread: Sequence[Unread] = ()

    @classmethod
    def merged(cls, parts: Sequence[Coverage], oldest: int) -> Coverage:
        """Return what several logs cover together.

        parts:  one or more, each of one log
        oldest: minute before which no counts are kept
        """
        starts = [part.start for part in parts if part.start is not None]
        return cls(
            start=max(*starts, oldest) if len(starts) == len(parts) else None,
            end=min(part.end for part in parts),
            last=max((part.last for part in parts if part.last is not None), default=None),
            complete=all(part.complete for part in parts),
            gaps=sorted(gap for part in parts for gap in part.gaps),
            line_counts=sum((part.line_counts for part in parts), LineCounts()),
            notes=[note for part in parts for note in part.notes],
            absence="; ".join(part.absence for part in parts if part.absence),
            offset=max((part.offset for part in parts), key=abs),
            seems=min(part.seems for part in parts),
            ahead=max(part.ahead for part in parts),
            unread=[file for part in parts for file in part.unread],
        )

    @classmethod
    def of_several(cls, parts: Sequence[Coverage], known: int, absence: str) -> Coverage:
        """Return what logs cover together that come and go under one pattern.

        A log that began after the pattern was first read has begun with who writes it: before
        that there was nothing of it. One that has no line of Postfix or Dovecot is not missed.

        parts:   one or more, each of one log
        known:   minute in which the pattern was first read
        absence: what is said if all of them are empty
        """
        counts = sum((part.line_counts for part in parts), LineCounts())
        ours = [part for part in parts if part.line_counts.ours]
        told = [part for part in ours or parts if part.start is not None]
        begins = [part.start for part in parts if not part.complete]
        begins += [part.start for part in told if (part.start or 0) < known]
        if not begins:
            begins = [min((part.start or 0 for part in told), default=None)]
        merged = cls.merged(parts, 0)
        merged.start = None if None in begins else max(filter(None, begins))
        merged.absence = "" if counts.lines else absence
        return merged

    def since(self, minute: int) -> Coverage:
        """Return the coverage of a minute and all later ones."""
        return Coverage(
            None if self.start is None else max(self.start, minute),
            self.end,
            gaps=self.gaps,
            unread=self.unread,
        )

    def unread_in(self, start: int, end: int) -> list[Unread]:
        """Return the unread files that may hold lines of these minutes, up to, not with, end."""
        return [file for file in self.unread if file.first < end and start <= file.last]

    def gaps_in(self, start: int, end: int) -> list[tuple[int, int]]:
        """Return the gaps that touch the minutes from start up to, not with, end."""
        return [(first, last) for first, last in self.gaps if first < end and start <= last]

    def includes(self, start: int, end: int) -> bool:
        """Tell whether all lines of these minutes that ever were have been read."""
        return (
            self.start is not None
            and self.start <= start
            and end <= self.end
            and not self.gaps_in(start, end)
            and not self.unread_in(start, end)
        )

    def read_of(self, start: int, end: int) -> int:
        """Return of how many of these minutes, up to, not with, the end, all lines were read."""
        start, end = max(start, end if self.start is None else self.start), min(end, self.end)
        spans = [*self.gaps, *((file.first, file.last) for file in self.unread)]
        read, at = 0, start
        for first, last in sorted(spans):
            if first < end and last >= at:
                read += max(first - at, 0)
                at = last + 1
        return read + max(end - at, 0)
