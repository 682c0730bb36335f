"""Judge all conditions of a host at once, in one process, from one reading of the log.

Each is judged as by its own executable. For Nagios this is one service in place of ten, or ten
passive results from one run.
"""

from __future__ import annotations

import os

from check_postfix import (
    auth,
    bounces,
    deferred,
    delay,
    log,
    queue,
    recipients,
    rejects,
    senders,
    volume,
)
from check_postfix.common import queue_source
from check_postfix.common.log_options import NO_STATE, OPTIONS, STATE
from check_postfix.plugin.together import Together

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from check_postfix.plugin import Check


def follows(check: Check, written: Namespace) -> dict[str, object]:
    """Return what the queue's options are when those of the log are these.

    What it keeps lies beside what is kept of the log.
    """
    if check is not queue.CHECK:
        return {}
    state = getattr(written, STATE.name)
    return {
        queue_source.NO_STATE.name: getattr(written, NO_STATE.name),
        queue_source.STATE.name: state and os.path.join(os.path.dirname(state), queue_source.FILE),
    }


ALL = Together(
    name="postfix all",
    description=(
        "Judge all conditions at once, in one process and from one reading of the log, each with"
        " its defaults unless --with says otherwise. The state is the worst: CRITICAL, WARNING,"
        " UNKNOWN, OK. The first line names what is not OK; a line for each condition follows."
    ),
    # Whoever asks postqueue may have to wait.
    checks=[
        module.CHECK
        for module in (
            deferred, bounces, auth, rejects, volume, delay, senders, recipients, log, queue,
        )
    ],
    shared=OPTIONS,
    follows=follows,
    examples=[
        ("check_postfix_all", "judge this machine's Postfix"),
        (
            "check_postfix_all --except senders --with 'deferred -w 5 -c 15' --with 'queue -w 100'",
            "leave out one condition, and set thresholds of two others",
        ),
        (
            "check_postfix_all --output nsca --service-host mx1.example.com | send_nsca -H monitor",
            "report to Nagios, one result for each condition",
        ),
    ],
)  # fmt: skip


if __name__ == "__main__":
    ALL.run()
