"""The page of threats: each claim has a test, and the sandbox is one that a check runs in."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.monitoring.cases import at_any_time
from tests.support import mail_log
from tests.support.definitions import log_checks
from tests.support.package import ROOT
from tests.support.reach import needs_reach

PAGE = ROOT / "checks" / "THREATS.md"
UNIT = ROOT / "checks" / "systemd" / "check_postfix@.service"
NAME = re.compile(r"`(test_\w+)`")
# A claim is a bullet, with the lines that belong to it.
CLAIM = re.compile(r"^- .*\n(?:  .*\n)*", re.MULTILINE)
NOT_DEFENDED = re.compile(r"this\s+is\s+not\s+defended", re.IGNORECASE)


def names_of_tests() -> set[str]:
    """Return the names of all tests."""
    texts = (path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    return {name for text in texts for name in re.findall(r"^def (test_\w+)", text, re.MULTILINE)}


def test_each_claim_of_the_page_names_its_test_or_says_that_there_is_none():
    claims = CLAIM.findall(PAGE.read_text())

    assert len(claims) > 15
    assert [c for c in claims if not NAME.search(c) and not NOT_DEFENDED.search(c)] == []


def test_each_test_that_the_page_names_exists():
    named = set(NAME.findall(PAGE.read_text()))

    assert named - names_of_tests() == set()


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_systemd_finds_nothing_exposed(tmp_path):
    unit = tmp_path / "check_postfix@deferred.service"
    unit.write_text(UNIT.read_text())

    # In tenths: systemd calls up to 2.0 safe.
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=10", unit],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "unrecognized option" in done.stderr:
        pytest.skip("needs systemd 250")

    assert done.returncode == 0, done.stdout.splitlines()[-1]


def test_the_unit_says_what_the_page_says_of_it():
    parser = configparser.RawConfigParser(strict=False)
    parser.read(UNIT)
    service = parser["Service"]

    assert service["CapabilityBoundingSet"] == ""
    assert (service["PrivateNetwork"], service["NoNewPrivileges"]) == ("yes", "yes")
    assert (service["ProtectSystem"], service["ProtectHome"]) == ("strict", "yes")


# All that is mounted becomes read-only, but for the state and the metrics.
SANDBOX = """
set -e
mount --make-rprivate /
for place in $(findmnt -rno TARGET | sort -r); do
    mount -o remount,bind,ro "$place" 2>/dev/null || true
done
mount -t tmpfs -o mode=0700 tmpfs "$1"
shift
if touch /sandbox 2>/dev/null; then echo "not read-only"; exit 9; fi
exec setpriv --no-new-privs --bounding-set=-all --inh-caps=-all "$@"
"""


@needs_reach
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make the sandbox")
@pytest.mark.parametrize("check", log_checks(), ids=lambda check: check.name)
def test_a_check_runs_in_the_sandbox(check):
    module = check.measure.__module__
    with tempfile.TemporaryDirectory() as directory:
        log = mail_log.write(Path(directory, "mail.log"), mail_log.lines(mail_log.EVERYTHING))
        place = Path(directory, "state")
        place.mkdir()
        command = [sys.executable, "-m", module, "--log", log]
        metrics = ["--state", place / "s", "--prometheus", place / "x.prom"]
        environment = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "TZ": "UTC"}

        outside = subprocess.run(
            [*command, "--no-state"], env=environment, capture_output=True, check=False
        )
        inside = subprocess.run(
            ["unshare", "-m", "-n", "sh", "-c", SANDBOX, "sh", place, *command, *metrics],
            env=environment, capture_output=True, check=False,
        )  # fmt: skip
    if b"unshare failed" in inside.stderr:
        pytest.skip("cannot make namespaces here")

    # A recipient has another pseudonym in each state, and a minute may have passed.
    said = [at_any_time(done.stdout.decode()) for done in (inside, outside)]
    assert (said[0], inside.stderr) == (said[1], b"")
    assert inside.returncode == outside.returncode
