"""A month of an ordinary mail server: what Postfix and Dovecot log while nothing is wrong.

Two servers: a small one of an office, and a provider's big one. Both have what all have: a curve
of the day, quiet nights, greylisting, a domain that is dead and is tried for five days, strangers
whose mail is refused, scanners that fail to log in. None of that is a cause for an alarm.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
# Postfix's minimal_backoff_time, maximal_backoff_time and maximal_queue_lifetime
_FIRST_RETRY, _LONGEST_BACKOFF, _LIFETIME = 300, 4000, 5 * _DAY
_SATURDAY = 5

# Seconds since 1970, tag without process ID, text
Line = tuple[float, str, str]


class Size(NamedTuple):
    """What kind of server it is.

    messages: sent or received on a working day, about
    weekend:  part of that on a Saturday or Sunday
    office:   whether it is used in office hours mostly
    rejects:  on a day, of strangers; they know no weekend
    guesses:  sessions of a day in which a password is guessed
    dead:     messages of a day to domains that answer to nobody
    greylisted: part of the outgoing messages
    unknown:  part of the outgoing messages whose recipient there is none
    strays:   how far a quarter of an hour strays from the curve, as a factor's logarithm
    """

    messages: int
    weekend: float
    office: bool
    rejects: int
    guesses: int
    dead: float
    greylisted: float = 0.15
    unknown: float = 0.01
    strays: float = 0.25


SMALL = Size(30, 0.1, True, rejects=20, guesses=60, dead=0.05)
SATELLITE = Size(30, 0.0, True, rejects=0, guesses=0, dead=0.05)


def big(messages: int = 200_000) -> Size:
    """Return a provider's server with so many messages a day."""
    return Size(
        messages, 0.5, False,
        rejects=messages // 3, guesses=3000, dead=messages / 10_000, greylisted=0.02,
    )  # fmt: skip


class Traffic:
    """The lines of a server, in the order of their times.

    size:  what kind of server
    zone:  whose day it has
    seed:  the same gives the same lines
    """

    def __init__(self, size: Size, zone: tzinfo = UTC, seed: int = 14) -> None:
        self._size = size
        self._zone = zone
        self._random = random.Random(seed)
        self._coming: list[tuple[float, int, Iterator[Line], Line]] = []
        self._number = 0

    def lines(self, start: float, end: float) -> Iterator[Line]:
        """Yield the lines from one time up to another."""
        quarter = start
        while quarter < end:
            self._begin_a_quarter(quarter)
            quarter += 15 * _MINUTE
            while self._coming and self._coming[0][0] < min(quarter, end):
                _, _, session, line = heapq.heappop(self._coming)
                yield line
                self._follow(session)

    def _follow(self, session: Iterator[Line]) -> None:
        line = next(session, None)
        if line is not None:
            self._number += 1
            heapq.heappush(self._coming, (line[0], self._number, session, line))

    def _begin_a_quarter(self, start: float) -> None:
        size, busy = self._size, self._busy(start)
        for session, a_day in (
            (self._incoming, 0.6 * size.messages * busy),
            (self._outgoing, 0.4 * size.messages * busy),
            (self._to_a_dead_domain, size.dead * busy),
            (self._refused, size.rejects * (0.5 + busy / 2)),
            (self._guessed, size.guesses),
            (self._reads, size.messages * busy),
        ):
            for _ in range(self._poisson(a_day / 96 * self._strays())):
                self._follow(session(start + self._random.random() * 15 * _MINUTE))

    def _busy(self, seconds: float) -> float:
        """Return how busy it is at a time, 1 being a working day's mean."""
        local = datetime.fromtimestamp(seconds + 450, self._zone)
        hour = local.hour + local.minute / 60
        if self._size.office:
            day = 2.4 * math.exp(-(((hour - 10) / 2.2) ** 2)) + 2 * math.exp(
                -(((hour - 15) / 2) ** 2)
            )
        else:
            day = 0.25 + 1.5 * max(0.0, math.sin((hour - 6) / 17 * math.pi)) ** 0.8
        return day * (self._size.weekend if local.weekday() >= _SATURDAY else 1)

    def _strays(self) -> float:
        return self._random.lognormvariate(0, self._size.strays)

    def _poisson(self, mean: float) -> int:
        if mean > 50:  # from there on, the normal distribution is near enough
            return max(0, round(self._random.gauss(mean, math.sqrt(mean))))
        number, product, limit = 0, self._random.random(), math.exp(-mean)
        while product > limit:
            number += 1
            product *= self._random.random()
        return number

    # -- what lines are made of

    def _id(self) -> str:
        return f"{self._random.getrandbits(40) | 1 << 39:010X}"

    def _stranger(self) -> str:
        return f"203.0.113.{self._random.randrange(1, 255)}"

    def _user(self) -> str:
        return f"{self._random.choice(_NAMES)}{self._random.randrange(40)}@example.com"

    def _correspondent(self) -> tuple[str, str]:
        """Return an address and the host that takes its mail."""
        number = int(self._random.paretovariate(0.9)) % 300
        domain = f"d{number}.example.net"
        return f"{self._random.choice(_NAMES)}@{domain}", f"mx.{domain}[192.0.2.{number % 250}]"

    def _delays(self, before: float = 0.0) -> str:
        parts = [before, *(round(self._random.expovariate(3), 2) for _ in range(3))]
        return f"delay={_seconds(sum(parts))}, delays={'/'.join(map(_seconds, parts))}"

    def _taken_in(self, now: float, id: str, sender: str, user: str = "") -> Iterator[Line]:
        client = f"mail.example.org[198.51.100.{self._random.randrange(1, 250)}]"
        smtpd = "postfix/submission/smtpd" if user else "postfix/smtpd"
        login = f", sasl_method=PLAIN, sasl_username={user}" if user else ""
        yield now, smtpd, f"connect from {client}"
        yield now + 0.2, smtpd, f"{id}: client={client}{login}"
        yield now + 0.3, "postfix/cleanup", f"{id}: message-id=<{id}.{now:.0f}@example.org>"
        size = self._random.randrange(800, 90_000)
        active = f"{id}: from=<{sender}>, size={size}, nrcpt=1 (queue active)"
        yield now + 0.5, "postfix/qmgr", active
        yield (
            now + 0.6, smtpd,
            f"disconnect from {client} ehlo=2 starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=7",
        )  # fmt: skip

    # -- sessions

    def _incoming(self, now: float) -> Iterator[Line]:
        """A message to one of our users, delivered into a mailbox."""
        id, user = self._id(), self._user()
        sender, _ = self._correspondent()
        yield from self._taken_in(now, id, sender)
        yield (
            now + 1, "postfix/lmtp",
            f"{id}: to=<{user}>, relay=mx1.example.com[private/dovecot-lmtp], {self._delays()},"
            f" dsn=2.0.0, status=sent (250 2.0.0 <{user}> {id}zz Saved)",
        )  # fmt: skip
        yield now + 1, "postfix/qmgr", f"{id}: removed"

    def _outgoing(self, now: float) -> Iterator[Line]:
        """A user's message to somebody: greylisted at times, sometimes to nobody."""
        id, user = self._id(), self._user()
        recipient, server = self._correspondent()
        yield from self._taken_in(now, id, user, user)
        to = f"{id}: to=<{recipient}>, relay={server}:25"
        now += 2
        before = 0.0
        if self._random.random() < self._size.greylisted:
            yield (
                now, "postfix/smtp",
                f"{to}, {self._delays()}, dsn=4.7.1, status=deferred (host {server} said: 451 4.7.1"
                f" <{recipient}>: Recipient address rejected: Greylisted, please try again later"
                " (in reply to RCPT TO command))",
            )  # fmt: skip
            before = _FIRST_RETRY + self._random.random() * 300
            now += before
            yield now, "postfix/qmgr", f"{id}: from=<{user}>, size=4711, nrcpt=1 (queue active)"
        if self._random.random() < self._size.unknown:
            yield (
                now + 1, "postfix/smtp",
                f"{to}, {self._delays(before)}, dsn=5.1.1, status=bounced (host {server} said: 550"
                f" 5.1.1 <{recipient}>: Recipient address rejected: User unknown in virtual mailbox"
                " table (in reply to RCPT TO command))",
            )  # fmt: skip
            yield from self._notifies(now + 1, id, user)
        else:
            yield (
                now + 1, "postfix/smtp",
                f"{to}, {self._delays(before)}, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as"
                f" {self._id()})",
            )  # fmt: skip
        yield now + 1, "postfix/qmgr", f"{id}: removed"

    def _notifies(self, now: float, id: str, user: str) -> Iterator[Line]:
        notice = self._id()
        yield now, "postfix/cleanup", f"{notice}: message-id=<{notice}@mx1.example.com>"
        yield now, "postfix/qmgr", f"{notice}: from=<>, size=3000, nrcpt=1 (queue active)"
        yield now, "postfix/bounce", f"{id}: sender non-delivery notification: {notice}"
        yield (
            now, "postfix/lmtp",
            f"{notice}: to=<{user}>, relay=mx1.example.com[private/dovecot-lmtp],"
            f" {self._delays()}, dsn=2.0.0, status=sent (250 2.0.0 <{user}> {id}zz Saved)",
        )  # fmt: skip
        yield now, "postfix/qmgr", f"{notice}: removed"

    def _to_a_dead_domain(self, now: float) -> Iterator[Line]:
        """A message to a domain whose server is gone: tried for five days, then given up."""
        id, user = self._id(), self._user()
        yield from self._taken_in(now, id, user, user)
        since, wait = now, float(_FIRST_RETRY)
        while now - since < _LIFETIME:
            yield (
                now + 31, "postfix/smtp",
                "connect to mail.dead.example[192.0.2.251]:25: Connection timed out",
            )  # fmt: skip
            yield (
                now + 31, "postfix/smtp",
                f"{id}: to=<info@dead.example>, relay=none, {self._delays(now - since)}, dsn=4.4.1,"
                " status=deferred (connect to mail.dead.example[192.0.2.251]:25: Connection timed"
                " out)",
            )  # fmt: skip
            now += wait * (1 + self._random.random() / 8)
            wait = min(_LONGEST_BACKOFF, max(_FIRST_RETRY, now - since))
            yield now, "postfix/qmgr", f"{id}: from=<{user}>, size=4711, nrcpt=1 (queue active)"
        yield now, "postfix/qmgr", f"{id}: from=<{user}>, status=expired, returned to sender"
        yield from self._notifies(now, id, user)
        yield now, "postfix/qmgr", f"{id}: removed"

    def _refused(self, now: float) -> Iterator[Line]:
        """A stranger whose mail is not taken."""
        address, user = self._stranger(), self._user()
        yield now, "postfix/smtpd", f"connect from unknown[{address}]"
        for number in range(self._random.choice((1, 1, 1, 2))):
            yield (
                now + 1 + number, "postfix/smtpd",
                f"NOQUEUE: reject: RCPT from unknown[{address}]: 554 5.7.1 Service unavailable;"
                f" Client host [{address}] blocked using dnsbl.example; from=<x@{address}.example>"
                f" to=<{user}> proto=ESMTP helo=<host.local>",
            )  # fmt: skip
        yield now + 3, "postfix/smtpd", f"lost connection after RCPT from unknown[{address}]"
        yield (
            now + 3, "postfix/smtpd",
            f"disconnect from unknown[{address}] ehlo=1 mail=1 rcpt=0/1 commands=2/3",
        )  # fmt: skip

    def _guessed(self, now: float) -> Iterator[Line]:
        """A scanner that tries one or two passwords, at Postfix or at Dovecot, and goes away."""
        address = self._stranger()
        if self._random.random() < 0.3:
            yield (
                now, "dovecot",
                "imap-login: Disconnected: Connection closed (auth failed, 1 attempts in 2 secs):"
                f" user=<{self._random.choice(_NAMES)}>, method=PLAIN, rip={address},"
                f" lip=192.0.2.25, TLS, session=<{self._id()}>",
            )  # fmt: skip
            return
        smtpd = "postfix/submission/smtpd"
        yield now, smtpd, f"connect from unknown[{address}]"
        for number in range(self._random.choice((1, 1, 2))):
            yield (
                now + 2 + number, smtpd,
                f"warning: unknown[{address}]: SASL LOGIN authentication failed: UGFzc3dvcmQ6,"
                f" sasl_username={self._random.choice(_NAMES)}",
            )  # fmt: skip
        yield now + 4, smtpd, f"lost connection after AUTH from unknown[{address}]"
        yield now + 4, smtpd, f"disconnect from unknown[{address}] ehlo=1 auth=0/1 commands=1/2"

    def _reads(self, now: float) -> Iterator[Line]:
        """A user who reads mail."""
        user, session = self._user(), self._id()
        yield (
            now, "dovecot",
            f"imap-login: Login: user=<{user}>, method=PLAIN, rip=198.51.100.7, lip=192.0.2.25,"
            f" mpid=4711, TLS, session=<{session}>",
        )  # fmt: skip
        yield (
            now + 40, "dovecot",
            f"imap({user})<4711><{session}>: Disconnected: Logged out in=123 out=45678 deleted=0"
            " expunged=0 trashed=0 hdr_count=2 hdr_bytes=600 body_count=1 body_bytes=900",
        )  # fmt: skip


def _seconds(value: float) -> str:
    """Return seconds as Postfix writes them (util/format_tv.c): never with an exponent."""
    return f"{value:.2g}" if value < 99 else f"{value:.0f}"


_NAMES = ("ann", "bob", "info", "sales", "invoice", "office", "postmaster", "newsletter")
