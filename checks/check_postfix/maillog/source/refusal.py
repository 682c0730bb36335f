"""A refusal: what an administrator is told about a file that this user may not read."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress

from check_postfix.maillog.errors import LogError

RESTART = "restart what runs this check"
_FIXES = {
    errno.EMFILE: "raise the limit of open files",
    errno.ENFILE: "close some of the machine's open files",
    errno.ENOMEM: "give the check more memory",
}


class UnreadableNow(LogError):
    """What may be read at another time, though nobody changes the file."""


def unreadable(path: str, error: OSError) -> UnreadableNow:
    """Return the error of a file or directory that cannot be read: its name, the cause, the fix."""
    cause = (error.strerror or str(error)).lower()
    if error.errno in (errno.EACCES, errno.EPERM):
        above = os.path.dirname(path)
        if above not in ("", path) and not os.access(above, os.X_OK):
            return unreadable(above, error)
        return UnreadableNow(f"cannot read {path}: {cause}; {_fix_for(path)}")
    fix = _FIXES.get(error.errno or 0, "see that its file system is in order")
    return UnreadableNow(f"cannot read {path}: {cause}; {fix}")


def join(group: str) -> str:
    """Return what lets this user's processes act as members of a group, as far as it is not done.

    A process keeps the groups that it began with: an agent that runs since before its user was
    added must be started again.
    """
    import grp
    import pwd

    name, its_groups = str(os.geteuid()), []
    with suppress(KeyError):  # a container's user need not have an entry
        entry = pwd.getpwuid(os.geteuid())
        name, its_groups = entry.pw_name, os.getgrouplist(entry.pw_name, entry.pw_gid)
    with suppress(KeyError):
        number = grp.getgrnam(group).gr_gid
        if number in (os.getegid(), *os.getgroups()):
            return (
                f"user {name} is in group {group} already; see what else forbids it, such as"
                " AppArmor, SELinux or an ACL"
            )
        if number in its_groups:
            return f"user {name} is in group {group}, but this process is not yet; {RESTART}"
    return f"add user {name} to group {group}, and {RESTART}"


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
        return join(group)
    if stat.S_ISDIR(status.st_mode):
        return f"let user {user} into it, for example with: setfacl -m u:{user}:rx {path}"
    return f"let user {user} read it, for example with: setfacl -m u:{user}:r {path}"
