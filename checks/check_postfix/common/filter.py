"""Filters: which of the counted events a check looks at, and the options that say so."""

from __future__ import annotations

from operator import eq

from check_postfix.maillog.counts.families import FAMILIES
from check_postfix.plugin import Option, Unknown, UsageError, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Sequence
    from typing import Any

    from check_postfix.maillog.window.window import Window

    # Tells whether a field's value is one of those that an option names
    Names = Callable[[str], bool]


class FilterOption(Option):
    """An option that names some events by a field of their keys; it may be repeated.

    fields:  an event is named where one of these has one of the option's values
    without: whether the named events are left out, instead of all others
    names:   from (window, the option's values) to the test of a field's value
    against: of one that leaves some out: the option that asks for some
    covers:  whether all that the second value names is named by the first one as well
    """

    def __init__(
        self,
        flag: str,
        help: str,
        fields: Sequence[str],
        names: Callable[[Window, list[Any]], Names],
        without: bool = False,
        parse: Callable[[str], object] = values.text,
        metavar: str = "NAME",
        series: str = "",
        example: str = "",
        against: FilterOption | None = None,
        covers: Callable[[Any, Any], bool] = eq,
    ) -> None:
        super().__init__(
            flag, help, parse=parse, metavar=metavar, repeatable=True, series=series,
            example=example,
        )  # fmt: skip
        self.fields = fields
        self.names = names
        self.without = without
        self._against = against
        self._covers = covers

    def conflict(self, options: Namespace) -> UsageError | None:
        """Return that all that is asked for is left out, None if it is not."""
        if self._against is None:
            return None
        left_out = getattr(options, self.name) or ()
        asked = getattr(options, self._against.name, None) or ()
        if not asked or not all(any(self._covers(one, of) for one in left_out) for of in asked):
            return None
        return UsageError(
            f"{self.flag} {_listed(left_out)}: leaves out all of {self._against.flag}"
            f" {_listed(asked)}, and nothing is left; leave out one of the two"
        )


def _listed(given: Sequence[object]) -> str:
    return ", ".join(map(str, given))


def lower(written: str) -> str:
    """Return a name as it is kept."""
    return values.text(written).lower()


def _domain(written: str) -> str:
    """Return a domain as it is kept; of an address or a pattern nothing would ever be found."""
    name = lower(written)
    if any(sign in name for sign in "@* ") or name.strip(".") != name:
        raise ValueError("not a domain by itself", "use for example example.com")
    return name


def _relay(written: str) -> str:
    """Return a relay as it is kept, also of `HOST[ADDRESS]:PORT` as the log writes it."""
    name = lower(written)
    return name.partition("[")[0] or name


def is_one_of(_: Window, given: list[str]) -> Names:
    """Return the test whether a value is one of these."""
    return frozenset(given).__contains__


def _is_account(window: Window, given: list[str]) -> Names:
    return frozenset(map(window.account, given)).__contains__


def _is_in_network(_: Window, given: list[values.Network]) -> Names:
    """Return the test whether a client (an address, or an IPv6 /64) is in one of these."""

    def is_inside(client: str) -> bool:
        try:
            found = values.network(client)
        except ValueError:  # `unknown`, or many
            return False
        return any(
            found.network_address in network and found.prefixlen >= network.prefixlen
            for network in given
        )

    return is_inside


def _is_same_account(one: str, other: str) -> bool:
    return one.lower() == other.lower()


def _is_within(network: values.Network, inner: values.Network) -> bool:
    """Tell whether all addresses of the second network are in the first."""
    is_comparable = network.version == inner.version
    return is_comparable and inner.subnet_of(network)  # type: ignore[arg-type]


_NETWORKS = "192.0.2.7, 192.0.2.0/24 or 2001:db8::/64"

DOMAIN = FilterOption(
    "--domain",
    "only attempts for recipients of this domain",
    ["domain"],
    is_one_of,
    parse=_domain,
    series="domain",
)
RELAY = FilterOption(
    "--relay",
    "only attempts by way of this relay (a host name, none, local ...)",
    ["relay"],
    is_one_of,
    parse=_relay,
    series="relay",
)
CODE = FilterOption(
    "--code",
    "only failures with this reply code or enhanced status code (550, 4.7.1)",
    ["reply_code", "enhanced_code"],
    is_one_of,
    parse=values.code,
    metavar="CODE",
    series="code",
    example="550 or 4.7.1",
)
IGNORE_DOMAIN = FilterOption(
    "--ignore-domain",
    "leave out attempts for recipients of this domain",
    ["domain"],
    is_one_of,
    without=True,
    parse=_domain,
    against=DOMAIN,
)
EXCLUDE_RELAY = FilterOption(
    "--exclude-relay",
    "leave out attempts by way of this relay: a content filter hands each message back,"
    " to be delivered and counted once more",
    ["relay"],
    is_one_of,
    without=True,
    parse=_relay,
    against=RELAY,
)
CLIENT = FilterOption(
    "--client",
    "only this client address or network",
    ["client"],
    _is_in_network,
    parse=values.network,
    metavar="CIDR",
    series="client",
    example=_NETWORKS,
)
IGNORE_CLIENT = FilterOption(
    "--ignore-client",
    "leave out this client address or network: our own monitoring, known noise",
    ["client"],
    _is_in_network,
    without=True,
    parse=values.network,
    metavar="CIDR",
    example=_NETWORKS,
    against=CLIENT,
    covers=_is_within,
)
WEBMAIL = FilterOption(
    "--webmail",
    "look for no guessed login from this address or network: that of a webmail server, a proxy or a"
    " NAT gateway in front of this server, from where everybody seems to come; loopback is left out"
    " anyway",
    ["client"],
    _is_in_network,
    without=True,
    parse=values.network,
    metavar="CIDR",
    example=_NETWORKS,
)
ACCOUNT = FilterOption(
    "--account",
    "only failures at this account, named as in the log; the state file has its pseudonym only",
    ["account"],
    _is_account,
    series="account",
)
IGNORE_ACCOUNT = FilterOption(
    "--ignore-account",
    "leave out failures at this account: our own monitoring, a forgotten device",
    ["account"],
    _is_account,
    without=True,
    against=ACCOUNT,
    covers=_is_same_account,
)


class Filter:
    """Takes those events of a window that a check's filter options ask for.

    Events whose field was not kept apart (MANY) are named by nothing. Filters with the
    same options are equal.

    declared: the filter options that the check has
    """

    def __init__(
        self, declared: Sequence[FilterOption], window: Window, options: Namespace
    ) -> None:
        self._window = window
        given = {option: getattr(options, option.name) for option in declared}
        self._given = tuple((option.flag, *names) for option, names in given.items() if names)
        self._tests = [
            (option.fields, option.names(window, names), option.without)
            for option, names in given.items()
            if names
        ]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Filter) and self._given == other._given

    def __hash__(self) -> int:
        return hash(self._given)

    def __call__(self, family: str, key: tuple[str, ...]) -> bool:
        """Tell whether events of this family and key take part.

        An option says nothing of a family that has none of its fields.
        """
        if not self._tests:
            return True
        value = dict(zip(FAMILIES[family], key, strict=True))
        for fields, names, without in self._tests:
            there = [value[field] for field in fields if field in value]
            if there and any(map(names, there)) == without:
                return False
        return True

    def narrows(self, family: str) -> bool:
        """Tell whether events of this family may be left out."""
        return any(field in FAMILIES[family] for fields, *_ in self._tests for field in fields)

    def count(self, family: str, *counters: str) -> int:
        """Return how many events of a family take part.

        counters: what counts all of them; exact for as long as totals are kept
        Raises:   Unknown where of none of them is known what the filter asks for
        """
        if self.narrows(family):
            there = self._window.count(*counters)
            if there and self._window.unknown(family, *counters) == there:
                flags = " and ".join(flag for flag, *_ in self._given)
                raise Unknown(
                    f"{flags}: what is asked for is not kept any more of that time; leave it out,"
                    " or read the log afresh with --no-state and a longer --keep-keys"
                )
            return self._window.count_matching(family, self)
        return self._window.count(*counters)
