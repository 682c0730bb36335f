"""File: how the state file is made, private to its owner."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from check_postfix.maillog.errors import StoreError
from check_postfix.maillog.store import by_root
from check_postfix.maillog.store.failure import unwritable
from check_postfix.maillog.store.location import is_shared
from check_postfix.maillog.store.schema import BESIDE


def prepare(path: str) -> None:
    """Make the file and its directory, private to their owner; see that nobody else may write them.

    Raises: StoreError
    """
    by_root.does(path, _prepare, path)


def _prepare(path: str) -> None:
    try:
        directory = os.path.dirname(os.path.abspath(path))
        _make_directory(directory)
        _see_who_may_write(directory)
        status = _file(path)
    except OSError as error:
        raise unwritable(path, error.errno, (error.strerror or str(error)).lower()) from None
    # A link here could make root write into any file.
    _see_that_it_is_a_file(path, status)
    for name in BESIDE:
        with suppress(OSError):
            _see_that_it_is_a_file(path + name, os.lstat(path + name))


def _see_that_it_is_a_file(path: str, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise StoreError(f"{path}: is a directory; name another file with --state")
    # Nobody should remove /dev/null because of this.
    if stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode):
        raise StoreError(
            f"{path}: is a device; name a file with --state, or --no-state to remember nothing"
        )
    # SQLite would wait for ever for somebody to write into a FIFO.
    if not stat.S_ISREG(status.st_mode):
        raise StoreError(
            f"{path}: is not a regular file; remove it, or choose another with --state"
        )


def _file(path: str) -> os.stat_result:
    """Return the status of the file at this path; make it if it is not there."""
    try:
        fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        try:
            return os.lstat(path)
        except FileNotFoundError:  # another run has just set it aside
            return _file(path)
    status = os.fstat(fd)
    os.close(fd)
    return status


def _make_directory(path: str) -> None:
    if os.path.isdir(path):
        return
    _make_directory(os.path.dirname(path))
    with suppress(FileExistsError):  # another run was quicker, or somebody else
        os.mkdir(path, 0o700)
    if os.geteuid() == 0 and os.lstat(path).st_uid != 0:
        raise StoreError(f"{path}: was just made by another user; run this check again")


def _see_who_may_write(directory: str) -> None:
    """See that a directory can be written by nobody but its owner and this user.

    Whoever may write it can put files of his own in the place of the state, and of its journal.
    """
    status = os.stat(directory)
    if is_shared(status):
        raise StoreError(
            f"{directory}: others may write it, and so the state in it; let only the user of the"
            " checks, for example with: chmod go-w, or choose another directory with --state"
        )
