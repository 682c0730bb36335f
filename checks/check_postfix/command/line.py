"""A line of the log, as far as the history of a message needs it."""

from __future__ import annotations

from collections import namedtuple

from check_postfix.command.rounds import Settled
from check_postfix.maillog.events import fields
from check_postfix.maillog.syntax import frame
from check_postfix.maillog.syntax.expression import Expression
from check_postfix.maillog.syntax.record import Record
from check_postfix.maillog.syntax.timestamps import Timestamps

_match_id = Expression(
    rb"(?P<warning>(?:warning|error|fatal): )?(?P<id>" + fields.QUEUE_ID + rb")"
).match
_match_seconds = Expression(rb":([0-5][0-9](?:[.,][0-9]{1,9})?)").match


class Line(namedtuple("Line", "time place record queue_id said raw")):
    """One line.

    time:     seconds since 1970, UTC; where the frame hides the second, of the whole minute
    place:    number of the file, and where in its uncompressed bytes the line begins: so that
              lines of one second stay in order
    record:   host, program and text
    queue_id: of the message that it is about, b"" if it is about none
    said:     what is said of the message: all that follows the queue ID; b"" in a warning
    raw:      as it stands in the log, without its newline
    """

    __slots__ = ()

    time: float
    place: tuple[int, int]
    record: Record
    queue_id: bytes
    said: bytes
    raw: bytes


def read(raw: bytes, place: tuple[int, int], timestamps: Timestamps) -> Line | None:
    """Return a line, None if it has no frame that is known, or no time.

    raw: without its newline
    """
    record = frame.parse(raw)
    return record and of_record(record, raw, place, timestamps)


def of_record(
    record: Record, raw: bytes, place: tuple[int, int], timestamps: Timestamps | Settled
) -> Line | None:
    """Return the line of a record; see `read`."""
    minute = timestamps.minute(record.stamp, record.zone)
    if minute is None:
        return None
    time = minute * 60 + _seconds(raw, record.stamp)
    id = _match_id(record.text)
    if id is None:
        return Line(time, place, record, b"", b"", raw)
    said = b"" if id["warning"] else record.text[id.end() + len(b": ") :]
    return Line(time, place, record, id["id"], said, raw)


def _seconds(raw: bytes, stamp: bytes) -> float:
    """Return the seconds that follow a stamp in its line; 0 where the frame spells it otherwise."""
    at = raw.find(stamp)
    match = _match_seconds(raw, at + len(stamp)) if at >= 0 else None
    return float(match[1].replace(b",", b".")) if match else 0.0
