"""A Postfix on a machine in Berlin that writes its own log, with smtp in a chroot without a zone.

    python -m tests.integration.chroot DIRECTORY      (in a namespace, see namespace.py)

leaves in DIRECTORY results.json: what the check said at each run, in their order; and the log.
"""

import json
import os
import shutil
import sys
from dataclasses import asdict
from pathlib import Path

from . import own_log
from .commands import Result, run_check
from .namespace import furnish, sh

# In a chroot no name is looked up, and the time is UTC.
RELAY = own_log.HOSTS["mail.example.net"]
ZONE = Path("/usr/share/zoneinfo/Europe/Berlin")
IN_CHROOT = Path("/var/spool/postfix/etc/localtime")
RUNS = 3


def _said() -> Result:
    return run_check("deferred", ["--log", str(own_log.LOG), "--state", own_log.STATE])


def happen(directory: Path) -> None:
    """Let mail pass, look, and again; then copy the zone into the chroot, and start a new log."""
    log = directory / "log"
    log.mkdir()
    furnish(log, own_log.HOSTS, [], "mx")
    os.environ.pop("TZ", None)  # Postfix would hand it to its daemons
    sh("mount", "--bind", str(ZONE), str(Path("/etc/localtime").resolve()))
    own_log.MAIN["default_transport"] = f"smtp:[{RELAY}]"
    server = own_log.Server()
    server.postfix.command("postconf", "-F", "smtp/unix/chroot=y")
    server.postfix.change("maximal_queue_lifetime = 5d")
    IN_CHROOT.unlink(missing_ok=True)  # Debian 13's start of Postfix copies it
    said = []
    for _ in range(RUNS):
        server.send()
        said.append(_said())
    shutil.copy(log / "mail.log", directory / "mail.log")
    IN_CHROOT.parent.mkdir(exist_ok=True)
    shutil.copy(ZONE, IN_CHROOT)
    server.postfix.command("postfix", "stop")
    own_log.LOG.unlink()
    Path(own_log.STATE).unlink()
    server.postfix.command("postfix", "start")
    for _ in range(RUNS):
        server.send()
        said.append(_said())
    (directory / "results.json").write_text(json.dumps([asdict(one) for one in said]) + "\n")


if __name__ == "__main__":
    happen(Path(sys.argv[1]))
