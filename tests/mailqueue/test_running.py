"""Whether Postfix runs, by the lock of its pid file."""

import fcntl
import os

import pytest

from check_postfix.mailqueue import running
from check_postfix.mailqueue.running import is_running


@pytest.fixture
def instance(tmp_path):
    """Make a configuration and a queue directory; the master has run there."""
    (tmp_path / "spool" / "pid").mkdir(parents=True)
    (tmp_path / "spool" / "pid" / "master.pid").write_text("   123\n")
    (tmp_path / "main.cf").write_text(f"queue_directory = {tmp_path}/spool\nnonsense\n")
    return tmp_path


def test_whoever_holds_the_lock_runs(instance):
    assert is_running(str(instance)) is False
    with open(instance / "spool/pid/master.pid", "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)

        assert is_running(str(instance)) is True

    assert is_running(str(instance)) is False


def test_where_no_master_has_ever_run_none_does(instance):
    os.unlink(instance / "spool/pid/master.pid")

    assert is_running(str(instance)) is False


@pytest.mark.parametrize("value", ["$x/spool", "spool", "/nowhere"])
def test_of_a_queue_that_cannot_be_found_nothing_is_known(instance, value):
    (instance / "main.cf").write_text(f"queue_directory = {value}\n")

    assert is_running(str(instance)) is None


def test_where_locks_are_hidden_nothing_is_known(instance, monkeypatch):
    monkeypatch.setattr(running, "LOCKS", str(instance / "none"))

    assert is_running(str(instance)) is None


def test_a_line_of_locks_that_is_cut_short_is_passed_over(instance, monkeypatch):
    (instance / "locks").write_text("1: FLOCK  ADVISORY  WRITE 12520\n2: FLOCK\n\n")
    monkeypatch.setattr(running, "LOCKS", str(instance / "locks"))

    assert is_running(str(instance)) is False
