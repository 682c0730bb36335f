"""A real Postfix with three messages in its queue."""

from pathlib import Path

from tests.integration.postfix import Postfix
from tests.integration.waiting import wait_until


def fill_the_queue() -> None:
    """Start a Postfix and put three messages on hold."""
    postfix = Postfix(
        "postfix", Path("/etc/postfix"), Path("/var/spool/postfix"), Path("/var/lib/postfix")
    )
    postfix.lay_out({"inet_interfaces": "127.0.0.1", "header_checks": "static:HOLD"}, "", {})
    postfix.start()
    for number in range(3):
        postfix.sendmail("-f", "ops@example.org", f"ann{number}@example.net")
    wait_until(lambda: postfix.queue_sizes()["hold"] == 3, "three messages in the queue")
