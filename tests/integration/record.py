"""Record a log of a real Postfix, with the truth about it, for everybody who has none.

    python -m tests.integration.record      (as root; replaces the files in tests/recorded)

The scenario happens at documentation addresses and names, so the log is recorded byte for byte;
this makes sure of it.
"""

import ipaddress
import json
import re
import shutil
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from . import namespace, packages
from .machine import PACKAGES
from .outcome import SECONDS

RECORDED = namespace.PROJECT / "tests" / "recorded"
LOGS = ("mail.log", "mail.iso.log")
# RFC 5737 and RFC 2606.
NETWORKS = [
    ipaddress.ip_network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
]
DOMAIN = re.compile(r"(?:[\w-]+\.)*example(?:\.com|\.net|\.org)?")
# A version number such as v2.3.19.1 is no address.
ADDRESS = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])")
MAIL_DOMAIN = re.compile(r"@([\w.-]+)")


def main() -> None:
    """Run the scenario and keep its log."""
    packages.install(*PACKAGES)
    with tempfile.TemporaryDirectory(prefix="check_postfix-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        namespace.run_inside("tests.integration.scenario", name, timeout=SECONDS)
        done = json.loads((directory / "done.json").read_text())
        for log in LOGS:
            refuse_private_data((directory / "log" / log).read_text())
        RECORDED.mkdir(exist_ok=True)
        for log in LOGS:
            shutil.copyfile(directory / "log" / log, RECORDED / log)
    truth = truth_about((RECORDED / "mail.iso.log").read_text(), done)
    (RECORDED / "truth.json").write_text(json.dumps(truth, indent=1, sort_keys=True) + "\n")


def refuse_private_data(log: str) -> None:
    """Make sure that a log names nobody.

    Raises: ValueError, naming what is not for publication
    """
    for address in ADDRESS.findall(log):
        if not any(ipaddress.ip_address(address) in network for network in NETWORKS):
            raise ValueError(f"{address} is not a documentation address")
    for domain in MAIL_DOMAIN.findall(log):
        if not DOMAIN.fullmatch(domain):
            raise ValueError(f"{domain} is not a documentation domain")


def truth_about(iso_log: str, done: dict[str, Any]) -> dict[str, Any]:
    """Return the truth, with the time at which a check of the log has to pretend to run.

    Raises: ValueError, when the log was not written in UTC: its other form does not say so
    """
    last = datetime.fromisoformat(iso_log.splitlines()[-1].split()[0])
    if last.utcoffset():
        raise ValueError("record on a machine whose time zone is UTC")
    at = (last + timedelta(minutes=1)).replace(second=0, microsecond=0)
    return {
        "at": at.isoformat(),
        "timezone": "UTC",
        "perfdata": done["perfdata"],
        "truth": done["truth"],
    }


if __name__ == "__main__":
    main()
