"""A guess: a login that a guesser has probably found the password for.

An address has failed at one account after the other, and then somebody logs in from there who was
never seen there before. That is no proof, but hardly anything else looks like it:

- who mistypes a password comes from a network that the account is known from, or fails at no ten
  accounts;
- an office with one address has accounts that are known there. They do not count among the ten,
  nor do those that log in from there in the same time, as after a move;
- a telephone in a new network logs in where nobody has guessed.

An account at which the address did not fail itself counts only if nobody was known there before,
and if the login came from that very address: Dovecot keeps failures to itself that a success
follows in the same connection.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, namedtuple

from check_postfix.common.suspicion import GUESSED
from check_postfix.maillog.counts import network
from check_postfix.maillog.counts.families import FAMILIES, MANY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from check_postfix.common.filter import Filter
    from check_postfix.maillog.store.places import Login
    from check_postfix.maillog.window.view import Rows
    from check_postfix.maillog.window.window import Window

FAMILY = "auth_failed"
_UNKNOWN = ("", "unknown", MANY)


class Guess(namedtuple("Guess", "name account client failed minute service from_client")):
    """A login that was probably guessed.

    name:    of the account, empty where it is kept no longer
    account: its pseudonym
    client:  address that has failed
    failed:  at how many accounts it did until then
    minute:  of the login
    service: `smtp` or Dovecot's
    from_client: address that has logged in, of the same network; empty as the name
    """

    __slots__ = ()

    name: str
    account: str
    client: str
    failed: int
    minute: int
    service: str
    from_client: str


def guesses(window: Window, minutes: int, clients: Filter, accounts: Filter) -> list[Guess]:
    """Return the logins of a time that were probably guessed, the latest first.

    What was never seen before, nobody can tell who does not know enough days: that is not asked
    here.

    minutes:  how long that time is; what was known before it is known
    clients:  whose failures count
    accounts: whose logins count
    """
    tried = _by_client(window.tried(minutes), clients)
    hours = _Hours(window, minutes)
    found: dict[str, Guess] = {}
    for client, at in tried.items():
        if len(at) >= GUESSED:
            for guess in _of(hours, client, at, clients):
                if accounts(FAMILY, key_of(client, guess.account)):
                    known = found.get(guess.account)
                    # Of several that failed as often, in each run the same one.
                    if known is None or _rank(guess) < _rank(known):
                        found[guess.account] = guess
    return sorted(found.values(), key=lambda guess: (-guess.minute, guess.name, guess.account))


def _rank(guess: Guess) -> tuple[int, str]:
    return -guess.failed, guess.client


class _Near:
    """Who has logged in from a network.

    logins: the first of each account, at each origin, earliest first
    """

    def __init__(self, logins: list[Login]) -> None:
        self._logins = logins
        self._times = [login.first for login in logins]
        self._first: dict[str, int] = {}
        for login in logins:
            self._first.setdefault(login.account, login.first)

    def is_known(self, start: int) -> bool:
        """Tell whether anybody had come from there before a minute."""
        return bool(self._times) and self._times[0] < start

    def new(self, start: int, end: int) -> dict[str, list[Login]]:
        """Return account -> its logins, of those that came first in some minutes."""
        found: dict[str, list[Login]] = {}
        for login in self._logins[bisect_left(self._times, start) : bisect_left(self._times, end)]:
            if self._first[login.account] >= start:
                found.setdefault(login.account, []).append(login)
        return found

    def has_seen(self, account: str, end: int) -> bool:
        """Tell whether an account had come from there before a minute."""
        return self._first.get(account, end) < end


class _Hours:
    """At which accounts clients have failed until a minute, and who has logged in from there.

    Each hour and each network is read once.

    minutes:    before the window's end, from which on they count
    start, end: first of these minutes, and the one after the last
    """

    def __init__(self, window: Window, minutes: int) -> None:
        self._window = window
        self.end = window.end
        self.start = window.end - minutes
        self._known: dict[int, dict[str, set[str]]] = {}
        self._by_minute: dict[int, dict[str, list[tuple[int, str]]]] = {}
        self._near: dict[str, _Near] = {}

    def near(self, client: str) -> _Near:
        """Return who has logged in from the network of a client."""
        here = network.around(client)
        found = self._near.get(here)
        if found is None:
            found = self._near[here] = self._window.in_all(
                ("near", here), lambda: _Near(self._window.logins_near(client))
            )
        return found

    def failed_at(self, client: str, minute: int) -> set[str]:
        """Return the accounts at which a client has failed until the end of a minute."""
        last = minute // 60
        whole = [self._of(hour).get(client, ()) for hour in range(self.start // 60, last)]
        part = self._minutes(last).get(client, ())
        return {account for at, account in part if at <= minute}.union(*whole)

    def _of(self, hour: int) -> dict[str, set[str]]:
        found = self._known.get(hour)
        if found is None:
            found = self._known[hour] = self._window.in_all(
                ("failed", hour), lambda: self._read(hour)
            )
        return found

    def _read(self, hour: int) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        first = hour * 60
        for (client, account), _ in self._window.tried(self._window.end - first, first + 60):
            if account not in _UNKNOWN:
                found.setdefault(client, set()).add(account)
        return found

    def _minutes(self, hour: int) -> dict[str, list[tuple[int, str]]]:
        found = self._by_minute.get(hour)
        if found is None:
            found = self._by_minute[hour] = self._window.in_all(
                ("failed by minute", hour), lambda: self._read_by_minute(hour)
            )
        return found

    def _read_by_minute(self, hour: int) -> dict[str, list[tuple[int, str]]]:
        found: dict[str, list[tuple[int, str]]] = {}
        rows = self._window.tried_by_minute(hour * 60, hour * 60 + 60)
        for minute, client, account in rows:
            if account not in _UNKNOWN:
                found.setdefault(client, []).append((minute, account))
        return found


def _of(hours: _Hours, client: str, at: set[str], clients: Filter) -> Iterator[Guess]:
    """Yield the guesses of a client.

    at: accounts at which it failed, before the login or later
    """
    start, end = hours.start, hours.end
    near = hours.near(client)
    is_known = near.is_known(start)
    for account, several in near.new(start, end).items():
        if is_known and account not in at:
            continue
        # That of the address itself tells most.
        login = min(several, key=lambda one: (network.of(one.client) != client, one.first))
        address = network.of(login.client)
        is_new = address == client and not is_known
        if not is_new and account not in at:
            continue
        if address and not clients(FAMILY, key_of(address, "")):
            continue
        failed_at = hours.failed_at(client, login.first)
        failed = sum(not near.has_seen(one, end) for one in failed_at) + (account in failed_at)
        if failed >= GUESSED and (is_new or account in failed_at):
            yield Guess(
                login.name, account, client, failed, login.first, login.service, login.client
            )


def _by_client(rows: Rows, clients: Filter) -> dict[str, set[str]]:
    """Return client -> pseudonyms of the accounts that it failed at, where these are many."""
    # There are thousands of pairs, and hardly a client of them is looked at.
    pairs = {pair for pair, _ in rows}
    number = Counter([client for client, _ in pairs])
    found: dict[str, set[str]] = {
        client: set()
        for client, accounts in number.items()
        if accounts >= GUESSED and client not in _UNKNOWN and clients(FAMILY, key_of(client, ""))
    }
    for client, account in pairs:
        if client in found and account not in _UNKNOWN:
            found[client].add(account)
    return found


def key_of(client: str, account: str) -> tuple[str, ...]:
    """Return a key of a failed login of which no more is known."""
    values = {"client": client, "account": account}
    return tuple(values.get(name, "") for name in FAMILIES[FAMILY])
