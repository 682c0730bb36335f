"""The log, as doctor finds it: its files, who may read them, and what its lines look like."""

from __future__ import annotations

import time

from check_postfix.command import named
from check_postfix.command.doctor.finding import AS_ROOT, Finding, of_error
from check_postfix.command.logs import Logs
from check_postfix.common.log_remarks import local_time
from check_postfix.maillog.errors import LogError
from check_postfix.maillog.source import whereabouts
from check_postfix.maillog.store import log_zone
from check_postfix.maillog.syntax import frame
from check_postfix.maillog.window.usual import DAYS, LEAST_DAYS
from check_postfix.plugin import values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Sequence

    from check_postfix.command.users import User
    from check_postfix.common.named_logs import NamedLog
    from check_postfix.maillog.source.logfile import LogFile

# Bytes of each end of a log that are looked at.
_SAMPLE = 1 << 18
_DAY = 86400
_CLOSED = "may not read"


def findings(given: Namespace, user: User, writers: set[str]) -> Iterator[Finding]:
    """Yield what was found of the log; add whose Postfix has written its newest lines."""
    try:
        logs = named.of(given)
    except LogError as error:
        yield of_error(error)
        return
    is_closed = False
    for log in logs:
        if log.is_journal:
            yield Finding(f"the {log.name} is the log")
        for path in [] if log.is_journal else log.paths:
            for finding in _of_path(path, given, user):
                is_closed |= _CLOSED in finding.text
                yield finding
    yield from _of_lines(logs, given, user, writers, is_closed and user.is_me)


def _of_path(path: str, given: Namespace, user: User) -> Iterator[Finding]:
    where = whereabouts.of(path, given.archives)
    try:
        live, older = where.live(), where.older()
    except LogError as error:
        yield of_error(error)
        return
    if live is None:
        yield of_error(where.absence())
        return
    age = max(0, time.time() - live.modified)
    yield Finding(
        f"{live.path}, {values.amount(live.size, 'byte')}, last written {values.span(age)} ago"
    )
    every = [live, *older]
    may = user.may([file.path for file in every])
    closed = [file.path for file, is_open in zip(every, may, strict=True) if is_open is False]
    for each in closed[:1]:
        more = f" and {len(closed) - 1} more" if closed[1:] else ""
        yield Finding(f"{user.name} {_CLOSED} {each}{more}", user.opening(each))
    if not closed and None not in may:
        others = f" and {values.amount(len(older), 'older file')}" if older else ""
        yield Finding(f"{user.name} may read it{others}")
    yield _of_generations(older)


def _of_generations(older: Sequence[LogFile]) -> Finding:
    """Return what was found of the rotated ones of a log."""
    if not older:
        return Finding(
            "no rotated generations yet; where they lie elsewhere, say so: --archives DIR"
        )
    compressed = sum(file.compressed for file in older)
    oldest = min(file.modified for file in older)
    text = f"{values.amount(len(older), 'rotated generation')}, {compressed} of them compressed,"
    text += f" the oldest written until {local_time(int(oldest) // 60)}"
    days = (time.time() - oldest) / _DAY
    is_short = days < LEAST_DAYS and len(older) > 1
    return Finding(
        text,
        f"keep more: a new state file learns from them what is usual, and that needs {LEAST_DAYS}"
        f" days, better {DAYS}; see 'rotate' in /etc/logrotate.d"
        if is_short
        else "",
    )


def _of_lines(
    logs: list[NamedLog], given: Namespace, user: User, writers: set[str], is_told: bool
) -> Iterator[Finding]:
    """Yield what the newest lines look like; add the hosts whose Postfix wrote them.

    is_told: whether it was said that this user may not read a file
    """
    try:
        sample, unread = _sample(logs, given)
    except LogError as error:
        yield of_error(error)
        return
    writers |= sample.writers
    if unread and not is_told:
        found = of_error(LogError(unread[0]))
        # Who looks for somebody else need not be let in.
        yield found if user.is_me else Finding(found.text, f"{AS_ROOT}; or {found.fix}")
    if not sample.lines and unread:
        return
    if not sample.lines:
        yield Finding("no whole line in it", "see where mail is logged: postconf maillog_file")
        return
    yield Finding(
        f"{sample.known} of {values.amount(sample.lines, 'line')} looked at have a known frame;"
        f" {sample.postfix} are Postfix's, {sample.dovecot} Dovecot's",
        ""
        if sample.known >= sample.lines / 2
        else "see checks/check_postfix/maillog/README.md for the frames that are known; name the"
        " right log with --log",
    )
    if not (sample.postfix or sample.dovecot):
        yield Finding("nothing of Postfix or Dovecot in it", "name the mail log with --log")
    if not sample.without_zone:
        yield Finding("its stamps name their zone")
        return
    _, _, machines = log_zone.of_machine().partition(" ")
    by = given.timezone or f"this machine's zone, {machines}"
    yield Finding(f"its stamps name no zone, and are read as {by}")


class _Sample:
    """What lines look like.

    lines, known:      of them, and of those with a known frame
    postfix, dovecot:  written by daemons of theirs
    without_zone:      with a stamp that names no zone
    writers:           hosts whose Postfix wrote them
    """

    def __init__(self) -> None:
        self.lines = self.known = self.postfix = self.dovecot = self.without_zone = 0
        self.writers: set[str] = set()

    def look(self, line: bytes) -> None:
        """Look at one more."""
        self.lines += 1
        record = frame.parse(line)
        if record is None:
            return
        self.known += 1
        self.dovecot += record.instance.startswith(b"dovecot")
        if record.instance.startswith(b"postfix"):
            self.postfix += 1
            self.writers.add(record.host.decode("utf-8", "replace").lower())
        self.without_zone += not record.zone


def _sample(logs: list[NamedLog], given: Namespace) -> tuple[_Sample, list[str]]:
    """Return what the newest lines look like, and why others could not be read.

    Raises: LogError
    """
    sample = _Sample()
    zone = None if given.timezone is None else values.zone(given.timezone)
    with Logs(logs, given.archives, zone, time.time() - _DAY, given.journal_match) as read:
        newest = read.files[-1] if read.files else None
        for _, block in newest.blocks() if newest else ():
            # What is cut off at the begin of a sample is no line.
            for line in filter(None, block[-_SAMPLE:].split(b"\n")[len(block) > _SAMPLE :]):
                sample.look(line)
        return sample, read.notes
