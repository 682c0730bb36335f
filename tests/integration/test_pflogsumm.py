"""pflogsumm, an independent reader of mail logs, must come to the same numbers.

Held to 1.1.5, as Debian has it; it counts what is compared here as we do (checks/NUMBERS.md,
"Limits", says where it does not).
"""

import gzip
import re
import subprocess
from pathlib import Path

import pytest

from tests.support import material

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


# Other people's logs: the bytes received are left out where lines of one message stand in
# the log many times over, which pflogsumm takes for one message and we for as many.
OTHERS = {
    "fgforrest-deliverability/real/mail.log.2.gz": True,
    "infohtreasure-maillog-dump/maillog": False,
    "infohtreasure-maillog-dump/mailog2": False,
    "mchirico-blockbadip/mail.log": True,
    "modoboa/mail.log": True,
    "maillogsentinel/sample_sasl.log": True,
}
JOINED = re.compile(r"^ *(\d+[km]?) +(deferred|bytes received|bytes delivered)\b", re.MULTILINE)


def readable(name: str) -> bytes:
    """Return one of these logs with stamps and signs as syslog writes them, for pflogsumm."""
    data = (material.SHARED / name).read_bytes()
    if name.endswith(".gz"):
        data = gzip.decompress(data)
    data = re.sub(rb"(?m)^%\(day\)s", b"Mar 28", data).replace(b"%%", b"%")
    return re.sub(rb"(?m)^20\d\d (\w{3} \d\d \d\d:\d\d:\d\d)\.\d+", rb"\1", data)


def rounded(number: int) -> str:
    """Return a number as pflogsumm prints it."""
    if number > 512 * 1024 * 1024:
        return f"{number // 1024 // 1024}m"
    return f"{number // 1024}k" if number > 512 * 1024 else str(number)


@pytest.mark.parametrize("name", OTHERS)
def test_what_several_lines_tell_together_is_pflogsumms_in_other_peoples_logs(
    tmp_path: Path, name: str
) -> None:
    if not material.SHARED.is_dir():
        pytest.skip(f"no corpus of other projects in {material.SHARED}")
    log = tmp_path / "mail.log"
    log.write_bytes(readable(name))

    together = together_of(log)

    done = subprocess.run(
        ["pflogsumm", "--detail=0", str(log)], capture_output=True, text=True, check=True
    )
    theirs = {what: number for number, what in JOINED.findall(done.stdout)}
    assert len(theirs) == 3
    ours = {
        "deferred": rounded(together["deferred_messages"]),
        "bytes received": rounded(together.get("bytes_received", 0)),
        "bytes delivered": rounded(together.get("bytes_delivered", 0)),
    }
    if not OTHERS[name]:
        assert int(theirs.pop("bytes received")) < int(ours.pop("bytes received"))
    assert ours == theirs
