"""Recognise the queue manager's lines about messages that it takes up and that leave the queue.

It writes `QID: from=<...>, size=N, nrcpt=N (queue active)` each time that it tries a
message, and `QID: removed`. The sender is a stranger's text and may hold what looks like
the end of the line, but the end itself is Postfix's. In a line that may have been cut the
sender must be of the strict form.

Source: postfix/src/qmgr/qmgr_active.c, qmgr/qmgr_message.c (opened).
"""

from __future__ import annotations

from check_postfix.maillog.events import fields
from check_postfix.maillog.events.event import Event
from check_postfix.maillog.syntax.expression import Expression
from check_postfix.maillog.syntax.record import Record

PROGRAMS = (b"qmgr", b"oqmgr")

# No message is bigger, and no sum of such sizes is too big for the store.
SIZE = rb"\d{1,10}+"
RECIPIENTS = rb"\d{1,9}+"

TAKEN_UP = Event(kind="active")
REMOVED = Event(kind="removed")

_END = (
    rb">, size=(?P<size>" + SIZE + rb"), nrcpt=(?P<recipients>" + RECIPIENTS
    + rb") \(queue active\)\Z"
)  # fmt: skip
_search_end = Expression(_END).search
_match_strict = Expression(rb"from=<" + fields.ADDRESS + _END).match


def recognise(record: Record, start: int) -> Event | None:
    """Return the event of a message taken up, or None.

    record: program qmgr (or one that took its place), not of an expiry
    start:  where its text has `from=<`, after a queue ID
    """
    text = record.text
    if fields.may_be_cut(text) and not _match_strict(text, start):
        return Event(kind="line_truncated")
    return TAKEN_UP if _search_end(text) else None


def numbers(text: bytes) -> tuple[int, int]:
    """Return size and number of recipients from the text of such an event."""
    end = _search_end(text)
    assert end is not None  # else it was no such event
    return int(end["size"]), int(end["recipients"])


def recognise_removed(record: Record, start: int) -> Event | None:
    """Return the event of a message that leaves the queue, or None.

    record: program qmgr (or one that took its place)
    start:  where its text has `removed`, after a queue ID
    """
    return REMOVED if record.text[start:] == b"removed" else None
