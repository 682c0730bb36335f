"""A report as mail, through a real Postfix into a real mailbox.

    python -m tests.integration.report_mail DIRECTORY      (in a namespace, see namespace.py)

leaves in DIRECTORY a mailbox for each way in which a report was sent, as local(8) has
delivered it, and results.json: name -> [exit code, what was printed].
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from .namespace import PROJECT, furnish
from .postfix import POSTLOG, Postfix
from .waiting import wait_until

HOSTS = {"mx.example.com": "192.0.2.1"}
LOG = Path("/var/log/mail.log")
SPOOL = Path("/run/mail")
# A user that every system has.
USER = "daemon"
RECORDED = PROJECT / "tests/recorded/mail.iso.log"
MAIN = {
    "myhostname": "mx.example.com",
    "inet_interfaces": HOSTS["mx.example.com"],
    "mail_spool_directory": str(SPOOL),
    "alias_maps": "inline:{postmaster=" + USER + "}",
    "maillog_file": str(LOG),
}


def commands() -> dict[str, list[str]]:
    """Return by their names the commands to run: a shipped line, as who runs it would."""
    cron = (PROJECT / "checks/schedule/postfix-log-report.cron").read_text().splitlines()
    line = next(line for line in cron if line[0].isdigit())
    service = (PROJECT / "checks/schedule/postfix-log-report.service").read_text()
    start = next(line for line in service.splitlines() if line.startswith("ExecStart="))
    return {
        "cron": ["/bin/sh", "-c", line.split(None, 6)[6]],
        "systemd": shlex.split(start.removeprefix("ExecStart=")),
    }


def main(directory: Path) -> None:
    """Send a report in each way."""
    log = directory / "log"
    log.mkdir()
    furnish(log, HOSTS, [], "mx.example.com")
    SPOOL.mkdir()
    SPOOL.chmod(0o1777)
    _write_log()
    postfix = Postfix(
        "postfix", Path("/etc/postfix"), Path("/var/spool/postfix"), Path("/var/lib/postfix")
    )
    postfix.lay_out(MAIN, POSTLOG, {})
    postfix.start()
    path = f"{Path(sys.executable).parent}:/usr/sbin:/usr/bin:/sbin:/bin"
    results = {}
    for name, command in commands().items():
        done = subprocess.run(
            command, env={"PATH": path, "TZ": "UTC"}, capture_output=True, text=True, check=False
        )
        results[name] = [done.returncode, done.stdout + done.stderr]
        mailbox = SPOOL / USER
        wait_until(lambda: not postfix.queue() and mailbox.exists(), "delivery")  # noqa: B023
        shutil.move(mailbox, directory / name)
    (directory / "results.json").write_text(json.dumps(results))
    postfix.command("postfix", "stop")


def _write_log() -> None:
    """Write the recorded log as if it had been recorded yesterday."""
    yesterday = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%d")
    text = RECORDED.read_text()
    LOG.write_text(text.replace(text[:10], yesterday))


if __name__ == "__main__":
    os.environ["TZ"] = "UTC"
    main(Path(sys.argv[1]))
