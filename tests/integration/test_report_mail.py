"""The shipped timer and cron line, run once: a report comes into a real mailbox, and is whole."""

from __future__ import annotations

import email
import json
import re
import shutil
import subprocess
import tempfile
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from . import namespace, packages
from .namespace import PROJECT

pytestmark = pytest.mark.integration

SECONDS = 180
WAYS = ("cron", "systemd")
SHIPPED = PROJECT / "report"


@pytest.fixture(scope="module")
def mailboxes():
    """Directory of what was delivered, and what each command has said."""
    if reason := namespace.why_impossible():
        pytest.skip(reason)
    packages.install("postfix", "iproute2")
    with tempfile.TemporaryDirectory(prefix="check_postfix-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        namespace.run_inside("tests.integration.report_mail", name, timeout=SECONDS)
        yield directory, json.loads((directory / "results.json").read_text())


def read(path: Path) -> EmailMessage:
    """Return the one message of a mailbox."""
    _, _, text = path.read_bytes().partition(b"\n")
    assert b"\nFrom " not in text
    message = email.message_from_bytes(text, policy=default)
    assert isinstance(message, EmailMessage)
    return message


@pytest.mark.parametrize("way", WAYS)
def test_the_report_is_delivered_and_nothing_is_printed(mailboxes, way):
    directory, results = mailboxes

    assert results[way] == [0, ""]
    mail = read(directory / way)
    assert mail["To"] == "postmaster@mx.example.com"
    assert mail["Auto-Submitted"] == "auto-generated"
    subject = r"Mail of mx1, 20\d\d-\d\d-\d\d 18:15: 6 problems, 3 urgent"
    assert re.fullmatch(subject, mail["Subject"])


@pytest.mark.parametrize("way", WAYS)
def test_text_html_and_page_tell_the_same(mailboxes, way):
    directory, _ = mailboxes
    mail = read(directory / way)

    text = mail.get_body(("plain",)).get_content()
    html = mail.get_body(("html",)).get_content()
    (page,) = mail.iter_attachments()

    assert page.get_filename() == "mail-report.html"
    for part in (text, html, page.get_content()):
        assert "26 % of 54 finished deliveries bounced (14), most often: unknown user (5)" in part
        assert (
            "host mail.example.net[198.51.100.25] said: 451 4.3.0 Temporary lookup failure" in part
        )
    assert "<svg" not in html  # which mail programs do not show
    assert "<svg" in page.get_content()


def test_systemd_takes_the_units(tmp_path):
    if shutil.which("systemd-analyze") is None:
        packages.install("systemd")
    for unit in SHIPPED.glob("*.[st]*"):
        if unit.suffix in (".service", ".timer"):
            text = unit.read_text().replace("=postfix-log ", "=/bin/echo ")  # installed elsewhere
            (tmp_path / unit.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    ours = [line for line in done.stderr.splitlines() if "postfix-log-report" in line]
    assert ours == []
