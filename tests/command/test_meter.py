"""How far something long is, on a terminal: what is told, and when."""

from __future__ import annotations

import io
import time

import pytest

from check_postfix.command import ingest, rehearse
from check_postfix.command.meter import BytesRead
from check_postfix.maillog.source.line_counts import LineCounts
from check_postfix.maillog.window.coverage import Coverage


class Terminal(io.StringIO):
    """Standard error on a terminal, and a clock."""

    def __init__(self, is_one: bool = True) -> None:
        super().__init__()
        self._is_one = is_one
        self.now = 100.0

    def isatty(self) -> bool:
        return self._is_one

    def lines(self) -> list[str]:
        """Return what has stood in the line, one after another."""
        return self.getvalue().split("\r\033[K")[1:]


@pytest.fixture
def terminal(monkeypatch):
    def put(is_one: bool = True) -> Terminal:
        made = Terminal(is_one)
        monkeypatch.setattr("sys.stderr", made)
        monkeypatch.setattr(time, "monotonic", lambda: made.now)
        return made

    return put


def test_what_is_read_is_told_after_a_second_and_five_times_in_each(terminal):
    there = terminal()
    with BytesRead(10_000_000) as meter:
        for seconds in (100.9, 101, 101.1, 101.25):
            there.now = seconds
            meter.read("mail.log", 1_000_000)

    assert there.lines() == [
        "mail.log: 2 MB read of 10, 4 s left, 2 MB/s; Ctrl-C ends it",
        "mail.log: 4 MB read of 10, 2 s left, 3 MB/s; Ctrl-C ends it",
        "",
    ]


@pytest.mark.parametrize(("is_one", "seconds"), [(False, 60), (True, 0.9)])
def test_what_is_soon_done_or_goes_to_no_terminal_tells_nothing(terminal, is_one, seconds):
    there = terminal(is_one)
    with BytesRead() as meter:
        there.now += seconds
        meter.read("mail.log", 1)

    assert there.getvalue() == ""


def test_how_much_of_the_logs_is_left_is_told_from_the_second_step_on(terminal):
    there = terminal()
    lines = LineCounts(lines=7)
    with ingest._StoreMeter() as meter:
        meter.read(Coverage(end=0, line_counts=lines), 9_000_000)
        there.now += 2
        meter.read(Coverage(end=0, line_counts=lines), 5_000_000)

    assert there.lines() == ["7 lines; 5 MB to read, 2 MB/s, 2 s left; Ctrl-C ends it", ""]


def test_how_many_runs_are_played_is_told(terminal):
    there = terminal()
    with rehearse._RunMeter(100) as meter:
        there.now += 3
        meter.played(25)

    assert there.lines() == ["25 of 100 runs, 9 s left; Ctrl-C ends it", ""]
