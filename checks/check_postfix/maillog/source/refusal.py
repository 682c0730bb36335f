"""A refusal: what an administrator is told about a file that this user may not read."""

from __future__ import annotations

import errno
import os
import stat

from check_postfix.maillog.errors import LogError

_FIXES = {
    errno.EMFILE: "raise the limit of open files",
    errno.ENFILE: "close some of the machine's open files",
    errno.ENOMEM: "give the check more memory",
}


class Unreadable(LogError):
    """What may be read at another time, though nobody changes the file."""


def unreadable(path: str, error: OSError) -> Unreadable:
    """Return the error of a file or directory that cannot be read: its name, the cause, the fix."""
    cause = (error.strerror or str(error)).lower()
    if error.errno in (errno.EACCES, errno.EPERM):
        above = os.path.dirname(path)
        if above not in ("", path) and not os.access(above, os.X_OK):
            return unreadable(above, error)
        return Unreadable(f"cannot read {path}: {cause}; {_fix_for(path)}")
    fix = _FIXES.get(error.errno or 0, "see that its file system is in order")
    return Unreadable(f"cannot read {path}: {cause}; {fix}")


def _fix_for(path: str) -> str:
    """Return what lets this user read a file: the group to join, if there is one."""
    import grp
    import pwd

    try:
        status = os.stat(path)
        user = pwd.getpwuid(os.geteuid()).pw_name
        group = grp.getgrgid(status.st_gid).gr_name
    except (OSError, KeyError):
        return "let the monitoring user into its directory"
    if status.st_mode & stat.S_IRGRP and status.st_gid:
        return f"add user {user} to group {group}"
    if stat.S_ISDIR(status.st_mode):
        return f"let user {user} into it, for example with: setfacl -m u:{user}:rx {path}"
    return f"let user {user} read it, for example with: setfacl -m u:{user}:r {path}"
