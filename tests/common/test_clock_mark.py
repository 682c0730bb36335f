"""Whole runs under a clock that is wrong for a while: nothing is lost by it, and nothing kept."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from check_postfix import rejects
from tests.support import kept, mail_log
from tests.support.builders import NOON
from tests.support.machine import DAY, HOUR, MINUTE, Machine

pytestmark = pytest.mark.usefixtures("utc")


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with a month of history, its checks running steadily."""
    machine = Machine(tmp_path, monkeypatch)
    # Of the first of them not even half is known: it begins in the afternoon.
    for days in range(29, 0, -1):
        machine.write(mail_log.SENT, mail_log.DEFERRED, ago=days * DAY)
    machine.write(mail_log.DEFERRED, mail_log.rejected())
    machine.run()
    machine.pass_by(2 * HOUR)
    machine.write(mail_log.SENT)
    machine.run()
    return machine


def test_a_clock_that_is_ahead_for_one_run_deletes_nothing(machine):
    before = kept.totals(machine.state), machine.keys()

    machine.run_ahead()
    machine.run()

    assert (kept.totals(machine.state), machine.keys()) == before


@pytest.mark.parametrize("times", [1, 12])
def test_nor_does_it_where_lines_come_in_meanwhile(machine, times):
    before = kept.totals(machine.state), machine.keys()

    machine.ahead = 60 * DAY
    for _ in range(times):
        machine.pass_by(5 * MINUTE)
        machine.write(mail_log.REMOVED)
        machine.run()
    machine.ahead = 0
    machine.write(mail_log.REMOVED)
    machine.run()

    assert (kept.totals(machine.state), machine.keys()) == before


def test_the_usual_level_is_what_it_was(machine):
    machine.write(*[mail_log.rejected()] * 30)
    before = machine.run("-vv", "--min-rejects", "1", check=rejects.CHECK)[0]

    machine.run_ahead()

    assert machine.run("-vv", "--min-rejects", "1", check=rejects.CHECK)[0] == before
    assert "28 days" in before


def test_lines_that_are_read_while_the_clock_is_ahead_are_counted_with_their_keys(machine):
    machine.write(mail_log.DEFERRED, mail_log.rejected())

    machine.run_ahead()

    assert machine.count("deferred") == 1
    assert "203.0.113.5" in machine.run("-v", check=rejects.CHECK)[0]


def test_a_reboot_into_a_wrong_clock_and_one_back_delete_nothing(machine):
    before = kept.totals(machine.state), machine.keys()

    machine.reboot()
    machine.ahead = 60 * DAY
    machine.write(mail_log.REMOVED)
    machine.run()
    machine.reboot()
    machine.ahead = 0
    machine.pass_by(30 * MINUTE)
    machine.write(mail_log.REMOVED)
    machine.run()

    assert (kept.totals(machine.state), machine.keys()) == before


def test_an_archive_is_not_passed_over_as_too_old_by_a_clock_that_is_ahead(machine, tmp_path):
    line = f"{datetime.fromtimestamp((NOON - 20 * 1440) * 60, UTC).isoformat()} mx1 postfix/"
    (tmp_path / "mail.log.1").write_text(f"{line}{mail_log.SENT}\n" * 3)

    machine.run_ahead()

    assert kept.by_minute(machine.state, "sent")[NOON - 20 * 1440] == 4


def test_what_is_too_old_goes_when_the_clock_has_run_steadily_for_an_hour(machine):
    machine.run_ahead()
    machine.pass_by(3 * DAY)
    machine.write(mail_log.REMOVED)
    machine.run()  # its clock is another than that of the run before
    waiting = machine.keys()
    machine.pass_by(59 * MINUTE)
    machine.write(mail_log.REMOVED)
    machine.run()
    still = machine.keys()
    machine.pass_by(2 * MINUTE)
    machine.write(mail_log.REMOVED)
    machine.run()

    assert (waiting > 0, still > 0, machine.keys()) == (True, True, 0)


@pytest.mark.heavy
@pytest.mark.parametrize("reboots", [False, True])
def test_the_keys_of_a_silent_log_go_in_time(machine, reboots):
    if reboots:
        machine.reboot()
    for _ in range(51):
        machine.pass_by(HOUR)
        machine.run()

    assert machine.keys() == 0


def test_runs_with_nothing_new_write_every_ten_minutes_that_there_was_one_and_no_more(machine):
    written = set()
    for _ in range(20):
        machine.pass_by(5 * MINUTE)
        machine.run()
        written.add(machine.state.stat().st_mtime_ns)

    assert len(written) <= 11


def test_a_first_run_believes_its_clock(tmp_path, monkeypatch):
    machine = Machine(tmp_path, monkeypatch)
    machine.write(mail_log.SENT, mail_log.DEFERRED, ago=31 * DAY)
    machine.write(mail_log.rejected(), ago=3 * DAY)

    machine.run()

    assert (kept.by_minute(machine.state, "sent"), machine.keys()) == ({}, 0)
