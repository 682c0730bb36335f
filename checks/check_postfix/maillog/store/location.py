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


def default_store() -> str:
    """Return the path of this user's store: one for all checks and all logs.

    That is in SHARED if the user may write there, else in the user's home, else
    in /var/tmp, each time in a directory that only its owner can enter.

    Raises: StoreError if somebody else has put something there
    """
    if os.access(SHARED, os.W_OK):
        return os.path.join(SHARED, _NAME)
    user = os.geteuid()
    try:
        home = pwd.getpwuid(user).pw_dir
    except KeyError:  # a container's user need not have an entry
        home = ""
    if home not in ("", "/") and os.access(home, os.W_OK):
        return os.path.join(home, ".local", "state", "check_postfix", _NAME)
    private = f"/var/tmp/check_postfix-{user}"  # noqa: S108 - checked below
    # Made before it is looked at: nobody can put something else there in between.
    with suppress(OSError):
        os.mkdir(private, 0o700)
    try:
        status = os.lstat(private)
    except OSError as error:
        raise StoreError(
            f"cannot write {private}: {(error.strerror or '').lower()}; choose a file with --state"
        ) from None
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != user or status.st_mode & 0o077:
        raise StoreError(
            f"{private}: is not a private directory of this user; remove it,"
            " or choose a file with --state"
        )
    return os.path.join(private, _NAME)
