"""Recognise what smtpd, postscreen, cleanup and milters did to mail at the door.

The stage, the client's address and the reply code stand in front of everything
a stranger wrote, and are read from left to right. Nothing behind them is.

Sources: postfix/src/smtpd/smtpd_check.c (log_whatsup), smtpd/smtpd.c
(check_milter_reply), postscreen/postscreen_smtpd.c, cleanup/cleanup_message.c,
cleanup/cleanup_milter.c.
"""

from __future__ import annotations

import re

from check_postfix.maillog import shapes
from check_postfix.maillog.event import Event
from check_postfix.maillog.record import Record

# What a text starts with, behind its queue ID or NOQUEUE.
OPENING = rb"(?:milter-)?(?:reject|reject_warning|hold|discard|warning): "
# postscreen's one reject without either
BARE_OPENING = rb"reject: connect from \["

_ID = rb"(?:NOQUEUE|" + shapes.QUEUE_ID + rb"): "
_AT_STAGE = (
    _ID
    + rb"(?P<action>(?:milter-)?(?:reject|hold|discard)|reject_warning): (?P<stage>"
    + shapes.SMTP_STAGE
    + rb") from "
)
_CODE = rb"(?P<code>[245]\d\d(?= )|[45](?=\.\d{1,3}\.\d{1,3} ))?"

_match_client_rejected = re.compile(
    _AT_STAGE + shapes.CLIENT_NAME
    + rb"\[(?P<client>" + shapes.CLIENT_ADDRESS + rb")\](?::\d++)?: " + _CODE
).match  # fmt: skip

_match_postscreen = re.compile(
    rb"(?:NOQUEUE: reject: (?:RCPT|CONNECT)|reject: connect) from "
    rb"\[(?P<client>[0-9A-Fa-f.:]++)\]:\d++: " + _CODE
).match

_match_content = re.compile(
    shapes.QUEUE_ID + rb": (?P<action>reject|hold|discard|warning): "
    rb"(?P<part>header|body|content|mime-error) "
).match

# A milter that says no at these stages may say it again for the same session.
_EARLY = (b"CONNECT", b"HELO", b"EHLO")

_KIND = {
    b"hold": "held",
    b"milter-hold": "held",
    b"discard": "discarded",
    b"milter-discard": "discarded",
    b"reject_warning": "reject_warning",
    b"warning": "reject_warning",
}


def recognise(record: Record) -> Event | None:
    """Return the event of a refusal, or None for a line that only resembles one.

    record: its text starts with a queue ID or NOQUEUE and OPENING, or with
            BARE_OPENING
    """
    if record.program == b"postscreen":
        shape = _match_postscreen(record.text)
        return shape and _event("rejected_postscreen", shape)
    if record.program == b"cleanup" and (shape := _match_content(record.text)):
        return _content(shape)
    if record.program in (b"smtpd", b"cleanup"):
        shape = _match_client_rejected(record.text)
        return shape and at_stage(
            record.program, shape["action"], shape["stage"], shape["client"], shape["code"]
        )
    return None


def at_stage(
    program: bytes, action: bytes, stage: bytes, client: bytes, code: bytes | None
) -> Event | None:
    """Return the event of an action that names its SMTP stage, or None if it refuses nothing.

    code: the reply code, or the class of the enhanced code (cleanup knows no
          reply code), or None (`bare <LF> received`)
    """
    if program == b"smtpd" and action == b"reject":
        kind = "rejected_smtpd"
    elif action == b"milter-reject":
        if program == b"smtpd" and stage in _EARLY:
            return None
        kind = f"rejected_milter_{program.decode()}"
    elif program == b"smtpd" or action in (b"milter-hold", b"milter-discard"):
        kind = _KIND[action]
    else:
        return None
    return Event(kind=kind, client=client.decode().lower(), reply_code=(code or b"").decode())


def _event(kind: str, shape: re.Match[bytes]) -> Event:
    return Event(
        kind=kind,
        client=shape["client"].decode().lower(),
        reply_code=(shape["code"] or b"").decode(),
    )


def _content(shape: re.Match[bytes]) -> Event | None:
    # The text behind is a header or body line of the mail: nothing in it can be
    # believed, so neither client nor code is taken from it.
    mime = shape["part"] == b"mime-error"
    if shape["action"] == b"reject":
        return Event(kind="rejected_mime" if mime else "rejected_header_body")
    return None if mime else Event(kind=_KIND[shape["action"]])
