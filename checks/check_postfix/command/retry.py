"""Retry: when Postfix tries waiting mail again, about.

The queue manager puts a message off for as long as it has been in the queue, but not less than
minimal_backoff_time and not more than maximal_backoff_time (postfix/src/qmgr/qmgr_active.c,
qmgr_active_defer); it looks at what is due every queue_run_delay. So the last attempt, as the
log tells it, says when the next one is due. It is "about": a message that is for a destination
which has just failed comes later, `postqueue -f` comes sooner.
"""

from __future__ import annotations

import re

from check_postfix.command import postconf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from check_postfix.command.logs import Logs

# Postfix's defaults, in seconds
_MINIMAL, _MAXIMAL, _QUEUE_RUN = 300, 4000, 300
_NAMES = ("minimal_backoff_time", "maximal_backoff_time", "queue_run_delay")
_find_attempts = re.compile(rb": ([0-9A-Za-z]{6,64}): to=<").finditer


class Backoff:
    """How an instance waits between attempts, in seconds.

    minimal, maximal, queue_run: as its parameters say
    is_told: whether postconf has said so; otherwise they are Postfix's defaults
    """

    def __init__(self, minimal: int, maximal: int, queue_run: int, is_told: bool) -> None:
        self.minimal = minimal
        self.maximal = maximal
        self.queue_run = queue_run
        self.is_told = is_told

    def next(self, arrival: float, last: float) -> float:
        """Return when a message is tried next, about, in seconds since 1970.

        arrival: of the message
        last:    when it was tried last
        """
        return last + min(max(last - arrival, self.minimal), self.maximal)

    @property
    def longest(self) -> int:
        """How long it takes at most from one attempt to the next."""
        return self.maximal + 2 * self.queue_run


def backoff(config_dir: str | None, is_here: bool) -> Backoff:
    """Return how an instance waits.

    is_here: whether it is one of this machine, whose postconf can tell
    """
    told = postconf.parameters(_NAMES, config_dir) if is_here else {}
    minimal, maximal, queue_run = (
        postconf.seconds(told.get(name), default)
        for name, default in zip(_NAMES, (_MINIMAL, _MAXIMAL, _QUEUE_RUN), strict=True)
    )
    return Backoff(minimal, maximal, queue_run, bool(told))


def last_attempts(
    logs: Logs,
    arrivals: Mapping[bytes, float],
    since: float,
    progress: Callable[[str, int], None],
) -> dict[bytes, float]:
    """Return when each of these messages was tried last, as far as the log tells; by queue ID.

    arrivals: queue ID -> when it came, in seconds since 1970: IDs are used again
    since:    nothing older is looked at, in seconds since 1970
    progress: is told of each block: the file's name and how many bytes
    Raises:   LogError; Rotated
    """
    found: dict[bytes, float] = {}
    for file in logs.files:
        if file.modified < since:
            continue
        for start, block in file.blocks():
            progress(file.name, len(block))
            for match in _find_attempts(block):
                queue_id = match[1]
                if queue_id not in arrivals:
                    continue
                line = file.line(block, start, match.start(1))
                # Not where a stranger has written the same somewhere in a line.
                if line is None or line.queue_id != queue_id or not line.said.startswith(b"to=<"):
                    continue
                # A second before it came: the log may hide the second.
                if line.time >= max(since, arrivals[queue_id] - 60):
                    found[queue_id] = max(line.time, found.get(queue_id, 0))
    return found
