"""Other programs: what they print is read as it comes, and none outlives its reader."""

from __future__ import annotations

import os
import time

import pytest

from check_postfix import child
from check_postfix.child import Child

PLAIN = {"PATH": "/usr/bin:/bin"}


def started(script):
    return Child(["/bin/sh", "-c", script], PLAIN)


def read(running, seconds=10.0):
    return b"".join(running.chunks(time.monotonic() + seconds))


def runs(pid):
    """Tell whether a process runs: a zombie waits for its parent only."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(") ")[2][0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def soon_ends(pid):
    deadline = time.monotonic() + 5
    while runs(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not runs(pid)


def test_both_streams_are_read_to_their_ends_and_the_status_is_known():
    with started("echo out; echo why >&2; exit 7") as running:
        assert running.status is None
        assert read(running) == b"out\n"

        assert (running.status, running.words) == (7, "why\n")


def test_the_status_of_a_killed_program_is_its_signal():
    with started("kill -KILL $$") as running:
        read(running)

    assert running.status == -9


def test_it_hears_nothing_and_has_no_other_environment():
    with started("cat; env") as running:
        shown = read(running).decode().splitlines()

    assert [line for line in shown if not line.startswith(("PWD=", "_=", "SHLVL="))] == [
        "PATH=/usr/bin:/bin"
    ]


def test_of_very_many_words_the_first_and_the_last_are_kept():
    flood = "awk 'BEGIN { for (i = 0; i < 50000; i++) print \"warning\" }'"
    with started(f"(echo first; {flood}; echo last) >&2; echo out") as running:
        assert read(running) == b"out\n"

    assert running.words.startswith("first\n")
    assert running.words.endswith("last\n")
    assert len(running.words) == child.FIRST_WORDS + child.LAST_WORDS


@pytest.mark.parametrize("hangs", ["sleep 60", "exec >&- 2>&-; sleep 60", "sleep 60 & exit"])
def test_at_the_deadline_it_is_given_up_and_ends_with_all_that_it_started(hangs, tmp_path):
    before = time.monotonic()
    with started(f"echo $$ > {tmp_path}/pid; {hangs}") as running, pytest.raises(TimeoutError):
        read(running, seconds=0.2)

    assert time.monotonic() - before < 2
    assert running.status is None
    assert soon_ends((tmp_path / "pid").read_text().strip())


def test_who_is_left_in_the_middle_is_killed_with_its_children(tmp_path):
    with started(f"sleep 60 & echo $! > {tmp_path}/pid; yes") as running:
        next(running.chunks(time.monotonic() + 10))

    assert soon_ends((tmp_path / "pid").read_text().strip())


def test_what_cannot_be_run_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        Child([str(tmp_path / "none")], PLAIN)


def a_program(directory, mode=0o755):
    directory.mkdir()
    path = directory / "thing"
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return str(path)


def test_a_program_is_found_in_the_path_before_the_usual_places(tmp_path, monkeypatch):
    first, usual = a_program(tmp_path / "a"), a_program(tmp_path / "b")
    monkeypatch.setenv("PATH", f".:/no/bin:{tmp_path}/a")

    assert child.find("thing", [f"{tmp_path}/b"]) == first
    os.unlink(first)
    assert child.find("thing", [f"{tmp_path}/b"]) == usual
    assert child.find("nothing", [f"{tmp_path}/b"]) is None


def test_a_program_that_may_be_executed_goes_before_one_that_may_not(tmp_path, monkeypatch):
    refused, good = a_program(tmp_path / "a", 0o644), a_program(tmp_path / "b")
    monkeypatch.setenv("PATH", f"{tmp_path}/a")

    assert child.find("thing", [f"{tmp_path}/b"]) == good
    assert child.find("thing", []) == refused


def test_a_relative_directory_is_no_place_to_look(tmp_path, monkeypatch):
    a_program(tmp_path / "a")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "a:.:")

    assert child.find("thing", []) is None


def test_it_is_asked_to_end_before_it_is_killed_and_can_end_what_it_started_elsewhere(tmp_path):
    script = (
        f"trap 'kill $other; exit' TERM; setsid sh -c 'echo $$ > {tmp_path}/other; exec sleep 60' &"
        " other=$!; echo up; wait"
    )
    with started(script) as running:
        assert next(running.chunks(time.monotonic() + 5)) == b"up\n"
        while not (tmp_path / "other").exists():
            time.sleep(0.01)

    assert soon_ends(int((tmp_path / "other").read_text()))


def test_who_does_not_end_when_asked_is_killed_soon():
    with started("trap '' TERM; echo $$; sleep 60") as running:
        group = int(next(running.chunks(time.monotonic() + 5)))
        left_at = time.monotonic()

    assert soon_ends(group)
    assert time.monotonic() - left_at < 5
