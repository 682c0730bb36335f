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


def of_client(client: bytes) -> str:
    """Return the sender that a client without a login is.

    client: `NAME[ADDRESS`
    """
    return CLIENT + SEPARATOR + client.rpartition(b"[")[2].decode("ascii").lower()
