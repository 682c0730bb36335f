"""postfix-log doctor: what was found of log, state, Postfix and monitoring, and what mends it.

Each finding is one line, `ok` or `mend`; below the latter stands the command that mends it.
Nothing is changed.
"""

from __future__ import annotations

import os
import shutil

from check_postfix.command import declared, users
from check_postfix.command.doctor import installation, journal, log, monitoring, postfix, state_file
from check_postfix.command.doctor.finding import AS_ROOT, Finding
from check_postfix.command.text import clean
from check_postfix.common.log_options import (
    ARCHIVES,
    FROM_JOURNAL,
    JOURNAL_MATCH,
    LOG,
    STATE,
    TIMEZONE,
)
from check_postfix.plugin import UsageError, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Generator, Iterator

    from check_postfix.command.users import User

TO_MEND = 3

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
        ("log", log.findings(given, user, writers)),
        ("journal", journal.findings(given, user)),
        ("state", state_file.findings(given, user)),
        ("monitoring", monitoring.findings(given, user)),
        ("Postfix", postfix.findings(writers)),
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
            AS_ROOT,
        )


def _of_dovecot() -> Iterator[Finding]:
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    program = shutil.which("dovecot", path=path)
    yield Finding(program or "is not installed")
