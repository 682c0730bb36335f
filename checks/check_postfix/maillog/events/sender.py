"""Sender: who has handed a message in, as one text: the kind of sender, a tab, and its name.

It is an account that has logged in at smtpd, a user of this machine who called sendmail
(pickup), or a client that needs no login, as those of mynetworks.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from check_postfix.maillog.events.event import Event

ACCOUNT, UID, CLIENT = KINDS = ("by_account", "by_uid", "by_client")
SEPARATOR = "\t"

# A name is cut to this many characters.
_LONGEST = 253
# So many accounts, and so many clients, are remembered at a time; longer ones, which a stranger can
# make, are not.
_MOST_KNOWN = 8_000
_LONGEST_KNOWN = 300
_CONTROLS = dict.fromkeys([*range(32), 127], "?")


def of(event: Event) -> str:
    """Return who has handed in the message of an event of a receipt.

    Nothing if nobody is known, or the message comes again from somebody who is.
    """
    if event.account:
        return of_account(event.account)
    if event.other_id:
        return ""
    if event.uid:
        return UID + SEPARATOR + event.uid
    return CLIENT + SEPARATOR + event.client if event.client else ""


def of_account(name: bytes) -> str:
    """Return the sender that an account is; upper and lower case are the same."""
    text = name.decode("utf-8", "replace").lower().translate(_CONTROLS)
    return ACCOUNT + SEPARATOR + text[:_LONGEST]


class Senders:
    """Whom lines name that hand mail in or log in; each is made once of the bytes that name it."""

    def __init__(self) -> None:
        self._accounts: dict[bytes, str] = {}
        self._addresses: dict[bytes, str] = {}

    def of(self, client: bytes, account: bytes) -> str:
        """Return the sender that an account is, or that a client without a login is.

        client:  `NAME[ADDRESS`
        account: nothing if nobody has logged in
        """
        if not account:
            return CLIENT + SEPARATOR + self.address(client)
        known = self._accounts.get(account)
        if known is None:
            known = of_account(account)
            _remember(self._accounts, account, known)
        return known

    def address(self, client: bytes) -> str:
        """Return the address of a client, lower case.

        client: `NAME[ADDRESS`, or an address alone
        """
        known = self._addresses.get(client)
        if known is None:
            known = client.rpartition(b"[")[2].decode("ascii").lower()
            _remember(self._addresses, client, known)
        return known


def _remember(known: dict[bytes, str], named: bytes, text: str) -> None:
    if len(named) <= _LONGEST_KNOWN:
        if len(known) >= _MOST_KNOWN:
            known.clear()
        known[named] = text
