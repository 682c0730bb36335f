"""An account: whose password was tried, known by a pseudonym only.

What stands in its place in the log may be a mistyped password, so nothing of it
is kept. The pseudonym is keyed with the store's own secret: it tells one account
from another and answers whether it is a name that somebody asks for, and nobody
without the store can try names until one fits.
"""

from __future__ import annotations

from check_postfix.maillog.generation import fingerprint

# In hexadecimal digits. Of 10,000 accounts two share a pseudonym in one store of 20,000.
_LENGTH = 10
# In bytes. Dovecot cuts a name at 80 characters, Postfix at 100 bytes.
_LONGEST = 80


def pseudonym(secret: bytes, name: bytes) -> str:
    """Return the pseudonym of an account: some hexadecimal digits.

    name: as it was written when somebody tried to log in; upper and lower case are one
    """
    written = name.decode("utf-8", "replace").lower().encode()
    return fingerprint(b"account " + written[:_LONGEST], secret).hex()[:_LENGTH]
