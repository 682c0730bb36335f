"""postfix-log doctor: what was found of log, state, Postfix and monitoring, and what mends it.

Each finding is one line, `ok` or `mend`; below the latter stands the command that mends it.
Nothing is changed.
"""

from __future__ import annotations

import os
import shlex
import shutil
import time

from check_postfix import child
from check_postfix.command import declared, installation, monitoring, named, postconf, state, users
from check_postfix.command.finding import Finding
from check_postfix.command.logs import Logs
from check_postfix.command.text import clean
from check_postfix.common.log_options import (
    ARCHIVES,
    FROM_JOURNAL,
    JOURNAL_MATCH,
    LOG,
    STATE,
    TIMEZONE,
)
from check_postfix.common.log_remarks import local_time
from check_postfix.maillog.errors import LogError, StoreError
from check_postfix.maillog.source import journalctl, whereabouts
from check_postfix.maillog.store import contents, damage, location, log_zone, read_files, retention
from check_postfix.maillog.store.retention import USUAL
from check_postfix.maillog.store.schema import ASIDE
from check_postfix.maillog.syntax import frame
from check_postfix.maillog.window.usual import DAYS, LEAST_DAYS
from check_postfix.mailqueue import instances, postqueue
from check_postfix.mailqueue.errors import DownError, QueueError
from check_postfix.plugin import UsageError, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Generator, Iterator

    from check_postfix.command.users import User
    from check_postfix.common.named_logs import NamedLog

TO_MEND = 3
# In seconds
_QUEUE_TIMEOUT = 10
# Bytes of each end of a log that are looked at.
_SAMPLE = 1 << 18
_DAY = 86400
_CLOSED = "may not read"
_AS_ROOT = "as root: postfix-log doctor"
# Hosts that are named
_MOST_NAMED = 3

HELP = "say what was found of log, state, Postfix and monitoring, and what mends it"
DESCRIPTION = """\
Say which log, frames, time zone, rotated generations, journal, state file, Postfix and Dovecot
were found, who may read what, how long is kept, and which checks were asked lately; and of all that
is not well, the command that mends it. Nothing is changed.
"""
EPILOG = """\
As root it looks with the eyes of the user that the checks run as. It tells whether the checks can
work; how mail is, postfix-log now tells. exit codes: 0 they can, 2 wrong usage, 3 something is to
be mended.

examples:
  postfix-log doctor
      after installing, or when a check is UNKNOWN
  postfix-log doctor --user icinga --log /var/log/maillog
      for another user and another log
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what may be written after the subcommand."""
    parser.add_argument(
        "--user", metavar="NAME",
        help="user that the checks run as (default: nagios, icinga or another usual one, as far as"
        " there is one)",
    )  # fmt: skip
    for option in (LOG, ARCHIVES, FROM_JOURNAL, JOURNAL_MATCH, STATE, TIMEZONE):
        declared.add(parser, option)


def run(options: Namespace) -> Generator[str, None, int]:
    """Yield what is to be printed, and return the exit code.

    Raises: UsageError
    """
    given = declared.values(options, [ARCHIVES, JOURNAL_MATCH, TIMEZONE])
    user = _user(options.user)
    to_mend = 0
    writers: set[str] = set()
    for title, findings in (
        ("user", _of_user(user)),
        ("installation", installation.findings(users.of_monitoring() is not None)),
        ("log", _of_log(given, user, writers)),
        ("journal", _of_journal(given, user)),
        ("state", _of_state(given, user)),
        ("monitoring", _of_monitoring(given, user)),
        ("Postfix", _of_postfix(writers)),
        ("Dovecot", _of_dovecot()),
    ):
        for finding in findings:
            text = clean(finding.text.encode("utf-8", "replace"))
            yield f"{'mend' if finding.fix else 'ok':4}  {title}: {text}"
            if finding.fix:
                to_mend += 1
                yield f"      {clean(finding.fix.encode('utf-8', 'replace'))}"
    yield ""
    if to_mend:
        yield f"{values.amount(to_mend, 'finding')} to mend"
        return TO_MEND
    # A daemon that is dead, or a full queue, is what the checks are for.
    yield "the checks can work; how mail is: postfix-log now"
    return 0


def _user(name: str | None) -> User:
    if name is None:
        return users.of_monitoring() or users.me()
    try:
        return users.named(name)
    except KeyError:
        raise UsageError(f"--user {name}: no such user; see: getent passwd") from None


def _of_user(user: User) -> Iterator[Finding]:
    me = users.me()
    if user.is_me:
        yield Finding(f"looking as {user.name}, as whom the checks run from here")
    elif os.geteuid() == 0:
        yield Finding(f"looking as root, for {user.name}, as whom the checks run")
    else:
        yield Finding(
            f"looking as {me.name}; what {user.name} may read, only root can tell",
            _AS_ROOT,
        )


# -- the log


def _of_log(given: Namespace, user: User, writers: set[str]) -> Iterator[Finding]:
    """Yield what was found of the log; add whose Postfix has written its newest lines."""
    try:
        logs = named.of(given)
    except LogError as error:
        yield _error(error)
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


def _error(error: Exception) -> Finding:
    """Return the finding of an error, which names thing, cause and fix."""
    text, _, fix = str(error).partition("; ")
    return Finding(text, fix or "see above")


def _of_path(path: str, given: Namespace, user: User) -> Iterator[Finding]:
    where = whereabouts.of(path, given.archives)
    try:
        live, older = where.live(), where.older()
    except LogError as error:
        yield _error(error)
        return
    if live is None:
        yield _error(where.absence())
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
    compressed = sum(file.compressed for file in older)
    if not older:
        yield Finding(
            "no rotated generations yet; where they lie elsewhere, say so: --archives DIR"
        )
        return
    oldest = min(file.modified for file in older)
    text = f"{values.amount(len(older), 'rotated generation')}, {compressed} of them compressed,"
    text += f" the oldest written until {local_time(int(oldest) // 60)}"
    days = (time.time() - oldest) / _DAY
    is_short = days < LEAST_DAYS and len(older) > 1
    yield Finding(
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
    lines = ours = known = without_zone = postfix = dovecot = 0
    zone = None if given.timezone is None else values.zone(given.timezone)
    try:
        with Logs(logs, given.archives, zone, time.time() - _DAY, given.journal_match) as read:
            newest = read.files[-1] if read.files else None
            for _, block in newest.blocks() if newest else ():
                # What is cut off at the begin of a sample is no line.
                for line in block[-_SAMPLE:].split(b"\n")[len(block) > _SAMPLE :]:
                    if not line:
                        continue
                    lines += 1
                    record = frame.parse(line)
                    if record is None:
                        continue
                    known += 1
                    is_dovecot = record.instance.startswith(b"dovecot")
                    dovecot += is_dovecot
                    if record.instance.startswith(b"postfix"):
                        postfix += 1
                        writers.add(record.host.decode("utf-8", "replace").lower())
                    ours += is_dovecot or record.instance.startswith(b"postfix")
                    without_zone += not record.zone
            unread = read.notes
    except LogError as error:
        yield _error(error)
        return
    if unread and not is_told:
        found = _error(LogError(unread[0]))
        # Who looks for somebody else need not be let in.
        yield found if user.is_me else Finding(found.text, f"{_AS_ROOT}; or {found.fix}")
    if not lines and unread:
        return
    if not lines:
        yield Finding("no whole line in it", "see where mail is logged: postconf maillog_file")
        return
    yield Finding(
        f"{known} of {values.amount(lines, 'line')} looked at have a known frame;"
        f" {postfix} are Postfix's, {dovecot} Dovecot's",
        ""
        if known >= lines / 2
        else "see checks/check_postfix/maillog/README.md for the frames that are known; name the"
        " right log with --log",
    )
    if not ours:
        yield Finding("nothing of Postfix or Dovecot in it", "name the mail log with --log")
    if not without_zone:
        yield Finding("its stamps name their zone")
        return
    is_named = given.timezone is not None
    by = given.timezone if is_named else log_zone.of_machine()
    yield Finding(f"its stamps name no zone, and are read as {by}")


# -- the journal


def _of_journal(given: Namespace, user: User) -> Iterator[Finding]:
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
        yield _journal_finding(_error(error), is_the_log)
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
        yield _journal_finding(found, is_the_log)
    else:
        yield Finding(f"readable, in {', '.join(places)}")


def _journal_finding(found: Finding, is_the_log: bool) -> Finding:
    """Return it as it is where the journal is the log; else it is well."""
    if is_the_log:
        return found
    return Finding(f"{found.text}; it is not needed where there is a log file")


# -- the state


def _state_path(given: Namespace, user: User) -> str:
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


def _of_state(given: Namespace, user: User) -> Iterator[Finding]:
    try:
        path = _state_path(given, user)
    except StoreError as error:
        yield _error(error)
        return
    directory = os.path.dirname(os.path.abspath(path))
    may = user.may([directory], os.W_OK | os.X_OK)
    is_there = os.path.isdir(directory)
    if may == [False] or not (is_there or user.is_me):
        quoted = shlex.quote(directory)
        group = users.group_name(user.gid)
        make = f"install -d -o {user.name} -g {group} -m 0700 {quoted}"
        text = f"{user.name} may not write {directory}" if is_there else f"there is no {directory}"
        yield Finding(text, make)
    if is_there and may == [None] and not os.access(directory, os.R_OK | os.X_OK):
        yield Finding(f"{directory} is open to {user.name} alone; root can look into it", _AS_ROOT)
        return
    if state.is_missing(path):
        run = "postfix-log ingest"
        run = run if user.is_me else f"runuser -u {user.name} -- {run}"
        yield Finding(f"{path}: nothing is kept yet", run)
        return
    if os.path.lexists(path + ASIDE):
        yield Finding(f"a damaged one was set aside: {path}{ASIDE}; it goes by itself")
    try:
        with state.opened(path) as store:
            damage.read_everything(store)
            holds, kept = contents.of(store), retention.kept(store) or USUAL
            unread = [read_files.unread(store, log) for log in store.logs.all()]
            backlog = sum(left for files in unread for _, left in files)
            gaps = holds.gaps
    except StoreError as error:
        yield _error(error)
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


def _of_monitoring(given: Namespace, user: User) -> Iterator[Finding]:
    """Yield which checks were asked lately.

    What keeps that from being known is told of the state.
    """
    try:
        path = _state_path(given, user)
        if state.is_missing(path):
            return
        with state.opened(path) as store:
            asked = monitoring.Asked(store, given)
    except StoreError:
        return
    yield monitoring.finding(asked, path)


# -- Postfix and Dovecot


def _of_postfix(writers: set[str]) -> Iterator[Finding]:
    """Yield what was found of Postfix.

    writers: the hosts whose Postfix wrote the newest lines of the log
    """
    version = postconf.parameters(["mail_version"]).get("mail_version")
    if version is not None:
        yield Finding(f"version {version}")
    for instance in [instances.DEFAULT, *instances.others()]:
        name = instance.config_dir or "the main instance"
        try:
            listing = postqueue.read([instance], _QUEUE_TIMEOUT, time.time())
        except DownError as error:
            yield _error(error)
        except QueueError as error:
            if version is not None or child.find("postqueue", postqueue.USUAL_PLACES):
                yield _error(error)
            elif instance is instances.DEFAULT:
                yield _without_postfix(_error(error).text, writers)
        else:
            messages = values.amount(listing.count(), "message")
            yield Finding(f"{name} answers; {messages} in its queue")


def _without_postfix(why: str, writers: set[str]) -> Finding:
    """Return what is said where there is no Postfix, as on a server of logs alone.

    writers: the hosts whose Postfix wrote the newest lines of the log
    """
    me = _short(_own_name())
    if me in map(_short, writers):
        return Finding(
            f"none is found here ({why}), though it writes to the log as {me}: check_postfix_queue"
            " is UNKNOWN",
            "run check_postfix_queue where Postfix runs: --postqueue 'docker exec mail postqueue',"
            " for example",
        )
    names = sorted(name for name in writers if name)
    if more := len(names[_MOST_NAMED:]):
        names = [*names[:_MOST_NAMED], f"{more} more"]
    listed = ", ".join(names[:-1]) + " and " * bool(names[1:]) + names[-1] if names else ""
    if not listed:
        return Finding(f"none is found here ({why}): check_postfix_queue is UNKNOWN")
    return Finding(
        f"none is found here, and the log is of other hosts ({listed}): leave check_postfix_queue"
        " out, or run it on them"
    )


def _own_name() -> str:
    return os.uname().nodename


def _short(host: str) -> str:
    return host.lower().partition(".")[0]


def _of_dovecot() -> Iterator[Finding]:
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    program = shutil.which("dovecot", path=path)
    yield Finding(program or "is not installed")
