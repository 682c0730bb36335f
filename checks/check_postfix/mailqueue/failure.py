"""A failure of postqueue: what its last words meant, and what helps.

Every fatal error of postqueue ends with status 69, whatever the cause (the handler unavailable()
in postfix/src/postqueue/postqueue.c), so only its words tell one from another. They are matched
from the start of a line: "postqueue: ", severity, text.
"""

from __future__ import annotations

import re

from check_postfix import main_cf, user
from check_postfix.mailqueue import advice, running
from check_postfix.mailqueue.errors import DownError, QueueError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# At most this much of a program's words goes into an error, in characters.
QUOTED = 200

# As root postqueue only warns, lists what it finds in the spool, and ends well.
DOWN = re.compile(
    r"^postqueue: (?:"
    r"warning: Mail system is down -- accessing queue directly"
    r"|fatal: Queue report unavailable - mail system is down"
    r")(?P<why> \(.*\))?$",
    re.MULTILINE,
)
NOT_ALLOWED = re.compile(
    r"^postqueue: fatal: User (?P<user>.*)\(\d+\) is not allowed to view the mail queue$",
    re.MULTILINE,
)
UNAUTHORIZED_DIRECTORY = re.compile(
    r"^postqueue: error: unauthorized configuration directory name: (?P<directory>.*)$",
    re.MULTILINE,
)
NO_ACCESS = re.compile(
    r"^postqueue: fatal: (?P<what>Connect to the .* service: "
    r"(?:Permission denied|Operation not permitted))$",
    re.MULTILINE,
)
WRONG_MAIN_CF = re.compile(rf"^postqueue: fatal: (?P<what>{main_cf.FATAL}.*)$", re.MULTILINE)
NO_MAIN_CF = re.compile(
    r"^postqueue: fatal: (?P<what>open \S+/main\.cf: No such file or directory)$", re.MULTILINE
)
USAGE = re.compile(r"^postqueue: fatal: usage: ", re.MULTILINE)
SEVERITY = re.compile(r"postqueue: (?:(?:fatal|panic|error|warning): )?")


def is_usage(stderr: str) -> bool:
    """Tell whether postqueue did not know an option."""
    return USAGE.search(stderr) is not None


def explain(
    status: int, stderr: str, command: Sequence[str], config_dir: str | None, is_ours: bool = True
) -> QueueError | None:
    """Return the error that an ended postqueue means, None when it has listed the queue.

    status:      of its exit; -N when signal N ended it
    stderr:      all that it said there
    command:     how it was called, without its own options
    config_dir:  what it was given as `-c`, or None
    is_ours:     whether the command is the postqueue of this machine
    """
    instance = [] if config_dir is None else ["-c", config_dir]
    words = ["postqueue"] if is_ours else command
    if down := DOWN.search(stderr):
        fix = f"start it with '{quoted(advice.start(config_dir))}'" if is_ours else "start it there"
        return DownError(f"postqueue: mail system is down{quoted(down['why'] or '')}; {fix}")
    if status == 0:
        return None
    # Nearly all end well, and need no user's name.
    by_hand = f"run '{quoted(' '.join([*words, *instance, '-p']))}' by hand as {user.me()}"
    if status < 0:
        return QueueError(f"postqueue: killed by signal {-status}; see the system log, {by_hand}")
    if refused := NOT_ALLOWED.search(stderr):
        return QueueError(
            f"postqueue: user {quoted(refused['user'])} is not allowed to view the mail queue;"
            " add that user to authorized_mailq_users in main.cf"
        )
    if unauthorized := UNAUTHORIZED_DIRECTORY.search(stderr):
        return QueueError(
            f"postqueue: configuration directory {quoted(unauthorized['directory'])}"
            " is not authorized;"
            " add it to alternate_config_directories in the default main.cf"
        )
    if no_access := NO_ACCESS.search(stderr):
        fix = advice.access(command[0]) if is_ours else "; see who may enter Postfix's queue there"
        return QueueError(f"postqueue: {quoted(no_access['what'])}{fix}")
    if wrong := WRONG_MAIN_CF.search(stderr):
        return _wrong_main_cf(quoted(wrong["what"].rstrip()), config_dir, is_ours)
    if is_ours and (absent := NO_MAIN_CF.search(stderr)):
        fix = (
            "Postfix is not configured here: configure it (on Debian 'dpkg-reconfigure postfix'),"
            " or leave check_postfix_queue out"
            if config_dir is None
            else "name the directory with that instance's main.cf with --config-dir"
        )
        return QueueError(f"postqueue: {quoted(absent['what'])}; {fix}")
    said = [line for line in stderr.split("\n") if line.strip()]
    cause = quoted(SEVERITY.sub("", said[-1], count=1)) if said else "failed without a word"
    return QueueError(f"postqueue: {cause} (exit status {status}); {by_hand}")


def _wrong_main_cf(what: str, config_dir: str | None, is_ours: bool) -> QueueError:
    """Return what it means that postqueue died of main.cf: none of Postfix's programs starts so.

    What runs already goes on until it is used up; whether it does, postqueue has not asked.
    """
    if not is_ours:
        return QueueError(
            f"postqueue: main.cf is wrong, no program of Postfix starts with it: {what};"
            " run 'postfix check' there as root, and mend it"
        )
    check = "postfix check" if config_dir is None else f"postfix -c {config_dir} check"
    fix = f"run '{quoted(check)}' as root, and mend it"
    runs = running.is_running(config_dir)
    if runs is False:
        start = quoted(advice.start(config_dir))
        return DownError(
            f"postqueue: mail system is down, and cannot start, for main.cf is wrong: {what};"
            f" {fix}, then '{start}'"
        )
    still = (
        "Postfix still runs, but can start nothing new"
        if runs
        else "whether Postfix runs cannot be seen"
    )
    return QueueError(
        f"postqueue: main.cf is wrong, no program of Postfix starts with it: {what}"
        f" ({still}); {fix}"
    )


def quoted(text: str) -> str:
    """Return text on one line, printable, at most QUOTED characters long."""
    line = "".join(char if char.isprintable() else "?" for char in text)
    return line if len(line) <= QUOTED else line[: QUOTED - 3] + "..."
