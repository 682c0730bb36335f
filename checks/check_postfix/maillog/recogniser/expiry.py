"""Recognise messages given up by the queue manager: `QID: from=<...>, status=expired, ...`.

One line per message, no recipient; its recipients get no `status=bounced` line.
The sender is a stranger's text and may hold what looks like the end of the
line, so in a line that may have been cut it must be of the strict form.

Source: postfix/src/qmgr/qmgr_active.c.
"""

from __future__ import annotations

from check_postfix.maillog import shapes
from check_postfix.maillog.event import Event
from check_postfix.maillog.expression import Expression
from check_postfix.maillog.record import Record

# The end is fixed; what stands before it is the sender's address. A carriage
# return may follow, which is not part of the text.
OPENING = rb"from=<[^\n]*+(?<=returned to sender|eturned to sender\r)"

_END = rb">, status=(?:force-)?expired, returned to sender\Z"
_search_end = Expression(_END).search
_match_strict = Expression(shapes.QUEUE_ID + rb": from=<" + shapes.ADDRESS + _END).match


def recognise(record: Record) -> Event | None:
    """Return the event of a message given up, or None.

    record: program qmgr (or one that took its place), text starts with a queue
            ID and OPENING
    """
    if not _search_end(record.text):
        return None
    if shapes.may_be_cut(record.text) and not _match_strict(record.text):
        return Event(kind="line_truncated")
    return Event(kind="expired")
