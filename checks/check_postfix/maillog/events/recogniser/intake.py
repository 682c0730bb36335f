"""Recognise mail coming in: smtpd's `QID: client=`, pickup's `QID: uid=`, cleanup's cancelling.

Mail of a client that has logged in is a submission as well. The method stands before
the account name, and both sides have agreed on it, so both are the truth.

Source: postfix/src/smtpd/smtpd.c, pickup/pickup.c, cleanup/cleanup_api.c.
"""

from __future__ import annotations

from check_postfix.maillog.events import fields
from check_postfix.maillog.events.event import Event
from check_postfix.maillog.syntax.expression import Expression
from check_postfix.maillog.syntax.record import Record

# What follows `client=` when the client has logged in; then `=`
LOGGED_IN = (
    fields.CLIENT_NAME + rb"\[(?:" + fields.CLIENT_ADDRESS + rb")\](?::\d++)?"
    rb", sasl_method=" + fields.MECHANISM + rb", sasl_username"
)  # fmt: skip
_match_logged_in = Expression(rb"client=" + LOGGED_IN + rb"=").match


def recognise_smtpd(record: Record, start: int) -> Event:
    """Return the event of a message taken in from a client.

    record: program smtpd
    start:  where its text has `client=`, after a queue ID or NOQUEUE
    """
    return received(
        in_front_of_proxy=record.text.startswith(b"NOQUEUE: "),
        logged_in=_match_logged_in(record.text, start) is not None,
    )


def received(in_front_of_proxy: bool, logged_in: bool) -> Event:
    """Return the event of a message taken in from a client."""
    return Event(
        kind="received_noqueue" if in_front_of_proxy else "received",
        also=("submission",) if logged_in else (),
    )


def recognise_pickup(record: Record, start: int) -> Event | None:
    """Return the event of a message taken in from this machine, or None.

    record: program pickup
    start:  where its text has `uid=`, after a queue ID
    """
    number = start + len(b"uid=")
    return Event(kind="received") if record.text[number : number + 1].isdigit() else None


def recognise_cancelled(record: Record, _: int) -> Event:
    """Return the event of a message that a client began and did not finish.

    record: program cleanup of Postfix 3.10 or later, text has `removed (canceled)` after
            a queue ID
    """
    assert record.text  # whatever else it says
    return Event(kind="cancelled")
