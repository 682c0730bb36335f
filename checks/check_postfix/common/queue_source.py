"""Where the queue comes from: its options, opening it, and what must be said about it."""

from __future__ import annotations

import os
import time
from collections import namedtuple
from contextlib import contextmanager

from check_postfix.maillog.errors import StoreError
from check_postfix.maillog.store import location
from check_postfix.mailqueue import age, instances, postqueue, sightings
from check_postfix.mailqueue.errors import BrokenError, DownError, QueueError, SightingsError
from check_postfix.mailqueue.listing import ON_ITS_WAY, QUEUES
from check_postfix.plugin import Known, Option, Remark, Source, Unknown, UsageError, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from check_postfix.mailqueue.instances import Instance
    from check_postfix.mailqueue.listing import Listing


def _command(written: str) -> list[str]:
    """Return the words of a command, split as a shell would; nothing else is as in a shell."""
    import shlex

    try:
        words = shlex.split(written)
    except ValueError:
        words = []
    if not words or ("/" in words[0] and not words[0].startswith("/")):
        raise ValueError("not a command")
    return words


CONFIG_DIR = Option(
    "--config-dir",
    "configuration directory of another Postfix instance (default: the main instance)",
    metavar="DIR",
    series="config_dir",
)
ALL_INSTANCES = Option(
    "--all-instances",
    "sum the queues of all Postfix instances that the main one's main.cf names",
    switch=True,
)
POSTQUEUE = Option(
    "--postqueue",
    "command that runs postqueue, no shell: 'docker exec mail timeout 9 postqueue' for that of a"
    " container (default: this machine's)",
    parse=_command,
    metavar="COMMAND",
    example="'docker exec mail postqueue'",
    series="postqueue",
)
QUEUE = Option(
    "--queue",
    "queue whose oldest message is judged, and whose ages -vv shows (default: incoming and active;"
    " maildrop is judged as well)",
    parse=values.one_of(*QUEUES),
    metavar="NAME",
    repeatable=True,
    series="queue",
)
STATE = Option(
    "--state",
    "file that keeps what was in active, as hashes: mail counts that is still there five minutes"
    " later (default: in /var/lib/check_postfix or the user's home)",
    metavar="PATH",
)
NO_STATE = Option(
    "--no-state", "remember nothing: how long mail is in active is not judged then", switch=True
)
_STATES = ("ok", "warning", "critical", "unknown")
DOWN = Option(
    "--down",
    "state when Postfix does not run: critical, warning, unknown, or ok for a standby",
    default="critical",
    parse=values.one_of(*_STATES),
    metavar="STATE",
)
# Of the timeout, what postqueue may take.
_LISTING = 0.9
FILE = "queue.json"
# Where sendmail puts mail
MAILDROP = "maildrop"
# Domains of the age table
_AGE_ROWS = 20


class Queue(namedtuple("Queue", "listing stuck remarks state", defaults=(0, (), None))):
    """What was in the queue.

    stuck:   how long the oldest mail that is stuck in active is there, in seconds
    remarks: what must be said about both
    state:   path of the file that keeps what was in active, None if nothing is kept
    """

    __slots__ = ()

    listing: Listing
    stuck: int
    remarks: tuple[Remark, ...]
    state: str | None

    def oldest(self, options: Namespace) -> int:
        """Return the age of the oldest message in the judged queues, in seconds."""
        judged = judged_queues(options)
        listed = self.listing.oldest_age(name for name in judged if name != "active")
        return max(listed, self.stuck if "active" in judged else 0)


@contextmanager
def _open(options: Namespace) -> Iterator[Queue]:
    now = time.time()
    asked, remarks = _asked(options)
    try:
        listing = postqueue.read(asked, options.timeout * _LISTING, now, options.postqueue)
    except DownError as error:
        raise Known(str(error), _STATES.index(options.down)) from None
    except BrokenError as error:
        # Of a standby as well: it could not take over.
        raise Known(str(error), _STATES.index("critical")) from None
    except QueueError as error:
        raise Unknown(str(error)) from None
    if not listing.complete:
        spent = f"{options.timeout * _LISTING:g} s"
        remarks.append(Remark(f"no end of the listing within {spent}", unknown=True))
    yield _with_stuck(listing, options, remarks)


def _asked(options: Namespace) -> tuple[list[Instance], list[Remark]]:
    """Return the instances to look at, and what to say of those that are not."""
    if options.all_instances:
        if options.config_dir or options.postqueue:
            other = CONFIG_DIR if options.config_dir else POSTQUEUE
            raise UsageError(f"{ALL_INSTANCES.flag}: does not go with {other.flag}; leave one out")
        return [instances.DEFAULT, *instances.others()], []
    if options.config_dir or options.postqueue:
        return [instances.Instance(options.config_dir, True)], []
    unseen = [one.config_dir for one in instances.others()]
    if not unseen:
        return [instances.DEFAULT], []
    remark = f"not looked at: {', '.join(map(str, unseen))}, see {ALL_INSTANCES.flag}"
    return [instances.DEFAULT], [Remark(remark)]


def _with_stuck(listing: Listing, options: Namespace, remarks: list[Remark]) -> Queue:
    """Return the queue with what is stuck in active, going by earlier polls."""
    stuck, path = 0, None
    # Nothing is said of mail that is there for less time than would prove anything.
    is_in_doubt = "active" in judged_queues(options) and (
        listing.oldest_age(["active"]) >= sightings.PROOF
    )
    if options.no_state:
        if is_in_doubt:
            remarks.append(Remark("without a state, mail in active is not judged"))
        return Queue(listing, 0, tuple(remarks))
    try:
        path = options.state or os.path.join(os.path.dirname(location.default_store()), FILE)
        asked = [*(options.postqueue or ()), "", options.config_dir or "", options.all_instances]
        found = sightings.compared(path, "\0".join(map(str, asked)), listing)
        stuck = found.oldest
        if found.is_first and is_in_doubt:
            remarks.append(Remark("first look: mail that stays in active is told from now on"))
    except (SightingsError, StoreError) as error:
        remarks.append(Remark(str(error), unknown=True))
    return Queue(listing, stuck, tuple(remarks), path)


def shown_queues(options: Namespace) -> tuple[str, ...]:
    """Return the queues whose domains and ages are shown."""
    return tuple(options.queue) or ON_ITS_WAY


def judged_queues(options: Namespace) -> tuple[str, ...]:
    """Return the queues whose oldest message is judged."""
    return tuple(options.queue) or (MAILDROP, *ON_ITS_WAY)


def _where(queue: Queue, options: Namespace) -> list[str]:
    command = " ".join(options.postqueue or ["postqueue"])
    directory = f" -c {options.config_dir}" if options.config_dir else ""
    return [f"read: {command}{directory}", f"state: {queue.state or 'none'}"]


def _about(queue: Queue, options: Namespace) -> list[str]:
    """Return the ages of the mail in the judged queues by recipient domain, as qshape does."""
    rows = age.table(queue.listing, shown_queues(options))
    title = f"recipients in {' and '.join(shown_queues(options))} by age in minutes:"
    return [title, *age.render(rows, _AGE_ROWS)]


FROM_QUEUE = Source(
    options=[CONFIG_DIR, ALL_INSTANCES, POSTQUEUE, QUEUE, STATE, NO_STATE],
    open=_open,
    remarks=lambda queue: list(queue.remarks),
    where=_where,
    about=_about,
)
