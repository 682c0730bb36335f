"""Recognise smtpd turning a client away for asking too often; it writes no reject line then.

Source: postfix/src/smtpd/smtpd.c.
"""

from __future__ import annotations

from check_postfix.maillog.events import fields
from check_postfix.maillog.events.event import Event
from check_postfix.maillog.syntax.expression import Expression
from check_postfix.maillog.syntax.record import Record

WORDS = (
    b"warning: Refusing ",
    b"warning: Connection ",
    b"warning: Message delivery ",
    b"warning: Recipient address ",
    b"warning: New TLS session ",
    b"warning: AUTH command ",
)
_match = Expression(
    rb"warning: (?:Refusing (?:STARTTLS|TLS service) request from "
    rb"|(?:Connection concurrency limit|Connection rate limit"
    rb"|Message delivery request rate limit|Recipient address rate limit"
    rb"|New TLS session rate limit|AUTH command rate limit) exceeded: \d++ from )"
    + fields.CLIENT_NAME + rb"\[(?P<client>" + fields.CLIENT_ADDRESS
    + rb")\](?::\d++)? for service "
).match  # fmt: skip


def recognise(record: Record, start: int) -> Event | None:
    """Return the event of a limit that was reached, or None if no client stands in its place.

    record: program smtpd, text starts with one of WORDS
    """
    match = _match(record.text, start)
    return match and Event(kind="rate_limited", client=match["client"].decode().lower())
