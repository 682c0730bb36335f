"""Recognise what smtpd, postscreen, cleanup and milters did to mail at the door.

The stage, the client's address and the reply code stand in front of everything
a stranger wrote, and are read from left to right. Nothing behind them is.

Sources: postfix/src/smtpd/smtpd_check.c (log_whatsup), smtpd/smtpd.c
(check_milter_reply), postscreen/postscreen.c and postscreen_smtpd.c,
cleanup/cleanup_message.c, cleanup/cleanup_milter.c.
"""

from __future__ import annotations

import re

from check_postfix.maillog import reasons, shapes
from check_postfix.maillog.event import Event
from check_postfix.maillog.expression import Expression
from check_postfix.maillog.record import UNKNOWN, Record

# Which stages there are is seen to when the line is read.
_FROM_CLIENT = rb"[A-Z][A-Z-]++(?: content|) from " + shapes.CLIENT_NAME + rb"\["

# What a text starts with, behind its queue ID or NOQUEUE.
SMTPD_OPENING = rb"(?:reject|reject_warning|hangup|hold|discard): " + _FROM_CLIENT
MILTER_OPENING = rb"milter-(?:reject|hold|discard): " + _FROM_CLIENT
CONTENT_OPENING = rb"(?:reject|hold|discard|warning): (?:header|body|content|mime-error) "
POSTSCREEN_OPENING = rb"reject: (?:RCPT|CONNECT) from \["
# postscreen's one reject without either
BARE_OPENING = rb"reject: connect from \["

_ID = rb"(?:NOQUEUE|" + shapes.QUEUE_ID + rb"): "
_CODE = rb"(?P<code>[245]\d\d(?= )|[45](?=\.\d{1,3}\.\d{1,3} ))?"

# Behind the codes: whom or what it is about, then the message. The former is a
# stranger's text and may look like its own end, and like any message. Both are
# what they seem to be if there is one such end only, and no second one can have
# been cut off.
ABOUT = rb"(?:<(?![^\n]{701})(?![^\n]*>: [^\n]*>: )[^\n]*>: |)"
# The same, spelled for those whose end is the first that could be one.
PLAIN_ABOUT = rb"(?:<(?![^\n]{701})[^>\n]*+>: (?![^\n]*>: )|)"
MESSAGE = rb"(?:Service (?:unavailable|denied); |)[^;\n]*+"
_match_message = Expression(
    rb" ?(?:[245]\.\d{1,3}\.\d{1,3} )?" + ABOUT + rb"(?P<message>" + MESSAGE + rb")"
).match

_match_client = Expression(
    _ID + rb"(?:milter-)?(?P<action>[a-z_]++): (?P<stage>" + shapes.SMTP_STAGE
    + rb") from (?P<name>" + shapes.CLIENT_NAME
    + rb")\[(?P<client>" + shapes.CLIENT_ADDRESS + rb")\](?::\d++)?: " + _CODE
).match  # fmt: skip

_match_postscreen = Expression(
    rb"(?:NOQUEUE: reject: (?:RCPT|CONNECT)|reject: connect) from "
    rb"\[(?P<client>[0-9A-Fa-f.:]++)\]:\d++: " + _CODE
).match

_match_content = Expression(_ID + rb"(?P<action>[a-z]++): (?P<part>[a-z-]++) ").match

# A milter that says no at these stages may say it again for the same session.
_EARLY = (b"CONNECT", b"HELO", b"EHLO")

_KIND = {
    b"reject": "rejected_smtpd",
    b"hangup": "rejected_hangup",
    b"reject_warning": "reject_warning",
    b"warning": "reject_warning",
    b"hold": "held",
    b"discard": "discarded",
}
_REFUSE = (b"reject", b"hangup")
_ANSWERED = (b"reject", b"reject_warning")


def recognise_smtpd(record: Record) -> Event | None:
    """Return the event of smtpd's own action, or None if no client stands in its place.

    record: program smtpd, text starts with a queue ID or NOQUEUE and SMTPD_OPENING
    """
    shape = _match_client(record.text)
    return shape and _at_stage(record.text, shape)


def _at_stage(text: bytes, shape: re.Match[bytes]) -> Event:
    """Return the event of smtpd's own action.

    shape: its code is None for `bare <LF> received`
    """
    action = shape["action"]
    # What is held or thrown away was answered with no code: a milter's reason,
    # which quotes the mail, can begin like one.
    code = shape["code"] if action in _ANSWERED else None
    event = Event(
        kind=_KIND[action],
        client=shape["client"].decode().lower(),
        reply_code=(code or b"").decode(),
    )
    if action not in _REFUSE:
        return event
    event = event._replace(client_name=shapes.verified(shape["name"]))
    return _with_reason(event, text, shape.end())


def _with_reason(event: Event, text: bytes, end: int) -> Event:
    """Return the event with what the message says.

    end: where the reply code ends, or the class of the enhanced one where that is all
    """
    if event.reply_code and len(event.reply_code) == 1:
        end -= 1
    message = _match_message(text, end)
    assert message is not None  # every part of it is optional
    reason, blocklist = reasons.of_reject(message["message"])
    return event._replace(reason=reason, blocklist=blocklist)


def recognise_milter(record: Record) -> Event | None:
    """Return the event of a milter's action, or None if it is said again later.

    Cleanup knows no reply code, only the enhanced one; its class is kept.

    record: program smtpd or cleanup, text starts with a queue ID or NOQUEUE and
            MILTER_OPENING
    """
    shape = _match_client(record.text)
    if not shape:
        return None
    event = _at_stage(record.text, shape)
    if shape["action"] != b"reject":
        return event
    program = record.program
    if program == UNKNOWN:
        program = b"smtpd" if len(event.reply_code) == 3 else b"cleanup"
    if program == b"smtpd" and shape["stage"] in _EARLY:
        return None
    return event._replace(kind=f"rejected_milter_{program.decode()}")


def recognise_content(record: Record) -> Event | None:
    """Return the event of a header or body check, or None.

    The text behind it is a line of the mail: nothing in it can be believed, so
    neither client nor code is taken from it.

    record: program cleanup, text starts with a queue ID and CONTENT_OPENING
    """
    shape = _match_content(record.text)
    assert shape is not None  # CONTENT_OPENING says so
    action, mime = shape["action"], shape["part"] == b"mime-error"
    if action == b"reject":
        return Event(
            kind="rejected_mime" if mime else "rejected_header_body", reason=reasons.CONTENT
        )
    # smtp writes warnings of this form too (smtp_header_checks); a MIME error is
    # never anything but a reject.
    if mime or (action == b"warning" and record.program == UNKNOWN):
        return None
    return Event(kind=_KIND[action])


def recognise_postscreen(record: Record) -> Event | None:
    """Return the event of postscreen's reject, or None if no client stands in its place.

    record: program postscreen, text starts with NOQUEUE and POSTSCREEN_OPENING,
            or with BARE_OPENING
    """
    shape = _match_postscreen(record.text)
    if not shape:
        return None
    event = Event(
        kind="rejected_postscreen",
        client=shape["client"].decode().lower(),
        reply_code=(shape["code"] or b"").decode(),
    )
    return _with_reason(event, record.text, shape.end())
