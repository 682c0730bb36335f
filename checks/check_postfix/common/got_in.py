"""Who got in: the accounts that have logged in from the network of a client that failed."""

from __future__ import annotations

from check_postfix.common.log_remarks import local_time
from check_postfix.maillog.counts import network
from check_postfix.maillog.counts.places import SMTP
from check_postfix.plugin import values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from check_postfix.maillog.store.places import Login
    from check_postfix.maillog.window.window import Window

# Accounts that are named
_ROWS = 5


def lines(window: Window, client: str, is_known: bool) -> list[str]:
    """Return a table of them, who came from that very address first; or that there is none.

    is_known: whether so many days are known that none means none
    """
    shown = window.name("client", client)
    first: dict[str, Login] = {}
    for login in window.logins_near(client):
        first.setdefault(login.account, login)
    if not first:
        return [f"no login is known from the network of {shown}"] if is_known else []
    # Whoever was there before the failures has perhaps an old password in a program.
    ordered = sorted(
        first.values(),
        key=lambda login: (_is_elsewhere(login, client), -login.first, login.name, login.account),
    )
    found = [f"logged in from the network of {shown}, for the first time:"]
    for login in ordered[:_ROWS]:
        name = login.name and window.name("sender", login.name)
        how = "with mail" if login.service == SMTP else f"by {login.service}"
        who = name or window.name("account", login.account)
        from_ = ""
        if _is_elsewhere(login, client):
            from_ = f" from {window.name('client', login.client)}"
        found.append(f"  {local_time(login.first, window.end)}  {who} {how}{from_}")
    if more := len(ordered[_ROWS:]):
        found.append(f"  {values.amount(more, 'more account')}")
    return found


def _is_elsewhere(login: Login, client: str) -> bool:
    """Tell whether a login came from another address of the network, as far as that is kept."""
    return bool(login.client) and network.of(login.client) != client
