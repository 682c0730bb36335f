"""Small mail logs, written line by line with stamps of a few minutes ago."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

_DELAYS = "delay=2.1, delays=0.06/0.01/1.2/0.83"
_RELAY = "relay=mail.example.net[192.0.2.25]:25"
_SAID = "host mail.example.net[192.0.2.25] said:"


def delivery(status: str, dsn: str, reply: str) -> str:
    """Return what smtp says of one delivery attempt."""
    return (
        f"smtp[2211]: 4XJ2Vw0dHbz9sK1: to=<ann@example.net>, {_RELAY}, {_DELAYS}, dsn={dsn},"
        f" status={status} ({reply})"
    )


SENT = delivery("sent", "2.0.0", "250 2.0.0 Ok: queued as 4XJ2Vx1k2Cz8r")
DEFERRED = delivery("deferred", "4.3.0", f"{_SAID} 451 4.3.0 later (in reply to RCPT TO command)")
BOUNCED_550 = delivery("bounced", "5.1.1", f"{_SAID} 550 5.1.1 who? (in reply to RCPT TO command)")
BOUNCED_554 = delivery("bounced", "5.7.1", f"{_SAID} 554 5.7.1 no (in reply to RCPT TO command)")
FULL = delivery("bounced", "5.2.2", f"{_SAID} 552 5.2.2 full (in reply to RCPT TO command)")
UNKNOWN = "smtp[2211]: 4XJ2Vw0dHbz9sK1: to=<ann@example.net>, novel=yes"
EXPIRED = "qmgr[12]: 4XJ2Vw0dHbz9sK1: from=<bob@example.org>, status=expired, returned to sender"
TAKEN_IN = "smtpd[2300]: 4XJ2Vw0dHbz9sK1: client=client.example.org[203.0.113.9]"
TAKEN_UP = "qmgr[12]: 4XJ2Vw0dHbz9sK1: from=<bob@example.org>, size=4711, nrcpt=10 (queue active)"
SUBMITTED = [
    "submission/smtpd[2302]: 4XJ2Vw0dHbz9sK2: client=unknown[203.0.113.44], sasl_method=PLAIN,"
    " sasl_username=carol@example.com",
    "qmgr[12]: 4XJ2Vw0dHbz9sK2: from=<carol@example.com>, size=800, nrcpt=4 (queue active)",
    BOUNCED_550.replace("sK1", "sK2"),
]
BY_SCRIPT = "pickup[2303]: 4XJ2Vw0dHbz9sK3: uid=33 from=<www-data>"
REMOVED = "qmgr[12]: 4XJ2Vw0dHbz9sK1: removed"


def rejected(client: str = "203.0.113.5", name: str = "unknown") -> str:
    """Return what smtpd says when it refuses a recipient."""
    return (
        f"smtpd[2300]: NOQUEUE: reject: RCPT from {name}[{client}]: 554 5.7.1 <ann@example.net>:"
        " Relay access denied; from=<x@example.org> to=<ann@example.net> proto=ESMTP helo=<x>"
    )


def login_failed(
    client: str = "203.0.113.77", reason: str = "UGFzc3dvcmQ6", account: str = ""
) -> str:
    """Return what smtpd says of a login with a wrong password; old versions name no account."""
    named = f", sasl_username={account}" if account else ""
    said = f"SASL LOGIN authentication failed: {reason}{named}"
    return f"smtpd[2301]: warning: unknown[{client}]: {said}"


BACKEND_DOWN = login_failed(reason="Connection lost to authentication server")

# An address that fails at ten accounts and then sends mail as one of them
GUESSED = [
    *[login_failed("198.51.100.7", account=f"a{number}") for number in range(10)],
    "smtpd[2300]: 4XJ2Vw0dHbz9sK4: client=unknown[198.51.100.7], sasl_method=PLAIN,"
    " sasl_username=a3",
]

CONNECTED = "smtpd[1]: connect from mx.example.com[203.0.113.9]"

# A delivery that took long, one that took far too long, and one that had been put off before.
SLOW = SENT.replace(_DELAYS, "delay=30, delays=0.06/0.01/1.2/29")
VERY_SLOW = SENT.replace(_DELAYS, "delay=1800, delays=0.06/0.01/1.2/1799")
RETRIED = SENT.replace(_DELAYS, "delay=900, delays=898/0.01/1.2/0.83").replace("4XJ2V", "4XJ2W")
PUT_OFF = DEFERRED.replace("4XJ2V", "4XJ2W")
# Why Postfix refuses all mail
NOT_WORKING = [
    "master[2300]: warning: /usr/lib/postfix/sbin/smtpd: bad command startup -- throttling",
    "smtpd[2302]: warning: not enough free space in mail queue: 9 bytes < 1.5*message size limit",
    "cleanup[2304]: warning: mail_queue_enter: create file incoming/9.2304: Permission denied",
    "smtpd[2302]: NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 452 4.3.1 Insufficient system"
    " storage; from=<a@example.org> to=<ann@example.com> proto=ESMTP helo=<a>",
]
# What goes wrong with Postfix itself, and with the log
TROUBLE = [
    "smtpd[2302]: fatal: no SASL authentication mechanisms",
    "cleanup[2304]: panic: myfree: corrupt or unallocated memory block",
    "smtpd[2302]: warning: hostname a.example.org does not resolve to address 203.0.113.9",
    "smtpd[2302]: warning: connect to Milter service inet:127.0.0.1:8891: Connection refused",
    "smtpd[2302]: < unknown[203.0.113.9]: AUTH PLAIN AGFubgBzZWNyZXQ=",
]
LOST = "imjournal: 406 messages lost due to rate-limiting (20000 allowed within 600 seconds)"

EVERYTHING = [
    *[SENT] * 4, *[DEFERRED] * 3, BOUNCED_550, BOUNCED_554, FULL, EXPIRED, REMOVED,
    *[rejected(name="mx.example.com")] * 5, *[login_failed(account="ann")] * 6,
    login_failed("2001:db8::9"), BACKEND_DOWN,
]  # fmt: skip


def lines(
    said: list[str],
    minutes_ago: float = 5,
    form: str = "iso",
    host: str = "mx1",
    instance: str = "postfix",
    zone: tzinfo = UTC,
    now: float | None = None,
) -> str:
    """Return lines of a log.

    said: program[pid]: text
    form: `iso` is rsyslog's default of today (RFC 3339), `bsd` that of old (RFC 3164)
    now:  seconds since 1970; None for the real time
    """
    present = datetime.now(zone) if now is None else datetime.fromtimestamp(now, zone)
    then = present - timedelta(minutes=minutes_ago)
    stamp = then.isoformat() if form == "iso" else f"{then:%b} {then.day:2} {then:%H:%M:%S}"
    return "".join(f"{stamp} {host} {instance}/{text}\n" for text in said)


def write(path: Path, *parts: str) -> Path:
    """Write a log; return its path."""
    path.write_text("".join(parts), encoding="utf-8")
    return path


def lost(minutes_ago: float = 5) -> str:
    """Return the line in which rsyslog says that it has dropped lines."""
    return lines([f"rsyslogd: {LOST}"], minutes_ago).replace("postfix/", "")
