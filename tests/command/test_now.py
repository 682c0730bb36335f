"""postfix-log now: every check once, the worst first, with the exit code of the worst."""

from __future__ import annotations

import pytest

from check_postfix.command import cli, now
from tests.support.definitions import checks
from tests.support.package import ROOT

RECORDED = ROOT / "tests/recorded/mail.iso.log"
AT = ("--log", RECORDED, "--no-state", "--at", "2026-11-24T18:16Z")
pytestmark = pytest.mark.usefixtures("utc")


@pytest.fixture
def say(capsys):
    def run(*arguments: object) -> tuple[int, list[str]]:
        with pytest.raises(SystemExit) as end:
            cli.main(["now", *map(str, arguments)])
        printed = capsys.readouterr()
        assert not printed.err
        return int(end.value.code or 0), printed.out.splitlines()

    return run


@pytest.fixture(autouse=True)
def no_queue(tmp_path, monkeypatch):
    (tmp_path / "postqueue").write_text("#!/bin/sh\n")
    (tmp_path / "postqueue").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


def test_every_check_there_is_runs():
    assert [f"check_postfix_{name}" for name in now.CHECKS] == [
        check.executable for check in checks()
    ]


def test_each_check_has_a_line_the_worst_comes_first_and_decides(say):
    status, lines = say(*AT)

    assert status == 2
    assert len(lines) == len(now.CHECKS)
    assert lines[0].startswith("POSTFIX BOUNCES CRITICAL - ")
    assert lines[1].startswith("POSTFIX DEFERRED WARNING - ")
    assert not any("|" in line or "\033" in line for line in lines)


def test_options_of_the_log_are_passed_on_and_so_is_v(say):
    _, lines = say(*AT, "--window", "1m", "-v")

    assert any("in 1 min" in line for line in lines)
    assert any(line.startswith("  ") for line in lines)


def test_a_terminal_shows_states_in_colour(say, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)

    _, lines = say(*AT)

    assert lines[0].startswith("\033[31mPOSTFIX BOUNCES CRITICAL")
    assert lines[0].endswith("\033[0m")


def test_what_is_not_known_is_worse_than_ok(say, tmp_path):
    status, lines = say("--log", tmp_path / "no.log", "--no-state")

    assert status == 3
    assert "no such file" in lines[0]
    assert lines[-1].startswith("POSTFIX QUEUE OK")
