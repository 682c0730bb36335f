"""The program postqueue: the only way to the queue that is open to an ordinary user.

It is set-gid and asks the showq daemon; reading the spool would need root.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from contextlib import closing, suppress

from check_postfix.mailqueue import json_form, text_form
from check_postfix.mailqueue.errors import QueueError
from check_postfix.mailqueue.failure import explain, is_usage, quoted
from check_postfix.mailqueue.listing import Listing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

# Where Postfix puts it; seldom in the PATH of a monitoring agent.
USUAL_PLACES = ("/usr/sbin", "/usr/local/sbin")

CHUNK = 1 << 16
# One line is one message: this is one with several 100,000 recipients. In bytes.
LONGEST_LINE = 64 << 20
# postqueue may warn about each queue file; its first and its last words tell what happened.
FIRST_WORDS = LAST_WORDS = 1 << 15
# A killed process that waits for a dead disk does not end; nor do we wait for it. In seconds.
KILL_WAIT_SECONDS = 0.5


class _OptionUnknownError(Exception):
    """This postqueue does not have -j: it is older than Postfix 3.1."""


def read(config_dir: str | None, timeout: float, now: float) -> Listing:
    """Return what is in the queue now.

    config_dir:  of the Postfix instance, None for the default one
    timeout:     seconds, for all of it; nothing that was started outlives it
    now:         epoch seconds
    Raises:      QueueError for whatever kept it from listing the whole queue
    """
    deadline = time.monotonic() + timeout
    postqueue = _find(os.environ.get("PATH", ""))
    try:
        with closing(_lines(postqueue, "-j", config_dir, timeout, deadline)) as lines:
            return Listing(json_form.messages(lines))
    except _OptionUnknownError:
        with closing(_lines(postqueue, "-p", config_dir, timeout, deadline)) as lines:
            return Listing(text_form.messages(lines, now))


def _find(path: str) -> str:
    """Return the first postqueue that may be executed, else the first that is there."""
    # A relative place would depend on where the check was started.
    places = [place for place in path.split(":") if place.startswith("/")]
    files = [f"{place}/postqueue" for place in (*places, *USUAL_PLACES)]
    there = [file for file in files if os.path.isfile(file)]
    for file in there:
        if os.access(file, os.X_OK):
            return file
    if there:
        return there[0]
    raise QueueError(
        f"postqueue: not found in PATH, {' or '.join(USUAL_PLACES)};"
        " run this check on the mail server, or add the directory of postqueue to PATH"
    )


def _lines(
    postqueue: str, option: str, config_dir: str | None, timeout: float, deadline: float
) -> Generator[bytes]:
    """Yield the lines that postqueue prints, as it prints them.

    Raises: QueueError at the end when postqueue failed, and when there is no end by the deadline;
            _OptionUnknownError when it does not know the option -j
    """
    process = _start([postqueue, *([] if config_dir is None else ["-c", config_dir]), option])
    stderr = bytearray()
    rest = bytearray()
    ended = False
    try:
        for from_stdout, chunk in _chunks(process, deadline):
            if not from_stdout:
                stderr += chunk
                del stderr[FIRST_WORDS:-LAST_WORDS]
                continue
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
        status = process.wait(max(0.0, deadline - time.monotonic()))
        ended = True
    except (TimeoutError, subprocess.TimeoutExpired):
        raise QueueError(
            f"postqueue: no complete listing within {timeout:g} s;"
            " see whether showq or the disk hangs, or raise --timeout"
        ) from None
    finally:
        if not ended:
            _kill(process)
        for stream in filter(None, (process.stdout, process.stderr)):
            stream.close()
    words = stderr.decode("utf-8", "replace")
    if status and option == "-j" and is_usage(words):
        raise _OptionUnknownError
    if error := explain(status, words, config_dir):
        raise error
    if rest:
        yield bytes(rest)


def _start(command: list[str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            bufsize=0,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # strerror() in postqueue's words follows the locale.
            env={**os.environ, "LC_ALL": "C"},
            # A group of its own, so that a wrapper's children can be killed with it.
            start_new_session=True,
        )
    except PermissionError:
        raise QueueError(
            f"postqueue: cannot run {quoted(command[0])}: permission denied;"
            " let this user execute it"
        ) from None
    except OSError as error:
        cause = (error.strerror or "unknown error").lower()
        raise QueueError(
            f"postqueue: cannot run {quoted(command[0])}: {cause}; run it by hand as this user"
        ) from None


def _chunks(process: subprocess.Popen[bytes], deadline: float) -> Iterator[tuple[bool, bytes]]:
    """Yield (whether it is standard output, bytes) until both streams end.

    Raises: TimeoutError at the deadline (of time.monotonic)
    """
    with selectors.DefaultSelector() as selector:
        for stream in filter(None, (process.stdout, process.stderr)):
            selector.register(stream, selectors.EVENT_READ, stream is process.stdout)
        while selector.get_map():
            left = deadline - time.monotonic()
            ready = selector.select(left) if left > 0 else []
            if not ready:
                raise TimeoutError
            for key, _ in ready:
                if chunk := os.read(key.fd, CHUNK):
                    yield key.data, chunk
                else:
                    selector.unregister(key.fileobj)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(KILL_WAIT_SECONDS)
