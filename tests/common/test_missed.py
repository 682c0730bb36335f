"""A check that was not run for a while says when it would have alarmed meanwhile."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from check_postfix.common.missed import Runs, id_of
from check_postfix.deferred import CHECK
from check_postfix.maillog.store import run_mark
from check_postfix.maillog.store.run_mark import RunMark
from check_postfix.maillog.store.store import Store
from tests.support import mail_log
from tests.support.builders import NOON, a_coverage, a_window, options
from tests.support.server import MINUTE, OK, Server

pytestmark = pytest.mark.usefixtures("utc")
TROUBLE = [mail_log.DEFERRED] * 30
CALM = [mail_log.SENT] * 30
MISSED = "not run from 12:00 to 16:00: 13:00 to 13:30 would have been CRITICAL"


def state(server):
    return server.directory / "state" / "counts"


def at(server, hours, minutes, lines=()):
    """Let it be that time of the day, and this be logged."""
    server.goes_to(60 * (hours - 16) + minutes)
    if lines:
        server.writes(lines)


@pytest.fixture
def server(tmp_path):
    """A server whose checks ran until 12:00, in trouble from 13:05 on, and well at 16:00."""
    server = Server(tmp_path)
    at(server, 12, 0, CALM)
    server.has_been_checked()
    at(server, 13, 5, TROUBLE)
    at(server, 13, 20, TROUBLE)
    at(server, 15, 58, CALM)
    at(server, 16, 0)
    return server


def test_the_first_run_says_which_quarter_hours_would_have_alarmed(server):
    said = server.says("deferred")

    assert said.exit_code == OK
    assert said.line.endswith(f"({MISSED})")


def test_each_check_says_its_own(server):
    server.has_been_checked(check="bounces")
    at(server, 18, 0, CALM)

    assert "not run" not in server.says("bounces").line


def test_it_is_said_for_an_hour(server):
    server.has_been_checked()
    for hours, minutes, is_said in ((16, 10, True), (16, 59, True), (17, 0, False)):
        at(server, hours, minutes, CALM)
        assert (MISSED in server.says("deferred").line) == is_said


def test_runs_with_other_options_are_others(server):
    assert "not run" not in server.says("deferred", "-w", "20").line
    assert MISSED in server.says("deferred", "-vv").line


def test_it_is_judged_by_the_same_options(server):
    at(server, 16, 0)
    server.has_been_checked("-c", "101")
    at(server, 18, 0, TROUBLE)
    at(server, 20, 0, CALM)

    line = server.says("deferred", "-c", "101").line

    assert "not run from 16:00 to 20:00: 18:00 to 18:15 would have been WARNING" in line


@pytest.mark.parametrize("arguments", [["--no-state"], ["--at", "2026-11-24T16:00Z"]])
def test_only_runs_that_are_remembered_say_so(server, arguments):
    assert "not run" not in server.says("deferred", *arguments).line


@pytest.mark.parametrize(("minutes", "is_said"), [(60, False), (61, True)])
def test_an_hour_is_no_matter(tmp_path, minutes, is_said):
    server = Server(tmp_path)
    at(server, 12, 0, CALM)
    server.has_been_checked()
    at(server, 12, 20, TROUBLE)
    at(server, 12, minutes, CALM)

    assert ("not run" in server.says("deferred").line) == is_said


def test_nothing_is_said_before_all_of_that_time_is_read(tmp_path):
    asked = options(CHECK)
    with Store(str(tmp_path / "state"), 5) as store:
        runs, half = Runs(store, asked), a_window(coverage=a_coverage(complete=False))
        before = RunMark(NOON - 4 * 60)
        run_mark.save(store, id_of(asked, store.key), before)

        assert runs.missed(half, lambda _: 2) is None
        # So the run that has read the rest says it.
        said = runs.missed(a_window(), lambda _: 2)

    assert said is not None
    assert "would have been CRITICAL" in said.text


def test_where_nothing_would_have_alarmed_nothing_is_said(tmp_path):
    server = Server(tmp_path)
    for hours in (12, 13, 16):
        at(server, hours, 0, CALM)
        if hours != 13:
            server.has_been_checked()

    assert "not run" not in server.says("deferred").line


def test_quarter_hours_whose_lines_were_lost_are_not_judged(tmp_path):
    server = Server(tmp_path)
    at(server, 12, 0, CALM)
    server.has_been_checked()
    at(server, 13, 5, TROUBLE)
    server.log.write_bytes(b"")
    at(server, 15, 0, CALM)
    at(server, 16, 0, CALM)

    assert "not run" not in server.says("deferred").line


def test_many_alarms_are_not_all_named(tmp_path):
    server = Server(tmp_path)
    at(server, 8, 0, CALM)
    server.has_been_checked()
    for hours in range(9, 15):
        at(server, hours, 5, TROUBLE)
        at(server, hours, 25, CALM)
    at(server, 16, 0, CALM)

    line = server.says("deferred").line

    assert line.count("would have been CRITICAL") == 3
    assert line.endswith("3 more times)")


def test_a_clock_that_was_ahead_misses_nothing(tmp_path):
    server = Server(tmp_path)
    at(server, 12, 0, TROUBLE)
    server.has_been_checked()
    server.clocks.wall += 300 * MINUTE
    server.has_been_checked()
    server.clocks.wall -= 300 * MINUTE
    at(server, 12, 5)
    server.has_been_checked()
    at(server, 12, 30, CALM)

    assert "not run" not in server.says("deferred").line


def test_it_is_marked_every_ten_minutes_at_most(server):
    server.has_been_checked()
    before = state(server).read_bytes()

    at(server, 16, 9)
    server.has_been_checked()
    assert state(server).read_bytes() == before

    at(server, 16, 10)
    server.has_been_checked()
    assert state(server).read_bytes() != before


def test_no_run_waits_for_another_to_leave_its_mark(server):
    server.has_been_checked()
    at(server, 16, 30)
    with closing(sqlite3.connect(state(server), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        assert server.says("deferred", "--timeout", "2").exit_code == OK


def test_what_it_was_asked_for_stands_in_no_mark(server):
    server.has_been_checked("--account", "ann@example.com", check="auth")

    assert b"ann@example" not in state(server).read_bytes()


def test_runs_on_another_log_are_others(server, tmp_path):
    other = tmp_path / "other.log"
    other.write_bytes(server.log.read_bytes())

    assert "not run" not in server.says("deferred", "--log", str(other)).line
    assert MISSED in server.says("deferred").line


def test_what_is_not_kept_any_more_of_that_time_is_not_judged(tmp_path):
    only = ["--domain", "example.net", "--keep-keys", "1h"]
    server = Server(tmp_path)
    at(server, 12, 0, CALM)
    server.has_been_checked(*only)
    at(server, 13, 5, TROUBLE)
    server.has_been_checked("--keep-keys", "1h")
    at(server, 16, 0, CALM)

    said = server.says("deferred", *only)

    assert (said.exit_code, said.line) == (
        OK,
        "POSTFIX DEFERRED OK - 0 % of 30 delivery attempts deferred in 15 min",
    )
