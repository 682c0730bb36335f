"""Damage: how it is looked for in a state file, and what is done with one that has some."""

from __future__ import annotations

import fcntl
import os
import stat
from contextlib import suppress

from check_postfix.maillog.errors import DamagedStore, StoreError
from check_postfix.maillog.store import by_root, packed
from check_postfix.maillog.store import file as file  # see by_root.does
from check_postfix.maillog.store import killed as killed
from check_postfix.maillog.store import migration as migration
from check_postfix.maillog.store.failure import damaged, explained
from check_postfix.maillog.store.schema import ASIDE
from check_postfix.maillog.store.store import Store

# What only a store of ours has in it: the statement that made a table, and names of counters.
_OURS = (b"CREATE TABLE keyed", b"auth_failed", b"bytes_received", b"deferred_messages")

_LONGEST = max(map(len, _OURS))
_BLOCK_BYTES = 1 << 20

# Seconds.
_PATIENCE = 5


def read_everything(store: Store) -> None:
    """Look for damage all over the file.

    Raises: DamagedStore
    """
    try:
        _read_everything(store)
    except DamagedStore:
        # Others may have written while that was read; they need not wait for who finds nothing.
        with store.reading():
            _read_everything(store)


def _read_everything(store: Store) -> None:
    with explained(store.path):
        for (finding,) in store.db.execute("PRAGMA integrity_check(1)"):
            if finding != "ok":
                raise damaged(store.path, "integrity_check")
        store.checksums.check_everything()
    with store.readable():
        for texts in (
            "SELECT counters FROM total", "SELECT keys FROM keyed", "SELECT numbers FROM quarter",
        ):  # fmt: skip
            for (text,) in store.db.execute(texts):
                packed.added([text])


def set_aside(path: str, wait: float = _PATIENCE) -> str | None:
    """Rename a damaged store; return its new name, None if it is not damaged (any more).

    Runs that have found the damage at the same time do so one after the other,
    and only the first finds it in its place.

    wait: seconds to wait for other runs that are writing, and for a migration

    Raises: OSError; StoreError
    """
    return by_root.does(path, _set_aside, path, wait)


def _set_aside(path: str, wait: float) -> str | None:
    directory = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        if _is_sound(path, wait):
            return None
        aside = path + ASIDE
        # A journal left behind would be applied to the next store of this name.
        with suppress(FileNotFoundError):
            os.replace(path + "-journal", aside + "-journal")
        os.replace(path, aside)
        return aside
    finally:
        os.close(directory)


def expire(path: str, now: float, minutes: int) -> None:
    """Remove what was set aside, as soon as it is older than keys may be: it holds some.

    Another program's file, which was set aside because this path was given for the state by
    mistake, is left alone.

    path:    of the store
    now:     seconds since 1970
    minutes: how long keys are kept
    Raises:  OSError; StoreError
    """
    by_root.does(path, _expire, path + ASIDE, now - minutes * 60)


def _expire(aside: str, oldest: float) -> None:
    # A name's last change is the time that counts: a content's is older.
    names = [name for name in (aside, f"{aside}-journal") if _is_older(name, oldest)]
    if any(map(_is_ours, names)):
        for name in reversed(names):
            with suppress(FileNotFoundError):  # another run was quicker
                os.unlink(name)


def _is_older(path: str, oldest: float) -> bool:
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_ctime < oldest


def _is_ours(path: str) -> bool:
    """Tell whether there is anything in a file that only a store of ours holds."""
    before = b""
    with open(path, "rb") as file:
        while block := file.read(_BLOCK_BYTES):
            if any(name in before + block for name in _OURS):
                return True
            before = block[-_LONGEST:]
    return False


def _is_sound(path: str, wait: float) -> bool:
    """Tell whether a store has no damage that could be found, however long that takes."""
    try:
        with Store(path, wait) as store:
            read_everything(store)
    except DamagedStore:
        return False
    except StoreError:  # nobody can tell
        return True
    return True
