"""An account: whose password was tried, known by a pseudonym only.

The name in the log may be a mistyped password, so nothing of it is kept. The
pseudonym is keyed with the store's own secret. It tells one account from another,
and whoever has the store can ask whether it is that of a certain name. Nobody
without the store can try names until one fits.
"""

from __future__ import annotations

from check_postfix.maillog.source.generation import hasher

# What else has a pseudonym of its own: whoever is counted by the day.
BY_THE_DAY = b"by the day"

# In bytes, each two hexadecimal digits. With 10,000 accounts, in one store of 20,000 two of
# them share a pseudonym.
_DIGEST = 5
# In bytes. Dovecot cuts a name at 80 characters, Postfix at 100 bytes.
_LONGEST = 80
# So many are remembered at a time; longer names, which a stranger can make, are not.
_MOST_KNOWN = 8_000


class Accounts:
    """Gives accounts their pseudonyms.

    secret:  the store's
    purpose: the same name has another pseudonym for each
    """

    def __init__(self, secret: bytes, purpose: bytes = b"account") -> None:
        self._empty = hasher(secret, _DIGEST, purpose)
        self._known: dict[bytes, str] = {}

    def pseudonym(self, name: bytes) -> str:
        """Return the pseudonym of an account: some hexadecimal digits.

        name: as it was written when somebody tried to log in; upper and lower case
              are the same
        """
        known = self._known.get(name)
        if known is None:
            keyed = self._empty.copy()
            keyed.update(_lower(name)[:_LONGEST])
            known = keyed.hexdigest()
            if len(name) <= _LONGEST:
                if len(self._known) > _MOST_KNOWN:
                    self._known.clear()
                self._known[name] = known
        return known


def _lower(name: bytes) -> bytes:
    return name.lower() if name.isascii() else name.decode("utf-8", "replace").lower().encode()
