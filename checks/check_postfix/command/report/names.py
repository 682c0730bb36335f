"""Names: what a report calls whom it tells of; pseudonyms where nobody is to be named."""

from __future__ import annotations

from check_postfix.command.report import addresses
from check_postfix.command.text import clean
from check_postfix.maillog.source.generation import fingerprint

# In hexadecimal digits
_DIGITS = 10


class Names:
    """Names whom a report tells of.

    secret:    by which pseudonyms are made
    anonymise: whether all names are pseudonyms; else only those of accounts that are not known to
               be accounts: what somebody types as a name can be a password
    """

    def __init__(self, secret: bytes, anonymise: bool) -> None:
        self._secret = secret
        self.anonymise = anonymise

    def pseudonym(self, what: str, name: bytes) -> str:
        """Return a pseudonym: the same for the same name, as long as the secret is the same.

        Those of clients, domains and relays are the checks'.
        """
        digits = fingerprint(what.encode() + b" " + name.lower(), self._secret).hex()[:_DIGITS]
        return f"{what}-{digits}"

    def address(self, name: bytes) -> str:
        """Return what an e-mail address is called."""
        if not self.anonymise or name == addresses.NULL_SENDER:
            return clean(name)
        local, at, domain = name.rpartition(b"@")
        if not at:
            return self.pseudonym("address", name)
        return f"{self.pseudonym('address', local)}@{self.pseudonym('domain', domain)}"

    def domain(self, name: bytes) -> str:
        """Return what a domain is called."""
        if not self.anonymise or name == addresses.NULL_SENDER:
            return clean(name)
        return self.pseudonym("domain", name)

    def client(self, name: bytes) -> str:
        """Return what the address of a client is called."""
        if name in (addresses.PICKUP, b""):
            return "this machine"
        return self.pseudonym("client", name) if self.anonymise else clean(name)

    def host(self, name: bytes) -> str:
        """Return what a host is called that has written lines."""
        return self.pseudonym("host", name) if self.anonymise else clean(name)

    def relay(self, name: bytes) -> str:
        """Return what a relay is called; Postfix's own words stay."""
        host = name.partition(b"[")[0]
        if not self.anonymise or (b"." not in host and b":" not in host):
            return clean(name) if not self.anonymise else clean(host)
        return self.pseudonym("relay", host)

    def account(self, name: bytes, is_known: bool = True) -> str:
        """Return what an account is called.

        is_known: whether somebody has logged in by that name
        """
        if not name:
            return ""
        if self.anonymise or not is_known:
            return self.pseudonym("account", name)
        return clean(name)

    def said(self, text: bytes) -> str:
        """Return words of a log; nothing of them where nobody is to be named."""
        return "" if self.anonymise else clean(text)
