"""postfix-log status, ingest and purge: what is kept, all of it read, and what is too old gone."""

from __future__ import annotations

import gzip
import os
import re
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime

import pytest

from check_postfix import user
from check_postfix.command import ingest
from check_postfix.command import status as status_of
from check_postfix.plugin.run import outcome_of
from tests.support.definitions import checks, log_checks

pytestmark = pytest.mark.usefixtures("utc")
DAY = 86400


def attempts(number: int, ago: float, domain: str = "example.net") -> str:
    """Return lines of this many deferrals, a second apart, the last so many seconds ago."""
    lines = []
    for left in range(number, 0, -1):
        stamp = datetime.fromtimestamp(int(time.time() - ago - left), UTC).isoformat()
        lines.append(
            f"{stamp} mx1 postfix/smtp[7]: 4A{left:08X}: to=<bob@{domain}>,"
            f" relay=mx.{domain}[192.0.2.25]:25, delay=1, delays=0/0/0/1, dsn=4.4.1,"
            f" status=deferred (host mx.{domain}[192.0.2.25] said: 450 4.2.0 no)\n"
        )
    return "".join(lines)


@pytest.fixture
def log(tmp_path):
    """A log of today, and archives of the days before, one of them compressed."""
    path = tmp_path / "mail.log"
    path.write_text(attempts(300, 60))
    (tmp_path / "mail.log.1").write_text(attempts(500, DAY, "example.org"))
    with gzip.open(tmp_path / "mail.log.2.gz", "wt") as file:
        file.write(attempts(700, 3 * DAY, "old.example.com"))
    for name, ago in (("mail.log.1", DAY), ("mail.log.2.gz", 3 * DAY)):
        os.utime(tmp_path / name, (time.time() - ago,) * 2)
    return path


def deferred(state) -> int:
    """Return what all minutes of a state file come to."""
    with closing(sqlite3.connect(state)) as db, db:
        rows = db.execute("SELECT counters FROM total").fetchall()
    number = 0
    for (text,) in rows:
        first, *names = text.split("\n")
        for name, n in zip(names, map(int, first.split()), strict=True):
            number += n if name.endswith("\tdeferred") else 0
    return number


# -- ingest


def test_all_that_there_is_is_read_once(say, log, tmp_path):
    state = tmp_path / "state"

    status, lines, error = say("ingest", "--log", log, "--state", state)

    assert (status, error) == (0, "")
    assert lines[0].startswith(f"{log}: read from ")
    assert lines[0].endswith("1500 lines, 1500 events")
    assert deferred(state) == 1500
    assert say("ingest", "--log", log, "--state", state)[1] == lines
    assert deferred(state) == 1500


def test_ctrl_c_loses_nothing_and_says_what_is_left(say, log, tmp_path, monkeypatch):
    state = tmp_path / "state"
    monkeypatch.setattr(ingest, "_STEP", 0)
    monkeypatch.setattr(ingest, "_STEP_TOGETHER", 0)
    told = []

    def read(self, coverage, left):
        told.append(left)
        original(self, coverage, left)
        raise KeyboardInterrupt

    original = ingest._StoreMeter.read
    monkeypatch.setattr(ingest._StoreMeter, "read", read)

    status, lines, error = say("ingest", "--log", log, "--state", state)

    assert (status, lines) == (130, [])
    assert told
    assert told[0] > 0
    assert re.fullmatch(
        r"postfix-log: ended by Ctrl-C; what is read is kept; about \d+ MB are left;"
        r" run it again to go on\n",
        error,
    )
    assert 0 < deferred(state) < 1500
    monkeypatch.setattr(ingest._StoreMeter, "read", original)
    assert say("ingest", "--log", log, "--state", state)[0] == 0
    assert deferred(state) == 1500


def test_an_archive_that_cannot_be_read_is_told_and_the_rest_is_read(say, log, tmp_path):
    (tmp_path / "mail.log.3.gz").write_bytes(b"\x1f\x8b\x08 no archive")

    status, lines, _ = say("ingest", "--log", log, "--state", tmp_path / "state")

    assert status == 3
    assert any("mail.log.3.gz" in line for line in lines[1:])
    assert deferred(tmp_path / "state") == 1500


def test_progress_is_told_on_a_terminal_only(log, tmp_path):
    command = [
        sys.executable, "-m", "check_postfix.command", "ingest", "--log", str(log),
        "--state", str(tmp_path / "state"),
    ]  # fmt: skip

    done = subprocess.run(command, capture_output=True, check=False)

    assert done.stderr == b""
    assert b"\r" not in done.stdout


def test_a_check_finds_what_was_read(say, log, tmp_path):
    say("ingest", "--log", log, "--state", tmp_path / "state")
    check = next(one for one in checks() if one.executable == "check_postfix_deferred")

    text, _ = outcome_of(
        check, ["--log", str(log), "--state", str(tmp_path / "state"), "--window", "2d"]
    )

    assert " deferred=800;" in text


# -- status


def test_it_tells_what_is_read_kept_and_weighs(say, log, tmp_path):
    state = tmp_path / "state"
    say("ingest", "--log", log, "--state", state)

    status, lines, _ = say("status", "--state", state)

    assert status == 0
    assert lines[0].startswith(f"state: {state}, {state.stat().st_size} bytes, ")
    assert lines[1] == "kept: sums for 30 d, clients and domains for 2 d"
    assert f"{log}:" in lines
    begin = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 3 * DAY - 700))
    assert any(line.startswith(f"  read from {begin} ") for line in lines)
    assert any(line.startswith("  1500 lines: 1500 with 1500 events, 0 ") for line in lines)
    assert any(line.startswith("  from postfix on mx1, newest line ") for line in lines)
    assert any(line.endswith("keys of deferred") for line in lines)


def test_a_newest_line_of_other_programs_is_not_said_to_be_of_postfix(say, tmp_path):
    log, state = tmp_path / "mail.log", tmp_path / "state"
    log.write_text(attempts(3, 60).replace("postfix/smtp", "cron"))
    say("ingest", "--log", log, "--state", state)

    status, lines, _ = say("status", "--state", state)

    assert status == 0
    assert any(line.startswith("  read from ") for line in lines)
    newest = [line for line in lines if "newest line" in line]
    assert [line[:36] for line in newest] == ["  newest line, of whatever program, "]


def test_it_tells_what_is_not_read_yet(say, log, tmp_path, monkeypatch):
    state = tmp_path / "state"
    monkeypatch.setattr(ingest, "_STEP", 0)
    monkeypatch.setattr(ingest, "_STEP_TOGETHER", 0)
    monkeypatch.setattr(
        ingest._StoreMeter, "read", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    say("ingest", "--log", log, "--state", state)

    _, lines, _ = say("status", "--state", state)

    assert any("not read yet: " in line and "mail.log.2.gz" in line for line in lines)
    assert any("postfix-log ingest" in line for line in lines)
    files = [line for line in lines if "not read yet: " in line]
    monkeypatch.setattr(status_of, "_MOST", len(files))
    assert [line for line in say("status", "--state", state)[1] if "not read yet" in line] == files
    monkeypatch.setattr(status_of, "_MOST", len(files) - 1)
    assert "  not read yet: 1 more file" in say("status", "--state", state)[1]


def test_a_state_of_one_user_is_told_from_that_of_the_monitoring(say, log, tmp_path, monkeypatch):
    own, shared = tmp_path / "own", tmp_path / "shared"
    monkeypatch.setattr("check_postfix.maillog.store.location.SHARED", str(shared))
    monkeypatch.setattr("check_postfix.maillog.store.location.default_store", lambda: str(own))
    words = (
        f"  {user.me()}'s own; what the monitoring's checks keep is in {shared}:"
        " as root: postfix-log status"
    )
    assert words not in say("status")[1]
    shared.mkdir()

    assert say("status")[1][1] == words
    say("ingest", "--log", log, "--state", own)
    assert say("status")[1].count(words) == 1
    assert words not in say("status", "--state", own)[1]


def test_it_tells_when_a_check_ran_last(say, log, tmp_path):
    state = tmp_path / "state"
    assert say("status", "--state", state) == (
        1, [f"{state}: nothing is kept yet: no check has run as {user.me()}"], "",
    )  # fmt: skip
    now = time.strftime("%Y-%m-%d", time.gmtime())
    of_log = log_checks()
    outcome_of(of_log[0], ["--log", str(log), "--state", str(state)])
    last = say("status", "--state", state)[1][-1]
    assert last.startswith(f"1 check or set of options runs on it; the last one at {now}")

    for check in of_log[1:]:
        outcome_of(check, ["--log", str(log), "--state", str(state)])

    last = say("status", "--state", state)[1][-1]
    assert last.startswith(f"{len(of_log)} checks or sets of options run on it; the last one at")


def test_a_log_that_is_gone_is_told(say, log, tmp_path):
    state = tmp_path / "state"
    say("ingest", "--log", log, "--state", state)
    for path in tmp_path.glob("mail.log*"):
        path.chmod(0o600)
        path.unlink()
    log.mkdir()

    status, lines, _ = say("status", "--state", state)

    assert status == 3
    assert any(line.startswith(f"{log}: ") for line in lines)


def test_another_program_s_file_is_no_state(say, tmp_path):
    (tmp_path / "other").write_text("x" * 5000)

    status, _, error = say("status", "--state", tmp_path / "other")

    assert status == 3
    assert str(tmp_path / "other") in error


# -- purge


def test_what_is_too_old_goes_and_its_bytes_with_it(say, log, tmp_path):
    state = tmp_path / "state"
    say("ingest", "--log", log, "--state", state, "--keep-keys", "10d")
    assert b"old.example.com" in state.read_bytes()

    status, lines, _ = say("purge", "--state", state, "--keep-keys", "2h")

    data = state.read_bytes()
    assert status == 0
    assert b"old.example.com" not in data
    assert b"example.org" not in data
    assert b"example.net" in data  # of the last two hours
    assert any(line.startswith("proven: none of ") for line in lines)
    assert deferred(state) == 1500  # sums are kept
    assert os.listdir(tmp_path).count("state-journal") == 0


def test_all_keys_can_go_and_nothing_is_read_again(say, log, tmp_path):
    state = tmp_path / "state"
    say("ingest", "--log", log, "--state", state)

    status, _, _ = say("purge", "--state", state, "--all-keys")
    say("ingest", "--log", log, "--state", state)

    assert status == 0
    assert b"example" not in state.read_bytes()
    assert deferred(state) == 1500


def test_room_is_given_back_at_once(say, tmp_path):
    log, state = tmp_path / "mail.log", tmp_path / "state"
    log.write_text(
        "".join(attempts(1, 9000 + n % 1000, f"d{n}.example.net") for n in range(20_000, 0, -1))
    )
    say("ingest", "--log", log, "--state", state)
    before = state.stat().st_size

    say("purge", "--state", state, "--all-keys")

    assert state.stat().st_size < before / 3


def test_sums_that_are_too_old_go_as_well(say, log, tmp_path):
    state = tmp_path / "state"
    say("ingest", "--log", log, "--state", state)

    say("purge", "--state", state, "--keep-totals", "2d")

    assert deferred(state) == 800


def test_a_name_that_stays_readable_is_told(say, log, tmp_path, monkeypatch):
    state = tmp_path / "state"
    say("ingest", "--log", log, "--state", state)
    (tmp_path / "state-wal").touch()
    monkeypatch.setattr("check_postfix.command.purge._bytes", lambda _: [b"... mx.example.net ..."])

    status, lines, _ = say("purge", "--state", state, "--all-keys")

    assert status == 3
    assert "can still be read" in lines[-1]


LOGIN = (
    "dovecot: imap-login: Login: user=<carol.smith>, method=PLAIN, rip=198.51.100.77,"
    " lip=192.0.2.1, mpid=7, TLS, session=<a>"
)


@pytest.mark.parametrize("is_gone", [True, False])
@pytest.mark.parametrize("name", [b"carol.smith", b"198.51.100.77"])
def test_who_logged_in_first_from_a_network_is_looked_for_too(
    say, tmp_path, monkeypatch, name, is_gone
):
    log, state = tmp_path / "mail.log", tmp_path / "state"
    log.write_text(f"{datetime.fromtimestamp(time.time() - 60, UTC).isoformat()} mx1 {LOGIN}\n")
    say("ingest", "--log", log, "--state", state)
    assert name in state.read_bytes()
    if not is_gone:
        monkeypatch.setattr("check_postfix.command.purge._bytes", lambda _: [b"... %b" % name])

    status, lines, _ = say("purge", "--state", state, "--all-keys")

    assert (name in state.read_bytes(), status) == (False, 0 if is_gone else 3)
    assert ("proven: none of " in lines[-1]) == is_gone


def test_a_damaged_file_that_was_set_aside_goes_when_it_is_too_old(say, log, tmp_path):
    state = tmp_path / "state"
    say("ingest", "--log", log, "--state", state)
    aside = tmp_path / "state.damaged"
    aside.write_bytes(state.read_bytes())

    _, lines, _ = say("purge", "--state", state)

    assert aside.exists()
    assert any("not too old yet" in line for line in lines)


def test_an_address_that_is_still_asked_for_is_no_name_that_should_be_gone(say, log, tmp_path):
    state = tmp_path / "state"
    asked = ["--log", str(log), "--state", str(state), "--address", "bob@example.net"]
    check = next(check for check in checks() if check.name == "postfix recipients")
    assert "300 messages in" in outcome_of(check, asked)[0]

    status, lines, _ = say("purge", "--state", state, "--all-keys")

    assert status == 0, lines
    assert lines[-1].startswith("proven: none of ")


def test_a_state_that_is_not_there_cannot_be_purged(say, tmp_path):
    assert say("purge", "--state", tmp_path / "state") == (
        3,
        [],
        f"postfix-log: {tmp_path}/state: no such file: no check has run as {user.me()} yet; name"
        " another user's with --state, or run 'postfix-log ingest'\n",
    )
