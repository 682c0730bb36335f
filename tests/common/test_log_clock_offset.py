"""Whole runs on logs whose stamps are in another zone than this machine's."""

from __future__ import annotations

import os
from datetime import UTC, timedelta, timezone

import pytest

from tests.support import mail_log
from tests.support.machine import DAY, HOUR, MINUTE, Machine

pytestmark = pytest.mark.usefixtures("utc")

NEW_YORK = timezone(-timedelta(hours=5))
BEHIND = "stamps run 5 h behind this machine's clock; name their zone with --timezone"


@pytest.fixture
def machine(tmp_path, monkeypatch):
    return Machine(tmp_path, monkeypatch)


def write(machine, zone=NEW_YORK, ago=0, number=1):
    machine.write_bsd(mail_log.SENT, zone=zone, ago=ago, number=number)


def runs(machine, times, zone=NEW_YORK):
    """Return what the last of some runs says, with some minutes and a line between them."""
    for _ in range(times):
        machine.pass_by(4 * MINUTE)
        write(machine, zone, ago=MINUTE)
        said = machine.run()
    return said


def test_stamps_that_are_five_hours_behind_three_times_are_unknown(machine):
    write(machine)
    first = machine.run()

    text, state = runs(machine, 3)

    assert BEHIND not in first[0]
    assert (state, BEHIND in text) == (3, True)


def test_it_is_said_again_where_nothing_new_comes(machine):
    write(machine)
    machine.run()
    runs(machine, 3)
    machine.pass_by(5 * MINUTE)

    text, state = machine.run()

    assert (state, BEHIND in text) == (3, True)


def test_the_zone_that_is_named_ends_it(machine):
    write(machine)
    machine.run()
    runs(machine, 3)

    text, state = machine.run("--timezone", "America/New_York")

    assert (state, "stamps run" in text) == (0, False)
    assert " sent=4;" in text


def test_stamps_an_hour_ahead_are_said_at_once_and_unknown_when_proven(machine):
    write(machine, timezone(timedelta(hours=1)))
    first, first_state = machine.run()

    text, state = runs(machine, 3, timezone(timedelta(hours=1)))

    assert "newest line is 1 h ahead of this machine's clock" in first
    assert first_state != 2
    assert (state, "stamps run 1 h ahead of this machine's clock" in text) == (3, True)


def test_stamps_that_are_right_are_not_spoken_of(machine):
    write(machine, UTC)
    machine.run()

    text, state = runs(machine, 9, UTC)

    assert (state, "clock" in text) == (0, False)


def test_a_touch_and_a_copied_file_prove_nothing(machine):
    write(machine)
    machine.run()
    for _ in range(5):
        machine.pass_by(5 * MINUTE)
        os.utime(machine.log)
        machine.run()
        data = machine.log.read_bytes()
        machine.log.unlink()
        machine.log.write_bytes(data)
        text, _ = machine.run()

    assert "stamps run" not in text


def test_restored_files_prove_nothing(machine):
    for n in range(5):
        machine.pass_by(5 * MINUTE)
        machine.log.unlink(missing_ok=True)
        write(machine, UTC, ago=5 * HOUR, number=n + 1)
        text, _ = machine.run()

    assert "stamps run" not in text


def test_a_backlog_of_syslog_proves_nothing(machine):
    write(machine, UTC)
    machine.run()
    machine.pass_by(5 * HOUR)
    machine.run()
    for ago in (5, 3, 1):
        machine.pass_by(4 * MINUTE)
        write(machine, UTC, ago=ago * HOUR)
        text, _ = machine.run()

    assert "stamps run" not in text


def test_a_clock_that_is_ahead_for_a_run_proves_nothing(machine):
    write(machine, UTC)
    machine.run()
    for _ in range(4):
        runs(machine, 1, UTC)
        machine.run_ahead()
        machine.ahead = DAY
        text, _ = runs(machine, 1, UTC)
        machine.ahead = 0

    assert "stamps run" not in text


def test_stamps_that_name_their_zone_are_no_matter_of_zones(machine):
    machine.write(mail_log.SENT, ago=5 * HOUR)
    machine.run()
    for _ in range(4):
        machine.pass_by(5 * MINUTE)
        machine.write(mail_log.SENT, ago=5 * HOUR)
        text, _ = machine.run()

    assert "stamps run" not in text


def test_a_zone_that_was_named_by_mistake_can_be_named_anew_once_that_is_proven(machine):
    write(machine, UTC)
    machine.run("--timezone", "Asia/Tokyo")
    refused, _ = machine.run("--timezone", "UTC")
    proven, _ = runs(machine, 3, UTC)

    text, state = machine.run("--timezone", "UTC")

    assert "is counted by Asia/Tokyo in this state file" in refused
    assert "stamps run 9 h behind" in proven
    assert (state, " sent=4;" in text) == (0, True)
