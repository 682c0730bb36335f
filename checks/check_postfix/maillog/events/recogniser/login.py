"""Recognise logins that failed, those that broke on our side, and Dovecot's that succeeded.

Postfix logs SMTP logins (smtpd), Dovecot logs those to its own services; never do
both log the same one. User name and mechanism are a stranger's text. The client
stands before them in Postfix's line and after them in Dovecot's, so it is taken from
the left in the one and from the right in the other. The user name is all that is left
in between, whatever it looks like.

Sources: postfix/src/smtpd/smtpd_sasl_glue.c; dovecot/src/login-common
(client-common.c, client-common-auth.c).
"""

from __future__ import annotations

import re

from check_postfix.maillog.events import fields
from check_postfix.maillog.events.event import Event
from check_postfix.maillog.events.recogniser.unknown import unknown
from check_postfix.maillog.syntax.expression import Expression
from check_postfix.maillog.syntax.record import UNKNOWN, Record

# No other warning begins with a client.
OPENING = rb"warning: " + fields.CLIENT_NAME + rb"\["
# The account is a different one nearly each time.
_ACCOUNT = rb", sasl_username="
# What follows the client and `]` of one that failed at Postfix, where that is plain
PLAIN_FAILED = (
    rb"(?::\d++|)(?P<login>: SASL " + fields.MECHANISM + fields.AUTHENTICATION_FAILED
    + rb"[^,\n]*+(?:" + _ACCOUNT + rb"\(unavailable\)(?=\r?(?:\n|\Z))|))"
    rb"(?:" + _ACCOUNT + rb"(?P<account>[^,\n]++)|)(?=\r?(?:\n|\Z))"
)  # fmt: skip
_SERVICES = (b"imap", b"pop3", b"submission", b"managesieve")
# submission-login before Dovecot 2.4 says no more than what the client did.
_ENDED = (b"Disconnected", b"Aborted login", b"Login aborted", b"Client has quit", b"Remote closed")
_LOGGED_IN = (b"Login: user=<", b"Logged in: user=<")
_NO_HANDSHAKE = b"Error: Timeout waiting for handshake from auth server"
_BROKEN = b"Disconnected: Auth process broken"
DOVECOT_WORDS = tuple(service + b"-login: " for service in _SERVICES)
# What its auth processes, and the one that starts them, say of their own trouble: a database
# that does not answer, a process that died. To Postfix it looks like wrong passwords.
DOVECOT_AUTH_WORDS = (b"auth: ", b"auth-worker", b"master: Error: service(auth")
DOVECOT_AUTH_OPENING = (
    rb"(?:auth(?:-worker(?:\(\d++\)|)|): (?:Error|Fatal|Panic)|master: Error: service\(auth)"
)
# What a login process of Dovecot says, where that is plain. Its service, and how it ended,
# are checked when the text is read.
_DOVECOT_SAID = rb"[a-z3]++-login: (?:Info: |)"
DOVECOT_LOGGED_IN = _DOVECOT_SAID + rb"(?:Login|Logged in): user=<"
_ENDED_WITH = rb"[A-Z][^\n(<]*+(?<= )\("
_DOVECOT_ENDED = _DOVECOT_SAID + _ENDED_WITH
_USER = rb"(?: \([a-z_]++\)|): user=<"
_FAILED = _DOVECOT_ENDED + rb"(?:auth|authorization) failed, [1-9]\d{0,8} attempts"
_SECONDS = rb"(?: in \d++ secs|)"
# Neither the user's name nor the client can hold what looks like the other.
_PLAIN = (
    rb"(?P<user>[^\r\n<>]*+)>(?:, method=[A-Za-z0-9_-]*+|), rip=(?P<client>[0-9A-Fa-f.:]++)"
    rb"(?=,|\r?(?:\n|\Z))(?![^\n]*, rip=)"
)
DOVECOT_FAILED = rb"(?P<failed_login>" + _FAILED + rb")" + _SECONDS + rb"\)" + _USER + _PLAIN
# The same, or a login that has succeeded.
DOVECOT_LOGIN = (
    rb"(?P<dovecot_login>" + _FAILED + rb"(?=" + _SECONDS + rb"\))"
    rb"|" + _DOVECOT_SAID + rb"(?:Login|Logged in)(?=: user=<))"
    + _SECONDS + rb"\)?+" + _USER + _PLAIN
)  # fmt: skip
# One whose client is not told; whose it was is of no use.
DOVECOT_LOGGED_IN_FROM_NOWHERE = DOVECOT_LOGGED_IN + rb"(?![^\n]*, rip=)"
# Ended without a try; there are many, and each is another text. Who says so is all that is kept.
DOVECOT_IDLE = (
    _DOVECOT_SAID + rb"(?=(?!Disconnected: Auth )" + _ENDED_WITH
    + rb"no auth attempts[^\n()<]*+\)" + _USER + rb")"
)  # fmt: skip

_match_postfix = Expression(
    rb"warning: (?P<name>" + fields.CLIENT_NAME + rb")\[(?P<client>" + fields.CLIENT_ADDRESS
    + rb")\](?::\d++)?: SASL (?:(?P<mechanism>" + fields.MECHANISM
    + rb")" + fields.AUTHENTICATION_FAILED + rb" ?(?P<reason>.*)"
    rb"|.*?" + fields.AUTHENTICATION_FAILED + rb")",
    re.DOTALL,
).match  # fmt: skip

_match_sasl = Expression(
    rb"warning: "
    + fields.CLIENT_NAME
    + rb"\[(?:"
    + fields.CLIENT_ADDRESS
    + rb")\](?::\d++)?: SASL "
).match

_CLIENT_ERRORS = (
    b"Invalid base64 data in ",
    b"Invalid authentication mechanism",
    # Cyrus SASL has none of the name that the client says
    b"no mechanism available",
)
_BACKEND_ERRORS = (
    b"Connection lost to authentication server",
    b"Can't connect to authentication server",
    b"Authentication backend error",
    # Cyrus SASL: saslauthd is down, or in trouble
    b"generic failure",
    b"no memory available",
    b"transient failure (e.g.",  # its comma ends the opening words
    b"remote authentication server unavailable",
)
# With Dovecot's SASL, when its socket does not answer: nothing was asked, so there is
# neither a reason nor a name (xsasl/xsasl_dovecot_server.c,
# xsasl_dovecot_server_first: XSASL_AUTH_TEMP with an empty reply; what is put in
# their places: smtpd/smtpd_sasl_glue.c).
_USERNAME = b", sasl_username="
_NO_NAME = b"(unavailable)"
_NOBODY_ASKED = b"(reason unavailable)" + _USERNAME + _NO_NAME

# The text before the reason is in Dovecot's and the operating system's own words. The user
# name follows after the reason, and nothing after that is believed.
_search_reason = Expression(
    rb" user=<|\n| \((?:(?:auth|authorization) failed, (?P<attempts>[1-9]\d{0,8}) attempts"
    rb"(?: in \d++ secs|)\)|(?P<fault>auth process communication failure|internal failure"
    rb"|auth service reported temporary failure)[^()\n]*+\))"
    rb"(?P<whole>(?: \([a-z_]++\)|):|)"
).search
# The last one is Dovecot's own: all that the user name holds stands before it.
_find_address = Expression(rb".*, rip=(?P<client>[0-9A-Fa-f.:]++)(?=,|\Z)", re.DOTALL).match
# The text before that. The method is a stranger's text too: if it is no plain word,
# nobody knows where the name ends.
_match_user = Expression(
    rb" user=<(?P<account>.*)>(?:, method=[A-Za-z0-9_-]*+)?, rip=\Z", re.DOTALL
).match

_match_auth_trouble = Expression(DOVECOT_AUTH_OPENING).match

_BACKEND_ERROR = Event(kind="auth_backend_error")


def recognise_postfix(record: Record, start: int) -> Event | None:
    """Return the event of an smtpd login line, None for `authentication aborted`.

    record: program smtpd, text starts with `warning: `
    """
    match = _match_postfix(record.text, start)
    if not match:
        return _unknown(record, start)
    name, address, word, reason = match.groups()
    client = address.decode().lower()
    # A mechanism that is no plain word is the client's invention; the reason that seems
    # to follow may be part of it.
    if word is None or reason.startswith(_CLIENT_ERRORS):
        return Event(kind="auth_client_error", client=client)
    mechanism = word.decode().upper()
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
        client_name=fields.verified(name),
        account=_known(account) if named else b"",
    )


def _unknown(record: Record, start: int) -> Event | None:
    """Return the event of what smtpd says of SASL and a client, if it is not of an aborted try.

    Postfix says either in its own words after the mechanism. A client may name those words
    as its mechanism, but not keep Postfix from writing its own.
    """
    text = record.text
    is_whole = not fields.may_be_cut(text)
    if is_whole and _match_sasl(text, start) and b" authentication aborted" not in text:
        return unknown("login_unknown", record, "SASL")
    return None


def _known(name: bytes) -> bytes:
    return b"" if name == _NO_NAME else name


def recognise_dovecot(record: Record, start: int) -> Event | None:
    """Return the event of a Dovecot login process's line, or None.

    record: text starts with one of DOVECOT_WORDS
    """
    text = record.text
    name, _, said = text.partition(b"-login: ")
    said = said.removeprefix(b"Info: ")
    if said.startswith(_LOGGED_IN):
        return _succeeded(text, text.index(b": user=<") + 1, name)
    if said.startswith(_NO_HANDSHAKE):
        return Event(kind="auth_backend_error", service=name.decode())
    if not said.startswith(_ENDED):
        return None
    reason = _search_reason(text, start)
    if not reason or not reason["whole"]:
        if not said.startswith(_BROKEN):
            return None
        reason = None
    address = _find_address(text)
    client = address["client"].decode().lower() if address else ""
    service = name.decode()
    # Whose attempts were refused before the auth process broke has failed all the same.
    if not reason or reason["fault"]:
        return Event(kind="auth_backend_error", client=client, service=service)
    user = address and _match_user(text[reason.end() : address.start("client")])
    return Event(
        kind="auth_failed",
        client=client,
        service=service,
        times=int(reason["attempts"]),
        account=user["account"] if user else b"",
    )


def _succeeded(text: bytes, start: int, service: bytes) -> Event:
    """Return the event of a login that Dovecot has let in.

    start: where the blank before `user=<` stands
    """
    address = _find_address(text)
    if address is None:
        return Event("auth_succeeded", service=service.decode())
    user = _match_user(text[start : address.start("client")])
    return Event(
        kind="auth_succeeded",
        client=address["client"].decode().lower(),
        service=service.decode(),
        account=user["account"] if user else b"",
    )


def recognise_dovecot_auth(record: Record, start: int) -> Event | None:
    """Return the event of trouble that Dovecot's auth processes tell of, or None.

    record: text starts with one of DOVECOT_AUTH_WORDS
    """
    return _BACKEND_ERROR if _match_auth_trouble(record.text, start) else None


def at_dovecot(said: bytes, client: bytes) -> Event | None:
    """Return the event of a login that is found by DOVECOT_LOGIN, if it is one of its services'.

    said, client: its groups `dovecot_login` and `client`
    """
    service, _, told = said.partition(b"-login: ")
    if (told.removeprefix(b"Info: ") + b": user=<").startswith(_LOGGED_IN):
        if service not in _SERVICES:
            return None
        return Event("auth_succeeded", client=client.decode().lower(), service=service.decode())
    return failed_at_dovecot(said, client)


def is_logged_in(said: bytes) -> bool:
    """Tell whether what DOVECOT_LOGGED_IN has found was said by one of its services."""
    return said.partition(b"-login: ")[0] in _SERVICES


def failed_at_dovecot(ended: bytes, client: bytes) -> Event | None:
    """Return the event of a login, if one that is found by DOVECOT_FAILED has failed.

    ended, client: its groups `failed_login` and `client`
    """
    service, _, said = ended.partition(b"-login: ")
    if service not in _SERVICES or not said.removeprefix(b"Info: ").startswith(_ENDED):
        return None
    attempts = ended.rpartition(b" failed, ")[2].removesuffix(b" attempts")
    return Event(
        kind="auth_failed",
        client=client.decode().lower(),
        service=service.decode(),
        times=int(attempts),
    )
