"""The state file, as doctor finds it: where it lies, who may write it, what is in it."""

from __future__ import annotations

import os
import shlex

from check_postfix.command import state, users
from check_postfix.command.doctor.finding import AS_ROOT, Finding, of_error
from check_postfix.common.log_remarks import local_time
from check_postfix.maillog.errors import StoreError
from check_postfix.maillog.store import contents, damage, location, read_files, retention
from check_postfix.maillog.store.retention import USUAL
from check_postfix.maillog.store.schema import ASIDE
from check_postfix.plugin import values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from check_postfix.command.users import User


def path_for(given: Namespace, user: User) -> str:
    """Return where the checks keep their state.

    Raises: StoreError
    """
    if given.state is not None:
        return state.path_of(given)
    if not os.path.isdir(location.SHARED):
        if user.is_me:
            return state.path_of(given)
        # What this process would take is another one's home.
        own = location.in_home(user.home)
        if user.home and os.path.exists(own):
            return own
    return location.in_shared()


def findings(given: Namespace, user: User) -> Iterator[Finding]:
    """Yield what was found of the state file."""
    try:
        path = path_for(given, user)
    except StoreError as error:
        yield of_error(error)
        return
    directory = os.path.dirname(os.path.abspath(path))
    may = user.may([directory], os.W_OK | os.X_OK)
    give = _giving_away(path, user)
    is_there = os.path.isdir(directory)
    if may == [False] or not (is_there or user.is_me):
        quoted = shlex.quote(directory)
        group = users.group_name(user.gid)
        make = f"install -d -o {user.name} -g {group} -m 0700 {quoted}"
        if give:
            make += f" && {give}"
        text = f"{user.name} may not write {directory}" if is_there else f"there is no {directory}"
        yield Finding(text, make)
    if is_there and may == [None] and not os.access(directory, os.R_OK | os.X_OK):
        yield Finding(f"{directory} is open to {user.name} alone; root can look into it", AS_ROOT)
        return
    if state.is_missing(path):
        run = "postfix-log ingest"
        run = run if user.is_me else f"runuser -u {user.name} -- {run}"
        yield Finding(f"{path}: nothing is kept yet", run)
        return
    if give and user.may([path], os.R_OK | os.W_OK) == [False]:
        if may != [False]:  # or it was told of the directory
            owner = users.owner_name(path)
            yield Finding(f"{user.name} may not write {path}, which is {owner}'s", give)
        return
    if os.path.lexists(path + ASIDE):
        yield Finding(f"a damaged one was set aside: {path}{ASIDE}; it goes by itself")
    yield from _of_contents(path)


def _of_contents(path: str) -> Iterator[Finding]:
    """Yield whether the state is sound, and what is in it."""
    try:
        with state.opened(path) as store:
            damage.read_everything(store)
            holds, kept = contents.of(store), retention.kept(store) or USUAL
            unread = [read_files.unread(store, log) for log in store.logs.all()]
            backlog = sum(left for files in unread for _, left in files)
            gaps = holds.gaps
    except StoreError as error:
        yield of_error(error)
        return
    yield Finding(f"{path}, {values.amount(os.stat(path).st_size, 'byte')}, sound")
    yield Finding(
        f"sums are kept for {values.span(kept.totals * 60)}, clients and domains for"
        f" {values.span(kept.keys * 60)}"
    )
    if backlog:
        left = values.amount(backlog, "byte")
        yield Finding(f"about {left} of log are not read yet", "postfix-log ingest")
    if gaps.number:
        yield Finding(
            f"{values.amount(gaps.number, 'time')} whose lines were destroyed unread, the last"
            f" {local_time(gaps.last or 0)}; logrotate should rename, and not copytruncate"
        )


def _giving_away(path: str, user: User) -> str:
    """Return the command that gives a user what others have of a state; nothing if they have none.

    Such as a run of root has made, before the directory was anybody's.
    """
    directory = os.path.dirname(os.path.abspath(path))
    try:
        # Nobody but the checks keeps anything in the shared one; elsewhere only this state's.
        names = [
            name
            for name in os.listdir(directory)
            if directory == location.SHARED or name.startswith(os.path.basename(path))
        ]
        others = [
            place
            for place in sorted(os.path.join(directory, name) for name in names)
            if os.lstat(place).st_uid != user.uid
        ]
    except OSError:  # not there, or closed; or a file went meanwhile
        return ""
    if not others:
        return ""
    whom = f"{user.name}:{users.group_name(user.gid)}"
    if directory == location.SHARED:
        return f"chown -R {whom} {shlex.quote(directory)}"
    return f"chown {whom} {shlex.join(others)}"
