"""Damage: what is done with a state file that has some."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress

from check_postfix.maillog.errors import DamagedStore, StoreError
from check_postfix.maillog.store.store import Store

# Seconds.
_PATIENCE = 5


def set_aside(path: str, wait: float = _PATIENCE) -> str | None:
    """Rename a damaged store; return its new name, None if it is not damaged (any more).

    Runs that have found the damage at the same time do so one after the other,
    and only the first finds it in its place.

    wait: seconds to wait for other runs that are writing, and for a migration

    Raises: OSError
    """
    directory = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        if _is_sound(path, wait):
            return None
        aside = path + ".damaged"
        # A journal left behind would be applied to the next store of this name.
        with suppress(FileNotFoundError):
            os.replace(path + "-journal", aside + "-journal")
        os.replace(path, aside)
        return aside
    finally:
        os.close(directory)


def _is_sound(path: str, wait: float) -> bool:
    """Tell whether a store has no damage that could be found, however long that takes."""
    try:
        with Store(path, wait) as store:
            store.read_everything()
    except DamagedStore:
        return False
    except StoreError:  # nobody can tell
        return True
    return True
