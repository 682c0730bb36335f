"""Recognise logins that failed, those that broke on our side, and Dovecot's that succeeded.

Postfix tells of SMTP logins (smtpd), Dovecot of those to its own services; the
two never tell of the same one. User name and mechanism are a stranger's text.
The client stands before them in Postfix's line and behind them in Dovecot's, so
it is taken from the left there and from the right here. The user name is what is
left in between, whatever it looks like.

Sources: postfix/src/smtpd/smtpd_sasl_glue.c; dovecot/src/login-common
(client-common.c, client-common-auth.c).
"""

from __future__ import annotations

import re

from check_postfix.maillog import shapes
from check_postfix.maillog.event import Event
from check_postfix.maillog.expression import Expression
from check_postfix.maillog.record import UNKNOWN, Record

POSTFIX_OPENING = (
    rb"warning: " + shapes.CLIENT_NAME + rb"\[(?:" + shapes.CLIENT_ADDRESS
    + rb")\](?::\d++)?: SASL "
)  # fmt: skip
# submission-login before Dovecot 2.4 names no more than what the client did.
_ENDED = rb"Disconnected|Aborted login|Login aborted|Client has quit|Remote closed"
_SERVICE = rb"(?:imap|pop3|submission|managesieve)-login: (?:Info: |)"
# Nothing behind it is looked at.
DOVECOT_LOGGED_IN = _SERVICE + rb"(?:Login|Logged in): user=<"
DOVECOT_OPENING = _SERVICE + rb"(?:" + _ENDED + rb"|Login: user=<|Logged in: user=<)"

_match_postfix = Expression(
    rb"warning: (?P<name>" + shapes.CLIENT_NAME + rb")\[(?P<client>" + shapes.CLIENT_ADDRESS
    + rb")\](?::\d++)?: SASL (?:(?P<mechanism>" + shapes.MECHANISM
    + rb")" + shapes.AUTHENTICATION_FAILED + rb" ?(?P<reason>.*)"
    rb"|.*?" + shapes.AUTHENTICATION_FAILED + rb")",
    re.DOTALL,
).match  # fmt: skip

_CLIENT_ERRORS = (
    b"Invalid base64 data in ",
    b"Invalid authentication mechanism",
)
_BACKEND_ERRORS = (
    b"Connection lost to authentication server",
    b"Can't connect to authentication server",
    b"Authentication backend error",
    # Cyrus SASL: saslauthd is down, or out of its depth
    b"generic failure",
    b"no memory available",
    b"transient failure (e.g.",  # its comma ends the opening words
    b"remote authentication server unavailable",
)
# With Dovecot's SASL, when there is no talking to its socket: nothing was asked,
# so there is neither a reason nor a name (xsasl/xsasl_dovecot_server.c,
# xsasl_dovecot_server_first: XSASL_AUTH_TEMP with an empty reply; what is put in
# their places: smtpd/smtpd_sasl_glue.c).
_USERNAME = b", sasl_username="
_NO_NAME = b"(unavailable)"
_NOBODY_ASKED = b"(reason unavailable)" + _USERNAME + _NO_NAME

_REASONS = (
    rb"(?P<failed>auth failed|authorization failed), (?P<attempts>[1-9]\d{0,8}) attempts"
    rb"(?: in \d++ secs)?\)"
    rb"|(?P<fault>auth process communication failure|internal failure"
    rb"|auth service reported temporary failure)[^()\n]*+\)"
)
# What stands before the reason is Dovecot's and the operating system's own
# words; the user name follows behind it.
_match_dovecot = Expression(
    rb"(?P<service>imap|pop3|submission|managesieve)-login: (?:Info: )?(?:"
    rb"(?P<login>Login|Logged in): user=<"
    rb"|(?:" + _ENDED + rb")"
    rb"(?:(?! user=<| \((?:" + re.sub(rb"\?P<\w+>", rb"?:", _REASONS) + rb"))[^\n])*"
    rb" \((?:" + _REASONS + rb")(?: \([a-z_]++\))?:)"
).match
# The last one is Dovecot's own: whatever the user name held stands before it.
_find_address = Expression(rb".*, rip=(?P<client>[0-9A-Fa-f.:]++)(?=,|\Z)", re.DOTALL).match
# What stands before that. The method is a stranger's text too: if it is no plain
# word, nobody knows where the name ends.
_match_user = Expression(
    rb" user=<(?P<account>.*)>(?:, method=[A-Za-z0-9_-]*+)?, rip=\Z", re.DOTALL
).match


def recognise_postfix(record: Record) -> Event | None:
    """Return the event of an smtpd login line, None for `authentication aborted`.

    record: program smtpd, text starts with POSTFIX_OPENING
    """
    shape = _match_postfix(record.text)
    if not shape:
        return None
    client = shape["client"].decode().lower()
    reason = shape["reason"]
    # A mechanism that is no plain word is the client's invention; whatever
    # reason seems to follow may be part of it.
    if shape["mechanism"] is None or reason.startswith(_CLIENT_ERRORS):
        return Event(kind="auth_client_error", client=client)
    mechanism = shape["mechanism"].decode().upper()
    service = record.service or (b"" if record.program == UNKNOWN else b"smtp")
    where = service.decode("utf-8", "replace")
    if reason.startswith(_BACKEND_ERRORS) or reason == _NOBODY_ASKED:
        return Event("auth_backend_error", client=client, mechanism=mechanism, service=where)
    _, named, account = reason.rpartition(_USERNAME)
    return Event(
        kind="auth_failed",
        client=client,
        mechanism=mechanism,
        service=where,
        client_name=shapes.verified(shape["name"]),
        account=_known(account) if named else b"",
    )


def _known(name: bytes) -> bytes:
    return b"" if name == _NO_NAME else name


def recognise_dovecot(record: Record) -> Event | None:
    """Return the event of a Dovecot login process's line, or None.

    record: text starts with DOVECOT_OPENING
    """
    shape = _match_dovecot(record.text)
    if not shape:
        return None
    if shape["login"]:
        return Event(kind="auth_succeeded")
    address = _find_address(record.text)
    client = address["client"].decode().lower() if address else ""
    service = shape["service"].decode()
    if shape["fault"]:
        return Event(kind="auth_backend_error", client=client, service=service)
    user = address and _match_user(record.text[shape.end() : address.start("client")])
    return Event(
        kind="auth_failed",
        client=client,
        service=service,
        times=int(shape["attempts"]),
        account=user["account"] if user else b"",
    )
