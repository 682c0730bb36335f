"""Places: the networks that accounts have logged in from.

Both are known by pseudonyms: what a pair of them tells is needed for weeks, and whom it is about
only for as long as keys are kept. A login at smtpd shows only once it sends mail.
"""

from __future__ import annotations

from collections import namedtuple

from check_postfix.maillog.counts import network
from check_postfix.maillog.counts.account import Accounts

# The pseudonym of a network, which is no account.
NETWORK = b"network"
# What smtpd's logins are called; Dovecot's have the names of its login processes.
SMTP = "smtp"

# This machine itself: its webmail, scripts and monitoring.
_LOOPBACK = ("127.", "::1", "::ffff:127.")


class Place(namedtuple("Place", "first last service name client")):
    """When an account has logged in from a network.

    first, last: minutes of the first login, and of the last
    service: `imap`, `smtp` ... of the first one
    name:    of the account, lower case
    client:  address that the first one came from; both are empty where they are kept no longer
    """

    __slots__ = ()

    first: int
    last: int
    service: str
    name: str
    client: str


class Places:
    """Adds up logins.

    secret: the store's
    named_since: minute before which nobody is named

    found: (network, account, origin), the first two as pseudonyms, -> Place
    """

    def __init__(self, secret: bytes, named_since: int = 0) -> None:
        self._named_since = named_since
        self.network = Accounts(secret, NETWORK).pseudonym
        self.account = Accounts(secret).pseudonym
        self.found: dict[tuple[str, str, int], Place] = {}

    def clear(self) -> None:
        """Begin anew."""
        self.found = {}

    def add(self, minute: int, origin: int, client: str, name: str, service: str) -> None:
        """Count a login.

        client: address that it came from
        name:   of the account, lower case
        """
        near = self._network_of(client)
        if not near or not name:
            return
        where = near, self.account(name.encode()), origin
        before = self.found.get(where)
        if before is None or minute < before.first:
            about = (name, client) if minute >= self._named_since else ("", "")
            last = minute if before is None else before.last
            self.found[where] = Place(minute, last, service, *about)
        elif minute > before.last:
            self.found[where] = before._replace(last=minute)

    def take_in(self, where: tuple[str, str, int], place: Place) -> None:
        """Take in what others have added up of a network, account and origin."""
        before = self.found.get(where)
        if before is not None:
            early = min(before, place, key=lambda one: one.first)
            place = early._replace(last=max(before.last, place.last))
        self.found[where] = place

    def _network_of(self, client: str) -> str:
        """Return the pseudonym of a client's network, nothing if it has none or is this machine."""
        is_address = "." in client or ":" in client
        if not is_address or client.startswith(_LOOPBACK):
            return ""
        return self.network(network.around(client).encode())
