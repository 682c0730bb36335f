"""Processes that read parts: their order, their end, and what becomes of a part without one."""

from __future__ import annotations

import io
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from check_postfix import workers

_WAITS = """
import os, sys, time
from check_postfix.workers import Workers

def read(part):
    yield os.getpid()
    time.sleep(60)

with Workers(2, [0, 1, 2], read) as workers:
    answers = workers.answers()
    print(next(answers)[1], *[worker.process.pid for worker in workers._workers], flush=True)
    next(answers)
"""


def _is_there(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):  # the latter if it goes while it is read
        return False
    return state != "Z"


def ended(processes: list[int]) -> bool:
    """Tell whether all of these end soon."""
    deadline = time.monotonic() + 10
    while any(map(_is_there, processes)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(map(_is_there, processes))


def begun(program: str) -> tuple[subprocess.Popen[str], list[int]]:
    """Start a parent; return it, and its workers."""
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert parent.stdout is not None
    processes = [int(word) for word in parent.stdout.readline().split()]
    assert len(processes) == 3
    assert all(map(_is_there, processes))
    return parent, processes


def test_none_is_left_after_ctrl_c():
    parent, processes = begun(_WAITS)
    with parent:
        parent.send_signal(signal.SIGINT)

    assert ended(processes)


@pytest.mark.parametrize("ended_by", [signal.SIGTERM, signal.SIGKILL])
def test_who_reads_ends_with_its_next_answer_when_the_parent_was_ended(ended_by):
    program = _WAITS.replace(
        "    yield os.getpid()\n    time.sleep(60)",
        "    while True:\n        yield os.getpid()\n        time.sleep(0.05)",
    ).replace("    next(answers)\n", "    time.sleep(60)\n")
    parent, processes = begun(program)
    with parent:
        parent.send_signal(ended_by)

    assert ended(processes)


def test_who_waits_for_work_ends_when_the_parent_was_killed():
    program = _WAITS.replace("time.sleep(60)", "pass").replace(
        "    next(answers)\n", "    list(answers); print(flush=True); time.sleep(60)\n"
    )
    parent, processes = begun(program)
    with parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        parent.kill()

    assert ended(processes)


def test_answers_come_in_the_order_of_the_parts_whoever_is_done_first():
    def read(part: int):
        time.sleep(0.05 * (3 - part % 4))
        yield part, "first"
        yield part, "second"

    with workers.Workers(3, range(9), read) as some:
        answers = list(some.answers())

    assert answers == [(part, (part, which)) for part in range(9) for which in ("first", "second")]


def squares(part: int):
    time.sleep(0.02 * (part % 3))
    yield part
    yield part * part


SQUARES = [(part, answer) for part in range(9) for answer in (part, part * part)]


def test_where_no_process_can_be_started_all_is_read_here(monkeypatch):
    def refused(_):
        raise BlockingIOError

    monkeypatch.setattr(multiprocessing.get_context("fork").Process, "start", refused)

    with workers.Workers(3, range(9), squares) as some:
        assert list(some.answers()) == SQUARES


def test_where_answers_can_be_laid_down_nowhere_all_is_read_here(monkeypatch):
    def refused(**_: object):
        raise FileNotFoundError

    monkeypatch.setattr(workers.tempfile, "TemporaryFile", refused)

    with workers.Workers(3, range(9), squares) as some:
        assert list(some.answers()) == SQUARES


def test_what_there_is_no_room_for_is_read_here(monkeypatch):
    real = tempfile.TemporaryFile

    class Full(io.FileIO):
        """Takes one answer, and a part of the next."""

        def __init__(self, **_: object) -> None:
            with real(buffering=0) as file:
                super().__init__(os.dup(file.fileno()), "r+")

        def write(self, data: bytes) -> int:
            return super().write(data if not self.tell() else data[:2])

    monkeypatch.setattr(workers.tempfile, "TemporaryFile", Full)

    with workers.Workers(3, range(9), squares) as some:
        assert list(some.answers()) == SQUARES


def test_a_part_is_asked_for_when_there_is_room_for_its_answers():
    asked = []

    def parts():
        for part in range(100):
            asked.append(part)
            yield part

    with workers.Workers(2, parts(), squares) as some:
        answers = some.answers()
        for _ in range(10):
            next(answers)
        assert len(asked) < 20
        assert some.next() == 4
        assert len(list(answers)) == 190
        assert some.next() is None


@pytest.mark.parametrize("killed", [0, 1, 5, 8])
def test_what_a_killed_worker_had_to_read_is_read_here(killed):
    here = os.getpid()

    def read(part: int):
        yield part
        if part == killed and os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        yield part * part

    with workers.Workers(2, range(9), read) as some:
        assert list(some.answers()) == SQUARES
    assert not multiprocessing.active_children()


def test_what_fails_in_a_worker_is_told_by_the_parent():
    def read(part: int):
        raise ValueError(f"part {part}")
        yield

    with workers.Workers(2, range(3), read) as some, pytest.raises(ValueError, match="part 0"):
        list(some.answers())


def test_none_is_left_where_it_cannot_be_told_what_to_read():
    def parts():
        yield 0
        raise PermissionError

    # Who has it keeps it alive, and with it what its processes wait at.
    several = workers.Workers(2, parts(), lambda part: [part])

    with pytest.raises(PermissionError):
        several.__enter__()

    assert not multiprocessing.active_children()
