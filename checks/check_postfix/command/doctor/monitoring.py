"""The monitoring, as the state tells of it: which checks were asked lately, and as whom.

Each check leaves a mark in the state, which names its options by a hash. Those that a check has by
default, or with the log that doctor is asked about, are known by computing it again.
"""

from __future__ import annotations

import importlib
import os
import pwd
import time

from check_postfix import programs
from check_postfix.command import packaged, state
from check_postfix.command.doctor import state_file
from check_postfix.command.doctor.finding import Finding
from check_postfix.common import missed
from check_postfix.common.log_options import ARCHIVES, FROM_JOURNAL, JOURNAL_MATCH, LOG
from check_postfix.common.log_source import FROM_LOG
from check_postfix.maillog.errors import StoreError
from check_postfix.maillog.store import run_mark
from check_postfix.plugin import UsageError, values
from check_postfix.plugin.arguments import options_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from check_postfix.command.users import User
    from check_postfix.maillog.store.store import Store
    from check_postfix.plugin import Check

# Minutes; checks run every few minutes, and leave a mark every ten at most.
_LATELY = 20
_LATE = 30
# Checks that are named
_MOST = 4


def findings(given: Namespace, user: User) -> Iterator[Finding]:
    """Yield which checks were asked lately.

    What keeps that from being known is told of the state.
    """
    try:
        path = state_file.path_for(given, user)
        if state.is_missing(path):
            return
        with state.opened(path) as store:
            asked = Asked(store, given)
    except StoreError:
        return
    yield _finding(asked, path)


class Asked:
    """Which checks were asked, and when.

    names:  check -> minute, of those with the options that are known
    others: minutes of those with other options
    """

    def __init__(self, store: Store, written: Namespace) -> None:
        """Read it from a store.

        written: options of doctor: of the log
        """
        minutes = run_mark.minutes(store)
        self.names: dict[str, int] = {}
        for name, ids in _ids(store.key, written):
            of_check = [minutes.pop(id) for id in ids if id in minutes]
            if of_check:
                self.names[name] = max(of_check)
        self.others = list(minutes.values())

    @property
    def last(self) -> int | None:
        """The minute of the newest mark, None if no check was asked."""
        return max([*self.names.values(), *self.others], default=None)

    def words(self, since: int) -> str:
        """Return which were asked since a minute."""
        names = [name for name, minute in self.names.items() if minute >= since]
        others = sum(minute >= since for minute in self.others)
        if more := len(names[_MOST:]):
            names = [*names[:_MOST], values.amount(more, "more check")]
        if others:
            what = f"{others} more" if names else values.amount(others, "check")
            own = "it has options of its own" if others == 1 else "they have options of their own"
            names.append(f"{what} that cannot be named, since {own},")
        return ", ".join(names[:-1]) + " and " * bool(names[1:]) + names[-1]

    def missing(self, since: int) -> str:
        """Return which were not asked since a minute, as far as that can be told; else nothing."""
        left = [name for name in _names() if self.names.get(name, 0) < since]
        others = sum(minute >= since for minute in self.others)
        # Those that cannot be named may be these.
        if len(left) <= others:
            return ""
        of_them = f"{len(left) - others} or more of " if others else ""
        return f"; not asked: {of_them}{', '.join(left)}"


def _names() -> list[str]:
    """Return the checks of the log, which leave marks."""
    return [name for name in programs.NAMES if _check(name).source is FROM_LOG]


def _check(name: str) -> Check:
    check: Check = importlib.import_module(f"check_postfix.{name}").CHECK
    return check


def _ids(key: bytes, written: Namespace) -> list[tuple[str, set[str]]]:
    """Return each check of the log, and the hashes of the options that it may have been asked with.

    written: options of doctor
    """
    of_log: list[str] = []
    for option in (LOG, ARCHIVES, FROM_JOURNAL, JOURNAL_MATCH):
        of_log += option.words(getattr(written, option.name))
    found = []
    for name in _names():
        check = _check(name)
        ids = set()
        for arguments in ([], of_log):
            try:
                ids.add(missed.id_of(options_of(check, arguments), key))
            except UsageError:  # doctor tells of it where it looks for the log
                continue
        found.append((name, ids))
    return found


def _finding(asked: Asked, path: str) -> Finding:
    """Return what is to be said of the monitoring.

    path: of the state
    """
    now, last = int(time.time()) // 60, asked.last
    begin = f"configure it: step 3 of {packaged.readme()}"
    see = "or see that it runs: systemctl status icinga2 nagios4 nagios-nrpe-server, whichever"
    see += " there is"
    if last is None:
        return Finding("no check has been asked yet", begin)
    ago = values.span(max(0, now - last) * 60)
    if now - last > _LATE:
        text = f"no check was asked in the last {_LATE} min; the last one {ago} ago or a little"
        return Finding(f"{text} later", f"{begin}; {see}")
    since = min(last, now - _LATELY)
    span = max(_LATELY, now - last)
    text = f"{asked.words(since)} asked in the last {span} min, {_by_whom(path)}"
    return Finding(text + asked.missing(since))


def _by_whom(path: str) -> str:
    """Return by whom: the state's owner, whose runs write it, whoever has started them."""
    try:
        owner = f" as {pwd.getpwuid(os.stat(path).st_uid).pw_name}"
    except (OSError, KeyError):
        owner = ""
    return f"by the monitoring or by hand{owner}"
