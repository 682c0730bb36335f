"""Recognise mail coming in: smtpd's `QID: client=` and pickup's `QID: uid=`.

Source: postfix/src/smtpd/smtpd.c, pickup/pickup.c.
"""

from __future__ import annotations

from check_postfix.maillog.event import Event
from check_postfix.maillog.record import Record

SMTPD_OPENING = rb"client="
PICKUP_OPENING = rb"uid=\d"


def recognise(record: Record) -> Event:
    """Return the event of a message taken in.

    record: program smtpd with SMTPD_OPENING behind a queue ID or NOQUEUE, or
            program pickup with PICKUP_OPENING behind a queue ID
    """
    return received(record.text.startswith(b"NOQUEUE"))


def received(in_front_of_proxy: bool) -> Event:
    """Return the event of a message taken in by smtpd or pickup."""
    return Event(kind="received_noqueue" if in_front_of_proxy else "received")
