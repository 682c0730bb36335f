"""Rotations to names of one's own, as the executables see them: found by content, or lost."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.server import END, MINUTE
from tests.test_named_logs import Logs

pytestmark = pytest.mark.usefixtures("utc")

OWN_NAMES = [
    "mail.old", "mail.log.old", "mail.log.processed", "mail.Mon", "mail.log~", "old-mail.log",
    "mail-last-week.log", "MAIL.0",
]  # fmt: skip


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    return Logs(tmp_path)


def read_and_grown(logs: Logs) -> Path:
    """Let three deliveries be counted; then two more are logged, which no run has seen."""
    log = logs.writes("mail.log", 3)
    assert logs.attempts("mail.log") == (3, 0)
    logs.writes("mail.log", 2)
    logs.goes_to(END + MINUTE)
    return log


@pytest.mark.parametrize("name", OWN_NAMES)
def test_the_end_of_a_log_is_read_whatever_it_was_renamed_to(name, logs):
    read_and_grown(logs).rename(logs.directory / name)
    logs.writes("mail.log", 4)

    assert logs.attempts("mail.log") == (9, 0)
    assert logs.attempts("mail.log") == (9, 0)


@pytest.mark.parametrize("name", ["mail.old.gz", "mail.log.processed.gz"])
def test_the_end_of_a_log_is_read_from_where_it_was_compressed_to(name, logs):
    log = read_and_grown(logs)
    (logs.directory / name).write_bytes(gzip.compress(log.read_bytes()))
    log.unlink()
    logs.writes("mail.log", 4)

    assert logs.attempts("mail.log") == (9, 0)
    assert logs.attempts("mail.log") == (9, 0)


def test_a_log_copied_to_a_name_of_its_own_and_cut_is_read_from_the_copy(logs):
    log = read_and_grown(logs)
    shutil.copyfile(log, logs.directory / "maillog.processed")
    os.truncate(log, 0)
    logs.writes("mail.log", 4)

    assert logs.attempts("mail.log") == (9, 0)
    assert logs.attempts("mail.log") == (9, 0)


def test_late_lines_of_a_log_with_a_name_of_its_own_are_counted(logs):
    read_and_grown(logs).rename(logs.directory / "mail.old")
    logs.writes("mail.log", 4)
    assert logs.attempts("mail.log") == (9, 0)
    logs.writes("mail.old", 1)
    logs.writes("mail.log", 1)

    assert logs.attempts("mail.log") == (11, 0)


def test_rotation_after_rotation_to_one_name_loses_nothing(logs):
    for number in range(1, 5):
        logs.goes_to(END + number * MINUTE)
        logs.writes("mail.log", 1)
        assert logs.attempts("mail.log") == (2 * number - 1, 0)
        logs.writes("mail.log", 1)
        (logs.directory / "mail.log").rename(logs.directory / "mail.old")
    logs.goes_to(END + 5 * MINUTE)
    logs.writes("mail.log", 1)

    assert logs.attempts("mail.log") == (9, 0)


def test_what_no_run_has_ever_seen_is_not_taken_for_ours_whatever_it_was_before(logs):
    read_and_grown(logs).rename(logs.directory / "mail.old")
    logs.writes("mail.log", 4)
    assert logs.attempts("mail.log") == (9, 0)
    (logs.directory / "mail.old").unlink()
    logs.goes_to(END + 2 * MINUTE)
    logs.writes("mail.old", 50)  # somebody else's

    assert logs.attempts("mail.log") == (9, 0)
    with (logs.directory / "mail.old").open("a") as file:
        file.write((logs.directory / "mail.log").read_text())

    assert logs.attempts("mail.log") == (9, 0)


@pytest.mark.parametrize("name", ["backup", "mail.old", "mail.bak"])
def test_a_strangers_file_that_begins_alike_is_never_taken(name, logs):
    log = read_and_grown(logs)
    first = log.read_text().splitlines(keepends=True)[0]
    log.unlink()
    (logs.directory / name).write_text(first)
    logs.goes_to(END + MINUTE / 2)
    logs.writes(name, 50)
    logs.goes_to(END + MINUTE)
    logs.writes("mail.log", 4)

    assert logs.attempts("mail.log") == (7, 1)
    assert logs.attempts("mail.log") == (7, 1)


def test_a_copy_that_ends_before_what_was_read_does_not_close_the_gap(logs):
    log = read_and_grown(logs)
    first = log.read_text().splitlines(keepends=True)[0]
    log.unlink()
    (logs.directory / "mail.bak").write_text(first)
    logs.writes("mail.log", 4)

    assert logs.attempts("mail.log") == (7, 1)


def test_a_link_of_another_name_is_no_file_of_the_log(logs, tmp_path):
    log = read_and_grown(logs)
    log.rename(tmp_path / "elsewhere")
    (logs.directory / "mail.old").symlink_to(tmp_path / "elsewhere")
    logs.writes("mail.log", 4)

    assert logs.attempts("mail.log") == (7, 1)


def test_what_is_not_in_the_logs_own_directory_is_lost(logs):
    log = read_and_grown(logs)
    (logs.directory / "backup").mkdir()
    log.rename(logs.directory / "backup" / "mail.old")
    logs.writes("mail.log", 4)

    assert logs.attempts("mail.log") == (7, 1)


def test_a_day_of_a_dated_log_is_found_under_a_name_of_its_own(logs):
    log = logs.writes("mail-2026-11-24.log", 3)
    assert logs.attempts("mail-%F.log") == (3, 0)
    logs.writes("mail-2026-11-24.log", 2)
    log.rename(logs.directory / "mail-2026-11-24.log.done")
    logs.goes_to(END + MINUTE)
    logs.writes("mail-2026-11-25.log", 4)

    assert logs.attempts("mail-%F.log") == (9, 0)


def test_a_log_is_found_among_thousands_of_files_and_searched_for_once(logs):
    for number in range(3000):
        (logs.directory / f"other-{number}").write_text(f"{number}\n")
    read_and_grown(logs).rename(logs.directory / "mail.old")
    logs.writes("mail.log", 4)

    assert logs.attempts("mail.log") == (9, 0)


def test_an_old_name_is_never_read_on_a_first_run(logs):
    logs.writes("mail.old", 50)
    logs.goes_to(END + MINUTE)
    logs.writes("mail.log", 4)

    assert logs.attempts("mail.log") == (4, 0)


@pytest.mark.parametrize(
    "trim",
    [
        "tail -n 20 mail.log > some; cat some > mail.log; rm some",
        "tail -n 20 mail.log > some; mv some mail.log",
        "cp mail.log mail.bak; tail -n 20 mail.log > some; cat some > mail.log; rm some",
        "sed -i 1,30d mail.log",
    ],
)
def test_a_log_trimmed_from_its_top_is_not_counted_again_and_nothing_is_lost(trim, logs):
    for number in range(50):
        logs.goes_to(END + number)
        logs.writes("mail.log")
    assert logs.attempts("mail.log") == (50, 0)
    logs.goes_to(END + MINUTE)
    logs.writes("mail.log", 4)
    subprocess.run(["sh", "-c", trim], cwd=logs.directory, check=True)
    logs.writes("mail.log", 1)

    assert logs.attempts("mail.log") == (55, 0)
    assert logs.attempts("mail.log") == (55, 0)
