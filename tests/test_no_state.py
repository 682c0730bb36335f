"""Checks by hand, without a state file: all processors read a long log, and say what one says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest

from check_postfix.common import log_source
from check_postfix.maillog.ingest import several
from check_postfix.maillog.store import schema
from check_postfix.plugin.run import outcome_of
from tests.command.test_ingest_jobs import of_session, wait_for
from tests.maillog.ingest.test_several import mixed, small
from tests.support.definitions import log_checks
from tests.support.long_log import rotate

pytestmark = pytest.mark.usefixtures("utc")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A log with archives, which nobody changes."""
    log = mixed(tmp_path_factory.mktemp("log") / "mail.log", "an ordinary day", 600_000)
    rotate(log)
    return log


@pytest.fixture
def log(written, monkeypatch):
    """This log, of which parts are small."""
    small(monkeypatch)
    return written


@pytest.fixture
def began(monkeypatch):
    """How many processes were asked for, each time."""
    asked: list[int] = []
    whole = several.Several.__init__

    def init(self, jobs, *more):
        asked.append(jobs)
        whole(self, jobs, *more)

    monkeypatch.setattr(several.Several, "__init__", init)
    return asked


def processors(monkeypatch, number: int) -> None:
    monkeypatch.setattr(log_source.os, "sched_getaffinity", lambda _: set(range(number)))


@pytest.mark.parametrize("check", log_checks(), ids=lambda check: check.executable)
def test_every_check_says_the_same_by_any_number_of_processors(check, log, monkeypatch, began):
    at = datetime.fromtimestamp(time.time() - 60, UTC).isoformat(timespec="minutes")
    arguments = ["--log", str(log), "--no-state", "--window", "1d", "--at", at, "-vv"]
    monkeypatch.setattr(schema.os, "urandom", lambda size: b"k" * size)  # of pseudonyms
    said = []
    for number in (1, 3):
        processors(monkeypatch, number)
        text, status = outcome_of(check, [*arguments, "--timeout", "60"])
        said.append((status, text))

    assert said[0] == said[1]
    assert began
    assert set(began) == {3}


def test_a_check_with_a_state_file_leaves_the_other_processors_to_the_mail_server(
    log, tmp_path, monkeypatch, began
):
    processors(monkeypatch, 3)

    outcome_of(log_checks()[0], ["--log", str(log), "--state", str(tmp_path / "state")])

    assert not began


_CHECK = """
import sys, time
from check_postfix.maillog.ingest import parts, piece, several
from check_postfix.maillog.source import lines
from check_postfix.common import log_source
lines.BLOCK = parts.BLOCK = 8_000
parts.PART_BYTES = 2 * lines.BLOCK
piece._WORTH_SEVERAL_BYTES = 0
log_source.os.sched_getaffinity = lambda _: range(3)
whole = several.Several._read

def read(self, part):
    for told in whole(self, part):
        time.sleep(0.05)
        yield told

several.Several._read = read
from check_postfix.programs import deferred
deferred()
"""


@pytest.mark.parametrize("ended_by", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL, signal.SIGHUP])
def test_a_check_that_is_ended_leaves_no_process(log, ended_by):
    running = subprocess.Popen(
        [sys.executable, "-c", _CHECK, "--log", str(log), "--no-state", "--window", "1d"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert wait_for(lambda: len(of_session(running.pid)) >= 4)
    time.sleep(0.2)

    os.kill(running.pid, ended_by)
    said, _ = running.communicate(timeout=60)

    assert wait_for(lambda: not of_session(running.pid))
    if ended_by != signal.SIGKILL:
        assert running.returncode == 3
        assert said.startswith(f"POSTFIX DEFERRED UNKNOWN - ended by {ended_by.name}")
        assert len(said.splitlines()) == 1


def test_a_check_whose_time_is_up_leaves_no_process(log):
    done = subprocess.Popen(
        [
            sys.executable, "-c", _CHECK.replace("0.05", "30"), "--log", str(log), "--no-state",
            "--timeout", "2",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )  # fmt: skip
    said, _ = done.communicate(timeout=60)

    assert done.returncode == 3
    assert said.startswith("POSTFIX DEFERRED UNKNOWN - ")
    assert wait_for(lambda: not of_session(done.pid))
