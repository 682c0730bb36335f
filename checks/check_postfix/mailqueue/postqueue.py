"""The program postqueue: the only way to the queue that is open to an ordinary user.

It is set-gid and asks the showq daemon; reading the spool would need root.
"""

from __future__ import annotations

import os
import time
from contextlib import closing

from check_postfix import child
from check_postfix.mailqueue import json_form, text_form
from check_postfix.mailqueue.errors import QueueError
from check_postfix.mailqueue.failure import explain, is_usage, quoted
from check_postfix.mailqueue.listing import Listing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator

# Where Postfix puts it; seldom in the PATH of a monitoring agent.
USUAL_PLACES = ("/usr/sbin", "/usr/local/sbin")

# One line is one message: this is one with several 100,000 recipients. In bytes.
LONGEST_LINE = 64 << 20


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
    postqueue = _find()
    try:
        with closing(_lines(postqueue, "-j", config_dir, timeout, deadline)) as lines:
            return Listing(json_form.messages(lines))
    except _OptionUnknownError:
        with closing(_lines(postqueue, "-p", config_dir, timeout, deadline)) as lines:
            return Listing(text_form.messages(lines, now))


def _find() -> str:
    program = child.find("postqueue", USUAL_PLACES)
    if program is None:
        raise QueueError(
            f"postqueue: not found in PATH, {' or '.join(USUAL_PLACES)};"
            " run this check on the mail server, or add the directory of postqueue to PATH"
        )
    return program


def _lines(
    postqueue: str, option: str, config_dir: str | None, timeout: float, deadline: float
) -> Generator[bytes]:
    """Yield the lines that postqueue prints, as it prints them.

    Raises: QueueError at the end when postqueue failed, and when there is no end by the deadline;
            _OptionUnknownError when it does not know the option -j
    """
    command = [postqueue, *([] if config_dir is None else ["-c", config_dir]), option]
    rest = bytearray()
    with _started(command) as running:
        try:
            for chunk in running.chunks(deadline):
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
            raise QueueError(
                f"postqueue: no complete listing within {timeout:g} s;"
                " see whether showq or the disk hangs, or raise --timeout"
            ) from None
    words, status = running.words, running.status
    assert status is not None
    if status and option == "-j" and is_usage(words):
        raise _OptionUnknownError
    if error := explain(status, words, config_dir):
        raise error
    if rest:
        yield bytes(rest)


def _started(command: list[str]) -> child.Child:
    try:
        # strerror() in postqueue's words follows the locale.
        return child.Child(command, {**os.environ, "LC_ALL": "C"})
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
