"""Failure: what SQLite's errors mean to an administrator."""

from __future__ import annotations

import errno
import sqlite3
from contextlib import contextmanager

from check_postfix import ending
from check_postfix.maillog.errors import DamagedStore, StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def explained(path: str | None) -> Iterator[None]:
    """Turn SQLite's errors about a file into ours."""
    try:
        yield
    except sqlite3.ProgrammingError:  # our own fault
        raise
    except sqlite3.Error as error:
        ending.raise_again()
        raise _explanation(path, error) from None
    except UnicodeDecodeError:  # in a message that quotes the damage
        raise damaged(path, "not UTF-8") from None


def damaged(path: str | None, how: str) -> DamagedStore:
    """Return the error of a damaged file.

    how: never SQLite's own words: they quote what they have stumbled over, and that may be
         somebody's address
    """
    return DamagedStore(f"{path}: is damaged ({how})")


def unwritable(
    path: str | None,
    number: int | None,
    said: str,
    fix: str = "",
) -> StoreError:
    """Return the error of a store that cannot be written: its name, the cause, the fix.

    number: errno of what failed, None if that is not known
    said:   the cause, and `fix` the fix, where nothing better can be found out; "" for the usual
    """
    if path is None:
        return StoreError(
            f"cannot write a temporary file: {said}; make room in /var/tmp, or name another"
            " directory in the environment with SQLITE_TMPDIR"
        )
    from check_postfix import unwritable, user

    fix = fix or f"let {user.me()} write the file and its directory, or choose another with --state"
    cause, fix = unwritable.why(path, number, "--state") or (said, fix)
    return StoreError(f"cannot write {path}: {cause}; {fix}")


def _explanation(path: str | None, error: sqlite3.Error) -> StoreError:
    code = getattr(error, "sqlite_errorcode", None)
    kind = None if code is None else code & 0xFF
    if kind in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreError(
            f"{path}: another run has held it for too long; see what that run is doing,"
            " or raise --timeout"
        )
    if code == sqlite3.SQLITE_READONLY_DBMOVED:
        return DamagedStore(f"{path}: was replaced while it was open")
    if kind in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return unwritable(path, None, str(error))
    if kind == sqlite3.SQLITE_FULL:
        return unwritable(path, errno.ENOSPC, str(error))
    if kind == sqlite3.SQLITE_IOERR:
        return unwritable(path, None, str(error), "see the disk's errors in the kernel's log")
    if kind == sqlite3.SQLITE_NOMEM:
        return StoreError(f"cannot read {path}: {error}; give the check more memory")
    return damaged(path, getattr(error, "sqlite_errorname", type(error).__name__))
