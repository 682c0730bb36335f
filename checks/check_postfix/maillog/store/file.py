"""File: how the state file is made, private to its owner."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from check_postfix.maillog.errors import StoreError
from check_postfix.maillog.store.failure import unwritable


def prepare(path: str) -> None:
    """Make the file and its directory, private to their owner.

    Raises: StoreError
    """
    try:
        _make_directory(os.path.dirname(path) or ".")
        status = _file(path)
    except OSError as error:
        raise unwritable(path, error.errno, (error.strerror or str(error)).lower()) from None
    # A link here could make root write into any file.
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
    _chown_like_directory(path)
    return status


def _make_directory(path: str) -> None:
    if not os.path.isdir(path):
        _make_directory(os.path.dirname(os.path.abspath(path)))
        with suppress(FileExistsError):  # another run was quicker
            os.mkdir(path, 0o700)
            _chown_like_directory(path)


def _chown_like_directory(path: str) -> None:
    """Let what root has made belong to the owner of the directory it is in.

    A run by hand must not lock the monitoring user out. SQLite does likewise
    for its journal.
    """
    if os.geteuid() == 0:
        owner = os.stat(os.path.dirname(os.path.abspath(path)))
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
