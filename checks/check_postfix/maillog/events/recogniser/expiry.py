"""Recognise messages given up by the queue manager: `QID: from=<...>, status=expired, ...`.

One line per message, no recipient; its recipients get no `status=bounced` line.
The sender is a stranger's text and may hold what looks like the end of the line,
so in a line that may have been cut it must be of the strict form.

Source: postfix/src/qmgr/qmgr_active.c.
"""

from __future__ import annotations

from check_postfix.maillog.events import fields
from check_postfix.maillog.events.event import Event
from check_postfix.maillog.syntax.expression import Expression
from check_postfix.maillog.syntax.record import Record

# The end is fixed; what stands before it is the sender's address.
_ENDS = (
    b">, status=expired, returned to sender",
    b">, status=force-expired, returned to sender",
)
_match_strict = Expression(
    rb"from=<" + fields.ADDRESS + rb">, status=[a-z-]++, returned to sender\Z"
).match


def recognise(record: Record, start: int) -> Event | None:
    """Return the event of a message given up, or None.

    record: program qmgr (or one that took its place)
    start:  where its text has `from=<`, after a queue ID
    """
    text = record.text
    if not text.endswith(_ENDS):
        return None
    if fields.may_be_cut(text) and not _match_strict(text, start):
        return Event(kind="line_truncated")
    return Event(kind="expired")
