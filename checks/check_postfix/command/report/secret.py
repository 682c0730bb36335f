"""The secret by which pseudonyms are made: the checks' own, where they have a state file."""

from __future__ import annotations

import os

from check_postfix.maillog.errors import LogError, StoreError
from check_postfix.maillog.store.location import SHARED
from check_postfix.maillog.store.schema import SECRET_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

# In seconds
_PATIENCE = 5
_NAME = "maillog.sqlite3"


def of(options: Namespace, notes: list[str]) -> bytes:
    """Return the secret; one for this report alone where there is no other.

    notes: gets what kept the state file from being read
    """
    path = options.state or os.path.join(SHARED, _NAME)
    if options.anonymise and os.path.exists(path):
        from check_postfix.maillog.store.store import Store

        try:
            with Store(path, _PATIENCE) as store:
                return store.key
        except (LogError, StoreError) as error:
            notes.append(f"{error}; these pseudonyms are of this report alone")
    return os.urandom(SECRET_SIZE)
