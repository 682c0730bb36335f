"""Mail logs that end now, with so much of everything that each check has something to say."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

# What strangers can bring into a log: as the domain of a recipient, the name of a relay or host.
HOSTILE = [
    f"{word}.a-name-that-is-longer-than-any-table-has-room-for-it.example"
    for word in (
        "evil|fake=99;1;2",
        "<script>alert(1)</script>",
        "`touch${IFS}/tmp/pwned`",
        "$(touch${IFS}/tmp/pwned)",
        "gnp.\u202eexe",
        "'quoted'\"twice\"",
        "\x1b[31mred",
        "$SERVICEOUTPUT$",
        "back\\slash\\n",
    )
]
NO_SUCH_USER = (
    "host mail.example.net[198.51.100.25] said: 550 5.1.1 ann? (in reply to RCPT TO command)"
)


def quiet(host: str, instance: str = "postfix") -> Iterator[str]:
    """Yield 40 sent messages, and nothing bad; the log begins before any window of 15 minutes."""
    yield _line(40, host, f"{instance}/smtpd", "connect from client5.example.org[203.0.113.5]")
    for _ in range(40):
        yield _attempt(host, instance, "sent", "2.0.0", "250 2.0.0 Ok")


def trouble(host: str, instance: str = "postfix") -> Iterator[str]:
    """Yield 10 deferrals, 6 bounces, 15 failed logins, 60 rejects and 12 submissions more."""
    for _ in range(10):
        yield _attempt(host, instance, "deferred", "4.4.1", "connection timed out")
    for _ in range(6):
        yield _attempt(host, instance, "bounced", "5.1.1", NO_SUCH_USER)
    for client in ["203.0.113.77"] * 12 + ["203.0.113.78"] * 3:
        text = f"warning: unknown[{client}]: SASL LOGIN authentication failed: UGFzc3dvcmQ6"
        yield _line(6, host, f"{instance}/smtpd", text)
    for _ in range(60):
        text = (
            "NOQUEUE: reject: RCPT from unknown[203.0.113.66]: 554 5.7.1 <ann@example.net>: Relay"
            " access denied; from=<x@example.org> to=<ann@example.net> proto=ESMTP helo=<spam>"
        )
        yield _line(6, host, f"{instance}/smtpd", text)
    for number in range(12):
        text = (
            f"4XJ2Vw0dHb{number:02}z9sK1: client=unknown[203.0.{number % 2}.9], sasl_method=PLAIN,"
            " sasl_username=ann@example.com"
        )
        yield _line(6, host, f"{instance}/submission/smtpd", text)


def hostile(host: str, instance: str = "postfix") -> Iterator[str]:
    """Yield trouble with hostile words at every place that a stranger can fill."""
    for word in HOSTILE:
        for _ in range(5):
            for status in ("deferred", "bounced"):
                yield _attempt(host, instance, status, "5.4.1", f"{word} said: 550 {word}", word)
            yield _line(
                6,
                host,
                f"{instance}/smtpd",
                f"NOQUEUE: reject: RCPT from unknown[203.0.113.66]: 554 5.7.1 <ann@{word}>: {word};"
                f" from=<ann@{word}> to=<ann@{word}> proto=ESMTP helo=<{word}>",
            )
            text = f"SASL LOGIN authentication failed: {word}, sasl_username={word}"
            yield _line(6, host, f"{instance}/smtpd", f"warning: unknown[203.0.113.77]: {text}")


def _attempt(
    host: str, instance: str, status: str, code: str, text: str, domain: str = "example.net"
) -> str:
    return _line(
        6,
        host,
        f"{instance}/smtp",
        f"4ABCDEF012: to=<ann@{domain}>, relay={domain}[198.51.100.25]:25, delay=1,"
        f" delays=0/0/0/1, dsn={code}, status={status} ({text})",
    )


def _line(minutes_ago: int, host: str, program: str, text: str) -> str:
    at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    return f"{at.isoformat(timespec='microseconds')} {host} {program}[77]: {text}"
