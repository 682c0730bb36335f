"""pflogsumm and `postfix-log report` come to the same numbers, wherever both count the same.

Held to 1.1.5, as Debian has it; checks/REPORT.md says what each of its sections is called in a
report, and where the two count differently.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support import material

from .outcome import Outcome
from .record import LOGS, RECORDED
from .test_pflogsumm import OTHERS, readable

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("pflogsumm", "utc")]

_TITLE = re.compile(r"^(?P<title>\S[^\n]*)\n-+\n", re.MULTILINE)
_KILO, _MEGA = 1024, 1024 * 1024
# What of a total is rejected in pflogsumm's sense: it leaves out milters' rejects told by smtpd,
# MIME errors, who is cut off, proxy filters, and what was too large.
_REJECTED = (
    "rejected_smtpd", "rejected_postscreen", "rejected_header_body", "rejected_milter_cleanup",
)  # fmt: skip


def theirs(log: Path) -> dict[str, list[str]]:
    """Return the lines of each section of pflogsumm's report over both instances."""
    command = ["pflogsumm", "--syslog-name=postfix-out", "--smtpd-stats", "--zero-fill", str(log)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    parts = _TITLE.split(said)
    return {
        title.strip(): body.strip("\n").splitlines()
        for title, body in zip(parts[1::2], parts[2::2], strict=True)
    }


def ours(log: Path) -> dict[str, Any]:
    """Return the same log's report."""
    command = [
        sys.executable, "-m", "check_postfix.command", "report", "--log", "-", "--json",
        "--top", "all", "--connections",
    ]  # fmt: skip
    with log.open("rb") as file:
        done = subprocess.run(command, stdin=file, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def rows(report: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """Return the rows of a section, none if it is not there."""
    found: list[dict[str, Any]] = report["sections"].get(key, {}).get("rows", [])
    return found


def as_printed(number: float) -> str:
    """Return a number as pflogsumm prints it."""
    if number > 512 * _MEGA:
        return f"{int(number / _MEGA)}m"
    return f"{int(number / _KILO)}k" if number > 512 * _KILO else f"{int(number)}"


def pairs(lines: list[str]) -> Counter[tuple[str, str]]:
    """Return number and name of each line; `from=<>` is the sender that has no name."""
    found = (re.fullmatch(r" *(\d+[km]?) +(.*)", line) for line in lines)
    return Counter((line[1], line[2].replace("from=<>", "<>")) for line in found if line)


def whole(log: Path) -> list[str]:
    """Return in what the two reports differ."""
    other, own = theirs(log), ours(log)
    counters, totals = own["counters"], own["totals"]
    found = [
        *_of_totals(other["Grand Totals"], counters, totals),
        *_of_hours(other, own),
        *_of_domains(other, own),
    ]
    for title, key, column in (
        ("Senders by message count", "senders_by_number", "messages"),
        ("Senders by message size", "senders_by_size", "bytes"),
        ("Recipients by message count", "recipients_by_number", "messages"),
        ("Recipients by message size", "recipients_by_size", "bytes"),
    ):
        mine = Counter((as_printed(row[column]), row["name"]) for row in rows(own, key))
        # Names with 0 bytes are in pflogsumm's list by size, and not in ours.
        their = Counter(
            {pair: n for pair, n in pairs(other.get(title, [])).items() if pair[0] != "0"}
        )
        found += _different(title, their, mine)
    for title, severity in (
        ("Warnings", "warning"),
        ("Fatal Errors", "fatal"),
        ("Panics", "panic"),
    ):
        mine = Counter()
        for row in rows(own, "warnings"):
            if row["severity"] == severity:
                mine[row["program"]] += row["number"]
        if severity == "warning":  # they have a section of their own
            mine["smtpd"] += sum(
                row["number"] for row in rows(own, "failed_logins_by_service") if row["mechanism"]
            )
        their = Counter()
        for line in other.get(title, []):
            if total := re.fullmatch(r"  (\S+) \(total: (\d+)\)", line):
                their[total[1].rpartition("/")[2]] += int(total[2])
        found += _different(title, their, +mine)
    return found


def _different(what: str, their: Counter[Any], mine: Counter[Any]) -> list[str]:
    return [f"{what}: {their - mine} against our {mine - their}"] if their != mine else []


def _of_totals(lines: list[str], counters: dict[str, int], totals: dict[str, int]) -> list[str]:
    their = {
        found[2].strip(): found[1]
        for line in lines
        if (found := re.match(r" *(\d+[km]?) +([a-z][a-z/ ]+)", line))
    }
    number = counters.get
    mine = {
        "received": number("received", 0) + number("received_noqueue", 0),
        "delivered": number("sent", 0),
        "forwarded": number("forwarded", 0),
        "bounced": number("bounced", 0),
        "rejected": sum(number(kind, 0) for kind in _REJECTED),
        "reject warnings": number("reject_warning", 0),
        "held": number("held", 0),
        "discarded": number("discarded", 0),
        "bytes received": totals["bytes_received"],
        "bytes delivered": totals["bytes_delivered"],
        "senders": totals["senders"],
        "sending hosts/domains": totals["sending_domains"],
        "recipients": totals["recipients"],
    }
    return [
        f"{name}: {their[name]} against our {as_printed(value)}"
        for name, value in mine.items()
        if their[name] != as_printed(value)
    ]


def _of_hours(other: dict[str, list[str]], own: dict[str, Any]) -> list[str]:
    # Of several days it prints averages; they are compared by day then.
    title, key = "Per-Hour Traffic Summary", "per_hour"
    if title not in other:
        title, key = "Per-Day Traffic Summary", "per_day"
    found = (re.search(r"(\d+) +(\d+) +(\d+) +(\d+) +(\d+) *$", line) for line in other[title])
    their = [(int(line[1]), int(line[2]), int(line[4])) for line in found if line]
    mine = [(row["received"], row["sent"], row["bounced"]) for row in rows(own, key)]
    if key == "per_hour":  # it prints those that were not read, too
        by_hour = {row["hour"]: numbers for row, numbers in zip(rows(own, key), mine, strict=True)}
        mine = [by_hour.get(f"{hour:02}:00", (0, 0, 0)) for hour in range(24)]
    return [] if their == mine else [f"{key}: {their} against our {mine}"]


def _of_domains(other: dict[str, list[str]], own: dict[str, Any]) -> list[str]:
    their = Counter(
        (found[1], found[2], found[3])
        for line in other.get("Host/Domain Summary: Message Delivery", [])
        if (found := re.match(r" *(\d+[km]?) +(\d+[km]?) +\d+.* +\S+ \S  (\S+)$", line))
        and found[1] != "0"
    )
    mine = Counter(
        (as_printed(row["sent"]), as_printed(row["bytes"]), row["domain"])
        for row in rows(own, "recipient_domains")
    )
    found = _different("domains", their, mine)
    received = Counter(
        (line[1], line[2], line[3])
        for line in (
            re.fullmatch(r" *(\d+[km]?) +(\d+[km]?) +(\S+)", line)
            for line in other.get("Host/Domain Summary: Messages Received", [])
        )
        if line
    )
    sending = Counter(
        (as_printed(row["messages"]), as_printed(row["bytes"]), row["name"])
        for row in rows(own, "sending_domains")
    )
    return found + _different("sending domains", received, sending)


@pytest.mark.parametrize("log", LOGS)
def test_pflogsumm_and_the_report_agree_about_the_recorded_log(log: str) -> None:
    assert whole(RECORDED / log) == []


@pytest.mark.parametrize("log", LOGS)
def test_pflogsumm_and_the_report_agree_about_the_log_just_written(
    scenario: Outcome, log: str
) -> None:
    assert whole(scenario.log(log)) == []


@pytest.mark.parametrize("name", [name for name, is_whole in OTHERS.items() if is_whole])
def test_pflogsumm_and_the_report_agree_about_other_peoples_logs(tmp_path: Path, name: str) -> None:
    if not material.SHARED.is_dir():
        pytest.skip(f"no corpus of other projects in {material.SHARED}")
    log = tmp_path / "mail.log"
    log.write_bytes(readable(name))

    assert whole(log) == []
