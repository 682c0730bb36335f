"""A hostile line costs work in proportion to its length, in both ways of reading."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest

from tests.support import corpus

SIZES = (16, 32, 64)  # KiB
ROUNDS = 3
TRIES = 10  # on a machine that does much else, the least of a few is not the line's own cost yet
# Twice the length may cost this many times the work. Linear is 2, quadratic 4; what
# takes less than FLOOR seconds is noise.
GROWTH = 3.2
FLOOR = 0.002
# Python's json gives up at a depth of its own. From 3.14 on that is tens of thousands of levels,
# whose stack costs a few milliseconds once: no line costs more, whatever its length.
NESTING = 0.02

_SMTPD = b"Nov 24 16:40:01 mx1 postfix/smtpd[2301]: "
_SMTP = b"Nov 24 16:40:01 mx1 postfix/smtp[2211]: "
_CLEANUP = b"Nov 24 16:40:01 mx1 postfix/cleanup[2304]: "
_QMGR = b"Nov 24 16:40:01 mx1 postfix/qmgr[2200]: "
_SCREEN = b"Nov 24 16:40:01 mx1 postfix/postscreen[2400]: "
_DOVECOT = b"Nov 24 16:40:01 mx1 dovecot: imap-login: "
_LOGIN = _SMTPD + b"warning: unknown[203.0.113.6]: SASL "
_TAIL = b">, relay=none, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent ("
_REPLY = (_SMTP + b"64D05240927: to=<a@example.com>, relay=none, delay=0, delays=0/0/0/0, "
          b"dsn=4.0.0, status=deferred (host a[b] said: 452 ")  # fmt: skip

# The beginning of a line, and what is repeated behind it.
SHAPES = {
    "nothing but blanks": (b"", b" "),
    "nothing but digits": (b"", b"1"),
    "nothing but NUL": (b"", b"\0"),
    "a stamp and blanks": (b"Nov 24 16:40:01 ", b" "),
    "a stamp and words": (b"Nov 24 16:40:01 ", b"mx1 "),
    "a stamp and facilities": (b"Nov 24 16:40:01 ", b"mail.info "),
    "a host without end": (b"Nov 24 16:40:01 ", b"a"),
    "a tag without end": (b"Nov 24 16:40:01 mx1 postfix", b"/smtpd"),
    "a tag of brackets": (b"Nov 24 16:40:01 mx1 postfix/smtpd", b"[1]"),
    "stamps": (b"", b"Nov 24 16:40:01 "),
    "docker, open string": (b'{"log":"', b"a"),
    "docker, backslashes": (b'{"log":"', b"\\"),
    "docker, quotes": (b'{"log":"', b'""'),
    "docker, nesting": (b'{"log":', b"["),
    "docker, parts": (b'{"log":"', b"\\\\n\\n"),
    "docker, names": (b"{", b'"log":1,'),
    "journal, open array": (b'{"MESSAGE":[', b"1,"),
    "journal, nesting": (b'{"MESSAGE":', b'{"MESSAGE":'),
    "journal, a number": (b'{"MESSAGE":', b"1"),
    "CRI, a part": (b"2026-11-24T16:40:01Z stdout P ", b"x"),
    "journalctl's remarks": (b"-- Journal begins at ", b" --"),
    "table types": (_SMTPD + b"warning: ", b"a:"),
    "table names": (_SMTPD + b"warning: a: a:", b" lookup error for"),
    "map names": (_CLEANUP + b"64D05240927: ", b"a map lookup problem"),
    "CRI in CRI": (b"", b"2026-11-24T16:40:01Z stdout F "),
    "CRI, stamps inside": (b"2026-11-24T16:40:01Z stdout F ", b"Nov 24 16:40:01 "),
    "docker logs -t": (b"", b"2026-11-24T16:40:01Z "),
    "compose": (b"", b"mail-1  | "),
    "compose, blanks": (b"mail-1", b" "),
    "whole lines in each other": (b"", b"Nov 24 16:40:01 node docker[8]: "),
    "a chain of hosts": (b"Nov 24 16:40:01 mx1", b"/mx1"),
    "chains of hosts": (b"Nov 24 16:40:01 ", b"mx1/mx1 "),
    "severities": (b"Nov 24 16:40:01 ", b"INFO    "),
    "facilities of FreeBSD": (b"Nov 24 16:40:01 ", b"<mail.info> "),
    "named fields": (b'{"message":"x"', b',"tag":"postfix/smtpd"'),
    "named fields, a tag": (b'{"@timestamp":"2026-11-24T16:40:01Z","message":"x","tag":"a', b"/a"),
    "objects in objects": (b'{"message":"{', b'\\"message\\":'),
    "RFC 5424, open element": (b"<22>1 2026-11-24T16:40:01Z mx1 postfix 1 - [", b'a="b" '),
    "RFC 5424, elements": (b"<22>1 2026-11-24T16:40:01Z mx1 postfix 1 - ", b'[a b="c"]'),
    "RFC 5424, quotes": (b"<22>1 2026-11-24T16:40:01Z mx1 postfix 1 - [", b'"\\"'),
    "repeats in repeats": (_SMTPD, b"message repeated 2 times: [ "),
    "Solaris numbers": (_SMTPD, b"[ID 197553 mail.info] "),
    "queue ID without end": (_SMTP, b"A1"),
    "queue IDs": (_SMTP, b"64D05240927: "),
    "to= without end": (_SMTP + b"64D05240927: to=<", b"a"),
    "to= quoted without end": (_SMTP + b'64D05240927: to=<"', b"a"),
    "to= backslashes in quotes": (_SMTP + b'64D05240927: to=<"', b"\\"),
    "to= escaped quotes": (_SMTP + b'64D05240927: to=<"', b'\\"'),
    "to= quotes": (_SMTP + b"64D05240927: to=<", b'"'),
    "to= domains": (_SMTP + b"64D05240927: to=<", b"@example.com"),
    "to= recipients": (_SMTP + b"64D05240927: ", b"to=<a@example.com"),
    "tails": (_SMTP + b"64D05240927: to=<a@example.com", _TAIL),
    "tails in quotes": (_SMTP + b'64D05240927: to=<"', _TAIL),
    "beginnings of tails": (_SMTP + b"64D05240927: to=<a@b c", b">, relay="),
    "relays": (_SMTP + b"64D05240927: to=<a@example.com>", b", relay=x"),
    "half tails": (_SMTP + b"64D05240927: to=<a b", b">, relay=none, delay=0, delays=0/0/0/0"),
    "a number without end": (_SMTP + b"64D05240927: to=<a b>, relay=none, delay=", b"1"),
    "status without end": (_SMTP + b"64D05240927: to=<a b>, relay=x, delay=0, delays=0/0/0/0, "
                           b"dsn=2.0.0, status=", b"a"),
    "a reply of relays": (_SMTP + b"64D05240927: to=<a@example.com" + _TAIL, b", relay=none"),
    "a reply of 452": (_SMTP + b"64D05240927: to=<a@example.com>, relay=none, delay=0, "
                       b"delays=0/0/0/0, dsn=4.0.0, status=deferred (", b"host a[b] said: 452 "),
    "a reply of one word": (_REPLY, b"a"),
    "a reply of words": (_REPLY, b"account "),
    "a reply of addresses": (_REPLY, b" <ann@example.net>"),
    "a reply of numbers": (_REPLY, b"4XJ2Vw0dHbz9sK1 "),
    "bad address syntax": (_SMTP.replace(b"smtp[", b"error[") + b"64D05240927: to=<a b",
                           b">, relay=none, delay=0, delays=0/0/0/0, dsn=5.1.3, status=bounced "
                           b"(bad address syntax)"),
    "from= expired": (_QMGR + b"64D05240927: from=<", b">, status=expired, returned to sender"),
    "from= quoted": (_QMGR + b'64D05240927: from=<"', b'\\">, status=expired, '),
    "[from ": (_SMTPD + b"NOQUEUE: reject: RCPT ", b"[from "),
    "reject: ": (_SMTPD + b"NOQUEUE: ", b"reject: "),
    "from a client without end": (_SMTPD + b"NOQUEUE: reject: RCPT from ", b"a"),
    "clients": (_SMTPD + b"NOQUEUE: reject: RCPT from ", b"unknown[203.0.113.6]: "),
    "an address without end": (_SMTPD + b"NOQUEUE: reject: RCPT from unknown[", b"1"),
    "client= logged in": (_SMTPD + b"64D05240927: client=", b"a[1], sasl_method="),
    "header lines": (_CLEANUP + b"64D05240927: reject: header ", b"reject: header x from a[b]; "),
    "mechanisms": (_LOGIN, b"a"),
    "mechanisms and blanks": (_LOGIN, b"LOGIN "),
    "authentication failed": (_LOGIN + b"LOGIN", b" authentication failed:"),
    "authentication failed behind a word": (_LOGIN + b"<", b" authentication failed"),
    "accounts": (_LOGIN + b"LOGIN authentication failed: x", b", sasl_username=x"),
    "postscreen": (_SCREEN + b"NOQUEUE: reject: RCPT from [203.0.113.6]:1: ", b"reject: "),
    "postscreen findings": (_SCREEN, b"COMMAND "),
    "rate limits": (_SMTPD + b"warning: ", b"Connection rate limit exceeded: 1 from "),
    "warnings": (_SMTPD, b"warning: "),
    "paths": (_SMTPD + b"warning: ", b"/a"),
    "milter names": (_SMTPD + b"warning: milter ", b"a:"),
    "services": (_SMTPD + b'warning: service "', b'a" ('),
    "processes": (_SMTPD + b"warning: process ", b"/a pid 1 "),
    "Dovecot blanks": (_DOVECOT + b"Disconnected", b" "),
    "Dovecot failures": (_DOVECOT + b"Disconnected", b" (auth failed, 1 attempts"),
    "Dovecot faults": (_DOVECOT + b"Disconnected", b" (internal failure"),
    "Dovecot faults without end": (_DOVECOT + b"Disconnected (internal failure", b" failure"),
    "Dovecot codes": (_DOVECOT + b"Disconnected (auth failed, 1 attempts)", b" (a)"),
    "Dovecot addresses": (_DOVECOT + b"Disconnected (auth failed, 1 attempts): user=<x",
                          b", rip=1.1.1.1"),
    "Dovecot address without end": (_DOVECOT + b"Disconnected (auth failed, 1 attempts): user=<x"
                                    b", rip=", b"1"),
    "Dovecot logins": (_DOVECOT, b"Login: user=<"),
    "Dovecot idlers": (_DOVECOT + b"Disconnected", b" (no auth attempts)"),
    "Dovecot's broken auth": (_DOVECOT + b"Disconnected: Auth process broken (",
                              b"no auth attempts"),
    "Dovecot's auth": (b"Nov 24 16:40:01 mx1 dovecot: ", b"auth-worker(1"),
    "Dovecot under any name": (b"Nov 24 16:40:01 mx1 mail: ", b"imap-login: Disconnected ("),
    "fields to come": (_SMTP + b"64D05240927: to=<a b>, relay=none, delay=0, delays=0/0/0/0",
                       b", a=b"),
    "fields to come, of many tails": (_SMTP + b"64D05240927: to=<a b",
                                      b">, relay=none, delay=0, delays=0/0/0/0, a=b"),
    "fields to come, of a strict address": (_SMTP + b"64D05240927: to=<a>, relay=none, delay=0, "
                                            b"delays=0/0/0/0, dsn=2.0.0", b", a=b"),
    "agreeing tails": (_SMTP + b"64D05240927: to=<a", _TAIL),
    "a proxy's answer": (_SMTPD + b"proxy-reject: END-OF-MESSAGE: 554 5.7.1 ", b"<a>: "),
    "a proxy's answer of another": (_SMTPD + b"proxy-reject: END-OF-MESSAGE: 554 5.7.1 ",
                                    b"Ok, id=a, "),
    "milter headers": (_CLEANUP + b"64D05240927: ", b"milter-header-reject: "),
    "a reply about quota": (_REPLY, b"quota mailbox full"),
    "Dovecot users": (_DOVECOT + b"Disconnected (auth failed, 1 attempts): user=<", b"x>, rip=1"),
}  # fmt: skip

ENDS = (b"", b")", b'">', b" returned to sender", b"\r", b"\xff")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "read", [corpus.recognised, lambda line: corpus.scanned(b"\n" + line)], ids=["exact", "fast"]
)
def test_cost_grows_with_the_length_of(shape, read):
    start, repeated = SHAPES[shape]
    floor = NESTING if shape.endswith("nesting") else FLOOR
    for end in ENDS:
        lines = [start + repeated * (size * 1024 // len(repeated)) + end for size in SIZES]
        costs = [_cost(read, line) for line in lines]
        for _ in range(TRIES):
            if _is_linear(costs, floor):
                break
            costs = [min(cost, _cost(read, line)) for cost, line in zip(costs, lines, strict=True)]
        else:
            pytest.fail(f"{end!r}: {costs} seconds")


def _is_linear(costs: list[float], floor: float) -> bool:
    return all(longer < max(floor, shorter * GROWTH) for shorter, longer in pairwise(costs))


def _cost(read, line: bytes) -> float:
    """Return the processor time of reading a line, in seconds."""
    taken = []
    for _ in range(ROUNDS):
        start = time.process_time()
        read(line)
        taken.append(time.process_time() - start)
        if taken[-1] < FLOOR / 4:
            break
    return min(taken)  # whatever else the machine does only adds to it
