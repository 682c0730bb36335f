"""The journal, as doctor finds it: whether there is one, and who may read it."""

from __future__ import annotations

import os

from check_postfix.command import named
from check_postfix.command.doctor.finding import Finding, of_error
from check_postfix.maillog.errors import LogError
from check_postfix.maillog.source import journalctl
from check_postfix.plugin import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from check_postfix.command.users import User


def findings(given: Namespace, user: User) -> Iterator[Finding]:
    """Yield what was found of the journal."""
    if not journalctl.has_journal():
        yield Finding("there is none")
        return
    try:
        is_the_log = any(log.is_journal for log in named.of(given))
    except (LogError, UsageError):  # which is told of the log
        is_the_log = False
    try:
        journalctl.see_that_all_is_readable()
    except LogError as error:
        yield _as_log(of_error(error), is_the_log)
        return
    places = [place for place in journalctl.directories() if os.path.isdir(place)]
    files = [
        os.path.join(place, name)
        for place in places
        for name in sorted(os.listdir(place))
        if name.startswith("system") and name.endswith(".journal")
    ]
    may = user.may(files)
    if False in may:
        closed = files[may.index(False)]
        found = Finding(f"{user.name} may not read it", user.opening(closed))
        yield _as_log(found, is_the_log)
    else:
        yield Finding(f"readable, in {', '.join(places)}")


def _as_log(found: Finding, is_the_log: bool) -> Finding:
    """Return it as it is where the journal is the log; else it is well."""
    if is_the_log:
        return found
    return Finding(f"{found.text}; it is not needed where there is a log file")
