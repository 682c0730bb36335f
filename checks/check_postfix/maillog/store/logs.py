"""Logs: the table of the logs that are followed, and how far each is read."""

from __future__ import annotations

from check_postfix.maillog.source.line_counts import LineCounts
from check_postfix.maillog.store import rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from check_postfix.maillog.store.database import Database

# What stands in the place of a path for the systemd journal.
JOURNAL = "journal"


def journal_name(matches: Iterable[str]) -> str:
    """Return what stands in the place of a path for the part of it that some matches choose."""
    each = sorted({match.replace("\\", r"\x5c").replace(" ", r"\x20") for match in matches})
    return " ".join([JOURNAL, *each])


NO_OFFSET: tuple[int | None, ...] = (None, None, 0)


class Log:
    """One followed log.

    id:      its number in the store
    path:    absolute, or a pattern, or the journal_name()
    backlog: files of it still to be read
    asked:   second at which the journal was asked whether it goes on where this log is silent
    zone:    by which its stamps that name none were read, as log_zone.py writes it; None if it
             has no such stamps
    read:    minute in which the live log was last read to its end, None if it was not
    unknown_until: minute up to which files may tell of that nobody has looked into yet
    offset:  what is known of how far its stamps are off: the fields of window/clock_offset.py,
             the first two None if nothing is
    """

    __slots__ = ("asked", "backlog", "id", "offset", "path", "read", "unknown_until", "zone")

    def __init__(
        self,
        id: int,
        path: str,
        backlog: int,
        asked: int = 0,
        zone: str | None = None,
        read: int | None = None,
        unknown_until: int = 0,
        *offset: int | None,
    ) -> None:
        self.id = id
        self.path = path
        self.backlog = backlog
        self.asked = asked
        self.zone = zone
        self.read = read
        self.unknown_until = unknown_until
        self.offset = offset or NO_OFFSET


class LogsTable:
    """The table of logs; to be changed inside a transaction only."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._db = database.db

    def of(self, path: str) -> Log | None:
        """Return what is known of a log, None if it was never read."""
        return next((log for log in self.all() if log.path == path), None)

    def all(self) -> list[Log]:
        """Return what is known of all logs that were read."""
        return [Log(*_LOG(row)) for row in self._rows()]

    def _rows(self) -> list[tuple[Any, ...]]:
        return self._database.whole("log", "SELECT * FROM log")

    def are_there(self) -> bool:
        """Tell whether any log was read."""
        return bool(self._rows())

    def names(self) -> list[str]:
        """Return the names of all logs that were read."""
        return [log.path for log in self.all()]

    def add(self, path: str) -> Log:
        """Return a new log's entry; inside a transaction only."""
        number = self._db.execute("INSERT INTO log (path) VALUES (?)", (path,)).lastrowid
        assert number is not None
        return Log(number, path, 1)

    def save(self, log: Log) -> None:
        """Keep a log's entry."""
        self._db.execute(
            "UPDATE log SET backlog=?, asked=?, zone=?, read=?, offset_low=?, offset_high=?,"
            " offset_times=?, unknown_until=? WHERE id=?",
            (
                log.backlog,
                log.asked,
                log.zone,
                log.read,
                *log.offset,
                log.unknown_until,
                log.id,
            ),
        )

    def read_so_far(self, log: Log) -> tuple[int | None, LineCounts]:
        """Return the minute of the newest line, and the counts of all lines."""
        last, *counts = next(_READ_SO_FAR(row) for row in self._rows() if row[0] == log.id)
        return last, LineCounts(*counts)

    def add_lines(self, log: Log, counts: LineCounts, times: int, last: int | None = None) -> None:
        """Add to the counts of all lines.

        times: -1 where they were added and are not its lines any more
        last:  minute of the newest of them, None if it is not known
        """
        self._db.execute(
            "UPDATE log SET last=nullif(max(coalesce(last, -1), ?), -1), lines=lines+?,"
            ' events=events+?, matched=matched+?, "foreign"="foreign"+?, unparsed=unparsed+?'
            " WHERE id=?",
            (-1 if last is None else last, *(times * number for number in counts), log.id),
        )


_READ_SO_FAR = rows.chosen("log", ("last", *LineCounts._fields))
_LOG = rows.chosen(
    "log",
    (
        "id", "path", "backlog", "asked", "zone", "read", "unknown_until", "offset_low",
        "offset_high", "offset_times",
    ),
)  # fmt: skip
