"""pflogsumm, an independent reader of mail logs, must come to the same numbers.

Held to 1.1.5, as Debian has it; it counts what is compared here as we do (README, "Limits",
says where it does not).
"""

import re
import subprocess
from pathlib import Path

import pytest

from .counts import counts_of, together_of
from .outcome import Outcome
from .record import LOGS, RECORDED

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("pflogsumm")]

TOTAL = re.compile(
    r"^ *(\d+) +(received|delivered|forwarded|deferred|bounced|rejected|reject warnings|held"
    r"|discarded|bytes received|bytes delivered)\b",
    re.MULTILINE,
)
DEFERRALS = re.compile(r"\((\d+) +deferrals\)")


def report_on(log: Path) -> dict[str, int]:
    """Return pflogsumm's grand totals over both Postfix instances."""
    # It always reads the tag "postfix"; this adds the other one.
    command = ["pflogsumm", "--syslog-name=postfix-out", "--detail=0", str(log)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    totals = {name: int(number) for number, name in TOTAL.findall(said)}
    return totals | {"deferrals": int(DEFERRALS.findall(said)[0])}


def in_its_words(log: Path) -> dict[str, int]:
    """Return our counters of a log, summed as pflogsumm sums them."""
    counts, together = counts_of(log), together_of(log)
    return {
        # distinct queue IDs with status=deferred
        "deferred": together["deferred_messages"],
        "bytes received": together["bytes_received"],
        "bytes delivered": together["bytes_delivered"],
        "received": counts["received"] + counts["received_noqueue"],
        "delivered": counts["sent"],
        "forwarded": counts["forwarded"],
        "deferrals": counts["deferred"],
        "bounced": counts["bounced"],
        # It leaves out what smtpd refuses for a milter.
        "rejected": counts["rejected_smtpd"]
        + counts["rejected_postscreen"]
        + counts["rejected_header_body"]
        + counts["rejected_milter_cleanup"],
        "reject warnings": counts["reject_warning"],
        "held": counts["held"],
        "discarded": counts["discarded"],
    }


@pytest.mark.parametrize("log", LOGS)
def test_pflogsumm_agrees_about_the_recorded_log(log: str) -> None:
    recorded = RECORDED / log

    assert in_its_words(recorded) == report_on(recorded)


@pytest.mark.parametrize("log", LOGS)
def test_pflogsumm_agrees_about_the_log_just_written(scenario: Outcome, log: str) -> None:
    written = scenario.log(log)

    assert in_its_words(written) == report_on(written)
