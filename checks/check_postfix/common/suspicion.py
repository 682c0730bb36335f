"""A suspicion: what failed logins probably are, by who tried whose password.

Three different things have the same sum. One address at many accounts is guessing. Many
addresses at one account attack it. One address at one account, again and again, is mostly
a program that has an old password. Where the log does not name the accounts, nothing is
suspected.

The numbers below are for a window of up to an hour. For a longer window they grow with its
length: in a day, ten people of an office mistype their passwords.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain

from check_postfix.maillog.counts.families import MANY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

# So many accounts must one address have tried to be guessing. In an office with one
# address some people mistype their passwords in an hour, hardly ten.
GUESSED = 10
# So many addresses must have tried one account to be attacking it. Somebody's own
# devices come from home, from work and from the telephone's network.
ATTACKERS = 10
# So much of their failures must be at that account (in percent). Addresses that try
# other accounts as well attack no single one.
SINGLED_OUT = 50
# So many failures of one address at one account are no mistyped password any more. A
# person gives up before that, a program does not.
STUBBORN = 10
# So much of an address's failures must be at that account (in percent). Postfix may
# name the account that was tried before, so a few can be wrong.
ALONE = 90
# So much of an address's failures must name an account (in percent). With less, nothing
# is said about its accounts.
NAMED = 50

# What stands for an unknown address, and for an unknown account.
_NO_ADDRESS = ("", "unknown", MANY)
_NO_ACCOUNT = ("", MANY)


class Tries:
    """Who tried whose password.

    rows:  ((client, account), failed logins); the account is a pseudonym, empty where
           the log names none, and MANY where there were too many
    hours: length of the window
    """

    def __init__(self, rows: Iterable[tuple[tuple[str, ...], int]], hours: float = 1) -> None:
        self._times = max(1, hours)
        self._by_client: dict[str, dict[str, int]] = {}
        for (client, account), number in rows:
            tried = self._by_client.get(client)
            if tried is None:
                self._by_client[client] = {account: number}
            else:
                tried[account] = number
        self._by_account: dict[str, dict[str, int]] = {}
        self._of_client = {client: _sum(tried) for client, tried in self._by_client.items()}

    def at(self, client: str) -> str:
        """Return at how many accounts a client failed: ` at 3 accounts`; empty if unknown."""
        tried = self._by_client.get(client, {})
        known = _known(tried)
        whole = self._of_client.get(client, 0)
        named = whole - tried.get("", 0)
        if not known or client in _NO_ADDRESS or 100 * named < NAMED * whole:
            return ""
        return f" at {_number(len(known), MANY in tried, 'account', 'accounts')}"

    def by(self, account: str) -> str:
        """Return from how many addresses an account was tried: ` from 3 addresses`."""
        tried = self._of_accounts().get(account, {})
        known = _addresses(tried)
        if not known:
            return ""
        return f" from {_number(len(known), MANY in tried, 'address', 'addresses')}"

    def spread(self, or_more: bool) -> str:
        """Return how many addresses failed, if they are several: ` from 101 addresses`.

        or_more: whether others are not known
        """
        known = _addresses(dict.fromkeys(self._by_client, 1))
        or_more = or_more or len(known) < len(self._by_client)
        return f" from {_number(len(known), or_more, '', 'addresses')}" if len(known) > 1 else ""

    def words(self, name: Callable[[str], str], suspects: bool = True) -> list[str]:
        """Return who failed most, and the suspicion; then other attackers, if there are any.

        A harmless suspicion is said only where there is no other, since it must not hide
        an attack.

        name:     from a client's address to what is shown of it
        suspects: whether to suspect at all; it takes everything that an address tried
        """
        worst = self._worst(client for client in self._by_client if client != MANY)
        guesser = self._worst(self._guessing()) if suspects else None
        attacked = self._attacked() if suspects else None
        words = [
            f"{self._of_client[client]} from {name(client)}{self.at(client)}"
            + (": guessing" if suspects and self._is_guessing(client) else "")
            for client in dict.fromkeys((worst, guesser))
            if client is not None
        ]
        if attacked is not None:
            number = _sum(self._of_accounts()[attacked])
            words.append(f"{number} at 1 account{self.by(attacked)}: one account attacked")
        elif suspects and worst is not None and guesser is None and self._is_stubborn(worst):
            words[0] += ": an old password?"
        return words

    def _worst(self, clients: Iterable[str]) -> str | None:
        numbers = {client: self._of_client[client] for client in clients}
        most = max(numbers.values(), default=0)
        return min((client for client, number in numbers.items() if number == most), default=None)

    def _guessing(self) -> Iterator[str]:
        # There are thousands of clients, and hardly one of them has tried so many accounts.
        least = GUESSED * self._times
        many = [client for client, tried in self._by_client.items() if len(tried) >= least]
        return filter(self._is_guessing, many)

    def _is_guessing(self, client: str) -> bool:
        """Tell whether a client tries one account after the other."""
        known = _known(self._by_client[client])
        return len(known) >= GUESSED * self._times and bool(self.at(client))

    def _is_stubborn(self, client: str) -> bool:
        """Tell whether a client fails again and again at one account."""
        if not self.at(client):
            return False
        tried = self._by_client[client]
        most = max(_known(tried).values())
        return most >= STUBBORN * self._times and 100 * most >= ALONE * self._of_client[client]

    def _attacked(self) -> str | None:
        """Return the account that is attacked from many addresses most, None if none is."""
        # There are thousands of accounts, and hardly one of them was tried from so many addresses.
        clients = Counter(chain.from_iterable(self._by_client.values()))
        least = ATTACKERS * self._times
        tried = [account for account, number in clients.items() if number >= least]
        return min(
            filter(self._is_attacked, tried),
            key=lambda account: (-_sum(self._of_accounts()[account]), account),
            default=None,
        )

    def _is_attacked(self, account: str) -> bool:
        known = _addresses(self._of_accounts().get(account, {}))
        if len(known) < ATTACKERS * self._times:
            return False
        whole = sum(self._of_client[client] for client in known)
        return 100 * _sum(known) >= SINGLED_OUT * whole

    def _of_accounts(self) -> dict[str, dict[str, int]]:
        """Return for each account by whom it was tried, and how often; mostly nobody asks."""
        if not self._by_account:
            for client, tried in self._by_client.items():
                for account, number in _known(tried).items():
                    self._by_account.setdefault(account, {})[client] = number
        return self._by_account


def _known(tried: dict[str, int]) -> dict[str, int]:
    return {account: n for account, n in tried.items() if account not in _NO_ACCOUNT}


def _addresses(tried: dict[str, int]) -> dict[str, int]:
    return {client: n for client, n in tried.items() if client not in _NO_ADDRESS}


def _sum(tried: dict[str, int]) -> int:
    return sum(tried.values())


def _number(known: int, or_more: bool, one: str, several: str) -> str:
    if or_more:
        return f"{known} or more {several}"
    return f"{known} {one if known == 1 else several}"
