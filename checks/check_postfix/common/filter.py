"""Choice: which of what was counted a check looks at, and the options that say so."""

from __future__ import annotations

from check_postfix.maillog.counts.counts import FAMILIES
from check_postfix.plugin import Option, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from check_postfix.maillog.window.window import Window


def _name(written: str) -> str:
    return values.text(written).lower()


DOMAIN = Option(
    "--domain",
    "only attempts for recipients of this domain",
    parse=_name,
    metavar="NAME",
    repeatable=True,
    series="domain",
)
RELAY = Option(
    "--relay",
    "only attempts by way of this relay (a host name, none, local ...)",
    parse=_name,
    metavar="NAME",
    repeatable=True,
    series="relay",
)
CODE = Option(
    "--code",
    "only failures with this reply code or enhanced status code (550, 4.7.1)",
    parse=values.code,
    metavar="CODE",
    repeatable=True,
    series="code",
)
IGNORE_DOMAIN = Option(
    "--ignore-domain",
    "leave out attempts for recipients of this domain",
    parse=_name,
    metavar="NAME",
    repeatable=True,
)
EXCLUDE_RELAY = Option(
    "--exclude-relay",
    "leave out attempts by way of this relay: a content filter hands each message back,"
    " to be delivered and counted once more",
    parse=_name,
    metavar="NAME",
    repeatable=True,
)
CLIENT = Option(
    "--client",
    "only this client address or network",
    parse=values.network,
    metavar="CIDR",
    repeatable=True,
    series="client",
)
IGNORE_CLIENT = Option(
    "--ignore-client",
    "leave out this client address or network: our own monitoring, known noise",
    parse=values.network,
    metavar="CIDR",
    repeatable=True,
)
ACCOUNT = Option(
    "--account",
    "only failures at this account, as the log writes it: in the state is a pseudonym only",
    metavar="NAME",
    repeatable=True,
    series="account",
)
IGNORE_ACCOUNT = Option(
    "--ignore-account",
    "leave out failures at this account: our own monitoring, a forgotten device",
    metavar="NAME",
    repeatable=True,
)

# What keeps only some, and what leaves some out, by field.
_ONLY = {"domain": DOMAIN, "relay": RELAY}
_WITHOUT = {"domain": IGNORE_DOMAIN, "relay": EXCLUDE_RELAY}


class Choice:
    """A choice of events by their keys. As a truth value: whether it leaves anything out.

    What was not kept apart (MANY) is taken where only some names are left out,
    and left out where only some are taken.
    """

    def __init__(self, window: Window, options: Namespace) -> None:
        self._tests: list[tuple[tuple[str, ...], Callable[[str], bool]]] = []
        for field, option in _ONLY.items():
            if names := getattr(options, option.name, None):
                self._tests.append(((field,), frozenset(names).__contains__))
        for field, option in _WITHOUT.items():
            if names := getattr(options, option.name, None):
                self._tests.append(((field,), _not_in(frozenset(names))))
        if codes := getattr(options, CODE.name, None):
            self._tests.append((("reply_code", "enhanced_code"), frozenset(codes).__contains__))
        if networks := getattr(options, CLIENT.name, None):
            self._tests.append((("client",), _in_networks(networks)))
        if networks := getattr(options, IGNORE_CLIENT.name, None):
            inside = _in_networks(networks)
            self._tests.append((("client",), lambda client: not inside(client)))
        if names := getattr(options, ACCOUNT.name, None):
            self._tests.append((("account",), frozenset(map(window.account, names)).__contains__))
        if names := getattr(options, IGNORE_ACCOUNT.name, None):
            self._tests.append((("account",), _not_in(frozenset(map(window.account, names)))))

    def __bool__(self) -> bool:
        return bool(self._tests)

    def __call__(self, family: str, key: tuple[str, ...]) -> bool:
        """Tell whether events of this family and key take part.

        A field that the family does not have decides nothing.
        """
        if not self._tests:
            return True
        fields = dict(zip(FAMILIES[family], key, strict=True))
        for names, test in self._tests:
            there = [fields[name] for name in names if name in fields]
            if there and not any(map(test, there)):
                return False
        return True


def _not_in(names: frozenset[str]) -> Callable[[str], bool]:
    return lambda name: name not in names


def _in_networks(networks: list[values.Network]) -> Callable[[str], bool]:
    """Return the test whether a client (an address, or an IPv6 /64) lies in one of these."""

    def inside(client: str) -> bool:
        try:
            where = values.network(client)
        except ValueError:  # `unknown`, or many
            return False
        return any(
            where.network_address in network and where.prefixlen >= network.prefixlen
            for network in networks
        )

    return inside
