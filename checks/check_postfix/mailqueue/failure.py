"""A failure of postqueue: what its last words meant, and what helps.

Every fatal error of postqueue ends with status 69, whatever the cause (the handler unavailable()
in postfix/src/postqueue/postqueue.c), so only its words tell one from another. They are matched
from the start of a line: "postqueue: ", severity, text.
"""

from __future__ import annotations

import re

from check_postfix.mailqueue.errors import QueueError

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
USAGE = re.compile(r"^postqueue: fatal: usage: ", re.MULTILINE)
SEVERITY = re.compile(r"postqueue: (?:(?:fatal|panic|error|warning): )?")


def is_usage(stderr: str) -> bool:
    """Tell whether postqueue did not know an option."""
    return USAGE.search(stderr) is not None


def explain(status: int, stderr: str, config_dir: str | None) -> QueueError | None:
    """Return the error that an ended postqueue means, None when it has listed the queue.

    status:      of its exit; -N when signal N ended it
    stderr:      all that it said there
    config_dir:  what it was given as `-c`, or None
    """
    instance = "" if config_dir is None else f" -c {quoted(config_dir)}"
    by_hand = f"run 'postqueue{instance} -p' by hand as this user"
    if down := DOWN.search(stderr):
        return QueueError(
            f"postqueue: mail system is down{quoted(down['why'] or '')};"
            f" start it with 'postfix{instance} start'"
        )
    if status == 0:
        return None
    if status < 0:
        return QueueError(f"postqueue: killed by signal {-status}; see the system log, {by_hand}")
    if user := NOT_ALLOWED.search(stderr):
        return QueueError(
            f"postqueue: user {quoted(user['user'])} is not allowed to view the mail queue;"
            " add that user to authorized_mailq_users in main.cf"
        )
    if unauthorized := UNAUTHORIZED_DIRECTORY.search(stderr):
        return QueueError(
            f"postqueue: configuration directory {quoted(unauthorized['directory'])}"
            " is not authorized;"
            " add it to alternate_config_directories in the default main.cf"
        )
    if no_access := NO_ACCESS.search(stderr):
        return QueueError(
            f"postqueue: {quoted(no_access['what'])}; run 'postfix set-permissions' as root"
        )
    words = [line for line in stderr.split("\n") if line.strip()]
    cause = quoted(SEVERITY.sub("", words[-1], count=1)) if words else "failed without a word"
    return QueueError(f"postqueue: {cause} (exit status {status}); {by_hand}")


def quoted(text: str) -> str:
    """Return text on one line, printable, at most QUOTED characters long."""
    line = "".join(char if char.isprintable() else "?" for char in text)
    return line if len(line) <= QUOTED else line[: QUOTED - 3] + "..."
