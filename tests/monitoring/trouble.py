"""A mail server in trouble: its log, its queue, and what strangers have written into both.

Every label of every check has a number here, every check but the queue's is critical,
and what can hold text of a stranger does so.
"""

from __future__ import annotations

import json
from bisect import bisect
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

HOST = "mx1.example.com"
# Of them seven are needed for what is usual.
DAYS = 9
# Queue ID of a message that was put off, and how many quarters of an hour ago.
LATE, PUT_OFF = "0A00001", 8

# Whatever in it is taken for HTML, for perfdata or for the end of a line shows on the page.
HOSTILE = "<script>document.title='hit'</script><b>|x=1;2;3</b>&lt;i&gt;'\"$HOSTNAME$\\"
RELAYS = ["mail.example.net", "<b>bold</b>.example.net", "xn--bcher-kva.example"]
DOMAINS = ["example.net", "example.org", "bücher.example", f"{'long-' * 11}name.example", "x.test"]
# Icinga Web makes markup of these: a right-to-left override, a line end, a coloured ball.
ODD = ["&#8238;drow.example", r"line\nend.example", "(OK).example", "[CRITICAL]", "<OK>.example"]
CLIENTS = ["203.0.113.77", "203.0.113.78", "2001:db8::dead:beef"]


def logs(now: datetime) -> tuple[str, str]:
    """Return a mail log up to this time, and before it the one that was rotated.

    They tell of nine days with a little of all, then of ten bad minutes.

    Of the last quarter of an hour nothing but those minutes is told, so that the numbers
    of a window do not depend on the second at which it is looked at.
    """
    lines = [*_calm_days(now), *_bad_minutes(now - timedelta(minutes=10))]
    rotated = bisect(lines, _at(now - timedelta(days=2), "", ""))
    latest, before = [
        "".join(f"{line}\n" for line in part) for part in (lines[rotated:], lines[:rotated])
    ]
    return latest, before


def _calm_days(now: datetime) -> Iterator[str]:
    """Yield one message that an account sends, and two refusals, in each quarter of an hour."""
    for quarter in range(DAYS * 24 * 4, 1, -1):
        then = now - timedelta(minutes=15 * quarter)
        yield from _submission(then, f"0C{quarter:05X}", "203.0.113.9")
        yield _at(then, "smtp", _attempt(DOMAINS[0], RELAYS[0], "2.0.0", "sent", "250 2.0.0 Ok"))
        yield from [_at(then, "smtpd", _refusal("203.0.113.5", "554 5.7.1"))] * 2
        if quarter == PUT_OFF:
            waits = _attempt(DOMAINS[0], RELAYS[0], "4.2.0", "deferred", _said(RELAYS[0], "450"))
            yield _at(then, "smtp", waits.replace("001DB41", LATE))


def _submission(then: datetime, queue_id: str, client: str) -> Iterator[str]:
    """Yield what is logged of a message that an account hands in for three recipients."""
    login = "sasl_method=PLAIN, sasl_username=ann@example.com"
    yield _at(then, "smtpd", f"connect from unknown[{client}]")
    yield _at(then, "submission/smtpd", f"{queue_id}: client=unknown[{client}], {login}")
    yield _at(
        then, "qmgr", f"{queue_id}: from=<ann@example.com>, size=1234, nrcpt=3 (queue active)"
    )


def _bad_minutes(then: datetime) -> Iterator[str]:
    for number in range(120):
        domain, relay = DOMAINS[number % len(DOMAINS)], ODD[number % len(ODD)]
        yield _at(then, "smtp", _attempt(domain, relay, "4.2.0", "deferred", _said(relay, "450")))
    for number in range(40):
        domain, relay = DOMAINS[number % len(DOMAINS)], RELAYS[number % len(RELAYS)]
        reply, enhanced = (("550", "5.1.1"), ("554", "5.7.1"), ("552", "5.2.2"))[number % 3]
        yield _at(then, "smtp", _attempt(domain, relay, enhanced, "bounced", _said(relay, reply)))
    for _ in range(200):
        yield _at(then, "smtp", _attempt(DOMAINS[0], RELAYS[0], "2.0.0", "sent", "250 2.0.0 Ok"))
    for number in range(150):
        yield from _submission(then, f"0B{number:05X}", CLIENTS[number % len(CLIENTS)])
    yield _at(then, "smtp", _late(LATE))
    yield _at(then, "qmgr", "001DB41: from=<ops@example.org>, status=expired, returned to sender")
    for number in range(700):
        client = CLIENTS[0 if number < 600 else number % len(CLIENTS)]
        failed = "SASL LOGIN authentication failed: (reason unavailable), sasl_username=" + HOSTILE
        yield _at(then, "submission/smtpd", f"warning: unknown[{client}]: {failed}")
    failed = "SASL PLAIN authentication failed: Connection lost to authentication server"
    yield _at(then, "submission/smtpd", f"warning: unknown[{CLIENTS[0]}]: {failed}")
    for number in range(300):
        yield _at(then, "smtpd", _refusal(CLIENTS[number % 3], "554 5.7.1"))


def _at(then: datetime, program: str, text: str) -> str:
    stamp = then.astimezone(UTC).isoformat(timespec="microseconds")
    return f"{stamp} mx1 postfix/{program}[308]: {text}"


def _attempt(domain: str, relay: str, enhanced_code: str, status: str, said: str) -> str:
    return (
        f"001DB41: to=<ann@{domain}>, relay={relay}[198.51.100.25]:25, delay=0.01,"
        f" delays=0/0/0/0.01, dsn={enhanced_code}, status={status} ({said})"
    )


def _late(queue_id: str) -> str:
    """Return the line of a delivery that was put off long ago."""
    return (
        f"{queue_id}: to=<ann@{DOMAINS[0]}>, relay={RELAYS[0]}[198.51.100.25]:25, delay=7200,"
        " delays=7199/0.1/0.5/0.4, dsn=2.0.0, status=sent (250 2.0.0 Ok)"
    )


def _said(relay: str, reply: str) -> str:
    return f"host {relay}[198.51.100.25] said: {reply} {HOSTILE} (in reply to RCPT TO command)"


def _refusal(client: str, code: str) -> str:
    return (
        f"NOQUEUE: reject: RCPT from unknown[{client}]: {code} <{HOSTILE}>: Helo command rejected:"
        f" Access denied; from=<news@example.org> to=<ann@example.net> proto=ESMTP helo=<{HOSTILE}>"
    )


def queue(now: datetime) -> str:
    """Return what `postqueue -j` says of a queue in which active mail is two hours old."""
    messages = []
    domains = [
        *DOMAINS[:4],
        *ODD,
        "<b>bold</b>.example",
        "<script>alert(1)</script>",
        "a|b=1",
        "nl\n.example",
    ]
    for number in range(90):
        name = ("active", "active", "incoming", "deferred", "hold", "maildrop")[number % 6]
        domain = domains[number % len(domains)]
        age = timedelta(minutes=120 if number == 0 else (7 * number) % 115)
        messages.append(
            {
                "queue_name": name,
                "queue_id": f"{number:07X}",
                "arrival_time": int((now - age).timestamp()),
                "message_size": 10240 + number,
                "forced_expire": False,
                "sender": "ops@example.org",
                "recipients": [
                    {"address": f"user{number}@{domain}", "delay_reason": HOSTILE},
                ],
            }
        )
    return "".join(f"{json.dumps(message)}\n" for message in messages)


def lay_out(directory: Path, now: datetime) -> Path:
    """Put the log, and a postqueue that tells of the queue, below a directory; return the log."""
    (directory / "bin").mkdir()
    (directory / "queue.json").write_text(queue(now))
    postqueue = directory / "bin" / "postqueue"
    postqueue.write_text(f"#!/bin/sh\nexec cat {directory / 'queue.json'}\n")
    postqueue.chmod(0o755)
    path = directory / "mail.log"
    latest, before = logs(now)
    path.with_name("mail.log.1").write_text(before)
    path.write_text(latest)
    return path
