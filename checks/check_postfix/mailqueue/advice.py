"""Advice: what helps on this machine, as it is."""

from __future__ import annotations

import os

from check_postfix import user

# It is there where systemd is the first process: sd_booted(3).
SYSTEMD = "/run/systemd/system"
PROCESS = "/proc/self/status"


def start(config_dir: str | None) -> str:
    """Return the command that starts Postfix."""
    if config_dir is not None:
        return f"postfix -c {config_dir} start"
    # Otherwise systemd would not know of it, and restart or stop nothing.
    return "systemctl start postfix" if os.path.isdir(SYSTEMD) else "postfix start"


def access(postqueue: str) -> str:
    """Return why postqueue may not reach showq, if that is known, and what helps.

    postqueue: its path

    It is set-gid postdrop, which alone may enter Postfix's directory `public`. The kernel
    gives it that group neither under no_new_privs nor from a file system mounted nosuid
    (prctl(2), execve(2)); a process that has the group already needs no set-gid.
    """
    try:
        group = _group(os.stat(postqueue).st_gid)
        is_nosuid = bool(os.statvfs(postqueue).f_flag & os.ST_NOSUID)
    except OSError:
        return "; run 'postfix set-permissions' as root"
    if _has_no_new_privileges():
        return (
            f" (NoNewPrivileges keeps it from its group {group});"
            f" add SupplementaryGroups={group} to the unit that starts this check"
        )
    if is_nosuid:
        return (
            f" (it lies on a file system mounted nosuid, which keeps it from its group {group});"
            f" mount that with suid, or add {user.me()} to group {group}"
        )
    return "; run 'postfix set-permissions' as root"


def _has_no_new_privileges() -> bool:
    try:
        with open(PROCESS, encoding="ascii", errors="replace") as status:
            return any(line.split() == ["NoNewPrivs:", "1"] for line in status)
    except OSError:
        return False


def _group(number: int) -> str:
    import grp

    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
