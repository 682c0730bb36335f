"""Each system call by which a run looks at a log and its archives fails once, or is the last one.

strace makes the Nth call of a kind fail, or kill the run there, for every N that a run comes to.
Whatever happens: one line and nothing on standard error. And nothing of it is remembered: a
later run counts every line once.
"""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.support import mail_log
from tests.support.package import ROOT
from tests.support.server import END

from . import packages

pytestmark = pytest.mark.integration

# A part of them is made by the system's library, and by Python, under other names.
CALLS = [
    "openat", "read", "pread64", "lseek", "fstat", "stat", "lstat", "newfstatat", "statx",
    "getdents64", "readlink", "readlinkat", "access", "faccessat", "faccessat2", "fcntl", "ioctl",
]  # fmt: skip
NONE, SAME = "no state", "a state"
HOUR = 3600
# Of each generation: minutes ago, lines
LIVE, PLAIN, PACKED = (2, 4), (20, 5), (40, 6)
ALL = LIVE[1] + PLAIN[1] + PACKED[1]


@pytest.fixture(scope="module", autouse=True)
def strace() -> None:
    """Have strace."""
    if os.geteuid() != 0:
        pytest.skip("installing strace needs root")
    packages.install("strace")


class Place:
    """A log with two archives, and a state in a directory of its own."""

    def __init__(self, directory: Path, before: str) -> None:
        self.logs = directory / "logs"
        self.logs.mkdir(parents=True)
        self.log = self.logs / "mail.log"
        self.state = directory / "state"
        self._trace = directory / "trace"
        mail_log.write(self.log, self._lines(*PACKED))
        if before == SAME:
            self.says(END)
        packed = self.logs / "mail.log.2.gz"
        packed.write_bytes(gzip.compress(self.log.read_bytes()))
        self.log.unlink()
        mail_log.write(self.logs / "mail.log.1", self._lines(*PLAIN))
        mail_log.write(self.log, self._lines(*LIVE))
        for path, (minutes, _) in ((packed, PACKED), (self.logs / "mail.log.1", PLAIN)):
            os.utime(path, (END - minutes * 60, END - minutes * 60))

    @staticmethod
    def _lines(minutes_ago: int, number: int) -> str:
        return mail_log.lines([mail_log.SENT] * number, minutes_ago, now=END)

    def _command(self, now: float) -> list[str]:
        return [
            sys.executable, "-m", "tests.support.clocks", str(now), "9999999", "deferred",
            "--log", str(self.log), "--state", str(self.state), "--window", "4h",
        ]  # fmt: skip

    def says(self, now: float, *tracer: str) -> str:
        """Return the line of a run; nothing if it was killed."""
        done = subprocess.run(
            [*tracer, *self._command(now)],
            cwd=ROOT, env={**os.environ, "TZ": "UTC", "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.stderr == ""
        if done.returncode == -9:
            return ""
        assert done.returncode in range(4)
        assert done.stdout.count("\n") == 1
        return done.stdout

    def traced(self, *injected: str) -> tuple[str, list[str]]:
        """Run under strace; return what was said, and the calls that reached the logs."""
        paths = [self.logs, *self.logs.iterdir()]
        said = self.says(
            END, "strace", "-qq", "--signal=none", "-o", str(self._trace),
            f"--trace={','.join(f'?{call}' for call in CALLS)}",
            *(f"--trace-path={path}" for path in paths), *injected,
        )  # fmt: skip
        return said, self._trace.read_text().splitlines()


def sent(line: str) -> int:
    """Return how many mails a line says were sent, and that it says nothing else."""
    found = re.search(r" sent=(\d+);.* gaps=(\d+);.* not_understood=(\d+);", line)
    assert found, line
    assert found[2] == found[3] == "0", line
    return int(found[1])


# Of the calls each kind of fault befalls another quarter; with CHECK_POSTFIX_FUZZ=4 all.
SHARE = max(1, 4 // int(os.environ.get("CHECK_POSTFIX_FUZZ", "1")))
FAULTS = ["error=EIO", "error=EAGAIN", "error=ENOMEM", "error=ESTALE", "signal=KILL"]


@pytest.mark.parametrize("before", [NONE, SAME])
@pytest.mark.parametrize("how", FAULTS)
def test_whatever_call_fails_it_is_said_and_a_later_run_counts_all_once(
    tmp_path: Path, how: str, before: str
) -> None:
    said, calls = Place(tmp_path / "probe", before).traced()
    assert sent(said) == ALL
    made = [
        (call, number + 1)
        for call, times in sorted(Counter(call.partition("(")[0] for call in calls).items())
        for number in range(times)
    ]
    assert len(made) > 20
    for call, number in made[(FAULTS.index(how) + (before == SAME)) % SHARE :: SHARE]:
        option = f"--inject={call}:{how}:when={number}"
        place = Place(tmp_path / f"{call}-{number}", before)

        said, _ = place.traced(option)
        assert "internal error" not in said, option
        if said.startswith("POSTFIX DEFERRED OK"):  # nothing that matters was kept from it
            assert sent(said) == ALL, f"{option}: {said}"

        later = place.says(END + HOUR)
        assert sent(later) == ALL, f"{option}: {said}{later}"
