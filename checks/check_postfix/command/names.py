"""Names: what is shown of whoever the log names: the names themselves, or pseudonyms.

Pseudonyms are those of the checks, keyed with the secret of the same state file: what a check
has called `client-3f9a2c41d0` is called so here. So whoever reads them can still tell one from
another, and ask for one with `postfix-log trace`.
"""

from __future__ import annotations

import os

from check_postfix.command import answer
from check_postfix.command.state import opened
from check_postfix.command.text import clean
from check_postfix.maillog.counts import network, pseudonym
from check_postfix.maillog.counts.account import BY_THE_DAY, Accounts
from check_postfix.maillog.store import location
from check_postfix.maillog.store.schema import SECRET_SIZE
from check_postfix.maillog.store.store import Store

# In seconds
_STORE_TIMEOUT = 1


class Names:
    """Shows names as they are, but for signs that would act on a terminal."""

    hides = False

    def _shown(self, field: str, value: str) -> str:  # noqa: ARG002 - see Pseudonyms
        return clean(value.encode("utf-8", "replace"))

    def address(self, address: str) -> str:
        """Return what is shown of a mail address; nothing of the empty one."""
        return self._shown("address", address)

    def domain(self, domain: str) -> str:
        """Return what is shown of a domain."""
        return self._shown("domain", domain)

    def relay(self, relay: str) -> str:
        """Return what is shown of a relay, as a delivery line names it."""
        return self._shown("relay", relay)

    def client(self, client: str) -> str:
        """Return what is shown of a client, as smtpd names it: `name[address]`."""
        return self._shown("client", client)

    def account(self, account: str) -> str:
        """Return what is shown of an account."""
        return self._shown("account", account)

    def other(self, kind: str, value: bytes) -> str:  # noqa: ARG002 - see Pseudonyms
        """Return what is shown of another thing, of which the checks keep nothing."""
        return clean(value)

    def reply(self, reply: bytes, enhanced_code: bytes) -> str:  # noqa: ARG002 - see Pseudonyms
        """Return what is shown of a server's answer."""
        return clean(reply)


class Pseudonyms(Names):
    """Shows pseudonyms.

    secret: of the store whose checks shall call everybody the same
    """

    hides = True

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._accounts = Accounts(secret)
        self._recipients = Accounts(secret, BY_THE_DAY)

    def _shown(self, field: str, value: str) -> str:
        return pseudonym.of(self._secret, field, value)

    def address(self, address: str) -> str:
        """Return pseudonyms of an address and of its domain, joined as they were."""
        if address in ("", "MAILER-DAEMON"):
            return address
        domain = address.rpartition("@")[2] if "@" in address else ""
        shown = self.other("address", address.lower().encode("utf-8", "replace"))
        return shown + (f"@{self.domain(domain)}" if domain else "")

    def domain(self, domain: str) -> str:
        """Return a domain's pseudonym."""
        return self._shown("domain", domain.lower())

    def relay(self, relay: str) -> str:
        """Return a relay's pseudonym; nothing of its address is left."""
        return self._shown("relay", relay.partition("[")[0].lower())

    def client(self, client: str) -> str:
        """Return a client's pseudonym, which is that of its address."""
        address = client.rpartition("[")[2].removesuffix("]") if "[" in client else client
        return self._shown("client", network.of(address))

    def account(self, account: str) -> str:
        """Return an account's pseudonym."""
        return f"account-{self._accounts.pseudonym(account.encode('utf-8', 'replace'))}"

    def recipient(self, recipient: str) -> str:
        """Return what check_postfix_recipients calls whom mail is for."""
        name = recipient.lower().encode("utf-8", "replace")
        return f"recipient-{self._recipients.pseudonym(name)}"

    def other(self, kind: str, value: bytes) -> str:
        """Return the pseudonym of another thing, of which the checks keep nothing."""
        return f"{kind}-{pseudonym.digits(self._secret, kind, value.decode('utf-8', 'replace'))}"

    def reply(self, reply: bytes, enhanced_code: bytes) -> str:
        """Return codes and class of a server's answer: its words may name somebody."""
        return answer.shown(reply, enhanced_code)


def secret(state: str | None) -> bytes:
    """Return the secret of a state file; one of this run alone where there is none.

    state:  as --state names it, None for this user's
    Raises: StoreError
    """
    path = state or location.default_store()
    if not os.path.exists(path):
        return os.urandom(SECRET_SIZE)
    with Store(path, _STORE_TIMEOUT) as store:
        return store.key


def kept_secret(state: str | None) -> bytes:
    """Return the secret of a state file that must be there: no other one knows its pseudonyms.

    state:  as --state names it, None for this user's
    Raises: StoreError
    """
    with opened(state or location.default_store()) as store:
        return store.key


def of(hides: bool, state: str | None) -> Names:
    """Return what shows names: pseudonyms where it hides them.

    Raises: StoreError
    """
    return Pseudonyms(secret(state)) if hides else Names()
