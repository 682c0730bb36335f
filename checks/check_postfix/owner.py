"""The owner: as whom root works on files in somebody else's directory.

Whoever owns a directory can put a link in the place of any file in it, between two looks.
SQLite follows links, and opens its journal by name whenever it likes. So what root opens, makes
or removes there by name, it does as that owner, who can gain nothing by a link then.
"""

from __future__ import annotations

import os
import pwd
import stat
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ParamSpec, TypeVar

    P = ParamSpec("P")
    R = TypeVar("R")

# As many as Linux follows.
_MOST_LINKS = 40


class Owner:
    """A user as whom root can act."""

    __slots__ = ("_gid", "_groups", "_own", "_uid", "name")

    def __init__(self, uid: int, gid: int) -> None:
        self._own = os.geteuid(), os.getegid(), os.getgroups()
        self._uid = uid
        self._gid = gid
        self._groups = [gid]
        self.name = str(uid)
        with suppress(KeyError):  # a container's user need not have an entry
            entry = pwd.getpwuid(uid)
            self.name = entry.pw_name
            self._gid = entry.pw_gid
            self._groups = os.getgrouplist(entry.pw_name, entry.pw_gid)

    def does(self, what: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
        """Call a function as this user.

        Raises: OSError if this process may not act as another user; what the function raises
        """
        # An alarm may come between any two calls. Even so the last block is begun, and only
        # if it ends early something of the owner's is left: never root's.
        try:
            os.setgroups(self._groups)
            os.setegid(self._gid)
            os.seteuid(self._uid)
            return what(*arguments, **named)
        finally:
            user, group, groups = self._own
            os.seteuid(user)
            os.setegid(group)
            os.setgroups(groups)


def of(path: str) -> Owner | None:
    """Return the user who can exchange a file of this path, None if only root or we can.

    path: of a file that need not be there
    Raises: PermissionError, naming that user, if this process may not act as that user
    """
    if os.geteuid() != 0:
        return None
    try:
        first = _first_of_others(os.path.dirname(os.path.abspath(path)))
    except FileNotFoundError:  # the working directory was deleted: nothing is reached from there
        return None
    if first is None:
        return None
    owner = Owner(first.st_uid, first.st_gid)
    try:
        owner.does(os.geteuid)
    except OSError as error:
        raise PermissionError(error.errno, error.strerror, owner.name) from None
    return owner


def _first_of_others(directory: str) -> os.stat_result | None:
    """Return the first thing on the way to a directory that is not root's, links included.

    What it leads to can be exchanged by its owner, whosever that is.
    """
    here, rest, links = "/", directory.split("/")[::-1], 0
    while rest:
        part = rest.pop()
        if part == "..":
            here = os.path.dirname(here)
            continue
        there = os.path.join(here, part)
        try:
            status = os.lstat(there)
        except OSError:  # what is missing is made by us; what else is wrong is said then
            return None
        if status.st_uid != 0:
            return status
        if stat.S_ISLNK(status.st_mode):
            links += 1
            if links > _MOST_LINKS:
                return None
            target = os.readlink(there)
            rest += target.split("/")[::-1]
            here = "/" if target.startswith("/") else here
        else:
            here = there
    return None
