"""Logs of other shapes than an ordinary day's: in each of them hardly a line says what another has.

Each is a workload of its own, with the same form, and the same truth about it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from .workload import ISO, Form, Line, Workload

_LIST_DOMAINS = 20_000
_RECIPIENTS = 1_000
_HOST_DOMAINS = 800
_ACCOUNTS = 1_000_000

_Session = Callable[[Workload], Iterator[Line]]


class _Deliveries(Workload):
    """Deliveries alone: nine of ten are sent, one in fifty comes back, the others wait."""

    def sessions(self) -> Sequence[tuple[_Session, int]]:
        return ((type(self).delivered, 1),)

    def delivered(self) -> Iterator[Line]:
        domain = self._domain()
        recipient, server = self._user(), f"mx.{domain}[192.0.2.25]"
        to = f"{self._message()}: to=<{recipient}@{domain}>, relay={server}:25, {self._delays()}"
        smtp, host = self._tag("smtp"), self._host()
        dice = self._random.random()
        if dice < 0.9:
            said = f"dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as {self._id()})"
            yield Line(smtp, f"{to}, {said}", ("sent",), host=host)
        elif dice < 0.98:
            said = f"status=deferred (host {server} said: 450 4.7.1 try again later (in reply to"
            text = f"{to}, dsn=4.7.1, {said} RCPT TO command))"
            yield Line(smtp, text, ("deferred",), ("deferred domain", domain), host=host)
        else:
            said = f"status=bounced (host {server} said: 550 5.1.1 no such user (in reply to"
            text = f"{to}, dsn=5.1.1, {said} RCPT TO command))"
            yield Line(smtp, text, ("bounced", "bounced_550"), host=host)

    def _message(self) -> str:
        return self._id()

    def _host(self) -> str:
        return ""


class Newsletter(_Deliveries):
    """Mail to so many domains that few come twice in an hour.

    number: of domains
    growth: how many times as many there are here
    """

    number = 50_000

    def __init__(self, form: Form = ISO, seed: int = 7, growth: float = 1) -> None:
        super().__init__(form, seed)
        self._number = int(self.number * growth)

    def _domain(self) -> str:
        return f"d{self._random.randrange(self._number)}.example.net"


class Central(_Deliveries):
    """What many hosts send to one log; most of their mail goes to a few domains.

    number: of hosts
    growth: how many times as many there are here
    """

    number = 200

    def __init__(self, form: Form = ISO, seed: int = 7, growth: float = 1) -> None:
        super().__init__(form, seed)
        self._number = int(self.number * growth)

    def _host(self) -> str:
        return f"mx{self._random.randrange(self._number)}"

    def _domain(self) -> str:
        return f"d{int(self._random.paretovariate(1.1)) % _HOST_DOMAINS}.example.net"


class CentralEvenly(Central):
    """The same, and no domain is more frequent than the others."""

    def _domain(self) -> str:
        return f"d{self._random.randrange(_HOST_DOMAINS)}.example.net"


class List(_Deliveries):
    """One message to a thousand recipients, and then the next."""

    def __init__(self, form: Form = ISO, seed: int = 7) -> None:
        super().__init__(form, seed)
        self._left = 0
        self._current = ""

    def _message(self) -> str:
        if not self._left:
            self._left, self._current = _RECIPIENTS, self._id()
        self._left -= 1
        return self._current

    def _domain(self) -> str:
        return f"d{int(self._random.paretovariate(0.8)) % _LIST_DOMAINS}.example.net"


class Attack(Workload):
    """Passwords are guessed and spam is refused, each time another client's.

    number: of addresses that clients have
    growth: how many times as many there are here
    """

    number = 2 * 65536

    def __init__(self, form: Form = ISO, seed: int = 7, growth: float = 1) -> None:
        super().__init__(form, seed)
        self._number = int(self.number * growth)

    def sessions(self) -> Sequence[tuple[_Session, int]]:
        return (
            (type(self).guesses, 1),
            (type(self).is_refused, 1),
            (type(self).is_screened, 1),
        )

    def _address(self) -> str:
        number = self._random.randrange(self._number)
        return f"198.{18 + number // 65536}.{number // 256 % 256}.{number % 256}"

    def guesses(self) -> Iterator[Line]:
        address = self._address()
        account = f"{self._user()}{self._random.randrange(_ACCOUNTS)}"
        yield Line(
            self._tag("smtpd"),
            f"warning: unknown[{address}]: SASL LOGIN authentication failed: authentication"
            f" failure, sasl_username={account}",
            ("auth_failed",),
            ("auth_failed client", address),
        )

    def is_refused(self) -> Iterator[Line]:
        address = self._address()
        yield Line(
            self._tag("smtpd"),
            f"NOQUEUE: reject: RCPT from unknown[{address}]: 554 5.7.1 Service unavailable; Client"
            f" host [{address}] blocked using dnsbl.example;"
            f" from=<{self._user()}@{self._domain()}> to=<{self._user()}@example.com> proto=ESMTP"
            f" helo=<{self._id()}>",
            ("rejected_smtpd",),
            ("rejected client", address),
        )

    def is_screened(self) -> Iterator[Line]:
        address = self._address()
        yield Line(
            "postfix/postscreen[77]",
            f"NOQUEUE: reject: RCPT from [{address}]:{self._random.randrange(1024, 65536)}: 550"
            f" 5.7.1 Service unavailable; client [{address}] blocked using dnsbl.example;"
            f" from=<{self._user()}@{self._domain()}>, to=<{self._user()}@example.com>,"
            f" proto=ESMTP, helo=<{self._id()}>",
            ("rejected_postscreen",),
            ("rejected client", address),
        )


# What the tables call them
SHAPES: dict[str, type[Workload]] = {
    "an ordinary day": Workload,
    "50,000 recipient domains": Newsletter,
    "200 hosts": Central,
    "200 hosts, domains drawn evenly": CentralEvenly,
    "an attack": Attack,
    "1,000 recipients a message": List,
}
# Those that grow, and what does
GROWING: dict[str, type[Newsletter | Central | Attack]] = {
    "domains": Newsletter,
    "hosts": Central,
    "clients": Attack,
}
