"""Recognise clients that connect: smtpd's `connect from`, postscreen's `CONNECT from`.

Whom postscreen lets pass connects to smtpd as well. Nothing after the opening is looked at.

Source: postfix/src/smtpd/smtpd.c, postscreen/postscreen.c.
"""

from __future__ import annotations

from check_postfix.maillog.events.event import Event
from check_postfix.maillog.syntax.record import Record

SMTPD = b"connect from "
POSTSCREEN = b"CONNECT from ["


def recognise(record: Record, _: int) -> Event:
    """Return the event of a client that has connected.

    record: program smtpd or postscreen, text starts with its opening
    """
    is_smtpd = record.text.startswith(SMTPD)
    return Event(kind="connected_smtpd" if is_smtpd else "connected_postscreen")
