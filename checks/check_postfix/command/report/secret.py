"""The secret by which pseudonyms are made: the checks' own, where they have a state file."""

from __future__ import annotations

import os

from check_postfix.command import names
from check_postfix.maillog.errors import StoreError
from check_postfix.maillog.store.schema import SECRET_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def of(options: Namespace, notes: list[str]) -> bytes:
    """Return the secret; one for this report alone where there is no other.

    notes: gets what kept the state file from being read
    """
    if options.anonymise:
        try:
            return names.secret(options.state)
        except StoreError as error:
            notes.append(f"{error}; these pseudonyms are of this report alone")
    return os.urandom(SECRET_SIZE)
