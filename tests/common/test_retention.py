"""Whole runs: how long is kept belongs to the state, whatever one check asks for."""

from __future__ import annotations

import pytest

from check_postfix import rejects
from tests.support import mail_log
from tests.support.machine import DAY, HOUR, MINUTE, Machine

pytestmark = pytest.mark.usefixtures("utc")


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine whose log has a line for each of the last 719 minutes."""
    machine = Machine(tmp_path, monkeypatch)
    for minutes in range(719, 0, -1):
        machine.write(mail_log.SENT, ago=minutes * MINUTE)
    return machine


def sent(machine, *arguments):
    return machine.count("sent", "--window", "12h", *arguments)


@pytest.mark.parametrize("first", [(), ("--keep-totals", "30d"), ("--keep-totals", "12h")])
def test_one_check_that_keeps_sums_for_an_hour_takes_none_from_another(machine, first):
    before = sent(machine, *first)

    machine.run("--keep-totals", "1h")
    machine.write(mail_log.REMOVED)
    machine.run("--keep-totals", "1h")

    assert (before, sent(machine, *first)) == (719, 719)


def test_sums_are_kept_as_long_as_the_check_asks_that_asks_for_most(machine):
    machine.run("--keep-totals", "1h")
    machine.run("--keep-totals", "2h")
    machine.pass_by(90 * MINUTE)
    machine.write(mail_log.SENT)
    machine.run("--keep-totals", "1h")

    assert machine.count("sent", "--window", "2h", "--keep-totals", "2h") == 30


def test_a_new_state_keeps_sums_as_long_as_its_first_run_asks(machine):
    machine.run("--keep-totals", "1h")

    text, _ = machine.run("--window", "12h")

    assert " sent=60;" in text
    assert "counts are kept for 1 h only" in text


@pytest.mark.parametrize("kept", ["totals", "keys"])
@pytest.mark.parametrize(("window", "is_told"), [("61m", False), ("62m", True)])
def test_a_window_is_whole_that_begins_with_the_oldest_minute_that_is_kept(
    machine, kept, window, is_told
):
    machine.run(f"--keep-{kept}", "1h")

    text, _ = machine.run("--window", window)

    what = {"totals": "counts are", "keys": "clients and domains are"}[kept]
    assert (f"{what} kept for 1 h only" in text) is is_told


def test_keys_are_kept_as_long_as_the_check_asks_that_asks_for_least(machine):
    machine.write(mail_log.rejected(), ago=30 * MINUTE)
    machine.run()
    machine.run("--keep-keys", "1h", check=rejects.CHECK)
    machine.run("--keep-keys", "72h")
    machine.pass_by(100 * MINUTE)
    machine.write(mail_log.REMOVED)
    machine.run()

    assert machine.keys() == 0


def test_keys_are_kept_longer_than_usual_if_every_check_that_asks_wants_it(machine):
    machine.write(mail_log.rejected())
    machine.run()
    machine.run("--keep-keys", "72h")
    machine.pass_by(60 * HOUR)
    machine.write(mail_log.REMOVED)
    machine.run()

    assert machine.keys() > 0


def test_who_asks_for_more_keys_than_there_are_is_told(machine):
    machine.run("--keep-keys", "1h")

    said = [machine.run(*asked)[0] for asked in (["--keep-keys", "2h"], [], ["--keep-keys", "1h"])]

    note = "clients and domains are kept for 1 h only"
    assert [note in text for text in said] == [True, False, False]


def test_a_steady_run_writes_nothing_for_it(machine):
    asked = ["--keep-keys", "1d", "--keep-totals", "40d"], ["--keep-keys", "2d"], []
    for arguments in asked:  # which marks that there was such a run
        machine.run(*arguments)
    before = machine.state.stat().st_mtime_ns

    for arguments in asked:
        machine.run(*arguments)

    assert machine.state.stat().st_mtime_ns == before


def test_sums_go_when_their_time_is_over(machine):
    machine.run("--keep-totals", "1h")
    machine.pass_by(2 * DAY)
    machine.write(mail_log.REMOVED)
    machine.run("--keep-totals", "1h")

    assert machine.count("sent", "--window", "60h") == 0
