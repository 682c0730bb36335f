"""Reasons: why mail waits, without what differs from one message to the next.

Postfix keeps for each recipient the words of the last failure. They name hosts, addresses,
numbers and persons; without those the reasons of a thousand messages are a few.
"""

from __future__ import annotations

import re
from functools import lru_cache

# More of a reason is not looked at, and less of it is shown; in characters.
_LONGEST = 400
SHOWN = 80

# qmgr's words about a destination that has just failed several times; the cause comes after.
_SUSPENDED = "delivery temporarily suspended: "
# Other servers answer in their own words, after these of smtp(8).
_SPEAKER = re.compile(r"host \S+ (?:said|refused to talk to me): ")
_IN_REPLY = " (in reply to "
# A host, address, number or person: a word, or a value after "=", in which one of these stands.
_PARTICULAR = re.compile(r"(?<![^\s=(])[^\s=(]*?(?:[\d\[@<]|\.(?=\w))\S*?(?=[:;,.)]*(?:\s|$))")
# The reply code and enhanced code that a server's answer begins with say why.
_CODES = re.compile(r"[245]\d\d(?:[ -][245]\.\d{1,3}\.\d{1,3})?(?= |$)")

# Whom Postfix has tried, as its own words name it before anything that others have said
# (smtp_connect.c, smtp_proto.c, smtp_trouble.c, smtp_sasl_glue.c of postfix/src/smtp).
_match_relay = re.compile(
    r"(?:connect to|host|lost connection with|conversation with"
    r"|TLS is required, but was not offered by host"
    r"|SASL authentication failed; (?:server|cannot authenticate to server))"
    r" (?P<host>[^\s\[\]]+)\[[^\]\s]+\]"
).match


def relay(reason: str) -> str:
    """Return the host that a reason says was tried, in lower case; nothing if it names none."""
    found = _match_relay(reason[:_LONGEST].removeprefix(_SUSPENDED))
    return found["host"].lower() if found else ""


@lru_cache(maxsize=1024)
def general(reason: str) -> str:
    """Return a reason without hosts, addresses and numbers: `connect to ...: Connection refused`.

    Returns: at most 80 characters; nothing for a reason that says nothing
    """
    text = reason[:_LONGEST].removeprefix(_SUSPENDED)
    if speaker := _SPEAKER.match(text):
        text = text[speaker.end() :].partition(_IN_REPLY)[0]
    codes = _CODES.match(text)
    start = codes.end() if codes else 0
    text = " ".join((text[:start] + _PARTICULAR.sub("...", text[start:])).split())
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."
