"""A Postfix that writes its own log, and rotates it itself with `postfix logrotate`.

    python -m tests.integration.own_log DIRECTORY      (in a namespace, see namespace.py)

leaves in DIRECTORY results.json: a list of [occasion, what was to be counted, what the check
said], in the order of the runs.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .commands import run_check
from .namespace import furnish
from .peer import Peer
from .postfix import POSTLOG, Postfix
from .waiting import wait_until

HOSTS = {"mx.example.com": "192.0.2.1", "mail.example.net": "198.51.100.25"}
LOG = Path("/var/log/mail.log")
STATE = "/run/state"
# One of each outcome, none of which sends a notification or is tried again.
RECIPIENTS = {
    "ann@example.net": "sent",
    "later@example.net": "deferred",
    "gone@example.net": "bounced",
}
MAIN = {
    "myhostname": "mx.example.com",
    "inet_interfaces": HOSTS["mx.example.com"],
    "default_transport": "smtp:[mail.example.net]",
    "maillog_file": str(LOG),
}


class Server:
    """The Postfix, what was sent through it, and what the check said."""

    def __init__(self) -> None:
        self._peer = Peer(HOSTS["mail.example.net"])
        self.postfix = Postfix(
            "postfix", Path("/etc/postfix"), Path("/var/spool/postfix"), Path("/var/lib/postfix")
        )
        self.postfix.lay_out(MAIN, POSTLOG, {})
        self.postfix.start()
        self.sent: Counter[str] = Counter()
        # By Postfix, before anybody could read it; and in how many places.
        self.destroyed: Counter[str] = Counter()
        self.gaps = 0
        self.results: list[tuple[str, dict[str, int], dict[str, Any]]] = []

    def send(self, messages: int = 1) -> None:
        """Send so many messages to each recipient, and wait until they are logged."""
        for recipient, outcome in RECIPIENTS.items():
            for _ in range(messages):
                self.postfix.sendmail("-f", "", recipient)
                self.sent[outcome] += 1
        wait_until(lambda: self._over() and self._over(), "deliveries")
        # postlogd takes one thing after the other: what came before this is written.
        words = f"that was message {self.sent.total()}"
        self.postfix.command("postlog", "-t", "postfix/scenario", words)
        wait_until(lambda: words in _read(), "the log")

    def _over(self) -> bool:
        return (
            self._peer.attempts.total() == self.sent.total()
            and self.postfix.queue_sizes() == Counter(deferred=self.sent["deferred"])
        )

    def rotate(self) -> bool:
        """Rotate the log, which takes a second and something; tell whether Postfix says it did."""
        try:
            self.postfix.command("postfix", "logrotate")
        except RuntimeError:
            return False
        return True

    @contextmanager
    def rotating(self) -> Iterator[Future[bool]]:
        """Let it rotate: the log is renamed when this begins, and all is done when it ends."""
        before = _inode()
        with ThreadPoolExecutor() as pool:
            rotation = pool.submit(self.rotate)
            wait_until(lambda: _inode() != before, "the rotation")
            yield rotation

    def check(self, occasion: str) -> None:
        """Run the check, and note what it says and should say."""
        options = ["--log", str(LOG), "--state", STATE, "--window", "2h"]
        result = run_check("deferred", options)
        truth = {**(self.sent - self.destroyed), "gaps": self.gaps}
        self.results.append((occasion, truth, asdict(result)))


def _read() -> str:
    try:
        return LOG.read_text()
    except FileNotFoundError:  # renamed, and nothing has been logged since
        return ""


def _inode() -> int:
    try:
        return LOG.stat().st_ino
    except FileNotFoundError:
        return 0


def one_rotation_between_runs(server: Server) -> None:
    """Send before and after each of some rotations."""
    for rotation in range(3):
        server.send()
        server.rotate()
        server.send()
        server.check(f"after rotation {rotation}")


def several_rotations_between_runs(server: Server) -> None:
    """Let three generations pass unseen."""
    for _ in range(3):
        server.send(2)
        server.rotate()
    server.send()
    server.check("after three rotations")


def runs_during_a_rotation(server: Server) -> None:
    """Send and look while the renamed log is not compressed yet, and then until it is."""
    server.send()
    with server.rotating() as rotation:
        server.check("while the log is renamed")
        server.send()
        server.check("while there is a new log")
        while not rotation.done():
            server.check("while the old log is compressed")
    server.check("when the old log is compressed")


def rotations_within_a_second(server: Server) -> None:
    """Rotate twice with one suffix, as within one second, when Postfix writes one over the other.

    A second rotation renames the log to the name that the first one has not compressed yet.
    """
    server.send()
    server.check("before two rotations in a second")
    server.postfix.command("postconf", "-e", "maillog_file_rotate_suffix = 20260101")
    compress = hold_back_compression(server, "read")
    with server.rotating():
        server.send()
        server.check("between two rotations in a second")
        with server.rotating():
            server.send()
            compress()
    server.check("after two rotations in a second")


def rotations_within_a_second_unread(server: Server) -> None:
    """Rotate twice with one suffix, and nobody looks before the first archive is overwritten."""
    server.postfix.command("postconf", "-e", "maillog_file_rotate_suffix = 20260102")
    before = server.sent.copy()
    server.send(2)
    server.destroyed += server.sent - before
    server.gaps = 1
    compress = hold_back_compression(server, "unread")
    with server.rotating():
        server.send()
        with server.rotating():
            server.send()
            compress()
    server.check("after an unread archive was overwritten")


def a_suffix_that_was_there(server: Server) -> None:
    """Rotate with a suffix of before: gzip leaves the new archive as it is, which Postfix logs."""
    server.send()
    assert not server.rotate()
    server.send()
    server.check("after a rotation that did not compress")


def hold_back_compression(server: Server, name: str) -> Callable[[], None]:
    """Have archives compressed only once what this returns is called."""
    start, script = Path(f"/run/compress-{name}"), Path(f"/run/gzip-{name}")
    script.write_text(f'#!/bin/sh\nwhile [ ! -e {start} ]; do sleep 0.1; done\nexec gzip "$@"\n')
    script.chmod(0o755)
    server.postfix.command("postconf", "-e", f"maillog_file_compressor = {script}")
    return start.touch


def happen(directory: Path) -> None:
    """Let all of it happen, and leave the results."""
    log = directory / "log"
    log.mkdir()
    furnish(log, HOSTS, [], "mx")
    server = Server()
    server.send()
    server.check("before the first rotation")
    one_rotation_between_runs(server)
    several_rotations_between_runs(server)
    runs_during_a_rotation(server)
    rotations_within_a_second(server)
    a_suffix_that_was_there(server)
    rotations_within_a_second_unread(server)
    (directory / "results.json").write_text(json.dumps(server.results, indent=1) + "\n")


if __name__ == "__main__":
    happen(Path(sys.argv[1]))
