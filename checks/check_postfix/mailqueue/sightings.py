"""Sightings: which mail earlier polls found on its way, and so which is stuck in active.

A retry takes mail that is days old into the active queue for a moment, with its first arrival
time (postfix/src/showq/showq.c): its age says nothing about a jam. That it is still there five
minutes later does. And how long it is there counts from when it was first found there, unless
it is younger than the poll before, which did not find it.

The file holds hashes of queue IDs, keyed with a secret of its own, and times. It is a cache:
lost or damaged, it is begun anew, and the second poll after that judges again. It is never
reached through a link, and is private to its owner.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
import time
from _blake2 import blake2b
from contextlib import contextmanager, suppress

from check_postfix import owner
from check_postfix.mailqueue.errors import SightingsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from check_postfix.mailqueue.listing import Listing

# How far apart two polls are at least that prove that mail is stuck. In seconds.
PROOF = 300
# What was asked for and is not asked for any more is forgotten. In seconds.
KEPT = 48 * 3600
# Clocks of two runs may differ by as much. In seconds.
_CLOCK_STEP = 60
# For another run that has the file. In seconds.
_WAIT = 1.0
# Of 50,000 messages, several times.
_LARGEST = 64 << 20


class Stuck:
    """What is stuck in active.

    oldest:    how long the oldest of it is there, in seconds; 0 if there is none
    is_first:  whether no poll before is known, so that nothing could be proven
    """

    __slots__ = ("is_first", "oldest")

    def __init__(self, oldest: int, is_first: bool) -> None:
        self.oldest = oldest
        self.is_first = is_first


def compared(path: str, asked: str, listing: Listing) -> Stuck:
    """Return what is stuck, and remember the listing for the next poll.

    path:   of the file; made if it is not there
    asked:  what the listing is of: polls of something else are told apart by it
    Raises: SightingsError if the file cannot be used
    """
    try:
        # Root does so as the owner of the directory: links lead root nowhere then, and what
        # a run by hand makes does not lock the monitoring user out.
        user = owner.of(path)
        if user is None:
            return _compared(path, asked, listing)
        return user.does(_compared, path, asked, listing)
    except OSError as error:
        from check_postfix import unwritable

        if error.errno == errno.EISDIR:
            raise SightingsError(
                f"{path}: is a directory; name another file with --state"
            ) from None
        cause, fix = unwritable.why(path, error.errno, "--state") or (
            (error.strerror or str(error)).lower(),
            "choose another with --state",
        )
        raise SightingsError(f"cannot write {path}: {cause}; {fix}") from None


def _compared(path: str, asked: str, listing: Listing) -> Stuck:
    with _opened(path) as fd:
        known = _read(fd)
        stuck = _compare(known, asked, listing)
        # Of a listing that broke off, the sightings may be a part only.
        if listing.complete or listing.queues.keys() & {"deferred", "hold"}:
            _write(fd, known)
        return stuck


def _compare(known: dict[str, Any], asked: str, listing: Listing) -> Stuck:
    """Return what is stuck; change what is known into what was found now."""
    key, now = bytes.fromhex(known["key"]), listing.now

    def hashed(*words: str) -> str:
        text = "\0".join(words).encode("utf-8", "surrogatepass")
        return blake2b(text, key=key, digest_size=8).hexdigest()

    polls = known["polls"]
    name = hashed(asked)
    polled, before = polls.get(name, (None, {}))
    if polled is not None and polled > now + _CLOCK_STEP:  # the clock was set back
        polled, before = None, {}
    found = {}
    oldest = 0
    for (instance, queue_id), (queue, arrival) in listing.on_its_way.items():
        message = hashed(instance, queue_id)
        is_new = polled is None or arrival >= polled
        first, since = before.get(message) or (now, arrival if is_new else now)
        found[message] = first, since
        if queue == "active" and now - first >= PROOF:
            oldest = max(oldest, now - since)
    kept = {one: poll for one, poll in polls.items() if poll[0] > now - KEPT}
    known["polls"] = kept | {name: (now, found)}
    return Stuck(oldest, polled is None)


@contextmanager
def _opened(path: str) -> Iterator[int]:
    """Give the file, held against other runs.

    Raises: OSError; SightingsError
    """
    directory_path, name = os.path.split(os.path.abspath(path))
    os.makedirs(directory_path, 0o700, exist_ok=True)
    directory = os.open(directory_path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fd = _open_in(directory, name)
        try:
            _see_that_it_is_ours(path, os.fstat(fd), os.fstat(directory))
            _lock(path, fd)
            yield fd
        finally:
            os.close(fd)
    finally:
        os.close(directory)


def _open_in(directory: int, name: str) -> int:
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with suppress(FileExistsError):
        return os.open(name, flags | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=directory)
    return os.open(name, flags, dir_fd=directory)


def _see_that_it_is_ours(path: str, file: os.stat_result, directory: os.stat_result) -> None:
    # Nobody should remove /dev/null because of this.
    if stat.S_ISCHR(file.st_mode) or stat.S_ISBLK(file.st_mode):
        raise SightingsError(
            f"{path}: is a device; name a file with --state, or --no-state to remember nothing"
        )
    # A second name could make root write into anybody's file.
    if not stat.S_ISREG(file.st_mode) or file.st_nlink > 1:
        raise SightingsError(
            f"{path}: is not a regular file of one name; remove it, or choose another with --state"
        )
    if file.st_uid not in (os.geteuid(), directory.st_uid):
        raise SightingsError(
            f"{path}: belongs to somebody else; remove it, or choose another with --state"
        )


def _lock(path: str, fd: int) -> None:
    deadline = time.monotonic() + _WAIT
    while True:
        with suppress(BlockingIOError):
            return fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if time.monotonic() > deadline:
            raise SightingsError(f"{path}: another run has it for more than {_WAIT:g} s")
        time.sleep(0.01)


def _read(fd: int) -> dict[str, Any]:
    """Return what is known; nothing but a new key if the file is empty or damaged."""
    with suppress(ValueError, TypeError, KeyError, AttributeError, RecursionError):
        known = json.loads(os.pread(fd, _LARGEST, 0))
        key, polls = known["key"], known["polls"]
        if len(bytes.fromhex(key)) == 32 and all(map(_is_poll, polls.values())):
            return {"key": key, "polls": polls}
    return {"key": os.urandom(32).hex(), "polls": {}}


def _is_poll(poll: Any) -> bool:
    polled, found = poll
    return type(polled) is int and all(
        type(first) is int and type(since) is int for first, since in found.values()
    )


def _write(fd: int, known: dict[str, Any]) -> None:
    text = json.dumps(known, separators=(",", ":")).encode()
    written = 0
    while written < len(text):
        written += os.pwrite(fd, text[written:], written)
    os.ftruncate(fd, len(text))
