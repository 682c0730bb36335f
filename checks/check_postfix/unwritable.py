"""Unwritable: why a file cannot be written, and what helps.

The call that failed tells little: SQLite says of four causes that it is unable to open a file. So
the file, its directory and their file system are looked at, once something has failed.
"""

from __future__ import annotations

import errno
import os

from check_postfix import user

# What is written for a moment to a file without a name, to see what the disk says. In bytes.
_PROBE = 1 << 16
_READ_ONLY = (
    "its file system is mounted read-only",
    "mount it writable (the kernel's log tells more)",
)
_NAMELESS = getattr(os, "O_TMPFILE", 0)  # Linux has it
_NO_DIRECTORY = "the working directory was deleted"


def why(path: str, error: int | None, option: str) -> tuple[str, str] | None:
    """Return cause and fix of a file that cannot be written, None if neither can be found out.

    path:   of the file, which need not be there
    error:  errno of what failed, None if that does not tell it
    option: that names another file
    """
    another = f"choose another with {option}"
    if is_without_directory() and not os.path.isabs(path):
        return _NO_DIRECTORY, f"start the check in another one, or name a whole path with {option}"
    above = _nearest(os.path.dirname(os.path.abspath(path)))
    if _is_read_only(above):
        cause, fix = _READ_ONLY
        return cause, f"{fix}, or {another}"
    if error in (None, errno.EACCES, errno.EPERM):
        if found := _forbidden(path, above):
            cause, fix = found
            return cause, f"{fix}, or {another}"
        error = error or _probed(above)
    if error == errno.ENOSPC:
        if _is_out_of_inodes(above):
            return "its file system has no room for another file", "delete files on it"
        return "the disk is full", "make room on it"
    if error == errno.EDQUOT:
        name = user.me()
        return f"the disk quota of {name} is used up", "raise it, or delete files of that user"
    if error is None:
        return None
    if error == errno.ENOENT:
        another = f"make its directory, or {another}"
    if error in (errno.EACCES, errno.EPERM):
        another = f"see what else forbids it (lsattr, AppArmor, SELinux), or {another}"
    return os.strerror(error).lower(), another


def is_without_directory() -> bool:
    """Tell whether the working directory was deleted."""
    try:
        os.getcwd()
    except FileNotFoundError:
        return True
    return False


def _nearest(directory: str) -> str:
    """Return a directory, or the nearest above it that is there."""
    while not os.path.lexists(directory) and directory != os.path.dirname(directory):
        directory = os.path.dirname(directory)
    return directory


def _is_read_only(directory: str) -> bool:
    try:
        return bool(os.statvfs(directory).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def _is_out_of_inodes(directory: str) -> bool:
    try:
        there = os.statvfs(directory)
    except OSError:
        return False
    return bool(there.f_files and not there.f_favail)


def _forbidden(path: str, above: str) -> tuple[str, str] | None:
    """Return why this user may not write, and what lets them."""
    me = user.me()
    # SQLite's journal is as necessary as the file itself.
    for name in (path, f"{path}-journal"):
        try:
            owner = os.stat(name).st_uid
        except OSError:  # not there, or no longer
            continue
        if not os.access(name, os.R_OK | os.W_OK):
            what = "it" if name == path else name
            if owner != os.geteuid():
                return (
                    f"{what} belongs to {user.in_words(owner)}, not to {me}",
                    f"run 'chown {os.geteuid()} {name}'",
                )
            return (
                f"{what} may not be written by its owner",
                f"run 'chmod u+rw {name}'",
            )
    if os.path.isdir(above) and not os.access(above, os.W_OK | os.X_OK):
        return f"{me} may not write the directory {above}", "let that user"
    return None


def _probed(directory: str) -> int | None:
    """Return the errno of writing to a directory's disk, None if that succeeds."""
    try:
        fd = os.open(directory, _NAMELESS | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, os.urandom(_PROBE))
            os.fsync(fd)
        finally:
            os.close(fd)
    except OSError as error:
        # Not every system, or file system, has files without a name.
        return None if error.errno in (errno.EOPNOTSUPP, errno.EISDIR) else error.errno
    return None
