"""The text form of a listing: what `postqueue -p` prints, for Postfix before 3.1.

    -Queue ID-  --Size--  ----Arrival Time---- -Sender/Recipient-------
    4ABCDEF012*     1234 Tue Nov 24 16:43:26  ann@example.com
                                      (connect to mx.example.net: timed out)
                                             bob@example.net

Read in postfix/src/showq/showq.c of 2.11 and postfix/src/postqueue/showq_compat.c of 3.0.
"""

from __future__ import annotations

import re
import time

from check_postfix.mailqueue.errors import QueueError
from check_postfix.mailqueue.listing import QueuedMessage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

EMPTY = b"Mail queue is empty"
HEADER = re.compile(rb"-(?:---)?Queue ID-")
FOOTER = re.compile(rb"-- \d+ Kbytes in \d+ Requests?\.")
MESSAGE = re.compile(
    rb"(?P<queue_id>[A-Za-z0-9]+)(?P<mark>[*!]?)(?P<expire>#?) +(?P<size>\d{1,18}) "
    rb"(?P<weekday>Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
    rb" (?P<month>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (?P<day>[ 123]\d)"
    rb" (?P<hour>[01]\d|2[0-3]):(?P<minute>[0-5]\d):(?P<second>[0-6]\d)"
    # Postfix before 3.0 says so of a message that showq may not open.
    rb"  ?(?P<unopened>\(maildrop queue, sender UID \d+\)$)?"
)
WEEKDAYS = (b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun")
MONTHS = tuple(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split())

# A recipient starts below the sender of its message: here with a short queue ID, and with a long.
SHORT_COLUMN, LONG_COLUMN = 41, 47
# Before a recipient who was not tried yet, after one who was.
NO_REASON = b"(reason unavailable)"
# A reason in parentheses ends here, unless it is longer; it has no room at the left then.
REASON_END = 78

# After 28 years each date falls on its weekday again.
CALENDAR_YEARS = 28
A_DAY = 86400

# The size of what an error may quote, in bytes.
QUOTED = 60


def messages(lines: Iterable[bytes], now: float) -> Iterator[QueuedMessage]:
    r"""Yield the messages of a text listing.

    lines:  split on b"\n" alone
    now:    epoch seconds; arrival has no year, so it is the newest past date of that weekday
    Raises: QueueError when a line has no place in a listing, or the listing has no end

    What the form cannot tell: a message without a mark is called "deferred", though it may be
    in incoming or maildrop. Local time that came twice in an autumn night may be an hour off.
    """
    lines = iter(lines)
    first = next(lines, b"")
    if first == EMPTY:
        return
    if not HEADER.match(first):
        raise _unexpected("a header with 'Queue ID'", first)
    column = LONG_COLUMN if first.startswith(b"----") else SHORT_COLUMN
    message: QueuedMessage | None = None
    recipients: list[str] = []
    reason = ""
    for line in lines:
        if not line:
            continue
        if line.startswith((b" ", b"(")) and message is not None:
            if not _is_reason(line):
                recipients.append(_recipient(line, column))
            elif not reason and line.strip(b" ") != NO_REASON:
                reason = line.strip(b" ")[1:-1].decode("utf-8", "replace")
            continue
        if message is not None:
            yield message._replace(recipients=tuple(recipients), reason=reason)
        if FOOTER.match(line):
            return
        message, recipients, reason = _message(line, now), [], ""
    # Before 3.0 postqueue copies what showq says and exits with 0 even when showq died midway.
    raise _unexpected("a last line '-- N Kbytes in N Requests.'", b"")


def _message(line: bytes, now: float) -> QueuedMessage:
    found = MESSAGE.match(line)
    arrival = found and _arrival(found, now)
    if not found or arrival is None:
        raise _unexpected("a queue ID, size and arrival time", line)
    queue = {b"*": "active", b"!": "hold"}.get(found["mark"], "deferred")
    return QueuedMessage(
        queue="maildrop" if found["unopened"] else queue,
        queue_id=found["queue_id"].decode("ascii"),
        arrival=arrival,
        size=int(found["size"]),
        forced_expire=bool(found["expire"]),
        recipients=(),
        sender="" if found["unopened"] else line[found.end() :].decode("utf-8", "replace"),
    )


def _is_reason(line: bytes) -> bool:
    """Tell a reason, which ends at REASON_END or starts at the left, from a recipient."""
    text = line.lstrip(b" ")
    if not (text.startswith(b"(") and text.endswith(b")")):
        return False
    return len(line) == REASON_END or text == line


def _recipient(line: bytes, column: int) -> str:
    if line[:column].strip(b" ") or not line[column:]:
        raise _unexpected("a recipient", line)
    return line[column:].decode("utf-8", "replace")


def _arrival(found: re.Match[bytes], now: float) -> int | None:
    """Return the newest epoch second that had this date, time and weekday, if any had."""
    month, day = MONTHS.index(found["month"]) + 1, int(found["day"])
    clock = int(found["hour"]), int(found["minute"]), int(found["second"])
    weekday = WEEKDAYS.index(found["weekday"])
    # A message can come while postqueue runs, and clocks are set back: not past, but no year old.
    latest = now + A_DAY
    this_year = time.localtime(latest).tm_year
    for year in range(this_year, this_year - CALENDAR_YEARS, -1):
        stamp = time.mktime((year, month, day, *clock, 0, 0, -1))
        there = time.localtime(stamp)
        if stamp <= latest and (there.tm_mon, there.tm_mday, there.tm_wday) == (
            month,
            day,
            weekday,
        ):
            return int(stamp)
    return None


def _unexpected(expected: str, line: bytes) -> QueueError:
    got = ascii(line[:QUOTED].decode("utf-8", "replace")) if line else "nothing more"
    return QueueError(
        f"postqueue: expected {expected}, got {got}; see that this postqueue is the one of Postfix"
    )
