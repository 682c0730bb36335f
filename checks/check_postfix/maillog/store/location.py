"""Places: where a user's store lies when nobody says where."""

from __future__ import annotations

import os
import pwd
import stat
from contextlib import suppress

from check_postfix.maillog.errors import StoreError

# Made by packages, for the user that runs the checks.
SHARED = "/var/lib/check_postfix"
_NAME = "maillog.sqlite3"
# Where everybody may make a directory, and nobody remove that of another.
_TEMPORARY = "/var/tmp"  # noqa: S108 - what is there is looked at


def default_store() -> str:
    """Return the path of this user's store: one for all checks and all logs.

    That is in SHARED if the user may write there, else in the user's home if nobody else may
    write that, else in /var/tmp, in a directory that only its owner can enter.

    Raises: StoreError
    """
    if os.access(SHARED, os.W_OK):
        return in_shared()
    user = os.geteuid()
    try:
        home = pwd.getpwuid(user).pw_dir
    except KeyError:  # a container's user need not have an entry
        home = ""
    if home not in ("", "/") and os.access(home, os.W_OK) and not is_shared(os.stat(home)):
        return in_home(home)
    return os.path.join(_private(f"{_TEMPORARY}/check_postfix-{user}", user), _NAME)


def in_shared() -> str:
    """Return the path of the store in the directory that packages make."""
    return os.path.join(SHARED, _NAME)


def in_home(home: str) -> str:
    """Return the path of the store in somebody's home."""
    return os.path.join(home, ".local", "state", "check_postfix", _NAME)


def is_shared(directory: os.stat_result) -> bool:
    """Tell whether others than its owner, this user, and groups of this user may write a directory.

    Of root that is group root alone: in another group are users that are not root.
    """
    if directory.st_mode & stat.S_IWOTH:
        return True
    if not directory.st_mode & stat.S_IWGRP or directory.st_gid == 0:
        return False
    return os.geteuid() == 0 or directory.st_gid not in (os.getegid(), *os.getgroups())


def _private(usual: str, user: int) -> str:
    """Return this user's directory in a place where everybody may make one; make it.

    usual: its name, if nobody else has taken that

    Raises: StoreError
    """
    # Made before it is looked at: nobody can put something else there in between.
    with suppress(OSError):
        os.mkdir(usual, 0o700)
    try:
        status = os.lstat(usual)
        if _is_private(status, user):
            return usual
        if stat.S_ISDIR(status.st_mode) and status.st_uid == user:
            raise StoreError(
                f"{usual}: is not private, others may enter it; remove it,"
                " or choose a file with --state"
            )
        return _other(usual, user)
    except OSError as error:
        raise StoreError(
            f"cannot write {usual}: {(error.strerror or '').lower()}; choose a file with --state"
        ) from None


def _other(usual: str, user: int) -> str:
    """Return this user's directory, where somebody else has taken its usual name; make it."""
    if there := _others(usual, user):
        return there[0]
    os.mkdir(f"{usual}-{os.urandom(4).hex()}", 0o700)
    # Another run may have made one as well: all take the same.
    return _others(usual, user)[0]


def _others(usual: str, user: int) -> list[str]:
    start = f"{os.path.basename(usual)}-"
    found = []
    for name in sorted(os.listdir(os.path.dirname(usual))):
        path = f"{os.path.dirname(usual)}/{name}"
        with suppress(FileNotFoundError):
            if name.startswith(start) and _is_private(os.lstat(path), user):
                found.append(path)
    return found


def _is_private(status: os.stat_result, user: int) -> bool:
    is_directory = stat.S_ISDIR(status.st_mode)
    return is_directory and status.st_uid == user and not status.st_mode & 0o077
