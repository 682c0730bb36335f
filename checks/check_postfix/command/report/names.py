"""Names: what a report calls whom it tells of; the checks' pseudonyms where nobody is named."""

from __future__ import annotations

from check_postfix.command.names import Pseudonyms
from check_postfix.command.report import addresses
from check_postfix.command.text import clean


class Names:
    """Names whom a report tells of.

    secret:    by which pseudonyms are made
    anonymise: whether all names are pseudonyms; else only those of accounts that are not known to
               be accounts: what somebody types as a name can be a password
    """

    def __init__(self, secret: bytes, anonymise: bool) -> None:
        self._pseudonyms = Pseudonyms(secret)
        self.anonymise = anonymise

    def address(self, name: bytes) -> str:
        """Return what an e-mail address is called."""
        if not self.anonymise or name == addresses.NULL_SENDER:
            return clean(name)
        return self._pseudonyms.address(_text(name))

    def domain(self, name: bytes) -> str:
        """Return what a domain is called."""
        if not self.anonymise or name == addresses.NULL_SENDER:
            return clean(name)
        return self._pseudonyms.domain(_text(name))

    def client(self, name: bytes) -> str:
        """Return what the address of a client is called."""
        if name in (addresses.PICKUP, b""):
            return "this machine"
        return self._pseudonyms.client(_text(name)) if self.anonymise else clean(name)

    def host(self, name: bytes) -> str:
        """Return what a host is called that has written lines."""
        return self._pseudonyms.other("host", name.lower()) if self.anonymise else clean(name)

    def relay(self, name: bytes) -> str:
        """Return what a relay is called; Postfix's own words stay."""
        return clean(self._pseudonyms.relay(_text(name)).encode() if self.anonymise else name)

    def account(self, name: bytes, is_known: bool = True) -> str:
        """Return what an account is called.

        is_known: whether somebody has logged in by that name
        """
        if not name:
            return ""
        if self.anonymise or not is_known:
            return self._pseudonyms.account(_text(name))
        return clean(name)

    def said(self, text: bytes) -> str:
        """Return words of a log; nothing of them where nobody is to be named."""
        return "" if self.anonymise else clean(text)


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")
