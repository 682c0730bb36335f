"""Recognise what smtpd, postscreen, cleanup and milters did to mail at the door.

The stage, the client's address and the reply code stand before everything that a
stranger wrote, and are read from left to right.

Sources: postfix/src/smtpd/smtpd_check.c (log_whatsup), smtpd/smtpd.c
(check_milter_reply), postscreen/postscreen.c and postscreen_smtpd.c,
cleanup/cleanup_message.c, cleanup/cleanup_milter.c.
"""

from __future__ import annotations

import re

from check_postfix.maillog.events import fields, reasons
from check_postfix.maillog.events.event import NOTHING, Event
from check_postfix.maillog.syntax.expression import Expression
from check_postfix.maillog.syntax.record import UNKNOWN, Record

# After the codes: whom or what the reject is about, then the message. The former is a
# stranger's text and may look like its own end, and like any message. Both are what they
# seem to be if there is only one such end, and no second one can have been cut off.
ABOUT = rb"(?:<(?![^\n]{701})(?![^\n]*>: [^\n]*>: )[^\n]*>: |)"
# The same, for those whose end is the first that could be one.
PLAIN_ABOUT = rb"(?:<(?![^\n]{701})[^>\n]*+>: (?![^\n]*>: )|)"
SERVICE = rb"(?:Service (?:unavailable|denied); |)"
MESSAGE = SERVICE + rb"[^;\n]*+"
# Whom it is about, and the message without the client's address, which it mostly repeats
PLAIN_MESSAGE = (
    PLAIN_ABOUT + rb"(?=[A-Za-z])"
    rb"(?P<reply_text>" + SERVICE + rb"[^;\n\[]*+(?:\[(?=[0-9A-Fa-f.:]++\])|))"
    rb"[0-9A-Fa-f.:]*+(?P<reply_end>[^;\n]*+)"
)  # fmt: skip
# smtpd names the client, postscreen the port; a milter's answer is logged like smtpd's own.
# cleanup logs only an enhanced code, whose class is kept as the code.
_match = Expression(
    rb"(?:milter-|)(?P<action>[a-z_]++): (?P<stage>[A-Za-z-]++(?: content|)) from (?P<name>"
    + fields.CLIENT_NAME + rb"|)\[(?P<client>" + fields.CLIENT_ADDRESS + rb")\](?P<port>:\d++|): "
    rb"(?:(?P<code>[245]\d\d) |)(?:(?:(?P<class>[45])|2)\.\d{1,3}\.\d{1,3} |)"
    + ABOUT + rb"(?P<message>" + MESSAGE + rb")"
).match  # fmt: skip
# milter_header_checks, of a header that a milter adds, is told of by nobody else.
_match_content = Expression(
    rb"(?P<milter>milter-header-(?=[a-z]++: header )|)(?P<action>[a-z]++): "
    rb"(?P<part>header|body|content|mime-error) "
).match

# A filter behind smtpd (smtpd_proxy_filter) has refused a message. Where it passes on what
# another Postfix after it has said, in its words or as amavisd does, that Postfix logs it too.
PROXY = b"proxy-reject: END-OF-MESSAGE: "
_match_proxy = Expression(
    PROXY + rb"(?P<code>[45]\d\d)[ -](?:" + fields.ENHANCED_CODE + rb" |)" + ABOUT
    + rb"(?P<passed_on>(?:Client host|Helo command|Sender address|Recipient address|Data command"
    rb"|End-of-data) rejected: |(?:Error: |)message (?:content rejected|file too big)"
    rb"|Command rejected|(?:[A-Z][a-z]++, |)(?:id=[^\s,;]++, |)from MTA\(|)"
    rb"(?P<message>" + MESSAGE + rb")"
).match  # fmt: skip

# Cleanup may say `by_id` as well, of the same message.
_match_too_large = Expression(
    rb"warning: (?:NOQUEUE: queue file size limit exceeded"
    rb"|(?P<by_id>" + fields.QUEUE_ID + rb": queue file size limit exceeded)"
    rb"|(?:NOQUEUE|" + fields.QUEUE_ID + rb"): BDAT request from (?P<name>" + fields.CLIENT_NAME
    + rb")\[(?P<client>" + fields.CLIENT_ADDRESS + rb")\](?::\d++|) exceeds message size limit)\Z"
).match  # fmt: skip

_STAGES = frozenset((
    b"CONNECT", b"HELO", b"EHLO", b"STARTTLS", b"AUTH", b"MAIL", b"RCPT", b"DATA",
    b"DATA content", b"BDAT", b"BDAT content", b"END-OF-MESSAGE", b"VRFY", b"ETRN", b"RSET",
    b"NOOP", b"HELP", b"XCLIENT", b"XFORWARD", b"UNKNOWN",
))  # fmt: skip
# A milter that refuses at one of these stages may refuse again in the same session.
_EARLY = (b"CONNECT", b"HELO", b"EHLO")

_KIND = {
    b"reject": "rejected_smtpd",
    b"hangup": "rejected_hangup",
    b"reject_warning": "reject_warning",
    b"warning": "reject_warning",
    b"hold": "held",
    b"discard": "discarded",
}
_KIND_OF_MILTER = {
    b"smtpd": "rejected_milter_smtpd",
    b"cleanup": "rejected_milter_cleanup",
}
_REFUSE = (b"reject", b"hangup")
# What smtpd answers when a table, a setting or the queue of its own machine fails
# (smtpd/smtpd_check.c)
_OF_OUR_FAULT = frozenset([reasons.LOOKUP, reasons.UNAVAILABLE])
_OF_OUR_FAULT_CODES = (b"451", b"452")
_ANSWERED = (b"reject", b"reject_warning")


def recognise_smtpd(record: Record, start: int) -> Event | None:
    """Return the event of smtpd's own action, or None if no client stands in its place.

    record: program smtpd
    start:  where its text has the action, after a queue ID or NOQUEUE
    """
    match = _match(record.text, start)
    if not match or not match["name"] or match["stage"] not in _STAGES:
        return None
    return _event(_KIND[match["action"]], match)


def refused(
    program: bytes, is_noqueue: bool, client: bytes, code: bytes, message: bytes
) -> Event | None:
    """Return the event of a plain `reject: STAGE from NAME[ADDRESS]`, or None.

    is_noqueue: whether there is no queue ID
    client:  STAGE from NAME[ADDRESS]; postscreen, which has no names, has named the port
    code, message: of the reply
    """
    stage, _, whom = client.partition(b" from ")
    name, _, address = whom.removesuffix(b"]").rpartition(b"[")
    if program == b"smtpd":
        if not name or stage not in _STAGES:
            return None
        kind = "rejected_smtpd"
    elif program == b"postscreen" and is_noqueue:
        if name or stage not in (b"RCPT", b"CONNECT"):
            return None
        kind = "rejected_postscreen"
    else:
        return None
    return _refusal(kind, address, code, message, name)


def recognise_milter(record: Record, start: int) -> Event | None:
    """Return the event of a milter's action, NOTHING if it may be logged again later.

    Cleanup knows no reply code, only the enhanced one; its class is kept.

    record: program smtpd or cleanup
    start:  where its text has the action, after a queue ID or NOQUEUE
    """
    match = _match(record.text, start)
    if not match or not match["name"] or match["stage"] not in _STAGES:
        return None
    if match["action"] != b"reject":
        return _event(_KIND[match["action"]], match)
    program = record.program
    if program == UNKNOWN:
        program = b"smtpd" if match["code"] else b"cleanup"
    if program == b"smtpd" and match["stage"] in _EARLY:
        return NOTHING
    return _event(_KIND_OF_MILTER[program], match)


def recognise_postscreen(record: Record, start: int) -> Event | None:
    """Return the event of postscreen's reject, or None if no client stands in its place.

    record: program postscreen
    start:  where its text has the action, after NOQUEUE if there is that
    """
    match = _match(record.text, start)
    # It knows every client by address and port.
    if not match or match["client"] == b"unknown" or not match["port"]:
        return None
    return _event("rejected_postscreen", match)


def _event(kind: str, match: re.Match[bytes]) -> Event:
    """Return the event of an action against a client.

    match: it has no code for `bare <LF> received`
    """
    action, _, name, address, _, code, its_class, message = match.groups()
    # Mail that is held or thrown away was answered without a code; a milter's reason,
    # which quotes the mail, can begin like one.
    reply_code = code or its_class or b"" if action in _ANSWERED else b""
    if action in _REFUSE:
        return _refusal(kind, address, reply_code, message, name)
    return Event(kind, client=address.decode().lower(), reply_code=reply_code.decode())


def _refusal(kind: str, address: bytes, code: bytes, message: bytes, name: bytes) -> Event:
    reason, blocklist = reasons.of_reject(message)
    is_our_fault = (
        kind == "rejected_smtpd" and reason in _OF_OUR_FAULT and code in _OF_OUR_FAULT_CODES
    )
    return Event(
        kind,
        also=("turned_away",) if is_our_fault else (),
        client=address.decode().lower(),
        reply_code=code.decode(),
        reason=reason,
        blocklist=blocklist,
        client_name=fields.verified(name),
    )


def recognise_content(record: Record, start: int) -> Event | None:
    """Return the event of a header or body check, or None.

    The text after the action is a line of the mail. Nothing in it can be believed, so
    neither client nor code is taken from it.

    record: program cleanup
    start:  where its text has the action, after a queue ID
    """
    match = _match_content(record.text, start)
    if not match:
        return None
    action, mime = match["action"], match["part"] == b"mime-error"
    if action == b"reject":
        return Event(
            kind="rejected_mime" if mime else "rejected_header_body", reason=reasons.CONTENT
        )
    # smtp writes warnings of this form too (smtp_header_checks); a MIME error is
    # never anything but a reject.
    is_of_smtp = action == b"warning" and record.program == UNKNOWN and not match["milter"]
    if mime or is_of_smtp:
        return None
    return Event(kind=_KIND[action])


def recognise_proxy(record: Record, start: int) -> Event | None:
    """Return the event of a message that a proxy filter refused, or None.

    The line names no client.

    record: program smtpd, text starts with PROXY
    """
    shape = _match_proxy(record.text, start)
    # Without a reply that refuses, smtpd itself did and has said so.
    if not shape or shape["passed_on"]:
        return None
    reason, _ = reasons.of_reject(shape["message"])
    return Event(kind="rejected_proxy", reply_code=shape["code"].decode(), reason=reason)


def recognise_too_large(record: Record, start: int) -> Event | None:
    """Return the event of a message that was too large once it came, or None.

    record: program smtpd, text starts with `warning: `
    """
    shape = _match_too_large(record.text, start)
    if not shape or (shape["by_id"] and record.program == UNKNOWN):
        return None
    return Event(
        "rejected_size",
        client=(shape["client"] or b"").decode().lower(),
        reply_code="552",
        reason=reasons.TOO_LARGE,
        client_name=fields.verified(shape["name"] or b"unknown"),
    )
