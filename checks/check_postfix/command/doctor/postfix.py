"""Postfix, as doctor finds it: its version, and whether its queues answer."""

from __future__ import annotations

import os
import time

from check_postfix import child
from check_postfix.command import postconf
from check_postfix.command.doctor.finding import Finding, of_error
from check_postfix.mailqueue import instances, postqueue
from check_postfix.mailqueue.errors import DownError, QueueError
from check_postfix.plugin import values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# In seconds
_QUEUE_TIMEOUT = 10
# Hosts that are named
_MOST_NAMED = 3


def findings(writers: set[str]) -> Iterator[Finding]:
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
            yield of_error(error)
        except QueueError as error:
            if version is not None or child.find("postqueue", postqueue.USUAL_PLACES):
                yield of_error(error)
            elif instance is instances.DEFAULT:
                yield _without_postfix(of_error(error).text, writers)
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
