"""Recognise messages given up by the queue manager: `QID: from=<...>, status=expired, ...`.

One line per message, no recipient; its recipients get no `status=bounced` line.

Source: postfix/src/qmgr/qmgr_active.c.
"""

from __future__ import annotations

import re

from check_postfix.maillog.event import Event
from check_postfix.maillog.record import Record

# The end is fixed; what stands before it is the sender's address. A carriage
# return may follow, which is not part of the text.
OPENING = rb"from=<[^\n]*+(?<=returned to sender|eturned to sender\r)"

_search_end = re.compile(rb">, status=(?:force-)?expired, returned to sender\Z").search


def recognise(record: Record) -> Event | None:
    """Return the event of a message given up, or None.

    record: program qmgr (or one that took its place), text starts with a queue
            ID and OPENING
    """
    return Event(kind="expired") if _search_end(record.text) else None
