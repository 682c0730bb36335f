"""The extent of a report: what of the time that is asked for the logs can tell of."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property

from check_postfix.command import moment
from check_postfix.maillog.errors import LogError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import tzinfo

    from check_postfix.command.logs import Logs
    from check_postfix.command.report.book import Book
    from check_postfix.command.report.span import Span

# In minutes
_HALF_AN_HOUR, _DAY = 30, 24 * 60


class Extent:
    """What the logs can tell of a time.

    span: that is asked for
    zone: of the clock by which it is told; None for this machine's
    """

    def __init__(self, span: Span, logs: Logs, zone: tzinfo | None) -> None:
        self._span = span
        self._logs = logs
        self._zone = zone

    def _local(self, minute: int) -> datetime:
        return datetime.fromtimestamp(minute * 60, self._zone)

    def told(self, minute: int) -> str:
        """Return a minute by the clock: `2026-11-24 16:43`."""
        return self._local(minute).strftime("%Y-%m-%d %H:%M")

    def asked(self) -> str:
        """Return which time is asked for, in words; nothing if it is all that there is."""
        return moment.asked_for(
            self.told(self._span.since) if self._span.begins else None,
            self.told(self._span.until) if self._span.ends else None,
        )

    def words(self) -> list[str]:
        """Return the options of trace that ask for the same time."""
        words = []
        for flag, minute, is_said in (
            ("--since", self._span.since, self._span.begins),
            ("--until", self._span.until, self._span.ends),
        ):
            if is_said:
                at = self._local(minute).astimezone(self._zone)
                words += [flag, at.strftime("%Y-%m-%dT%H:%M%z")]
        return words

    def hours(self, book: Book) -> list[str]:
        """Return the hours of which anything was read, as they went by: `2026-11-24 08`.

        book: what was read of that time
        """
        if book.first is None or book.last is None:
            return []
        first, last = book.first, book.last
        if self._span.begins and self._begin is not None and self._begin <= self._span.since:
            first = self._span.since
        written = max((int(file.modified) // 60 for file in self._logs.files), default=0)
        if self._span.ends and written >= self._span.until:
            last = self._span.until - 1
        every = [*range(first, min(last, first + _DAY), _HALF_AN_HOUR), last]
        return list(dict.fromkeys(self._local(at).strftime("%Y-%m-%d %H") for at in every))

    def beside(self, what: str, is_empty: bool) -> tuple[str, str] | None:
        """Return that the time lies before or after the log, and the next step; None if not.

        what:     is asked for: a `day`, or a `time`
        is_empty: whether nothing of that time was found
        """
        begin = self._begin if self._span.ends else None
        if begin is not None and begin >= self._span.until:
            then = "ask for a later time, or say where older generations lie: --archives DIR"
            if all(file.is_on_disk for file in self._logs.files):
                return f"the log begins {self.told(begin)}, after that {what}", then
            # Of the journal, no more was asked for.
            return (
                f"the log has no line of that {what}; its next one is of {self.told(begin)}",
                then,
            )
        end = self._end() if self._span.begins and is_empty else None
        if end is None or end >= self._span.since:
            return None
        return (
            f"the log ends {self.told(end)}, before that {what}",
            "ask for an earlier time, or see where mail is logged by now: postconf maillog_file",
        )

    @cached_property
    def _begin(self) -> int | None:
        """The minute of the first line of all files, None if nobody understands it."""
        minutes = []
        for file in self._logs.files:
            try:
                start, block = next(file.blocks(), (0, b""))
            except LogError:  # which is told where it is read
                continue
            if (line := file.line(block, start, 0)) is not None:
                minutes.append(int(line.time) // 60)
        return min(minutes, default=None)

    def _end(self) -> int | None:
        """Return the minute of the last line of the newest file, None if nobody understands it.

        It reads that file.
        """
        newest = max(self._logs.files, key=lambda file: file.modified, default=None)
        if newest is None:
            return None
        last = None
        try:
            for start, block in newest.blocks():
                last = newest.last_line(block, start) or last
        except LogError:  # which is told where it is read
            return None
        return None if last is None else int(last.time) // 60
