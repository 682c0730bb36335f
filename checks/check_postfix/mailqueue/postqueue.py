"""The program postqueue: the only way to the queue that is open to an ordinary user.

It is set-gid and asks the showq daemon; reading the spool would need root.
"""

from __future__ import annotations

import time
from contextlib import closing

from check_postfix import child, user
from check_postfix.mailqueue import json_form, text_form
from check_postfix.mailqueue.errors import DownError, IncompleteError, QueueError
from check_postfix.mailqueue.failure import explain, is_usage, quoted
from check_postfix.mailqueue.listing import Listing, QueuedMessage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterator, Sequence

    from check_postfix.mailqueue.instances import Instance

# Where Postfix puts it; seldom in the PATH of a monitoring agent.
USUAL_PLACES = ("/usr/sbin", "/usr/local/sbin")

# One line is one message: this is one with several 100,000 recipients. In bytes.
LONGEST_LINE = 64 << 20
# A listing of so many messages that has no end in time still says how many there are at least.
ENOUGH = 50_000


class _OptionUnknownError(Exception):
    """This postqueue does not have -j: it is older than Postfix 3.1."""


def read(
    instances: Sequence[Instance],
    timeout: float,
    now: float,
    command: Sequence[str] | None = None,
    listing: Listing | None = None,
) -> Listing:
    """Return what is in the queues of these instances now, together.

    timeout: seconds, for all of it; nothing that was started outlives it
    now:     epoch seconds
    command: what runs postqueue, wherever that is; None for the one of this machine
    listing: that is filled; None for a new one
    Raises:  DownError for an instance that should run, BrokenError for one that can start nothing,
             QueueError for whatever else kept it from listing the whole queue, unless the time was
             up after ENOUGH messages
    """
    calls = _Calls(command, timeout)
    listing = Listing((), now) if listing is None else listing
    for instance in instances:
        try:
            config_dir = instance.config_dir
            listing.take(_messages(calls, config_dir, listing.now), config_dir or "")
        except IncompleteError:
            if listing.count() < ENOUGH:
                raise
            listing.complete = False
            break
        except DownError:
            if instance.is_enabled:
                raise
    return listing


def find(
    queue_ids: Collection[str], instances: Sequence[Instance], timeout: float, now: float
) -> dict[str, QueuedMessage]:
    """Return those of these messages that are in the queues of these instances, by queue ID.

    timeout, now, and what is raised: as for read()
    """
    calls = _Calls(None, timeout)
    found = {}
    for instance in instances:
        try:
            for message in _messages(calls, instance.config_dir, int(now)):
                if message.queue_id in queue_ids:
                    found[message.queue_id] = message
        except DownError:
            if instance.is_enabled:
                raise
    return found


def _messages(calls: _Calls, config_dir: str | None, now: int) -> Iterator[QueuedMessage]:
    try:
        with closing(calls.lines("-j", config_dir)) as lines:
            yield from json_form.messages(lines)
    except _OptionUnknownError:
        with closing(calls.lines("-p", config_dir)) as lines:
            yield from text_form.messages(lines, now)


class _Calls:
    """How postqueue is called, one time after another, until the time is up."""

    def __init__(self, command: Sequence[str] | None, timeout: float) -> None:
        self._is_ours = command is None
        self._command = [_find()] if command is None else list(command)
        self._timeout = timeout
        self._deadline = time.monotonic() + timeout

    def lines(self, option: str, config_dir: str | None) -> Generator[bytes]:
        """Yield the lines that postqueue prints, as it prints them.

        Raises: QueueError at the end when postqueue failed, and when there is no end by the
                deadline; _OptionUnknownError when it does not know the option -j
        """
        instance = [] if config_dir is None else ["-c", config_dir]
        rest = bytearray()
        with _started([*self._command, *instance, option]) as running:
            try:
                for chunk in running.chunks(self._deadline):
                    rest += chunk
                    if b"\n" in chunk:
                        *complete, rest = rest.split(b"\n")
                        for line in complete:
                            yield bytes(line)
                    elif len(rest) > LONGEST_LINE:
                        raise QueueError(
                            f"postqueue: a line of more than {LONGEST_LINE} bytes;"
                            " see that this postqueue is the one of Postfix"
                        )
            except TimeoutError:
                raise IncompleteError(
                    f"postqueue: no complete listing within {self._timeout:g} s;"
                    " see whether showq or the disk hangs, or raise --timeout"
                ) from None
        words, status = running.words, running.status
        assert status is not None
        if status and option == "-j" and is_usage(words):
            raise _OptionUnknownError
        error = explain(status, words, self._command, config_dir, self._is_ours)
        if error:
            raise error
        if rest:
            yield bytes(rest)


def _find() -> str:
    program = child.find("postqueue", USUAL_PLACES)
    if program is None:
        raise QueueError(
            f"postqueue: not found in PATH, {' or '.join(USUAL_PLACES)};"
            " run this check on the mail server, or add the directory of postqueue to PATH"
        )
    return program


def _started(command: list[str]) -> child.Child:
    program = command[0] if "/" in command[0] else child.find(command[0])
    try:
        return child.Child([program or f"/{command[0]}", *command[1:]], child.environment())
    except PermissionError:
        raise QueueError(
            f"postqueue: cannot run {quoted(command[0])}: permission denied;"
            f" let {user.me()} execute it"
        ) from None
    except OSError as error:
        cause = (error.strerror or "unknown error").lower()
        raise QueueError(
            f"postqueue: cannot run {quoted(command[0])}: {cause}; run it by hand as {user.me()}"
        ) from None
