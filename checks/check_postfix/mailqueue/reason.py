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


# The socket of a delivery agent or mailbox server, or a filter, that runs beside Postfix
_OWN_PLACE = re.compile(
    r"(?P<verb>connect to|host|lost connection with|conversation with)"
    r" \S*?\[(?P<place>[^\]\s]*/[^\]\s]*|127\.[\d.]+|::1)\](?P<port>:\d+)?(?=:? )"
    r"(?P<said> (?:said|refused to talk to me): )?"
)
# How local(8) and virtual(8) begin where they cannot deliver (mailbox.c, maildir.c, unknown.c,
# file.c, recipient.c of postfix/src/local, mailbox.c and maildir.c of postfix/src/virtual)
_match_own_delivery = re.compile(
    r"cannot (?:update|access|append|open|create) |maildir delivery failed: |mailbox /|mail system"
    r" configuration error|alias database unavailable|user lookup error|bad (?:file|mailbox)|unable"
    r" to (?:create|open|lock) "
).match

# Whose mailbox it is, in the words of these two
_OWN_PARTICULAR = re.compile(r" /\S+ for user \S+\. | /\S+(?=: )")


def own_place(reason: str) -> str:
    """Return which server of this machine a reason is about: a socket, or 127.0.0.1:10024."""
    found = _OWN_PLACE.match(reason[:_LONGEST].removeprefix(_SUSPENDED))
    return found["place"] + (found["port"] or "") if found else ""


def is_own_delivery(reason: str) -> bool:
    """Tell whether Postfix itself could not write into a mailbox of this machine."""
    return bool(_match_own_delivery(reason[:_LONGEST].removeprefix(_SUSPENDED)))


def relay(reason: str) -> str:
    """Return the host that a reason says was tried, in lower case; nothing if it names none.

    Where it is a socket of this machine, it is named by that.
    """
    if "/" in (place := own_place(reason)):
        return place
    found = _match_relay(reason[:_LONGEST].removeprefix(_SUSPENDED))
    return found["host"].lower() if found else ""


@lru_cache(maxsize=1024)
def general(reason: str) -> str:
    """Return a reason without hosts, addresses and numbers: `connect to ...: Connection refused`.

    Returns: at most 80 characters; nothing for a reason that says nothing
    """
    text = reason[:_LONGEST].removeprefix(_SUSPENDED)
    own = _OWN_PLACE.match(text)
    if own and not own["said"]:
        # Whose failure it is stays: that server runs here, and somebody can start it.
        before = f"{own['verb']} {own['place']}{own['port'] or ''}"
        return _shortened(before + _PARTICULAR.sub("...", text[own.end() :]))
    before = f"{own['place']}: " if own else ""
    if _match_own_delivery(text):
        text = _OWN_PARTICULAR.sub(lambda found: " ...: " if found[0][-1] == " " else " ...", text)
    if speaker := _SPEAKER.match(text):
        text = text[speaker.end() :].partition(_IN_REPLY)[0]
    codes = _CODES.match(text)
    start = codes.end() if codes else 0
    return _shortened(before + text[:start] + _PARTICULAR.sub("...", text[start:]))


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."
