"""What --log can name besides a path, as the executables say it: dates, wildcards, links."""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from check_postfix.deferred import CHECK
from check_postfix.maillog.ingest.ingest import Ingest
from check_postfix.maillog.window.coverage import Coverage
from check_postfix.plugin.run import outcome_of
from tests.support import mail_log, perfdata
from tests.support.clocks import Clocks
from tests.support.server import CRITICAL, DAY, END, HOUR, MINUTE, OK, UNKNOWN, Said

pytestmark = pytest.mark.usefixtures("utc")
SENT = mail_log.SENT
MIDNIGHT = END + 8 * HOUR  # 2026-11-25 00:00 UTC
DATED = "mail-%Y-%m-%d.log"


class Logs:
    """A directory of logs, and a clock."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "log"
        self.directory.mkdir()
        self.state = directory / "state"
        self.clocks = Clocks(END)

    def goes_to(self, second: float) -> None:
        self.clocks.go_on(second - self.clocks.wall)

    def writes(self, name: str, number: int = 1, said: str = SENT) -> Path:
        """Append deliveries of now to a file."""
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(mail_log.lines([said] * number, 0, now=self.clocks.wall))
        os.utime(path, (self.clocks.wall, self.clocks.wall))
        return path

    def says(self, *names: str, more: Sequence[str] = (), check: str = "deferred") -> Said:
        arguments = [word for name in names for word in ("--log", str(self.directory / name))]
        text, exit_code = self.clocks.run(check, [*arguments, "--state", str(self.state), *more])
        first, *lines = text.removesuffix("\n").split("\n")
        return Said(first.partition(" | ")[0], exit_code, perfdata.of(text), lines)

    def attempts(self, *names: str) -> tuple[float, float]:
        """Return how many deliveries are counted in two days, and how many gaps there are."""
        labels = self.says(*names, more=["--window", "2d"]).labels
        return labels["attempts"].value, labels["gaps"].value


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    return Logs(tmp_path)


# -- one log with dates in its names


def test_a_log_with_dates_is_followed_over_midnight(logs):
    logs.goes_to(MIDNIGHT - 10 * MINUTE)
    logs.writes("mail-2026-11-24.log", 3)
    assert logs.attempts(DATED) == (3, 0)
    logs.goes_to(MIDNIGHT - MINUTE)
    logs.writes("mail-2026-11-24.log", 2)  # which no run sees before midnight
    logs.goes_to(MIDNIGHT + MINUTE)
    logs.writes("mail-2026-11-25.log", 4)

    assert logs.attempts(DATED) == (9, 0)


def test_a_late_line_in_yesterdays_file_is_counted_once_and_todays_goes_on(logs):
    logs.goes_to(MIDNIGHT - MINUTE)
    logs.writes("mail-2026-11-24.log", 3)
    logs.goes_to(MIDNIGHT + MINUTE)
    logs.writes("mail-2026-11-25.log", 4)
    assert logs.attempts(DATED) == (7, 0)
    logs.writes("mail-2026-11-24.log", 1)
    logs.goes_to(MIDNIGHT + 2 * MINUTE)
    assert logs.attempts(DATED) == (8, 0)
    logs.writes("mail-2026-11-25.log", 2)

    assert logs.attempts(DATED) == (10, 0)
    assert logs.attempts(DATED) == (10, 0)


def test_days_without_a_file_are_no_gap(logs):
    logs.writes("mail-2026-11-24.log", 3)
    assert logs.attempts(DATED) == (3, 0)
    logs.goes_to(END + 1.5 * DAY)
    assert logs.attempts(DATED) == (3, 0)
    logs.writes("mail-2026-11-26.log", 4)

    assert logs.attempts(DATED) == (7, 0)


def test_older_days_that_are_compressed_are_not_counted_again(logs):
    logs.goes_to(MIDNIGHT - MINUTE)
    older = logs.writes("mail-2026-11-24.log", 30)
    logs.goes_to(MIDNIGHT + MINUTE)
    logs.writes("mail-2026-11-25.log", 4)
    assert logs.attempts(DATED) == (34, 0)
    Path(f"{older}.gz").write_bytes(gzip.compress(older.read_bytes()))
    older.unlink()

    assert logs.attempts(DATED) == (34, 0)


def test_older_days_that_were_compressed_before_a_run_saw_their_end_are_read_on(logs):
    logs.goes_to(MIDNIGHT - MINUTE)
    older = logs.writes("mail-2026-11-24.log", 30)
    assert logs.attempts(DATED) == (30, 0)
    logs.writes("mail-2026-11-24.log", 5)
    logs.goes_to(MIDNIGHT + MINUTE)
    logs.writes("mail-2026-11-25.log", 4)
    Path(f"{older}.gz").write_bytes(gzip.compress(older.read_bytes()))
    older.unlink()

    assert logs.attempts(DATED) == (39, 0)


def test_a_day_deleted_before_it_was_read_to_its_end_is_a_gap(logs):
    logs.goes_to(MIDNIGHT - MINUTE)
    older = logs.writes("mail-2026-11-24.log", 30)
    assert logs.attempts(DATED) == (30, 0)
    logs.goes_to(MIDNIGHT + MINUTE)
    logs.writes("mail-2026-11-25.log", 4)
    older.unlink()

    assert logs.attempts(DATED) == (34, 1)


def test_the_gap_of_a_day_that_is_deleted_goes_up_to_now_though_yesterdays_file_is_there(logs):
    logs.goes_to(END - 2 * HOUR)
    logs.writes("mail-2026-11-23.log", 3)
    logs.goes_to(END - HOUR)
    today = logs.writes("mail-2026-11-24.log", 3)
    assert logs.attempts(DATED) == (6, 0)
    logs.goes_to(END)
    today.unlink()

    assert "log lines lost between 15:00 and 16:00" in logs.says(DATED).line


@pytest.mark.parametrize(
    ("pattern", "yesterday", "today"),
    [
        ("%Y-%m-%d/mail.log", "2026-11-24/mail.log", "2026-11-25/mail.log"),
        ("%Y/%m/%d/mail.log", "2026/11/24/mail.log", "2026/11/25/mail.log"),
        ("%F.log", "2026-11-24.log", "2026-11-25.log"),
        ("mail.%y%j", "mail.26328", "mail.26329"),
        ("mail.%a", "mail.Tue", "mail.Wed"),
        ("mail-%d.log", "mail-24.log", "mail-25.log"),
        ("100%%-%Y%m%d", "100%-20261124", "100%-20261125"),
    ],
)
def test_dates_can_stand_anywhere_in_the_path(pattern, yesterday, today, logs):
    logs.goes_to(MIDNIGHT - MINUTE)
    logs.writes(yesterday, 3)
    assert logs.attempts(pattern) == (3, 0)
    logs.writes(yesterday, 2)
    logs.goes_to(MIDNIGHT + MINUTE)
    logs.writes(today, 4)

    assert logs.attempts(pattern) == (9, 0)


def test_a_weekday_that_is_written_over_after_a_week_is_a_new_generation(logs):
    file = logs.writes("mail.Tue", 3)
    assert logs.attempts("mail.%a") == (3, 0)
    logs.goes_to(END + DAY)
    logs.writes("mail.Wed", 3)
    assert logs.attempts("mail.%a") == (6, 0)
    logs.goes_to(END + 7 * DAY)
    file.unlink()
    logs.writes("mail.Tue", 5)

    assert logs.attempts("mail.%a") == (5, 0)


def test_the_pattern_is_the_log_whatever_it_is_called(logs):
    logs.writes("mail-2026-11-24.log", 3)
    assert logs.attempts("mail-%Y-%m-%d.log") == (3, 0)

    assert logs.attempts("mail-%F.log") == (3, 0)
    assert logs.attempts("mail-%F.log", "mail-%Y-%m-%d.log") == (3, 0)


def test_a_file_of_next_year_is_not_taken_for_the_one_that_is_written_to(logs):
    logs.goes_to(END - HOUR)
    logs.writes("mail-2027-11-24.log")
    logs.goes_to(END)
    logs.writes("mail-2026-11-24.log", 3)
    said = logs.says(DATED)

    assert said.exit_code == OK
    assert said.labels["attempts"].value == 3


def test_a_link_to_the_day_that_is_written_to_beside_the_pattern_is_read_once(logs):
    today = logs.writes("mail-2026-11-24.log", 3)
    (logs.directory / "mail.log").symlink_to(today.name)

    said = logs.says("mail.log", DATED, more=["-vv"])

    assert said.labels["attempts"].value == 3
    place = logs.directory
    assert f"{place}/mail.log is the same file as {place}/{DATED}, and read once" in said.lines


def test_a_pattern_of_dates_that_finds_nothing_says_so(logs):
    said = logs.says(DATED)

    assert said.exit_code == UNKNOWN
    assert said.line == (
        f"POSTFIX DEFERRED UNKNOWN - {logs.directory}/{DATED}: there is no file of such a name;"
        " name the mail log with --log"
    )


def test_an_unknown_field_of_a_date_is_refused_with_those_there_are(logs):
    said = logs.says("mail-%Y-%Q.log")

    assert said.exit_code == UNKNOWN
    assert said.line == (
        f"POSTFIX DEFERRED UNKNOWN - --log {logs.directory}/mail-%Y-%Q.log: %Q is no field of a"
        " date; use some of %Y, %G, %y, %m, %V, %j, %d, %H, %M, %S, %a, %A, %b, %B, and %% for %;"
        " see check_postfix_deferred --help"
    )


def test_a_path_that_is_there_is_a_path_whatever_is_in_it(logs):
    logs.writes("mail-%d[1]*.log", 3)
    logs.writes("mail-24[1]1.log", 5)

    assert logs.attempts("mail-%d[1]*.log") == (3, 0)


# -- several logs under one pattern

CONTAINERS = "containers/*/*-json.log"


def container(logs: Logs, name: str, number: int, said: str = SENT) -> Path:
    """Let a container print deliveries of now, as docker's json-file keeps them."""
    path = logs.directory / "containers" / name / f"{name}-json.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        for line in mail_log.lines([said] * number, 0, now=logs.clocks.wall).splitlines(True):
            stamp = line.split(" ")[0].replace("+00:00", ".000000000Z")
            file.write(json.dumps({"log": line, "stream": "stdout", "time": stamp}) + "\n")
    return path


def test_all_logs_of_a_pattern_are_added_up(logs):
    for number in range(20):
        container(logs, f"c{number:02}", 2)

    assert logs.attempts(CONTAINERS) == (40, 0)
    assert logs.attempts(CONTAINERS) == (40, 0)


def test_new_containers_are_found_and_those_that_are_gone_stay_counted(logs):
    old = container(logs, "aaa", 3)
    container(logs, "bbb", 2)
    assert logs.attempts(CONTAINERS) == (5, 0)
    logs.goes_to(END + MINUTE)
    container(logs, "ccc", 4)
    assert logs.attempts(CONTAINERS) == (9, 0)
    logs.goes_to(END + 2 * MINUTE)
    old.unlink()
    old.parent.rmdir()

    # Nobody knows whether it has written something between the last run and its end.
    assert logs.attempts(CONTAINERS) == (9, 1)
    container(logs, "ddd", 1)
    assert logs.attempts(CONTAINERS) == (10, 1)


def test_a_new_container_that_gets_the_inode_of_one_that_is_gone_is_read_at_once(logs):
    container(logs, "aaa", 30)
    old = container(logs, "bbb", 3)
    logs.says(CONTAINERS)
    # A name outside of the pattern keeps the inode, which a file system gives away again.
    old.rename(logs.directory / "kept")
    logs.goes_to(END + MINUTE)
    new = container(logs, "ccc", 40)
    (logs.directory / "kept").write_bytes(new.read_bytes())
    (logs.directory / "kept").replace(new)

    assert logs.attempts(CONTAINERS) == (73, 1)


def test_a_container_that_is_made_anew_every_week_does_not_shorten_what_is_covered(logs):
    logs.goes_to(END - 5 * HOUR)
    container(logs, "aaa", 3)
    logs.says(CONTAINERS)
    logs.goes_to(END - MINUTE)
    container(logs, "bbb", 30)
    logs.goes_to(END)

    said = logs.says(CONTAINERS)

    assert "log begins" not in said.line
    assert said.exit_code == OK


def test_a_container_that_was_there_at_the_first_run_begins_where_it_begins(logs):
    logs.goes_to(END - 5 * HOUR)
    container(logs, "aaa", 3)
    logs.goes_to(END - MINUTE)
    container(logs, "bbb", 30)
    logs.goes_to(END)

    assert "log begins 15:59" in logs.says(CONTAINERS).line


def test_containers_of_others_and_empty_ones_change_nothing(logs):
    logs.goes_to(END - HOUR)
    container(logs, "aaa", 1)
    logs.goes_to(END - MINUTE)
    container(logs, "aaa", 30)
    other = logs.directory / "containers" / "web" / "web-json.log"
    other.parent.mkdir()
    other.write_text('{"log":"GET / 200\\n","stream":"stdout","time":"2026-11-24T15:59:59Z"}\n')
    (logs.directory / "containers" / "new").mkdir()
    (logs.directory / "containers" / "new" / "new-json.log").touch()
    logs.goes_to(END)

    said = logs.says(CONTAINERS)

    assert said.exit_code == OK
    assert said.line == "POSTFIX DEFERRED OK - 0 % of 30 delivery attempts deferred in 15 min"


def test_no_ok_is_vouched_for_where_none_of_the_logs_is_there_any_more(logs):
    removed = [container(logs, name, 30) for name in ("aaa", "bbb")]
    assert logs.says(CONTAINERS).exit_code == OK
    for log in removed:
        log.unlink()
        log.parent.rmdir()

    for minutes in (5, 120):
        logs.goes_to(END + minutes * MINUTE)
        said = logs.says(CONTAINERS)
        assert said.exit_code == UNKNOWN
        assert (
            f"{logs.directory}/{CONTAINERS}: none of the 2 logs that it has found is there any"
            " more; see where mail is logged now, and name that with --log"
        ) in said.line
        assert logs.says(CONTAINERS, check="log").exit_code == CRITICAL

    container(logs, "ccc", 30)
    assert logs.says(CONTAINERS).exit_code == OK


def test_what_several_logs_have_lost_at_the_same_time_is_said_once(logs):
    removed = [container(logs, name, 30) for name in ("aaa", "bbb", "ccc")]
    logs.says(CONTAINERS)
    for log in removed[1:]:
        log.unlink()
    logs.goes_to(END + MINUTE)
    container(logs, "aaa", 30)

    said = logs.says(CONTAINERS)

    assert said.labels["gaps"].value == 2
    assert said.line.count("log lines lost") == 1


def test_a_log_that_is_made_anew_by_its_next_line_is_not_gone(logs):
    log = container(logs, "aaa", 30)
    assert logs.says(CONTAINERS).exit_code == OK
    log.rename(f"{log}.1")
    logs.goes_to(END + 5 * MINUTE)

    assert logs.says(CONTAINERS).exit_code == OK


def test_a_pattern_of_which_nothing_is_kept_any_more_finds_nothing(logs):
    logs.goes_to(END - 40 * DAY)
    old = container(logs, "bbb", 3)
    logs.says(CONTAINERS)
    old.unlink()
    logs.goes_to(END)

    for _ in range(2):
        assert "UNKNOWN" in logs.says(CONTAINERS).line
        assert "no file has such a name" in logs.says(CONTAINERS).line

    container(logs, "ccc", 30)
    assert logs.says(CONTAINERS).exit_code == OK


def test_a_log_that_is_gone_and_too_old_is_no_fault_of_those_that_are_there(logs):
    logs.goes_to(END - 39 * DAY)
    old = container(logs, "bbb", 3)
    logs.says(CONTAINERS)
    old.unlink()
    logs.goes_to(END)
    container(logs, "ccc", 30)

    assert logs.says(CONTAINERS).exit_code == OK


def test_trouble_of_a_container_that_is_gone_is_still_trouble(logs):
    container(logs, "aaa", 3)
    gone = container(logs, "bbb", 300, mail_log.DEFERRED)
    assert logs.says(CONTAINERS).exit_code == CRITICAL
    gone.unlink()

    assert logs.says(CONTAINERS).exit_code == CRITICAL


def test_a_pattern_finds_rotated_generations_with_their_log_only(logs):
    logs.writes("mail.log.1", 3)
    older = logs.writes("relay.log.2", 1)
    logs.goes_to(END + MINUTE)
    logs.writes("mail.log", 2)
    logs.writes("relay.log", 5)
    Path(f"{older}.gz").write_bytes(gzip.compress(older.read_bytes()))
    older.unlink()

    assert logs.attempts("*.log*") == (11, 0)


def test_a_log_of_a_pattern_is_followed_through_its_rotation(logs):
    file = container(logs, "aaa", 3)
    assert logs.attempts(CONTAINERS) == (3, 0)
    container(logs, "aaa", 2)
    file.rename(f"{file}.1")
    logs.goes_to(END + MINUTE)
    container(logs, "aaa", 4)

    assert logs.attempts(CONTAINERS) == (9, 0)


def test_wildcards_and_dates_make_one_log_for_each_host(logs):
    logs.goes_to(MIDNIGHT - MINUTE)
    logs.writes("mx1/2026-11-24.log", 3)
    logs.writes("mx2/2026-11-24.log", 2)
    assert logs.attempts("*/%Y-%m-%d.log") == (5, 0)
    logs.goes_to(MIDNIGHT + MINUTE)
    logs.writes("mx1/2026-11-25.log", 4)

    assert logs.attempts("*/%Y-%m-%d.log") == (9, 0)


def test_a_file_that_a_pattern_finds_under_a_new_name_is_not_counted_again(logs):
    file = logs.writes("host1.log", 3)
    assert logs.attempts("*.log") == (3, 0)
    file.rename(logs.directory / "a-new-name.log")

    assert logs.attempts("*.log")[0] == 3
    assert logs.attempts("*.log")[0] == 3


def test_a_pattern_that_finds_nothing_says_what_a_shell_does_to_it(logs):
    said = logs.says(CONTAINERS)

    assert said.exit_code == UNKNOWN
    assert said.line == (
        f"POSTFIX DEFERRED UNKNOWN - {logs.directory}/{CONTAINERS}: no file has such a name; put"
        " the pattern into quotes where a shell would fill it in, and see where mail is logged"
    )


def test_logs_that_are_all_empty_are_unknown(logs):
    for name in ("a.log", "b.log"):
        (logs.directory / name).touch()

    said = logs.says("*.log")

    assert said.exit_code == UNKNOWN
    assert f"{logs.directory}/*.log: each of the 2 files is empty; send a test mail;" in said.line


def test_a_log_of_a_pattern_that_fell_silent_is_not_named_for_ever(logs):
    logs.goes_to(END - 5 * DAY)
    old = container(logs, "aaa", 3)
    logs.says(CONTAINERS)
    old.unlink()
    logs.goes_to(END - MINUTE)
    container(logs, "bbb", 30)
    logs.goes_to(END)

    assert "silent" not in logs.says(CONTAINERS).line.replace("mx1 silent", "")


def test_a_log_that_is_gone_is_forgotten_when_nothing_of_it_is_kept_any_more(logs):
    logs.goes_to(END - 40 * DAY)
    old = container(logs, "aaa", 3)
    logs.says(CONTAINERS)
    old.unlink()
    logs.goes_to(END - 39 * DAY)
    container(logs, "bbb", 3)
    logs.says(CONTAINERS)
    logs.goes_to(END)
    container(logs, "bbb", 3)
    for _ in range(3):  # the clock must have gone steadily for an hour
        logs.says(CONTAINERS)
        logs.clocks.go_on(HOUR)
        container(logs, "bbb", 1)

    said = logs.says(CONTAINERS)

    with closing(sqlite3.connect(logs.state)) as state:
        names = [name for (name,) in state.execute("SELECT path FROM log")]
    assert sorted(Path(name).name for name in names) == ["*-json.log", "bbb-json.log"]
    assert said.exit_code == OK


@pytest.mark.parametrize(
    ("closed", "pattern"),
    [("containers", CONTAINERS), ("containers/aaa", CONTAINERS), ("dated", "dated/%F.log")],
)
def test_a_directory_that_may_not_be_listed_is_named_with_the_fix(closed, pattern, logs):
    container(logs, "aaa", 3)
    logs.writes("dated/2026-11-24.log", 3)
    (logs.directory / closed).chmod(0)
    try:
        arguments = ["--log", f"{logs.directory}/{pattern}", "--no-state"]
        text, exit_code = logs.clocks.run("deferred", arguments, like_any_user=True)
    finally:
        (logs.directory / closed).chmod(0o755)

    assert exit_code == UNKNOWN
    assert f"cannot read {logs.directory}/{closed}: permission denied; let user" in text


def test_a_log_of_a_pattern_that_may_not_be_read_is_named_though_others_may(logs):
    container(logs, "aaa", 3)
    closed = container(logs, "bbb", 3)
    closed.chmod(0)

    arguments = ["--log", f"{logs.directory}/{CONTAINERS}", "--no-state"]
    text, exit_code = logs.clocks.run("deferred", arguments, like_any_user=True)

    assert exit_code == UNKNOWN
    assert f"cannot read {closed}: permission denied" in text


def test_a_directory_of_a_pattern_that_may_not_be_entered_is_remarked_beside_others(logs):
    container(logs, "aaa", 30)
    closed = container(logs, "bbb", 3).parent
    closed.chmod(0)
    try:
        arguments = ["--log", f"{logs.directory}/{CONTAINERS}", "--no-state"]
        text, exit_code = logs.clocks.run("deferred", arguments, like_any_user=True)
    finally:
        closed.chmod(0o755)

    assert exit_code == OK
    assert f"(cannot read {closed}: permission denied; let user" in text


@pytest.mark.parametrize(
    "names",
    [("mail.log", "*.log"), ("*.log", "mail.log"), ("*.log", "mail.*"), ("mail?log", "*.log")],
)
def test_a_log_that_two_patterns_find_is_read_once(names, logs):
    logs.writes("mail.log", 3)
    logs.writes("relay.log", 2)

    assert logs.attempts(*names) == (5, 0)
    assert logs.attempts(*names) == (5, 0)


def test_a_pattern_that_would_find_another_leaves_that_alone(logs):
    logs.writes("mail.log", 3)
    assert logs.attempts("*.log") == (3, 0)
    assert logs.attempts("*") == (3, 0)

    with closing(sqlite3.connect(logs.state)) as state:
        names = [name for (name,) in state.execute("SELECT path FROM log")]
    assert sorted(Path(name).name for name in names) == ["*", "*.log", "mail.log"]


def test_the_state_file_is_no_log_of_a_pattern(logs):
    logs.state = logs.directory / "state"
    logs.writes("mail.log", 3)
    said = [logs.says("*") for _ in range(3)]

    assert [each.labels["attempts"].value for each in said] == [3, 3, 3]
    assert " 0 not understood" in "".join(logs.says("*", more=["-vv"]).lines)
    with closing(sqlite3.connect(logs.state)) as state:
        names = [name for (name,) in state.execute("SELECT path FROM log")]
    assert sorted(Path(name).name for name in names) == ["*", "mail.log"]


def test_more_logs_than_there_is_time_for_are_told_and_read_by_the_next_runs(logs, monkeypatch):
    for number in range(40):
        container(logs, f"c{number:02}", 2)
    arguments = ["--log", f"{logs.directory}/{CONTAINERS}", "--state", str(logs.state)]
    said: list[str] = []
    passed = 0.0
    plain, run = time.monotonic, Ingest.run

    def slowly(self: Ingest) -> Coverage:
        nonlocal passed
        passed += 0.3
        return run(self)

    monkeypatch.setattr(time, "monotonic", lambda: plain() + passed)
    monkeypatch.setattr(Ingest, "run", slowly)
    with logs.clocks.told():
        while not said or ("goes on next run" in said[-1] and len(said) < 60):
            said.append(outcome_of(CHECK, arguments)[0])

    assert 2 <= len(said) < 60
    assert all("UNKNOWN" in text and "goes on next run" in text for text in said[:-1])
    assert "0 % of 80 delivery attempts" in said[-1]


def test_all_checks_say_the_same_of_a_pattern(logs):
    container(logs, "aaa", 3, mail_log.BOUNCED_550)
    container(logs, "bbb", 2)

    assert logs.says(CONTAINERS, check="bounces").labels["bounced"].value == 3
    assert logs.says(CONTAINERS, check="deferred").labels["attempts"].value == 5
    assert "none" not in logs.says(CONTAINERS, check="auth").line


# -- one file under two names


@pytest.mark.parametrize("link", [os.symlink, os.link], ids=["symlink", "hard link"])
@pytest.mark.parametrize("names", [("mail.log", "maillog"), ("maillog", "mail.log"), ("mail*",)])
def test_one_file_under_two_names_is_counted_once_and_said(names, link, logs):
    file = logs.writes("mail.log", 3)
    link(file, logs.directory / "maillog")

    said = logs.says(*names, more=["-vv"])

    assert said.labels["attempts"].value == 3
    first, second = names if names[1:] else ("mail.log", "maillog")
    place = logs.directory
    assert f"{place}/{second} is the same file as {place}/{first}, and read once" in said.lines


def test_a_second_name_that_stays_behind_at_a_rotation_is_not_counted_again(logs):
    file = logs.writes("mail.log", 3)
    os.link(file, logs.directory / "maillog")
    assert logs.attempts("mail.log", "maillog") == (3, 0)
    file.rename(f"{file}.1")
    logs.goes_to(END + MINUTE)
    logs.writes("mail.log", 2)

    assert logs.attempts("mail.log", "maillog") == (5, 0)


def test_two_files_with_the_same_lines_are_two_logs(logs):
    logs.writes("mail.log", 3)
    logs.writes("other.log", 3)

    assert logs.attempts("mail.log", "other.log") == (6, 0)
