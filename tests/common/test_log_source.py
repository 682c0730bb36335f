"""What the first line says of the log itself, and what -vv tells of the reading."""

from __future__ import annotations

import errno
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest

from check_postfix import auth, bounces, deferred, rejects
from check_postfix.common import opened_store
from check_postfix.deferred import CHECK
from check_postfix.maillog.errors import DamagedStore, StoreError
from check_postfix.maillog.store import damage
from check_postfix.plugin.run import outcome_of
from tests.support import mail_log, perfdata
from tests.support.builders import NOON, a_coverage, a_window, options
from tests.support.mail_log import SENT

pytestmark = pytest.mark.usefixtures("utc")

PERFDATA = (
    " | deferred_ratio=10%;10;25;0;100 attempts=100;;;0 sent=90;;;0 deferred=10;;;0"
    " bounced=0;;;0 expired=0;;;0 deferred_messages=10;;;0"
    " accepted=0;;;0 bytes_received=0B;;;0 bytes_delivered=0B;;;0 standstill=0s;7200;21600;0"
    " gaps={gaps};;;0 not_understood=0;;;0"
)

# How lines look: as Debian's rsyslog writes them since 12, and as it did before.
FORMS = (
    "'2026-11-24T16:43:26.123456+01:00 mx postfix/smtp[123]: ...'"
    " or 'Nov 24 16:43:26 mx postfix/smtp[123]: ...'"
)


def judge(verbosity=0, sent=90, deferred=10, notes=(), minutes=15, **coverage):
    window = a_window(
        sent=sent, deferred=deferred, minutes=minutes, coverage=a_coverage(**coverage)
    )  # fmt: skip
    window.notes = notes
    return CHECK.judge(window, options(CHECK), verbosity)


def said(outcome, gaps=0):
    """Return the remarks in the first line."""
    start = "POSTFIX DEFERRED OK - 10 % of 100 delivery attempts deferred in 15 min"
    perfdata = PERFDATA.format(gaps=gaps)
    assert outcome.line.endswith(perfdata)
    return outcome.line.removesuffix(perfdata).replace("UNKNOWN", "OK").removeprefix(start)


def test_of_a_log_read_as_it_should_be_nothing_is_said():
    outcome = judge()

    assert (outcome.exit_code, said(outcome)) == (0, "")


def test_an_empty_log_is_unknown():
    outcome = judge(
        lines=0, matched=0, foreign=0, events=0, start=None, last=None, sent=0, deferred=0
    )

    assert outcome.exit_code == 3
    assert outcome.words == (
        "POSTFIX DEFERRED UNKNOWN - no delivery attempts in 15 min (the log is empty)"
    )


def test_a_log_of_which_no_line_is_understood_is_unknown():
    outcome = judge(lines=7, foreign=0, unparsed=7, events=0, sent=0, deferred=0)

    assert outcome.exit_code == 3
    assert outcome.words == (
        "POSTFIX DEFERRED UNKNOWN - no delivery attempts in 15 min (none of 7 log lines is"
        f" understood; expected {FORMS})"
    )


def test_a_log_of_other_programs_alone_is_unknown():
    outcome = judge(lines=614, foreign=610, unparsed=4, matched=0, events=0, sent=0, deferred=0)

    assert outcome.exit_code == 3
    assert outcome.words == (
        "POSTFIX DEFERRED UNKNOWN - no delivery attempts in 15 min (none of 614 log lines is"
        f" of a daemon of Postfix; expected {FORMS})"
    )


def test_one_line_of_postfix_is_enough():
    outcome = judge(lines=614, foreign=610, unparsed=3, matched=0, events=0, sent=0, deferred=0)

    assert outcome.exit_code == 0
    assert outcome.words == (
        "POSTFIX DEFERRED OK - no delivery attempts in 15 min"
        " (no line about mail among 614 log lines)"
    )


def test_one_line_that_is_understood_is_enough():
    outcome = judge(lines=7, foreign=0, unparsed=6)

    assert (outcome.exit_code, said(outcome)) == (0, "")


def test_a_log_that_never_tells_of_mail_is_said_to():
    outcome = judge(lines=7, foreign=0, events=0, sent=0, deferred=0)

    assert outcome.exit_code == 0
    assert outcome.words == (
        "POSTFIX DEFERRED OK - no delivery attempts in 15 min"
        " (no line about mail among 7 log lines)"
    )


def test_a_log_that_begins_inside_the_window_says_when():
    outcome = judge(start=NOON - 14)

    assert (outcome.exit_code, said(outcome)) == (0, " (log begins 15:46)")


def test_a_log_that_begins_with_the_window_is_whole():
    assert said(judge(start=NOON - 15)) == ""


def test_a_log_that_began_yesterday_says_on_which_day():
    outcome = judge(minutes=3000, start=NOON - 2000)

    assert "(log begins 2026-11-23 06:40)" in outcome.words


@pytest.mark.parametrize("start", [None, NOON, NOON + 5])
def test_a_log_with_nothing_of_the_windows_time_is_unknown(start):
    outcome = judge(start=start)

    assert (outcome.exit_code, said(outcome)) == (3, " (the log has nothing of that time)")


def test_lines_lost_inside_the_window_are_said():
    outcome = judge(gaps=[(NOON - 10, NOON - 8)])

    assert outcome.exit_code == 0
    assert said(outcome, gaps=1) == " (log lines lost between 15:50 and 15:52)"


@pytest.mark.parametrize("gap", [(NOON - 20, NOON - 15), (NOON - 1, NOON + 9)])
def test_a_gap_that_touches_the_window_is_said(gap):
    assert "log lines lost between" in said(judge(gaps=[gap]), gaps=1)


@pytest.mark.parametrize("gap", [(NOON - 30, NOON - 16), (NOON, NOON + 5)])
def test_a_gap_outside_the_window_is_not_said(gap):
    assert said(judge(gaps=[gap])) == ""


def test_while_older_log_is_still_unread_an_ok_is_unknown():
    outcome = judge(start=NOON - 9, complete=False)

    assert outcome.exit_code == 3
    assert said(outcome) == " (only 9 of 15 min read yet, goes on next run)"


def test_while_nothing_is_read_yet_that_is_said():
    outcome = judge(start=None, complete=False)

    assert outcome.exit_code == 3
    assert said(outcome) == " (only 0 of 15 min read yet, goes on next run)"


@pytest.mark.parametrize(
    ("deferred", "state"),
    [(11, 1), (50, 2)],
)
def test_while_older_log_is_still_unread_an_alarm_stays_one(deferred, state):
    outcome = judge(start=NOON - 9, complete=False, sent=100 - deferred, deferred=deferred)

    assert outcome.exit_code == state
    assert "(only 9 of 15 min read yet, goes on next run)" in outcome.words


def test_older_log_that_the_window_does_not_need_is_not_missed():
    assert (judge(complete=False).exit_code, said(judge(complete=False))) == (0, "")


def test_a_live_log_not_read_to_the_windows_end_is_unknown():
    outcome = judge(end=NOON - 1)

    assert (outcome.exit_code, said(outcome)) == (3, " (log read up to 15:59 only)")


def test_a_log_that_is_silent_since_before_the_window_is_said_to_be():
    outcome = judge(last=NOON - 16)

    assert (outcome.exit_code, said(outcome)) == (0, " (no log line for 16 min)")


def test_a_log_with_a_line_in_the_window_is_not_silent():
    assert said(judge(last=NOON - 15)) == ""


def test_all_that_must_be_known_is_said_in_one_pair_of_brackets():
    outcome = judge(notes=["state file was damaged and is built again"], start=NOON - 5)

    assert said(outcome) == " (state file was damaged and is built again; log begins 15:55)"


def test_twice_verbose_tells_what_was_read():
    outcome = judge(verbosity=2, unparsed=3, end=NOON + 1)

    assert outcome.lines == [
        "window 2026-11-24 15:45 to 16:00",
        "log: 1000 lines read: 480 with 500 events, 400 of Postfix or Dovecot without,"
        " 117 of other programs, 3 not understood",
        "mail accepted: 0 messages of 0 bytes, 0 submitted for 0 recipients, 0 aborted",
        "mail delivered: 0 bytes to 90 recipients",
        "log covered from 2026-11-23 16:00 to 16:00",
        "newest line 15:59, 0 s before the window's end",
    ]


def test_twice_verbose_tells_how_much_mail_there_was():
    window = a_window(
        sent=40, deferred=9, accepted=1, bytes_received=300, bytes_delivered=12000, submission=1,
        recipients_submitted=40, aborted=2, messages=lambda *_: (1, 2),
    )  # fmt: skip
    outcome = CHECK.judge(window, options(CHECK), 2)

    assert [line for line in outcome.lines if "mail" in line or "message" in line] == [
        "mail accepted: 1 message of 300 bytes, 1 submitted for 40 recipients, 2 aborted",
        "mail delivered: 12000 bytes to 40 recipients",
        "7 lines about messages not kept apart, each counted as one message",
    ]


def test_twice_verbose_tells_of_all_that_is_missing():
    outcome = judge(
        verbosity=2,
        start=None,
        last=NOON - 3000,
        complete=False,
        gaps=[(NOON - 400, NOON - 390)],
        notes=[],
    )

    assert outcome.lines[2:] == [
        "mail accepted: 0 messages of 0 bytes, 0 submitted for 0 recipients, 0 aborted",
        "mail delivered: 0 bytes to 90 recipients",
        "newest line 2026-11-22 14:00, 2 d 1 h before the window's end",
        "older generations are still to be read, which goes on in the next runs",
        "gap: lines lost between 09:20 and 09:30",
    ]


def test_twice_verbose_tells_which_files_could_not_be_read():
    note = "/var/log/mail.log.2.gz: damaged (bad CRC); remove it, or restore it from a backup"
    window = a_window(sent=1, coverage=a_coverage(notes=[note]))

    outcome = CHECK.judge(window, options(CHECK), verbosity=2)

    assert outcome.lines[-1] == note


@pytest.mark.parametrize("check", [m.CHECK for m in (auth, bounces, deferred, rejects)])
def test_every_check_of_the_log_says_what_the_log_lacks(check):
    outcome = check.judge(a_window(coverage=a_coverage(start=None)), options(check))

    assert outcome.exit_code == 3
    assert outcome.words.endswith(" (the log has nothing of that time)")


@pytest.mark.parametrize("second", [0.0, 0.4, 59.9])
def test_the_running_minute_is_the_windows_last_from_its_first_instant(
    tmp_path, monkeypatch, second
):
    now = NOON * 60 + second
    monkeypatch.setattr("check_postfix.common.log_source.time.time", lambda: now)
    stamps = (now - 15 * 60, now, now)
    log = mail_log.write(
        tmp_path / "mail.log",
        *(f"{datetime.fromtimestamp(at, UTC).isoformat()} mx1 postfix/{SENT}\n" for at in stamps),
    )

    text, _ = outcome_of(CHECK, ["--log", str(log), "--no-state"])

    assert perfdata.of(text)["sent"].value == 2


@pytest.mark.parametrize("is_replaced", [True, False])
def test_a_state_that_is_replaced_while_it_is_open_is_opened_anew_whatever_sqlite_calls_that(
    tmp_path, monkeypatch, is_replaced
):
    log = mail_log.write(tmp_path / "mail.log", mail_log.lines([SENT]))
    state, built_anew = tmp_path / "state", tmp_path / "new"
    for path in (state, built_anew):
        outcome_of(CHECK, ["--log", str(log), "--state", str(path)])

    def failing(path, _):
        monkeypatch.undo()
        if is_replaced:
            built_anew.replace(state)
        raise StoreError(f"cannot write {path}: disk I/O error")

    monkeypatch.setattr(opened_store, "Store", failing)
    text, exit_code = outcome_of(CHECK, ["--log", str(log), "--state", str(state)])

    assert ("disk I/O error" in text, exit_code) == ((False, 0) if is_replaced else (True, 3))


def test_a_state_that_is_damaged_again_and_again_is_told_of_once(tmp_path, monkeypatch):
    log = mail_log.write(tmp_path / "mail.log", mail_log.lines([SENT]))
    state = tmp_path / "state"
    store, damaged = opened_store.Store, [DamagedStore("x"), DamagedStore("x")]

    def failing(path, wait):
        if damaged:
            state.write_bytes(b"not a database" * 999)
            raise damaged.pop()
        return store(path, wait)

    monkeypatch.setattr(opened_store, "Store", failing)
    text, exit_code = outcome_of(CHECK, ["--log", str(log), "--state", str(state)])

    assert exit_code == 0
    assert text.count("state file was damaged and is built again") == 1


def test_a_damaged_state_that_cannot_be_set_aside_is_told(tmp_path, monkeypatch):
    log = mail_log.write(tmp_path / "mail.log", mail_log.lines([SENT]))
    state = tmp_path / "state"
    state.write_bytes(b"not a database" * 999)

    def refuse(*_):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(damage, "set_aside", refuse)
    text, exit_code = outcome_of(CHECK, ["--log", str(log), "--state", str(state)])

    assert exit_code == 3
    assert text == (
        f"POSTFIX DEFERRED UNKNOWN - {state}: is damaged and cannot be renamed: operation not"
        " permitted; remove it, it will be built again from the log\n"
    )


def test_a_damaged_state_that_another_run_has_set_aside_is_built_again_without_a_word(
    tmp_path, monkeypatch
):
    log = mail_log.write(tmp_path / "mail.log", mail_log.lines([SENT]))
    state = tmp_path / "state"
    state.write_bytes(b"not a database" * 999)

    def come_late(*_):
        state.unlink()
        raise FileNotFoundError(errno.ENOENT, "No such file or directory")

    monkeypatch.setattr(damage, "set_aside", come_late)
    text, exit_code = outcome_of(CHECK, ["--log", str(log), "--state", str(state)])

    assert exit_code == 0
    assert "damaged" not in text


_SCHEMA = "PRAGMA writable_schema=1; UPDATE sqlite_master SET sql="


@pytest.mark.parametrize(
    "changes",
    [
        [
            f"{_SCHEMA} replace(sql, 'STRICT, ', '') WHERE name='quarter_key'",
            "UPDATE quarter_key SET quarter=CAST(quarter AS BLOB)",
            f"{_SCHEMA} replace(sql, ') WITHOUT', ') STRICT, WITHOUT') WHERE name='quarter_key'",
        ],
        [f"{_SCHEMA} CAST(sql AS BLOB) WHERE name='quarter_key'"],
    ],
)
def test_a_value_of_another_type_is_damage_whatever_it_breaks(tmp_path, changes):
    received = "smtpd[7]: 4ABCDEF012: client=mx[127.0.0.1], sasl_method=PLAIN, sasl_username=ann"
    log = mail_log.write(tmp_path / "mail.log", mail_log.lines([received, SENT]))
    asked = ["--log", str(log), "--state", str(tmp_path / "state")]
    outcome_of(CHECK, asked)
    for change in changes:
        with closing(sqlite3.connect(tmp_path / "state")) as db:
            # Nobody takes note, as with a bit that flips.
            db.create_function("noted", -1, lambda *_: None)
            db.executescript(change)
    with log.open("a") as live:
        live.write(mail_log.lines([SENT], minutes_ago=1))

    text, exit_code = outcome_of(CHECK, asked)
    again, _ = outcome_of(CHECK, asked)

    assert exit_code == 0
    assert "state file was damaged and is built again" in text
    assert perfdata.of(text)["sent"].value == perfdata.of(again)["sent"].value == 2
    assert "damaged" not in again


def test_an_error_of_our_own_is_no_damage(tmp_path, monkeypatch):
    log = mail_log.write(tmp_path / "mail.log", mail_log.lines([SENT]))
    asked = ["--log", str(log), "--state", str(tmp_path / "state")]
    outcome_of(CHECK, asked)

    def failing(*_):
        raise TypeError("ours")

    monkeypatch.setattr(opened_store.OpenedStore, "_read", failing)
    text, exit_code = outcome_of(CHECK, asked)

    assert exit_code == 3
    assert "internal error: TypeError: ours" in text


def test_a_damaged_state_that_is_too_old_and_cannot_be_removed_is_told(tmp_path, monkeypatch):
    log = mail_log.write(tmp_path / "mail.log", mail_log.lines([SENT]))
    aside = tmp_path / "state.damaged"
    aside.touch()

    def refuse(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(damage, "expire", refuse)

    text, _ = outcome_of(CHECK, ["--log", str(log), "--state", str(tmp_path / "state")])

    assert (
        f"cannot remove {aside}: permission denied; remove it, it holds clients and domains"
    ) in text
