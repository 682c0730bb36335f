"""postfix-log ingest by several processes: the same state file, and nobody is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.maillog.ingest.test_several import mixed
from tests.support import kept, stored
from tests.support.clocks import in_zone
from tests.support.long_log import rotate

pytestmark = pytest.mark.usefixtures("utc")

_INGEST = """
import sys, time
from check_postfix.command import cli, ingest
from check_postfix.maillog.ingest import parts, piece, several
from check_postfix.maillog.source import lines
lines.BLOCK = parts.BLOCK = 8_000
parts.PART_BYTES = 2 * lines.BLOCK
piece.PIECE_BYTES = 24 * lines.BLOCK
piece._WORTH_SEVERAL_BYTES = 0
SLOW = float(sys.argv.pop(1))
whole = several.Several._read

def read(self, part):
    for told in whole(self, part):
        time.sleep(SLOW)
        yield told

several.Several._read = read
cli.main(sys.argv[1:])
"""


def command(log: Path, state: Path, jobs: object, slow: float = 0) -> list[str]:
    return [
        sys.executable, "-c", _INGEST, str(slow),
        "ingest", "--log", str(log), "--state", str(state), "--jobs", str(jobs),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log with an archive of each kind, which nobody changes."""
    log = mixed(tmp_path_factory.mktemp("log") / "mail.log", "an ordinary day", 1_000_000)
    rotate(log)
    return log


@pytest.fixture(scope="module")
def expected(log: Path) -> Counter[tuple[int, str]]:
    """The totals that one process finds in it."""
    state = log.with_name("one.state")
    with in_zone("UTC"):
        subprocess.run(command(log, state, 1), check=True, stdout=subprocess.DEVNULL)
    return kept.totals(state)


def of_session(leader: int) -> list[int]:
    """Return the processes of a session that have not ended."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, _, _, session = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(session) == leader and state != "Z":
                found.append(int(entry.name))
    return found


def wait_for(what, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not what() and time.monotonic() < deadline:
        time.sleep(0.01)
    return bool(what())


def test_a_state_file_is_told_the_same_by_any_number_of_processes(log, tmp_path):
    one, three = stored.twins(tmp_path, ["one.state", "three.state"])

    said = [
        subprocess.run(command(log, state, jobs), capture_output=True, text=True, check=True)
        for state, jobs in ((one, 1), (three, 3))
    ]

    assert said[0].stdout.partition(" to ")[0] == said[1].stdout.partition(" to ")[0]
    assert said[0].stderr == said[1].stderr == ""
    # The minute in which it was read is the newest one that it knows, and pieces end with time.
    assert kept.totals(one) == kept.totals(three)
    differ = stored.differences(one, three)
    assert differ.keys() <= {"log", "generation", "keyed", "quarter_key", "tried", "pending"}


@pytest.mark.parametrize("ended_by", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL, signal.SIGHUP])
@pytest.mark.parametrize("worker", [False, True])
def test_a_signal_leaves_no_process_and_a_sound_state(log, expected, tmp_path, ended_by, worker):
    state = tmp_path / "state"
    running = subprocess.Popen(
        command(log, state, 3, 0.015),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert wait_for(lambda: len(of_session(running.pid)) >= 4)
    time.sleep(0.2)

    victims = [pid for pid in of_session(running.pid) if (pid != running.pid) == worker]
    for victim in victims[:1]:
        os.kill(victim, ended_by)

    status = running.wait(60)
    assert wait_for(lambda: not of_session(running.pid))
    if worker:
        assert status == 0  # what it had to read was read by another
    subprocess.run(command(log, state, 3), check=True, stdout=subprocess.DEVNULL)
    assert kept.totals(state) == expected


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("0", "--jobs 0: one process reads at least; use for example 4, or all"),
        ("x", "--jobs x: not a whole number; use for example 4, or all"),
    ],
)
def test_a_number_of_processes_that_there_cannot_be_is_refused(log, tmp_path, written, said):
    done = subprocess.run(
        command(log, tmp_path / "state", written), capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / "state").exists()
