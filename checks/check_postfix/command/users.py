"""Users: who runs the checks, and what they may do with files."""

from __future__ import annotations

import grp
import os
import pwd
import shlex

from check_postfix.maillog.source import refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# As whom monitoring runs: Nagios, NRPE and Debian's Icinga; Icinga elsewhere; others.
USUAL = ("nagios", "icinga", "nrpe", "naemon", "monitoring", "zabbix")


class User:
    """A user.

    name: as passwd has it; the number where it has none
    """

    def __init__(self, name: str, uid: int, gid: int) -> None:
        self.name = name
        self.uid = uid
        self.gid = gid

    @property
    def home(self) -> str:
        """Their home directory; nothing where passwd has none."""
        try:
            return pwd.getpwuid(self.uid).pw_dir
        except KeyError:
            return ""

    @property
    def is_me(self) -> bool:
        """Whether this process runs as that user."""
        return self.uid == os.geteuid()

    def groups(self) -> list[int]:
        """Return the numbers of the groups that a new process of theirs would be in."""
        return os.getgrouplist(self.name, self.gid)

    def may(self, paths: Sequence[str], mode: int = os.R_OK) -> list[bool | None]:
        """Tell of each path whether they may open it so; None where nobody but they can tell.

        mode: of os.access
        """
        if self.is_me:
            return [os.access(path, mode) for path in paths]
        if os.geteuid() != 0:
            return [None] * len(paths)
        return self._asked(paths, mode)

    def _asked(self, paths: Sequence[str], mode: int) -> list[bool | None]:
        """Let a process of theirs look, which sees ACLs and all else that counts."""
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            try:
                os.setgroups(self.groups())
                os.setgid(self.gid)
                os.setuid(self.uid)
                os.write(writing, bytes(os.access(path, mode) for path in paths))
            finally:
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            said = pipe.read()
        os.waitpid(child, 0)
        return [bool(byte) for byte in said] if len(said) == len(paths) else [None] * len(paths)

    def opening(self, path: str) -> str:
        """Return the command that lets them read a file or directory, to be run as root."""
        above = _closed(path, self)
        status = os.stat(above)
        if status.st_gid and status.st_mode & 0o040 and status.st_gid not in self.groups():
            group = group_name(status.st_gid)
            return f"adduser {self.name} {group}, then {_renewal(self)}"
        rights = "rx" if os.path.isdir(above) else "r"
        return f"setfacl -m u:{self.name}:{rights} {shlex.quote(above)}"


def _renewal(user: User) -> str:
    """Return what lets a user's processes be in the groups that they are in by now."""
    if user.is_me and user.name not in USUAL:
        return "log in again"
    return "restart what runs the checks"


def for_a_person(words: str) -> str:
    """Return what an error of a check says, as it helps somebody at a shell."""
    return words if me().name in USUAL else words.replace(refusal.RESTART, "log in again")


def _closed(path: str, user: User) -> str:
    """Return the first directory on the way that they may not enter, or the path itself."""
    above = []
    while path not in ("/", ""):
        above.append(path)
        path = os.path.dirname(path)
    for place in reversed(above[1:]):
        if user.may([place], os.X_OK) == [False]:
            return place
    return above[0]


def group_name(number: int) -> str:
    """Return a group's name; its number where it has none."""
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def owner_name(path: str) -> str:
    """Return whose a file is; the number where passwd has no name."""
    number = os.stat(path).st_uid
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def me() -> User:
    """Return the user that this process runs as."""
    try:
        entry = pwd.getpwuid(os.geteuid())
    except KeyError:  # a container's user need not have an entry
        return User(str(os.geteuid()), os.geteuid(), os.getegid())
    return User(entry.pw_name, entry.pw_uid, entry.pw_gid)


def named(name: str) -> User:
    """Return the user of this name.

    Raises: KeyError
    """
    entry = pwd.getpwnam(name)
    return User(entry.pw_name, entry.pw_uid, entry.pw_gid)


def of_monitoring() -> User | None:
    """Return the user that the checks run as, as far as that can be told from passwd."""
    for name in USUAL:
        try:
            return named(name)
        except KeyError:
            continue
    return None
