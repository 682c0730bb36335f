"""A realistic mail log of any size, and the truth about it.

The log is a busy relay's: sessions of several lines each, a dozen of them at a
time, so that lines of different messages alternate as they do in life. What a
line counts for is written down beside it, in the words of maillog.events.event.KINDS.
The same seed gives the same log; all names and addresses are documentation ones.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

_CONSONANTS = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
_TALKING = 12  # sessions at a time
_DOMAINS = 400
_BOTS = 5_000


class Form(NamedTuple):
    """How syslog and Postfix write: the stamp (`iso` or `bsd`), the host, the queue ID."""

    stamp: str = "iso"
    host: str = "mx1"
    long_ids: bool = True


ISO = Form()
BSD = Form("bsd", "mx1", long_ids=False)


class Line(NamedTuple):
    """A line without stamp and host, and what it counts for.

    host: where it is another one than the form's
    """

    tag: str
    text: str
    counters: tuple[str, ...] = ()
    key: tuple[str, str] | None = None
    times: int = 1
    host: str = ""


class Workload:
    """The lines of a log and, for those taken so far, the truth.

    totals: counter -> number
    keys:   (axis, key) -> number, of the axes `deferred domain`, `rejected client`
            and `auth_failed client`
    lines, events: how many there were
    """

    def __init__(self, form: Form = ISO, seed: int = 7) -> None:
        self._form = form
        self._random = random.Random(seed)
        self._stamp = _Stamps(form.stamp).at
        self._talking: list[Iterator[Line]] = []
        self.totals: Counter[str] = Counter()
        self.keys: Counter[tuple[str, str]] = Counter()
        self.lines = 0
        self.events = 0

    def log(self, size: int, start: float, end: float) -> Iterator[bytes]:
        """Yield lines of about so many bytes, their times evenly spread from begin to end."""
        sessions, weights = zip(*self.sessions(), strict=True)
        choose, pick = self._random.choices, self._random.randrange
        written = 0
        while written < size:
            while len(self._talking) < _TALKING:
                self._talking.append(choose(sessions, weights)[0](self))
            place = pick(_TALKING)
            line = next(self._talking[place], None)
            if line is None:
                del self._talking[place]
                continue
            stamp = self._stamp(start + (end - start) * written / size)
            host = line.host or self._form.host
            data = stamp + f" {host} {line.tag}: {line.text}\n".encode()
            written += len(data)
            self._note(line)
            yield data

    def sessions(self) -> Sequence[tuple[Callable[[Workload], Iterator[Line]], int]]:
        """Return what happens, and how often."""
        return _SESSIONS

    def _note(self, line: Line) -> None:
        self.lines += 1
        if line.counters:
            self.events += line.times
            for counter in line.counters:
                self.totals[counter] += line.times
            if line.key:
                self.keys[line.key] += line.times

    # -- what lines are made of

    def _tag(self, program: str) -> str:
        return f"postfix/{program}[{self._random.randint(1000, 60000)}]"

    def _id(self) -> str:
        if self._form.long_ids:
            return "4j" + "".join(self._random.choices(_CONSONANTS, k=7)) + "z2N"
        return f"{self._random.getrandbits(44):011X}"

    def _client(self) -> tuple[str, str]:
        """Return name and address of an ordinary client."""
        number = self._random.randrange(250)
        return f"mail{number}.example.org", f"198.51.100.{number}"

    def _bot(self) -> str:
        number = int(self._random.paretovariate(1.2) * 10) % _BOTS
        if number % 3:
            return f"203.0.113.{number % 250}"
        return f"2001:db8:{number:x}::1"

    def _domain(self) -> str:
        return f"d{int(self._random.paretovariate(0.8)) % _DOMAINS}.example.net"

    def _user(self) -> str:
        return f"{self._random.choice(_NAMES)}{self._random.randrange(900)}"

    def _delays(self) -> str:
        parts = [round(self._random.expovariate(2), 2) for _ in range(4)]
        return f"delay={sum(parts):.2g}, delays={'/'.join(f'{part:g}' for part in parts)}"

    # -- sessions

    def _taken_in(self, id: str, logged_in: bool) -> Iterator[Line]:
        """A message up to the queue manager."""
        name, address = self._client()
        smtpd = self._tag("submission/smtpd" if logged_in else "smtpd")
        yield Line(smtpd, f"connect from {name}[{address}]", ("connected_smtpd",))
        if logged_in:
            yield Line(
                smtpd,
                f"Anonymous TLS connection established from {name}[{address}]: TLSv1.3 with cipher"
                " TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature"
                " RSA-PSS (2048 bits) server-digest SHA256",
            )
            who = f", sasl_method=PLAIN, sasl_username={self._user()}@example.com"
            yield Line(smtpd, f"{id}: client={name}[{address}]{who}", ("received", "submission"))
        else:
            yield Line(smtpd, f"{id}: client={name}[{address}]", ("received",))
        cleanup = self._tag("cleanup")
        message = f"{self._random.getrandbits(96):024x}.{self._user()}@{self._domain()}"
        yield Line(cleanup, f"{id}: message-id=<{message}>")
        if self._random.random() < 0.001:
            yield Line(
                cleanup,
                f"{id}: warning: header Subject: to=<x@example.net>, relay=none, delay=1,"
                " delays=0/0/0/1, dsn=4.0.0, status=deferred (no) from"
                f" {name}[{address}]; from=<{self._user()}@example.org> to=<x@example.com>"
                f" proto=ESMTP helo=<{name}>",
                ("reject_warning",),
            )
        if self._random.random() < 0.5:
            yield Line(
                f"opendkim[{self._random.randint(500, 900)}]",
                f"{id}: DKIM-Signature field added (s=mail, d=example.com)",
            )
        size = self._random.randrange(800, 200_000)
        yield self._queued(id, f"{self._user()}@{self._domain()}", size)
        commands = "ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=8"
        yield Line(smtpd, f"disconnect from {name}[{address}] {commands}")

    def _queued(self, id: str, sender: str, size: int) -> Line:
        return Line(
            self._tag("qmgr"), f"{id}: from=<{sender}>, size={size}, nrcpt=1 (queue active)"
        )

    def _removed(self, id: str) -> Line:
        return Line(self._tag("qmgr"), f"{id}: removed")

    def incoming(self) -> Iterator[Line]:
        """Mail for a mailbox here, handed to Dovecot."""
        id = self._id()
        yield from self._taken_in(id, logged_in=False)
        yield Line(
            self._tag("lmtp"),
            f"{id}: to=<{self._user()}@example.com>, relay=mx1.example.com[private/dovecot-lmtp],"
            f" {self._delays()}, dsn=2.0.0, status=sent (250 2.0.0 <{self._user()}@example.com>"
            f" {self._id()} Saved)",
            ("sent",),
        )
        yield self._removed(id)

    def outgoing(self) -> Iterator[Line]:
        """A customer's mail to the world: mostly sent, sometimes put off or refused."""
        id = self._id()
        yield from self._taken_in(id, logged_in=True)
        recipient, domain = self._user(), self._domain()
        number = self._random.randrange(250)
        server = f"mx.{domain}[192.0.2.{number}]"
        to = f"{id}: to=<{recipient}@{domain}>, relay={server}:25"
        for _ in range(self._random.choice((0, 0, 0, 0, 0, 0, 0, 0, 1, 2))):
            yield self._deferred(id, recipient, domain, server)
            yield self._queued(id, f"{recipient}@example.com", 4711)
        if self._random.random() < 0.05:
            yield Line(
                self._tag("smtp"),
                f"{to}, {self._delays()}, dsn=5.1.1, status=bounced (host {server} said: 550 5.1.1"
                f" <{recipient}@{domain}>: Recipient address rejected: User unknown in virtual"
                " mailbox table (in reply to RCPT TO command))",
                ("bounced", "bounced_550"),
            )
            notice = self._id()
            yield Line(self._tag("cleanup"), f"{notice}: message-id=<{notice}@mx1.example.com>")
            yield Line(self._tag("bounce"), f"{id}: sender non-delivery notification: {notice}")
            yield self._queued(notice, "", 3000)
        else:
            yield self._sent(to, number)
        yield self._removed(id)

    def _sent(self, to: str, number: int) -> Line:
        # Every few hundredth server says something that looks like another status.
        said = "250 2.0.0 Ok: queued as " + self._id()
        if not number:
            said = "250 2.0.0 Ok, status=deferred (not really)"
        return Line(
            self._tag("smtp"), f"{to}, {self._delays()}, dsn=2.0.0, status=sent ({said})", ("sent",)
        )

    def _deferred(self, id: str, recipient: str, domain: str, server: str) -> Line:
        key = ("deferred domain", domain)
        if self._random.random() < 0.3:
            return Line(
                self._tag("error"),
                f"{id}: to=<{recipient}@{domain}>, relay=none, {self._delays()}, dsn=4.4.1,"
                " status=deferred (delivery temporarily suspended: connect to"
                f" {server}:25: Connection timed out)",
                ("deferred",),
                key,
            )
        return Line(
            self._tag("smtp"),
            f"{id}: to=<{recipient}@{domain}>, relay={server}:25, {self._delays()}, dsn=4.7.1,"
            f" status=deferred (host {server} said: 451 4.7.1 <{recipient}@{domain}>: Recipient"
            " address rejected: Greylisted, please try again later (in reply to RCPT TO command))",
            ("deferred",),
            key,
        )

    def refused(self) -> Iterator[Line]:
        """A stranger whose mail smtpd does not take."""
        address = self._bot()
        smtpd = self._tag("smtpd")
        if self._random.random() < 0.3:
            yield Line(
                smtpd,
                f"warning: hostname host.example.org does not resolve to address {address}: Name or"
                " service not known",
                ("warning",),
            )
        yield Line(smtpd, f"connect from unknown[{address}]", ("connected_smtpd",))
        helo = "status=deferred" if self._random.random() < 0.001 else f"host{len(address)}.local"
        sender, recipient = f"{self._user()}@{self._domain()}", f"{self._user()}@example.com"
        for _ in range(self._random.choice((1, 1, 1, 2, 3))):
            why = self._random.choice(_REFUSALS).format(address=address, recipient=recipient)
            yield Line(
                smtpd,
                f"NOQUEUE: reject: RCPT from unknown[{address}]: {why}; from=<{sender}>"
                f" to=<{recipient}> proto=ESMTP helo=<{helo}>",
                ("rejected_smtpd",),
                ("rejected client", address),
            )
        yield Line(smtpd, f"lost connection after RCPT from unknown[{address}]")
        yield Line(smtpd, f"disconnect from unknown[{address}] ehlo=1 mail=1 rcpt=0/1 commands=2/3")

    def screened(self) -> Iterator[Line]:
        """A bot that postscreen keeps out."""
        address, port = self._bot(), self._random.randrange(1024, 65536)
        tag = self._tag("postscreen")
        yield Line(
            tag, f"CONNECT from [{address}]:{port} to [192.0.2.25]:25", ("connected_postscreen",)
        )
        yield Line(
            tag,
            f"PREGREET 14 after 0.03 from [{address}]:{port}: EHLO host.local\\r\\n",
            ("screen_pregreet",),
        )
        yield Line(tag, f"DNSBL rank 6 for [{address}]:{port}", ("screen_dnsbl",))
        yield Line(
            tag,
            f"NOQUEUE: reject: RCPT from [{address}]:{port}: 550 5.7.1 Service unavailable; client"
            f" [{address}] blocked using dnsbl.example; from=<{self._user()}@{self._domain()}>,"
            f" to=<{self._user()}@example.com>, proto=ESMTP, helo=<host.local>",
            ("rejected_postscreen",),
            ("rejected client", address),
        )
        yield Line(tag, f"DISCONNECT [{address}]:{port}")

    def guessed(self) -> Iterator[Line]:
        """A bot that guesses passwords at smtpd."""
        address = self._bot()
        smtpd = self._tag("submission/smtpd")
        yield Line(smtpd, f"connect from unknown[{address}]", ("connected_smtpd",))
        for _ in range(self._random.choice((1, 2, 2, 4))):
            yield Line(
                smtpd,
                f"warning: unknown[{address}]: SASL LOGIN authentication failed: UGFzc3dvcmQ6,"
                f" sasl_username={self._user()}@example.com",
                ("auth_failed",),
                ("auth_failed client", address),
            )
        yield Line(smtpd, f"lost connection after AUTH from unknown[{address}]")
        yield Line(smtpd, f"disconnect from unknown[{address}] ehlo=1 auth=0/2 commands=1/3")

    def mailbox(self) -> Iterator[Line]:
        """Somebody reads mail over IMAP, or tries to."""
        user, address, session = self._user(), self._bot(), self._id()
        if self._random.random() < 0.1:
            attempts = self._random.randint(1, 3)
            yield Line(
                "dovecot",
                f"imap-login: Disconnected: Connection closed (auth failed, {attempts} attempts in"
                f" 7 secs): user=<{user}>, method=PLAIN, rip={address}, lip=192.0.2.25, TLS,"
                f" session=<{session}>",
                ("auth_failed",),
                ("auth_failed client", address),
                attempts,
            )
            return
        yield Line(
            "dovecot",
            f"imap-login: Login: user=<{user}@example.com>, method=PLAIN, rip={address},"
            f" lip=192.0.2.25, mpid=4711, TLS, session=<{session}>",
            ("auth_succeeded",),
        )
        yield Line(
            "dovecot",
            f"imap({user}@example.com)<4711><{session}>: Disconnected: Logged out in=123 out=45678"
            " deleted=0 expunged=0 trashed=0 hdr_count=2 hdr_bytes=600 body_count=1 body_bytes=900",
        )

    def looked_at(self) -> Iterator[Line]:
        """Lines of no interest to anybody but their writer."""
        yield Line(
            self._tag("anvil"), f"statistics: max connection rate 4/60s for (smtp:{self._bot()})"
        )
        yield Line(
            f"spamd[{self._random.randint(500, 900)}]",
            "spamd: result: . -1 - BAYES_00,DKIM_SIGNED,DKIM_VALID,SPF_PASS scantime=0.4,size=4711,"
            "user=debian-spamd,uid=115,required_score=5.0,"
            f"mid=<{self._id()}@{self._domain()}>",
        )


class _Stamps:
    """Writes times, in the order of the lines."""

    def __init__(self, form: str) -> None:
        self._iso = form == "iso"
        self._second = -1
        self._text = b""

    def at(self, seconds: float) -> bytes:
        second = int(seconds)
        if second != self._second:
            self._second = second
            form = "%Y-%m-%dT%H:%M:%S" if self._iso else "%b %e %H:%M:%S"
            self._text = time.strftime(form, time.gmtime(second)).encode()
        if self._iso:
            return self._text + b".%06d+00:00" % ((seconds - second) * 1_000_000)
        return self._text


_NAMES = ("ann", "bob", "info", "sales", "invoice", "no-reply", "postmaster", "newsletter")
_REFUSALS = (
    "554 5.7.1 Service unavailable; Client host [{address}] blocked using dnsbl.example; see"
    " https://www.example.com/query/ip/{address}",
    "450 4.7.25 Client host rejected: cannot find your hostname, [{address}]",
    "550 5.1.1 <{recipient}>: Recipient address rejected: User unknown in virtual mailbox table",
    "454 4.7.1 <{recipient}>: Relay access denied",
)
_SESSIONS = (
    (Workload.incoming, 34),
    (Workload.outgoing, 12),
    (Workload.refused, 18),
    (Workload.screened, 4),
    (Workload.guessed, 12),
    (Workload.mailbox, 18),
    (Workload.looked_at, 20),
)
