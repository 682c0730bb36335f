"""The expression of a report's scan: the plain forms of the lines that are most frequent.

It takes these as they stand. Of every other line that may count it takes the text, for the
recogniser to read: how such a text opens, the recogniser's own shapes say.
"""

from __future__ import annotations

import re
from functools import cache

from check_postfix.maillog.events import fields
from check_postfix.maillog.events.recogniser import (
    ANY_WARNING,
    DOVECOT,
    POSTFIX,
    active,
    connection,
    delivery,
    health,
    login,
    loss,
    reject,
    screen,
)
from check_postfix.maillog.syntax import frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from check_postfix.maillog.events.recogniser import Shape


def _any(expressions: Iterable[bytes]) -> bytes:
    return rb"(?:" + rb"|".join(dict.fromkeys(expressions)) + rb")"


def _openings(shapes: Iterable[Shape]) -> list[bytes]:
    return [opening for shape in shapes for opening in shape.openings]


NO_ID = b"NOQUEUE"
_ADDRESS = fields.UNQUOTED_LOCAL + rb"(?:@" + fields.DOMAIN_NAME + rb"|)"
# A reply is known again without the name of the server that gave it, and without the recipient
# before it.
_REPLY = (
    rb"(?P<reply>(?:host [^\s\[\]]++\[[^\]\s]++\](?P<reply_start> said: [245]\d\d[ -](?:"
    + fields.ENHANCED_CODE + rb" |))(?:<[^\s@<>]++@[^\s@<>]++>: |)|)(?P<reply_rest>[^\n]*+))"
)  # fmt: skip
_DELIVERY = (
    rb"to=<(?<!" + NO_ID + rb": to=<)(?P<recipient>" + _ADDRESS
    + rb")>(?:, orig_to=<" + _ADDRESS
    + rb">|), relay=(?P<relay>[^\t-\r ,\[]++[^\t-\r ,]*+)"
    rb"(?:, conn_use=\d++|), delay=(?P<delay>" + fields.SECONDS + rb"), delays=(?P<stages>"
    + rb"/".join([fields.SECONDS] * 4) + rb")" + fields.MORE_FIELDS
    + rb", dsn=(?![^\n]*, relay=)(?:"
    rb"(?P<sent>" + fields.ENHANCED_CODE
    + rb", status=sent \((?:" + delivery.COMES_AGAIN + rb"|))"
    rb"|(?P<failed>" + fields.ENHANCED_CODE + rb", status=(?:deferred|bounced) \()" + _REPLY + rb")"
)  # fmt: skip
_ACTIVE = (
    rb"from=<(?<!" + NO_ID + rb": from=<)(?P<sender>" + _ADDRESS + rb")>, size=(?P<size>"
    + active.SIZE + rb"), nrcpt=" + active.RECIPIENTS + rb" \(queue active\)(?=\r?(?:\n|\Z))"
)  # fmt: skip
_CLIENT = fields.CLIENT_NAME + rb"\[(?:" + fields.CLIENT_ADDRESS + rb")"
_RECEIVED = (
    rb"client=(?<!" + NO_ID + rb": client=)(?P<received>" + _CLIENT + rb")\](?::\d++|)"
    rb"(?:, sasl_method=" + fields.MECHANISM
    + rb", sasl_username(?P<logged_in_as>=[^\r\n,]*+)[^\n]*+|(?=\r?(?:\n|\Z)))"
)  # fmt: skip
_REMOVED = rb"removed(?=\r?(?:\n|\Z))(?P<removed>)"
_REJECT = rb"reject: "
_REFUSED = (
    _REJECT + rb"(?P<refused>[A-Z][A-Z-]++(?: content|)) from (?P<refused_name>"
    + fields.CLIENT_NAME
    # postscreen, which always names the port
    + rb"|(?=\[[0-9A-Fa-f.:]++\]:\d))\[(?P<refused_address>" + fields.CLIENT_ADDRESS + rb")\]"
    rb"(?::\d++|): (?P<answer>[245]\d\d (?:" + fields.ENHANCED_CODE + rb" |)"
    + reject.PLAIN_MESSAGE + rb")(?P<envelope>[^\n]*+)"
)  # fmt: skip
WARNING = b"warning: "
_LOGIN = (
    WARNING + fields.CLIENT_NAME + rb"\[(?P<login_address>" + fields.CLIENT_ADDRESS
    + rb")\]" + login.PLAIN_FAILED
)  # fmt: skip
# How it begins and ends; what stands between names the other side.
_TLS = (
    rb"(?=[AUTV])(?P<tls>(?:Anonymous|Untrusted|Trusted|Verified) TLS connection "
    rb"(?:established|reused) (?:from|to)) [^\n\]]*+\](?::[^\s:]++|): "
    rb"(?P<tls_end>[A-Za-z0-9.]{1,12}+ with cipher [A-Za-z0-9_-]{1,60}+)"
)
_CONNECTED = re.escape(connection.SMTPD) + rb"(?P<connected>)"
_SCREENED = re.escape(connection.POSTSCREEN) + rb"(?P<screened>)"
# What many lines without a queue ID begin with, of which nothing is told.
_NOT_TOLD = [rb"lost connection after ", rb"statistics: ", rb"DISCONNECT \["]
_DISCONNECT = rb"disconnect from "
# Of smtpd, where its sessions are asked for.
_DISCONNECTED = _DISCONNECT + rb"(?P<disconnected>[^\s\[\]]++\[[0-9A-Fa-f.:]++)\]"
# Texts without a queue ID that count for the report and not for the checks.
_OTHER_TEXTS = (
    rb"fatal: ", rb"panic: ", rb"connect to ",
    rb"PASS (?:NEW|OLD) \[", rb"(?:ALLOW|WHITE)LISTED \[",
    # of the master
    rb"daemon started -- ", rb"reload -- ", rb"terminating on signal ",
)  # fmt: skip
_ANY_WORD = (b"",)
_WITHOUT_ID = [shape for shape in POSTFIX if not shape.id]
_AFTER_ID = rb"(?!message-id=)" + _any(
    [
        _DELIVERY,
        _ACTIVE,
        _RECEIVED,
        _REMOVED,
        _REFUSED,
        rb"(?P<text_after_id>"
        + _any(_openings(shape for shape in POSTFIX if shape.id)) + rb"[^\n]*+)",
    ]
)  # fmt: skip


def _without_an_id(with_sessions: bool) -> bytes:
    shapes = [shape for shape in _WITHOUT_ID if shape is not ANY_WARNING]
    words = _openings(shape for shape in shapes if shape.words != _ANY_WORD)
    odd_ids = _openings(shape for shape in shapes if shape.words == _ANY_WORD)
    passed_over = _NOT_TOLD if with_sessions else [*_NOT_TOLD, _DISCONNECT]
    return (
        rb"(?!"
        + _any(passed_over)
        + rb")"
        + _any(
            [
                _CONNECTED,
                _SCREENED,
                *([_DISCONNECTED] if with_sessions else []),
                _TLS,
                _LOGIN,
                rb"(?=[A-Z])" + screen.FINDING,
                rb"(?P<text>"
                + _any([*_OTHER_TEXTS, *words, *odd_ids, frame.WRAPPER])
                + rb"[^\n]*+)",
                # What no other shape begins with is a warning, and nothing else.
                WARNING + rb"(?P<warning>[^\n]*+)",
                rb"(?P<severity>error): (?P<warned>[^\n]*+)",
            ]
        )
    )


# A line whose tag has no path is Dovecot's or another program's.
_WITHOUT_PATH = rb"(?!" + login.DOVECOT_IDLE + rb")" + _any(
    [
        login.DOVECOT_FAILED,
        rb"(?P<logged_in>" + login.DOVECOT_LOGGED_IN + rb")",
        rb"(?P<text_without_path>"
        + _any(
            [
                *_openings(DOVECOT), *loss.OPENINGS, frame.WRAPPER, frame.STAMPED,
                health.BEFORE_MAIN_CF,
            ]
        )
        + rb"[^\n]*+)",
    ]
)  # fmt: skip


@cache
def of(with_sessions: bool) -> re.Pattern[bytes]:
    """Return the expression. It begins with the newline before a line.

    The group that has ended last says what a line is. Where its frame is not the ordinary one,
    that is `odd_line`, and `tag` is nothing.

    with_sessions: whether the ends of smtpd's sessions, and all seconds and processes, are found
    """
    front = (
        rb"(?P<stamp>" + frame.ISO_MINUTE + rb"|" + frame.BSD_MINUTE + rb")"
        + (rb"(?P<seconds>" + frame.SECONDS + rb")" if with_sessions else frame.SECONDS)
        + rb"(?P<tag>(?:" + frame.ZONE + rb"|) [A-Za-z0-9._-]++ [A-Za-z0-9_.-]++"
        rb"(?:(?P<path>/)[A-Za-z0-9_./-]*+(?<!/)|))(?:\["
        + (rb"(?P<pid>[0-9]++)" if with_sessions else rb"[0-9]++") + rb"\]|): "
    )  # fmt: skip
    with_path = (
        rb"(?>(?P<queue_id>" + NO_ID + rb"|" + fields.QUEUE_ID + rb"): |)"
        rb"(?(queue_id)" + _AFTER_ID + rb"|" + _without_an_id(with_sessions) + rb")"
    )
    return re.compile(
        rb"\n(?>" + front + rb"|)(?(tag)(?(path)" + with_path + rb"|" + _WITHOUT_PATH
        + rb")|(?P<odd_line>[^\n]*+))"
    )  # fmt: skip
