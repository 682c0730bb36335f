"""The real executables, run as a monitoring agent runs them, on logs of a few minutes ago."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time
from collections import namedtuple
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from dateutil import tz

from tests.monitoring.cases import at_any_time
from tests.support import kept, mail_log, perfdata
from tests.support.definitions import checks, log_checks, names
from tests.support.older import make_older

BIN = Path(sys.executable).parent
CHECKS, LOG_CHECKS = names(checks()), names(log_checks())
# From so few failures on, and from so many attempts on as follows
JUDGED = "--min-failures", "3", "--min-attempts"
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "TZ": "UTC"}


def deferred_line(remark=""):
    """Return what check_postfix_deferred says of everything, and a remark."""
    return (
        "POSTFIX DEFERRED OK - 30 % of 10 delivery attempts deferred in 15 min"
        f" ({remark}{remark and '; '}fewer than 20 delivery attempts, not judged)"
        " | deferred_ratio=30%;;;0;100 attempts=10;;;0 sent=4;;;0 deferred=3;;;0 bounced=3;;;0"
        " expired=1;;;0 deferred_messages=1;;;0"
        " accepted=0;;;0 bytes_received=0B;;;0 bytes_delivered=0B;;;0 standstill=0s;7200;21600;0"
        " gaps=0;;;0 not_understood=0;;;0"
    )


def nobody_can_run_the_checks():
    if os.geteuid() != 0:
        return False
    try:
        subprocess.run(
            [BIN / "check_postfix_auth", "-V"], user="nobody", capture_output=True, check=False
        )
    except PermissionError:  # a Python in root's home
        return False
    return True


as_root = pytest.mark.skipif(
    not nobody_can_run_the_checks(), reason="needs root, and a Python that user nobody may run"
)

Done = namedtuple("Done", "line lines exit_code labels")


def run(check, *arguments, user=None, environment=ENVIRONMENT, **more):
    """Run an executable; see that it kept the promises that hold whatever happens."""
    who = pwd.getpwnam(user) if user else None
    done = subprocess.run(
        [BIN / f"check_postfix_{check}", *map(str, arguments)],
        env=environment,
        stdin=more.pop("stdin", subprocess.DEVNULL),
        capture_output=True,
        timeout=30,
        check=False,
        **({"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []} if who else {}),
        **more,
    )
    assert done.stderr == b""
    assert done.returncode in (0, 1, 2, 3)
    text = done.stdout.decode()
    assert text.endswith("\n")
    labels = perfdata.of(text)
    line, *lines = text.removesuffix("\n").split("\n")
    return Done(line, lines, done.returncode, labels)


@pytest.fixture
def log(tmp_path):
    """A log in which everything happened 5 minutes ago, and much more 20 minutes ago."""
    return mail_log.write(
        tmp_path / "mail.log",
        mail_log.lines([mail_log.SENT] * 50, minutes_ago=20),
        mail_log.lines(mail_log.EVERYTHING),
    )


@pytest.fixture
def public():
    """A directory that every user may enter, as pytest's own are not."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


# -- the job


def test_deferrals_of_the_last_minutes_are_told(log):
    done = run("deferred", "--log", log, "--no-state", "-w", "20", *JUDGED, "10")

    assert done.exit_code == 2
    assert done.line == (
        "POSTFIX DEFERRED CRITICAL - 30 % of 10 delivery attempts deferred in 15 min,"
        " all to example.net: 4.3.0 server unavailable"
        " | deferred_ratio=30%;20;25;0;100 attempts=10;;;0 sent=4;;;0 deferred=3;;;0"
        " bounced=3;;;0 expired=1;;;0 deferred_messages=1;;;0"
        " accepted=0;;;0 bytes_received=0B;;;0 bytes_delivered=0B;;;0 standstill=0s;7200;21600;0"
        " gaps=0;;;0 not_understood=0;;;0"
    )


def test_bounces_of_the_last_minutes_are_told(log):
    done = run("bounces", "--log", log, "--no-state", *JUDGED, "7")

    assert done.exit_code == 2
    assert done.line == (
        "POSTFIX BOUNCES CRITICAL - 42.9 % of 7 recipients bounced in 15 min,"
        " all to example.net, 1 expired"
        " | bounce_ratio=42.9%;5;15;0;100 sent=4;;;0 bounced=3;;;0 expired=1;;;0"
        " bounced_550=1;;;0 bounced_554=1;;;0 mailbox_full=1;;;0 gaps=0;;;0 not_understood=0;;;0"
    )


def test_failed_logins_of_the_last_minutes_are_told(log):
    done = run("auth", "--log", log, "--no-state", "--warning-client", "5")

    assert done.exit_code == 1
    assert done.line == (
        "POSTFIX AUTH WARNING - 7 failed logins in 15 min, 6 from 203.0.113.77 at 1 account,"
        " 1 backend error"
        " | auth_failures=7;100;500;0 auth_worst_client=6;5;100;0 auth_clients=2;;;0"
        " auth_backend_errors=1;;;0 auth_accounts=1;;;0 auth_worst_account=6;;;0"
        " auth_failures_slow=7;;;0 auth_worst_client_slow=6;;;0 auth_worst_account_slow=6;;;0"
        " auth_guessed=0;;0;0 gaps=0;;;0 not_understood=0;;;0"
    )


def test_rejects_are_held_against_what_is_usual(tmp_path):
    # Around midnight a window would be of two weekdays.
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0) - timedelta(days=1)
    now = noon.timestamp()

    def rejects(number, minutes_ago):
        return mail_log.lines([mail_log.rejected()] * number, minutes_ago, now=now)

    log = mail_log.write(
        tmp_path / "mail.log",
        mail_log.lines([mail_log.REMOVED], minutes_ago=1440 * 10, now=now),
        *(rejects(4, 5 + 1440 * day) for day in range(9, 0, -1)),
        rejects(60, 5),
    )
    os.utime(log, (now, now))

    done = run("rejects", "--log", log, "--no-state", "--at", f"{noon:%Y-%m-%dT%H:%MZ}")

    assert done.exit_code == 1
    # The oldest day counts if more than half of it was read.
    assert done.line.replace("(10 days)", "(9 days)") == (
        "POSTFIX REJECTS WARNING - 60 rejects in 15 min, 4.6 x usual 13, usual up to 39 (9 days),"
        " all from 203.0.113.5: relay denied"
        " | reject_factor=4.56;3;10;0 rejects=60;;;0 rejects_usual=13.1;;;0"
        " gaps=0;;;0 not_understood=0;;;0"
    )


@pytest.mark.parametrize("check", LOG_CHECKS)
def test_both_kinds_of_stamps_give_the_same_numbers(check, tmp_path):
    said = [*mail_log.EVERYTHING, *mail_log.SUBMITTED]
    labels = []
    for form in ("iso", "bsd"):
        log = mail_log.write(tmp_path / f"{form}.log", mail_log.lines(said, form=form))
        labels.append(run(check, "--no-state", "--log", log).labels)

    assert labels[0] == labels[1]
    assert any(label.value for label in labels[0].values())


def test_each_verbose_adds_lines(log, tmp_path):
    state = tmp_path / "state"
    at = f"{datetime.now(UTC):%Y-%m-%dT%H:%MZ}"  # the same minute for all
    options = ["--log", log, "--state", state, "--at", at]
    said = [run("auth", *options, *["-v"] * times) for times in range(4)]

    assert said[0].lines == []
    account = said[1].lines[4].split()[1]
    assert re.fullmatch("account-[0-9a-f]{10}", account)
    assert said[1].lines == [
        "failed logins by client:", "  6  203.0.113.77 at 1 account", "  1  2001:db8::/64",
        "failed logins by account:", f"  6  {account} from 1 address",
        "failed logins by service:", "  7  smtp",
        "failed logins by mechanism:", "  7  LOGIN",
        "failed logins in 1 d by client:", "  6  203.0.113.77", "  1  2001:db8::/64",
        f"read: {log}", f"state: {state}", said[1].lines[-1],
    ]  # fmt: skip
    see = (
        re.escape(f"see: postfix-log trace --log {log} --since ")
        + r"\S+ --until \S+ 203\.0\.113\.77 failed"
    )
    assert all(re.fullmatch(see, done.lines[-1]) for done in said[1:3])
    assert said[2].lines[: len(said[1].lines) - 1] == said[1].lines[:-1]
    assert (
        "log: 75 lines read: 74 with 74 events, 1 of Postfix or Dovecot without,"
        " 0 of other programs, 0 not understood"
    ) in said[2].lines
    assert said[3].lines[: len(said[2].lines)] == said[2].lines
    assert f"log = ['{log}']" in said[3].lines
    assert len({done.line for done in said}) == 1


# -- which log


def test_a_log_named_twice_is_read_once(log):
    done = run("deferred", "--log", log, "--log", f"{log.parent}/./mail.log", "--no-state")

    assert done.line == deferred_line()


def test_two_logs_are_added_up(log, tmp_path):
    second = mail_log.write(
        tmp_path / "out.log",
        mail_log.lines([mail_log.SENT], minutes_ago=30),
        mail_log.lines([mail_log.DEFERRED] * 10),
    )

    done = run("deferred", "--log", log, "--log", second, "--no-state")

    assert done.exit_code == 2
    assert done.labels["deferred"].value == 13
    assert done.labels["attempts"].value == 20


def test_rotated_generations_are_read_with_the_log(tmp_path):
    log = mail_log.write(tmp_path / "mail.log", mail_log.lines([mail_log.SENT], minutes_ago=2))
    mail_log.write(
        tmp_path / "mail.log.1",
        mail_log.lines([mail_log.SENT] * 50, minutes_ago=20),
        mail_log.lines(mail_log.EVERYTHING),
    )

    done = run("deferred", "--log", log, "--no-state")

    assert done.labels["attempts"].value == 11


def test_a_rotated_generation_named_beside_its_log_is_wrong_use(log):
    older = mail_log.write(log.parent / "mail.log.1", mail_log.lines([mail_log.SENT]))

    done = run("deferred", "--log", log, "--log", older, "--no-state")

    assert done.exit_code == 3
    assert done.line == (
        f"POSTFIX DEFERRED UNKNOWN - --log {older}: is a rotated generation of {log} and read with"
        " it; leave it out; see check_postfix_deferred --help"
    )


# -- the store


def test_the_state_is_private_to_its_owner(log, tmp_path):
    state = tmp_path / "new" / "state.sqlite3"

    run("deferred", "--log", log, "--state", state)

    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    assert stat.S_IMODE(state.parent.stat().st_mode) == 0o700
    assert [path.name for path in state.parent.iterdir()] == ["state.sqlite3"]


def test_a_second_run_says_the_same(log, tmp_path):
    state = tmp_path / "state"

    first = run("deferred", "--log", log, "--state", state)
    second = run("deferred", "--log", log, "--state", state)

    assert first == second
    assert first.line == deferred_line()


def test_what_one_check_has_read_the_others_find_counted(log, tmp_path):
    state = tmp_path / "state"
    run("deferred", "--log", log, "--state", state)

    done = run("auth", "--log", log, "--state", state)

    assert done.labels["auth_failures"].value == 7


def test_new_lines_are_added(log, tmp_path):
    state = tmp_path / "state"
    run("deferred", "--log", log, "--state", state)
    with log.open("a") as file:
        file.write(mail_log.lines([mail_log.DEFERRED] * 10, minutes_ago=1))

    done = run("deferred", "--log", log, "--state", state)

    assert done.exit_code == 2
    assert done.labels["deferred"].value == 13


def test_without_state_nothing_is_left_behind(log, tmp_path):
    before = sorted(tmp_path.rglob("*"))

    run("deferred", "--log", log, "--no-state", cwd=tmp_path, environment={"HOME": str(tmp_path)})

    assert sorted(tmp_path.rglob("*")) == before


def overwrite(state, start, garbage):
    with state.open("r+b") as file:
        file.seek(start)
        file.write(garbage)


@pytest.mark.parametrize(
    ("start", "garbage"),
    [(0, b"not a database" * 999), (0, bytes(4096)), (4096, b"\xff" * 500_000)],
    ids=["no database", "no header", "no pages"],
)
def test_a_damaged_state_is_set_aside_said_once_and_built_again(start, garbage, log, tmp_path):
    state = tmp_path / "state"
    run("deferred", "--log", log, "--state", state)
    overwrite(state, start, garbage)

    first = run("deferred", "--log", log, "--state", state)
    second = run("deferred", "--log", log, "--state", state)

    assert first.line == deferred_line("state file was damaged and is built again")
    assert second.line == deferred_line()
    assert (tmp_path / "state.damaged").exists()
    assert stat.S_IMODE(state.stat().st_mode) == 0o600


def test_of_many_runs_that_find_the_damage_at_once_one_says_so_and_all_are_right(log, tmp_path):
    state = tmp_path / "state"
    run("deferred", "--log", log, "--state", state)
    overwrite(state, 0, b"not a database" * 999)

    command = [BIN / "check_postfix_deferred", "--log", log, "--state", state]
    runs = [subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE) for _ in range(6)]
    lines = sorted(run.communicate()[0].decode() for run in runs)

    said = deferred_line("state file was damaged and is built again")
    assert lines == sorted([said + "\n"] + [deferred_line() + "\n"] * 5)


def test_a_state_of_an_older_version_is_migrated_without_a_word(log, tmp_path):
    state = tmp_path / "state"
    at = ["--at", datetime.now().astimezone().isoformat(timespec="seconds")]
    before = run("deferred", "--log", log, "--state", state, "-v", *at)
    with kept.changed(state) as database:
        long_ago = int(time.time()) // 60 - 14400
        database.execute("INSERT INTO total VALUES (?, ?)", (long_ago, "7\n1\tlong_ago"))
    make_older(state)

    done = run("deferred", "--log", log, "--state", state, "-v", *at)

    assert done == before
    assert [n for (_, name), n in kept.totals(state).items() if name == "long_ago"] == [7]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mail.log", "state"]
    assert stat.S_IMODE(state.stat().st_mode) == 0o600


def test_many_runs_that_find_an_older_state_at_once_all_say_what_is_right(log, tmp_path):
    state = tmp_path / "state"
    run("deferred", "--log", log, "--state", state)
    make_older(state)

    command = [BIN / "check_postfix_deferred", "--log", log, "--state", state]
    runs = [subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE) for _ in range(6)]
    lines = [run.communicate()[0].decode() for run in runs]

    assert lines == [deferred_line() + "\n"] * 6


@pytest.mark.parametrize("table", ["keyed", "total", "generation", "seen", "origin", "gap"])
def test_a_state_damaged_in_one_table_is_built_again_at_the_latest_by_the_next_run(
    table, log, tmp_path
):
    state = tmp_path / "state"
    expected = run("deferred", "--log", log, "--state", state, "-v")
    with closing(sqlite3.connect(state)) as database, database:
        root, size = database.execute(
            "SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_master"
            " WHERE name=?",
            (table,),
        ).fetchone()
    overwrite(state, (root - 1) * size, b"\xff" * size)

    run("deferred", "--log", log, "--state", state, "-v")
    second = run("deferred", "--log", log, "--state", state, "-v")

    # The last one says since when to look, which a minute later is another time.
    assert (second.line, second.lines[:-1]) == (expected.line, expected.lines[:-1])


def test_another_programs_database_is_not_written_into(log, tmp_path):
    state = tmp_path / "state"
    with closing(sqlite3.connect(state)) as database, database:
        database.execute("CREATE TABLE precious (thing)")

    run("deferred", "--log", log, "--state", state)

    with closing(sqlite3.connect(tmp_path / "state.damaged")) as database, database:
        names = database.execute("SELECT name FROM sqlite_master").fetchall()
    assert names == [("precious",)]


# -- which time, host and instance


def test_the_window_can_be_longer(log):
    done = run("deferred", "--log", log, "--no-state", "--window", "1h")

    assert done.labels["attempts"].value == 60
    assert " in 1 h (log begins " in done.line


def test_the_window_can_end_earlier(log):
    at = datetime.now(UTC) - timedelta(minutes=15)

    done = run("deferred", "--log", log, "--no-state", "--at", f"{at:%Y-%m-%dT%H:%MZ}")

    assert done.labels["attempts"].value == 50


def test_a_time_without_a_zone_is_meant_where_the_log_comes_from(log):
    at = datetime.now(tz.gettz("Asia/Tokyo")) - timedelta(minutes=15)

    done = run(
        "deferred", "--log", log, "--no-state", "--timezone", "Asia/Tokyo",
        "--at", f"{at:%Y-%m-%d %H:%M}",
    )  # fmt: skip

    assert done.labels["attempts"].value == 50


def test_stamps_without_a_zone_are_read_in_the_given_one(tmp_path):
    log = mail_log.write(
        tmp_path / "mail.log",
        mail_log.lines(mail_log.EVERYTHING, form="bsd", zone=tz.gettz("Asia/Tokyo")),
    )

    done = run("deferred", "--log", log, "--no-state", "--timezone", "Asia/Tokyo")

    assert done.labels["attempts"].value == 10
    assert done.exit_code == 0


@pytest.mark.parametrize("days", [250, 500, 1500])
def test_a_stamp_without_a_year_means_the_year_nearest_to_the_asked_time(days, tmp_path):
    minutes_ago = days * 1440
    log = mail_log.write(
        tmp_path / "mail.log", mail_log.lines(mail_log.EVERYTHING, minutes_ago, form="bsd")
    )
    at = f"{datetime.now(UTC) - timedelta(minutes=minutes_ago - 5):%Y-%m-%dT%H:%MZ}"

    done = run("deferred", "--log", log, "--no-state", "--at", at)

    assert done.labels["attempts"].value == 10


def test_one_host_and_one_instance_can_be_judged_alone(tmp_path):
    said = [mail_log.SENT] * 3
    log = mail_log.write(
        tmp_path / "mail.log",
        mail_log.lines(said[:1], host="mx1", instance="postfix"),
        mail_log.lines(said[:2], host="mx1", instance="postfix-out"),
        mail_log.lines(said[:3], host="mx2", instance="postfix-out"),
    )

    def sent(*arguments):
        return run("deferred", "--log", log, "--no-state", *arguments).labels["sent"].value

    assert sent() == 6
    assert sent("--host", "mx1") == 3
    assert sent("--host", "mx2") == 3
    assert sent("--instance", "postfix") == 1
    assert sent("--instance", "postfix-out") == 5
    assert sent("--instance", "postfix-out", "--host", "mx1") == 2


@pytest.mark.parametrize(
    ("option", "there"), [("--host", "mx1"), ("--instance", "postfix")], ids=["host", "instance"]
)
def test_a_host_or_instance_that_the_log_never_told_of_is_unknown(option, there, log):
    done = run("auth", "--log", log, "--no-state", option, "mx")

    assert done.exit_code == 3
    assert done.line == f"POSTFIX AUTH UNKNOWN - {option} mx: not in {log}; there are {there}"


def test_a_window_older_than_what_is_kept_is_answered_without_state_only(tmp_path):
    log = mail_log.write(
        tmp_path / "mail.log",
        mail_log.lines(mail_log.EVERYTHING, minutes_ago=40 * 1440),
        mail_log.lines([mail_log.REMOVED]),
    )
    at = f"{datetime.now(UTC) - timedelta(days=39):%Y-%m-%dT%H:%MZ}"
    arguments = ["--log", log, "--window", "2d", "--at", at]

    kept = run("deferred", *arguments, "--state", tmp_path / "state")
    afresh = run("deferred", *arguments, "--no-state")

    assert kept.exit_code == 3
    assert kept.line == (
        "POSTFIX DEFERRED UNKNOWN - the window begins more than 30 d ago, and counts are kept"
        " no longer; read the log afresh with --no-state; see check_postfix_deferred --help"
    )
    assert afresh.labels["attempts"].value == 10


def test_what_was_too_old_to_be_kept_is_no_part_of_what_is_usual(tmp_path):
    log = mail_log.write(
        tmp_path / "mail.log",
        *(mail_log.lines([mail_log.SENT], minutes_ago=day * 1440 - 60) for day in range(60, 0, -1)),
        mail_log.lines([mail_log.rejected()], minutes_ago=5),
    )
    arguments = ["--log", log, "--window", "5d", "--state", tmp_path / "state"]

    done = run("rejects", *arguments)

    assert "usual 0 to 28 (28 days)" in done.line


def test_mail_that_stops_is_told_and_a_log_of_29_days_is_enough_for_it(tmp_path):
    log = mail_log.write(
        tmp_path / "mail.log",
        *(
            mail_log.lines([mail_log.CONNECTED, *[mail_log.TAKEN_IN] * 30], minutes_ago=minutes)
            for minutes in range(29 * 1440, 60, -10)
        ),
        mail_log.lines([mail_log.REMOVED], minutes_ago=1),
    )
    arguments = ["--log", log, "--state", tmp_path / "state"]

    received, connections = (
        run("volume", *arguments, "--of", of) for of in ("received", "connections")
    )

    assert received.exit_code == 2
    assert "no message received for 1 h" in received.line
    assert "usually 15 min at most (28 days)" in received.line
    assert connections.exit_code == 2
    assert "no connection for 1 h" in connections.line


def test_where_postscreen_runs_its_connections_are_counted_and_no_others(tmp_path):
    screened = "postscreen[2]: CONNECT from [203.0.113.9]:4711 to [192.0.2.1]:25"
    log = mail_log.write(
        tmp_path / "mail.log",
        mail_log.lines([screened] * 3 + [mail_log.CONNECTED]),
        mail_log.lines([mail_log.CONNECTED] * 2, host="mx2"),
    )

    done = run("volume", "--log", log, "--no-state")

    assert done.labels["connections"].value == 5


def test_clients_that_are_not_kept_any_more_are_left_out_and_never_0(tmp_path):
    log = mail_log.write(
        tmp_path / "mail.log",
        mail_log.lines([mail_log.REMOVED], minutes_ago=9 * 1440),
        mail_log.lines([mail_log.login_failed()] * 30, minutes_ago=4 * 1440),
        mail_log.lines([mail_log.login_failed()] * 21),
    )
    at = f"{datetime.now(UTC) - timedelta(days=4, minutes=-5):%Y-%m-%dT%H:%M}Z"
    arguments = ["--log", log, "--state", tmp_path / "state"]

    of_then, of_both = (
        run("auth", *arguments, "--at", at),
        run("auth", *arguments, "--window", "6d"),
    )

    assert of_then.line.startswith("POSTFIX AUTH OK - 30 failed logins in 15 min (")
    assert set(of_then.labels) == {
        "auth_failures", "auth_backend_errors", "gaps", "not_understood"
    }  # fmt: skip
    assert of_both.line.startswith("POSTFIX AUTH WARNING - 51 failed logins in 6 d, 21 from ")
    assert of_both.labels["auth_worst_client"].value == 21


def test_a_window_longer_than_keys_are_kept_says_so(log, tmp_path):
    done = run("auth", "--log", log, "--window", "3d", "--state", tmp_path / "state")

    assert "(clients and domains are kept for 2 d only; log begins " in done.line


# -- bad surroundings


def test_a_missing_log_is_unknown(tmp_path):
    done = run("bounces", "--log", tmp_path / "no.log", "--no-state")

    assert (done.exit_code, done.labels) == (3, {})
    assert done.line == (
        f"POSTFIX BOUNCES UNKNOWN - {tmp_path}/no.log: no such file; name the mail log with --log"
    )


def test_a_directory_is_no_log(tmp_path):
    done = run("bounces", "--log", tmp_path, "--no-state")

    assert done.exit_code == 3
    assert done.line == (
        f"POSTFIX BOUNCES UNKNOWN - {tmp_path}: is a directory, not a file; name the mail log with"
        " --log"
    )


def test_an_empty_log_is_unknown(tmp_path):
    log = mail_log.write(tmp_path / "mail.log")

    done = run("rejects", "--log", log, "--no-state")

    assert done.exit_code == 3
    assert done.line == (
        "POSTFIX REJECTS UNKNOWN - 0 rejects in 15 min, usual not known yet (0 of 7 days)"
        f" ({log} is empty;"
        " send a test mail; if it stays empty, see where mail is logged now and name that with"
        " --log)"
        " | rejects=0;;;0 gaps=0;;;0 not_understood=0;;;0"
    )


@pytest.mark.parametrize("content", ["hello\nworld\n" * 9, "\0\xff\n" * 20, "{}\n" * 20])
def test_a_file_that_is_no_log_is_unknown(content, tmp_path):
    done = run("auth", "--log", mail_log.write(tmp_path / "mail.log", content), "--no-state")

    assert done.exit_code == 3
    assert "0 failed logins in 15 min (none of " in done.line
    assert (
        " log lines is understood; expected '2026-11-24T16:43:26.123456+01:00 mx postfix/smtp"
        in done.line
    )


def test_a_log_that_ended_long_ago_is_told(tmp_path):
    log = mail_log.write(tmp_path / "mail.log", mail_log.lines(mail_log.EVERYTHING, 120))

    done = run("deferred", "--log", log, "--no-state")

    assert done.exit_code == 0
    assert "no delivery attempts in 15 min (no log line for 2 h" in done.line


@as_root
def test_a_log_that_a_group_may_read_says_which_to_join(public):
    log = mail_log.write(public / "mail.log", mail_log.lines(mail_log.EVERYTHING))
    shutil.chown(log, "root", "adm")
    log.chmod(0o640)

    done = run("deferred", "--log", log, "--no-state", user="nobody")

    assert done.exit_code == 3
    assert done.line == (
        f"POSTFIX DEFERRED UNKNOWN - cannot read {log}: permission denied;"
        " add user nobody to group adm, and restart what runs this check"
    )


@as_root
def test_a_log_that_only_its_owner_may_read_says_what_lets_one_in(public):
    log = mail_log.write(public / "mail.log", mail_log.lines(mail_log.EVERYTHING))
    log.chmod(0o600)

    done = run("deferred", "--log", log, "--no-state", user="nobody")

    assert done.exit_code == 3
    assert done.line == (
        f"POSTFIX DEFERRED UNKNOWN - cannot read {log}: permission denied;"
        f" let user nobody read it, for example with: setfacl -m u:nobody:r {log}"
    )


@as_root
def test_a_state_that_this_user_may_not_make_says_what_lets_one(public):
    log = mail_log.write(public / "mail.log", mail_log.lines(mail_log.EVERYTHING))
    log.chmod(0o644)

    done = run("deferred", "--log", log, "--state", public / "state", user="nobody")

    assert done.exit_code == 3
    assert done.line == (
        f"POSTFIX DEFERRED UNKNOWN - cannot write {public}/state: permission denied; let this user"
        " write its directory, or choose another with --state"
    )


@as_root
def test_a_state_of_another_user_is_unknown(public):
    log = mail_log.write(public / "mail.log", mail_log.lines(mail_log.EVERYTHING))
    log.chmod(0o644)
    state = public / "state"
    run("deferred", "--log", log, "--state", state)

    done = run("deferred", "--log", log, "--state", state, user="nobody")

    assert done.exit_code == 3
    assert done.line.startswith(f"POSTFIX DEFERRED UNKNOWN - cannot write {state}: ")
    assert done.line.endswith(" or choose another with --state")


@as_root
def test_a_run_by_root_does_not_lock_the_monitoring_user_out(public):
    log = mail_log.write(public / "mail.log", mail_log.lines(mail_log.EVERYTHING))
    log.chmod(0o644)
    (public / "for-nobody").mkdir(mode=0o700)
    shutil.chown(public / "for-nobody", "nobody")
    arguments = ["deferred", "--log", log, "--state", public / "for-nobody" / "state"]

    by_hand = run(*arguments)
    scheduled = run(*arguments, user="nobody")

    assert by_hand == scheduled
    assert by_hand.exit_code == 0


@pytest.mark.parametrize(
    ("where", "cause"),
    [
        ("mail.log/state", "cannot write {}: not a directory; choose another with --state"),
        ("", "{}: is a directory; name another file with --state"),
        ("link", "{}: is not a regular file; remove it, or choose another with --state"),
    ],
)
def test_a_state_that_cannot_be_a_file_is_unknown(where, cause, log, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "target")
    state = os.path.join(tmp_path, where).rstrip("/")

    done = run("deferred", "--log", log, "--state", state)

    assert done.exit_code == 3
    assert done.line == f"POSTFIX DEFERRED UNKNOWN - {cause.format(state)}"
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"LC_ALL": "C"},
        {"LC_ALL": "xx_XX.BROKEN", "TZ": "UTC"},
        {"PYTHONUTF8": "0", "LANG": "C"},
    ],
    ids=["empty", "C", "broken", "not UTF-8"],
)
def test_neither_environment_nor_locale_matter(environment, tmp_path):
    strange = mail_log.SENT.replace("ann@", "änn|<b>\u202e\x1b[1m@").replace("Ok", "日本\x85")
    log = mail_log.write(
        tmp_path / "mail-\udcff-ü.log".encode("utf-8", "surrogateescape").decode("utf-8", "ignore"),
        mail_log.lines(mail_log.EVERYTHING),
        mail_log.lines([strange]),
    )

    done = run("deferred", "--log", log, "--no-state", "-vvv", environment=environment)

    assert done.exit_code == 0
    assert done.labels["deferred"].value == 3


def test_a_path_that_is_not_utf8_is_refused(tmp_path):
    path = os.fsencode(tmp_path) + b"/\xff.log"

    done = subprocess.run(
        [BIN / "check_postfix_auth", b"--no-state", b"--log", path],
        env={}, capture_output=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (3, b"")
    assert done.stdout.decode() == (
        f"POSTFIX AUTH UNKNOWN - --log {tmp_path}/?.log: not UTF-8; choose a plain name, or make"
        " a link with one; see check_postfix_auth --help\n"
    )


@pytest.mark.parametrize("check", LOG_CHECKS)
def test_closed_standard_input_and_error_do_no_harm(check, log, tmp_path):
    arguments = ["--log", log, "--state", tmp_path / "state"]
    expected = run(check, *arguments)

    for redirections in ("<&-", "2>&-", "<&- 2>&-"):
        exec = f'exec "$0" "$@" {redirections}'
        done = subprocess.run(
            ["sh", "-c", exec, BIN / f"check_postfix_{check}", *arguments],
            env=ENVIRONMENT, capture_output=True, check=False,
        )  # fmt: skip

        assert done.stderr == b""
        assert at_any_time(done.stdout.decode()) == at_any_time(expected.line + "\n")
        assert done.returncode == expected.exit_code


def test_the_queue_without_a_postfix_is_unknown(tmp_path):
    done = run("queue", "--config-dir", tmp_path / "none", environment={})

    assert (done.exit_code, done.labels) == (3, {})
    assert done.line.startswith("POSTFIX QUEUE UNKNOWN - postqueue: ")


@pytest.mark.parametrize("check", CHECKS)
def test_help_version_and_wrong_use_exit_with_3(check):
    assert run(check, "--version").exit_code == 3
    assert run(check, "--windw", "1h").exit_code == 3


@pytest.mark.parametrize("check", CHECKS)
def test_the_module_is_the_command(check):
    expected = run(check, "--version").line

    done = subprocess.run(
        [sys.executable, "-m", f"check_postfix.{check}", "--version"],
        capture_output=True, check=False,
    )  # fmt: skip

    assert (done.stdout.decode(), done.stderr) == (expected + "\n", b"")
