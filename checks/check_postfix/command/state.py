"""State: the store of a subcommand that asks what it holds, or changes it."""

from __future__ import annotations

import os

from check_postfix import user
from check_postfix.maillog.errors import StoreError
from check_postfix.maillog.store import location
from check_postfix.maillog.store.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

# For how long other runs are waited for. In seconds.
PATIENCE = 30


def path_of(options: Namespace) -> str:
    """Return the path of the state file that is meant.

    Raises: StoreError
    """
    return options.state or location.default_store()


def is_missing(path: str) -> bool:
    """Tell whether nothing is kept there yet; not where nobody may look."""
    try:
        os.lstat(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False


def opened(path: str) -> Store:
    """Open a store that must be there already.

    Raises: StoreError
    """
    if is_missing(path):
        raise StoreError(
            f"{path}: no such file: no check has run as {user.me()} yet; name another user's with"
            " --state, or run 'postfix-log ingest'"
        )
    return Store(path, PATIENCE)
