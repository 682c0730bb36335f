"""What is made of a record that begins as one of a counted kind does, and that no rule reads."""

from __future__ import annotations

from check_postfix.maillog.events.event import Event
from check_postfix.maillog.syntax.record import UNKNOWN, Record


def unknown(kind: str, record: Record, look: str) -> Event:
    """Return the event of such a record.

    kind: delivery_unknown, reject_unknown or login_unknown
    look: what it looks like, with nothing in it that may be a stranger's
    """
    program = b"" if record.program == UNKNOWN else record.program
    return Event(kind=kind, service=program.decode("utf-8", "replace"), reason=look)
