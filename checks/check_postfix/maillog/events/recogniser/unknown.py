"""What is made of a record that begins as one of a counted kind does, and that no rule reads."""

from __future__ import annotations

from check_postfix.maillog.events import fields, unparsed
from check_postfix.maillog.events.event import Event
from check_postfix.maillog.syntax.expression import Expression
from check_postfix.maillog.syntax.record import UNKNOWN, Record

# A queue ID of another spelling: one word with a digit in it, which no word of Postfix's own has
# that a text begins with, and without a dot, which names of hosts have. Strangers choose what
# follows, never this.
_ID = rb"(?!" + fields.QUEUE_ID + rb")(?=[A-Za-z_-]*+[0-9])[0-9A-Za-z_-]{4,64}+"
_WHAT = rb"to=|reject: "
ODD_ID_OPENING = _ID + rb": (?:" + _WHAT + rb")"
_match_odd_id = Expression(rb"(?P<id>" + _ID + rb"): (?P<what>" + _WHAT + rb")").match
# Who writes the second of these.
_REFUSES = (b"smtpd", b"cleanup", UNKNOWN)


def unknown(kind: str, record: Record, look: str) -> Event:
    """Return the event of such a record.

    kind: delivery_unknown, reject_unknown or login_unknown
    look: what it looks like, with nothing in it that may be a stranger's
    """
    program = b"" if record.program == UNKNOWN else record.program
    return Event(kind=kind, service=program.decode("utf-8", "replace"), reason=look)


def recognise_odd_id(record: Record, start: int) -> Event | None:
    """Return the event of a delivery or a reject whose queue ID nobody knows, or None.

    start: where the record's text has that ID
    """
    match = _match_odd_id(record.text, start)
    if not match:
        return None
    is_delivery = match["what"] == b"to="
    if not is_delivery and record.program not in _REFUSES:
        return None
    kind = "delivery_unknown" if is_delivery else "reject_unknown"
    look = f"{unparsed.look(match['id'])}: {match['what'].decode().strip()}"
    return unknown(kind, record, look)
