"""Recognise what postscreen found wrong with a client, besides its rejects.

One client can have several findings, and be rejected as well or not. Lines about good
clients (CONNECT, PASS, ALLOWLISTED, DISCONNECT) are not counted. The text that a client
sent stands at the end.

Source: postfix/src/postscreen/.
"""

from __future__ import annotations

import re

from check_postfix.maillog.events.event import Event
from check_postfix.maillog.syntax.expression import Expression
from check_postfix.maillog.syntax.record import Record

# Words -> kind
KINDS = {
    b"DNSBL rank": "screen_dnsbl",
    # until Postfix 3.5, and with respectful_logging=no
    b"BLACKLISTED": "screen_denylisted",
    b"DENYLISTED": "screen_denylisted",
    b"PREGREET": "screen_pregreet",
    b"HANGUP": "screen_hangup",
    b"COMMAND PIPELINING": "screen_pipelining",
    b"NON-SMTP COMMAND": "screen_non_smtp",
    b"BARE NEWLINE": "screen_bare_newline",
    b"COMMAND TIME LIMIT": "screen_time_limit",
    b"COMMAND COUNT LIMIT": "screen_count_limit",
    b"COMMAND LENGTH LIMIT": "screen_length_limit",
    b"DATA without valid RCPT": "screen_no_recipient",
    b"BDAT without valid RCPT": "screen_no_recipient",
}

_WORD = rb"|".join(map(re.escape, KINDS))
WORDS = tuple(finding + b" " for finding in KINDS)
_CLIENT = (
    rb"(?:\d++ |)(?:for |after [\d.]++ |)(?:from |)\[(?P<found_client>[0-9A-Fa-f.:]++)\]:\d"
)  # fmt: skip
# Nothing after it is looked at.
FINDING = rb"(?P<finding>" + _WORD + rb") " + _CLIENT
_match_client = Expression(_CLIENT).match


def recognise(record: Record, start: int) -> Event | None:
    """Return the event of a finding, or None if no client stands in its place.

    record: program postscreen, text starts with one of WORDS
    """
    text = record.text
    finding = next(words for words in KINDS if text.startswith(words, start))
    client = _match_client(text, start + len(finding) + 1)
    return client and found(finding, client["found_client"])


def found(finding: bytes, client: bytes) -> Event:
    """Return the event of a finding.

    finding, client: the groups of FINDING
    """
    return Event(kind=KINDS[finding], client=client.decode().lower())
