"""Recognise mail coming in: smtpd's `QID: client=`, pickup's `QID: uid=`, cleanup's cancelling.

Mail of a client that has logged in is a submission as well. The method stands before
the account name, and both sides have agreed on it, so both are the truth. The account is
whose login has succeeded, so no password can stand there. It ends where the fields begin that
Postfix writes behind it; those have no blank in them.

What stands behind a client and is none of these fields is a line that is cut, or one that nobody
knows yet. An account may be missing, so it is said.

A message that comes again, from a content filter or after `postsuper -r`, says which queue ID it
had before.

Source: postfix/src/smtpd/smtpd.c, pickup/pickup.c, cleanup/cleanup_api.c.
"""

from __future__ import annotations

import re

from check_postfix.maillog.events import fields
from check_postfix.maillog.events.event import Event
from check_postfix.maillog.syntax.expression import Expression
from check_postfix.maillog.syntax.record import Record

# What follows `client=`: who it is, and when it has logged in the account's name.
CLIENT = fields.CLIENT_NAME + rb"\[(?:" + fields.CLIENT_ADDRESS + rb")"
_PORT = rb"\](?::\d++|)"
LOGGED_IN = rb", sasl_method=" + fields.MECHANISM + rb", sasl_username="
# No value has a blank in it.
_VALUE = rb"[^\s,]*+(?:,(?! )[^\s,]*+)*"
_SASL_SENDER = rb"(?:, sasl_sender=" + _VALUE + rb"|)"
_ORIG_CLIENT = rb"(?:, orig_client=" + _VALUE + rb"|)"

# The ordinary line, to its end. In it a name with a comma is none.
PLAIN = (
    rb"client=(?P<received>" + CLIENT + rb")" + _PORT
    + rb"(?:" + LOGGED_IN + rb"(?P<logged_in>[^\s,]++)(?:, sasl_sender=[^\s,]*+|)|)"
    + rb"(?:, orig_queue_id=(?P<earlier_id>" + fields.OTHER_ID + rb")(?:, orig_client=[^\s,]*+|)|)"
    rb"(?=\r?(?:\n|\Z))"
)  # fmt: skip

_match_client = Expression(rb"client=(?P<client>" + CLIENT + rb")" + _PORT).match
# What may stand behind a client that has not logged in
_match_end = Expression(rb"\Z|, (?:sasl_sender|orig_queue_id|orig_client)=").match
_match_logged_in = Expression(LOGGED_IN).match
# From the right, since an account may be called as it likes.
_match_again = Expression(
    rb"(?P<account>.*?)" + _SASL_SENDER
    + rb"(?:, orig_queue_id=(?P<earlier_id>" + fields.OTHER_ID + rb")" + _ORIG_CLIENT
    + rb"|, orig_queue_id=" + _VALUE + _ORIG_CLIENT + rb"|" + _ORIG_CLIENT + rb")\Z",
    re.DOTALL,
).match  # fmt: skip
# From the right, since a local user may name any sender.
_match_pickup = Expression(
    rb"uid=(?P<uid>\d{1,10}+)(?:.*> orig_id=(?P<earlier_id>" + fields.OTHER_ID + rb")\Z|)",
    re.DOTALL,
).match


def recognise_smtpd(record: Record, start: int) -> Event:
    """Return the event of a message taken in from a client.

    record: program smtpd
    start:  where its text has `client=`, after a queue ID or NOQUEUE
    """
    text = record.text
    in_front_of_proxy = text.startswith(b"NOQUEUE: ")
    client = _match_client(text, start)
    if client is None:
        return received(in_front_of_proxy, is_cut=True)
    logged_in = _match_logged_in(text, client.end())
    again = _match_again(text, logged_in.end() if logged_in else client.end())
    assert again is not None  # it takes whatever stands there
    return received(
        in_front_of_proxy,
        client["client"],
        again["account"] if logged_in else None,
        again["earlier_id"] or b"",
        is_cut=not logged_in and not _match_end(text, client.end()),
    )


def received(
    in_front_of_proxy: bool,
    client: bytes = b"",
    account: bytes | None = None,
    earlier_id: bytes = b"",
    is_cut: bool = False,
) -> Event:
    """Return the event of a message taken in from a client.

    client:     `NAME[ADDRESS`
    account:    whose login has succeeded, None if nobody has logged in
    earlier_id: queue ID that the message had before, if any
    is_cut:     whether an account may have stood behind it
    """
    also = () if account is None else ("submission",)
    return Event(
        kind="received_noqueue" if in_front_of_proxy else "received",
        client=client.rpartition(b"[")[2].decode().lower(),
        account=account or b"",
        other_id=earlier_id,
        also=(*also, "line_truncated") if is_cut else also,
    )


def recognise_pickup(record: Record, start: int) -> Event | None:
    """Return the event of a message taken in from this machine, or None.

    record: program pickup
    start:  where its text has `uid=`, after a queue ID
    """
    match = _match_pickup(record.text, start)
    if match is None:
        return None
    return Event(kind="received", uid=match["uid"].decode(), other_id=match["earlier_id"] or b"")


def recognise_cancelled(record: Record, _: int) -> Event:
    """Return the event of a message that a client began and did not finish.

    record: program cleanup of Postfix 3.10 or later, text has `removed (canceled)` after
            a queue ID
    """
    assert record.text  # whatever else it says
    return Event(kind="cancelled")
