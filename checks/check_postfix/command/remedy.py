"""Remedy: what to do about mail that waits or comes back, by why it does."""

from __future__ import annotations

import re

from check_postfix.command import own_servers
from check_postfix.maillog.events import reasons

_SUSPENDED = b"delivery temporarily suspended: "
_match_code = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}(?= |$)").match

# Why mail waits or comes back -> the next step
OF_REASON = {
    reasons.MAILBOX_FULL: "nothing on this machine: their mailbox has no room; tell the recipient"
    " by another way, or their postmaster",
    reasons.UNKNOWN_USER: "see whether the address is right; remove it from lists and address"
    " books; what waits: postsuper -d QUEUE_ID",
    reasons.GREYLISTED: "wait: it passes by itself, within an hour",
    reasons.RATE_LIMITED: "send more slowly (default_destination_rate_delay,"
    " default_destination_concurrency_limit), and see who sends so much: postfix-log queue --by"
    " sender",
    reasons.BLOCKED: "see who sends what (postfix-log queue --by sender), stop that, then ask the"
    " list or server named in the answer to let this machine go",
    reasons.POLICY: "see the SPF, DKIM and DMARC records of the sender's domain",
    reasons.DNS: "look it up on this machine: getent hosts NAME, dig mx DOMAIN; if no domain is"
    " found, look at /etc/resolv.conf first; a misspelt domain: postsuper -d QUEUE_ID",
    reasons.TLS: "try it: openssl s_client -starttls smtp -connect HOST:25; see"
    " smtp_tls_security_level and smtp_tls_policy_maps",
    reasons.REFUSED: "nobody listens there: try it with nc -vz HOST PORT, as its answer names them;"
    " if it is this machine's relayhost (postconf relayhost) or filter, start it",
    reasons.TIMED_OUT: "no way to there: try it with nc -vz HOST PORT; if that fails for every"
    " host, it is this machine's network or its provider's port 25",
    reasons.LOST: "the other side hung up: see whether a firewall looks into SMTP",
    reasons.CONTENT: "see what is sent (what waits: postcat -q QUEUE_ID), and whether an account"
    " sends spam: postfix-log queue --by sender",
    reasons.TOO_LARGE: "too large for them: tell its sender; what waits: postsuper -d QUEUE_ID",
    reasons.RELAY_DENIED: "see whether relayhost and its login are right: postconf relayhost"
    " smtp_sasl_password_maps",
    reasons.NO_TRANSPORT: "a delivery agent of this machine does not work: see postconf -M and"
    " postfix-log trace 'mail transport unavailable'",
    reasons.LOOKUP: "wait: a table over there does not answer; if it lasts, tell their postmaster;"
    " if it is a table of this machine: postmap -q KEY TABLE",
    reasons.UNAVAILABLE: "wait; if it lasts, tell the postmaster over there",
    reasons.COMMAND: "run the program by hand as its user, and read what it says",
    reasons.LOGIN_REFUSED: "put the right password into smtp_sasl_password_maps, run postmap on it,"
    " then postqueue -f",
    reasons.CLIENT_REFUSED: "ask the other side which rule refuses this machine",
    reasons.HELO_REFUSED: "give smtp_helo_name a name that resolves to this machine's address",
    reasons.SENDER_REFUSED: "see which sender it is; its domain may have no MX or A record",
    reasons.RECIPIENT_REFUSED: "read their answer: postfix-log trace QUEUE_ID",
    reasons.OTHER: "see their answer and all attempts: postfix-log trace QUEUE_ID",
}
# Of reasons.DNS, where nearly all domains fail
RESOLVER = (
    "look at /etc/resolv.conf first (Postfix has a copy in its queue directory, etc/): ask the"
)
RESOLVER += " name server there for any domain: dig mx DOMAIN; then postqueue -f"
ON_HOLD = "look at it (postcat -q QUEUE_ID), then let it go: postsuper -H QUEUE_ID, or -H ALL"
IN_MAILDROP = "pickup does not take it: see that Postfix runs (postfix status), and its errors:"
IN_MAILDROP += " postfix-log trace pickup"


def kind(words: str) -> str:
    """Return the class of what Postfix says about why a message waits.

    words: as postqueue prints them
    """
    reply = words.encode("utf-8", "replace").removeprefix(_SUSPENDED)
    said = reasons.match_said(reply)
    code = _match_code(reply, said.end()) if said else None
    return reasons.of_delivery(code[0] if code else b"", reply, said)


def of(words: str) -> str:
    """Return what to do about it, nothing where there are no words."""
    return named(words)[1] if words else ""


def named(words: str) -> tuple[str, str]:
    """Return the class of a reason, with where on this machine the fault is; and what to do."""
    why = kind(words)
    if own := own_servers.remedy(words, why):
        where, what = own
        return (where if why == reasons.OTHER else f"{why}, {where}"), what
    return why, OF_REASON[why]
