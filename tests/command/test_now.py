"""postfix-log now: every check once, the worst first, with the exit code of the worst."""

from __future__ import annotations

import itertools

import pytest

from check_postfix import programs
from check_postfix.command import cli
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
        lines = printed.out.splitlines()
        return int(end.value.code or 0), lines[: -1 if lines[-1].startswith("-- ") else None]

    return run


@pytest.fixture(autouse=True)
def no_queue(tmp_path, monkeypatch):
    (tmp_path / "postqueue").write_text("#!/bin/sh\n")
    (tmp_path / "postqueue").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


def test_every_check_there_is_runs():
    assert [f"check_postfix_{name}" for name in programs.NAMES] == [
        check.executable for check in checks()
    ]


def test_each_check_has_a_line_the_worst_comes_first_and_decides(say):
    status, lines = say(*AT)

    assert status == 2
    said = [line for line in lines if not line.startswith(" ")]
    assert len(said) == len(programs.NAMES)
    assert said[0].startswith("POSTFIX BOUNCES CRITICAL - ")
    assert said[1].startswith("POSTFIX DEFERRED WARNING - ")
    assert not any("|" in line or "\033" in line for line in lines)


def test_whatever_is_not_ok_has_the_command_that_shows_why_below_and_the_rest_has_nothing(say):
    _, lines = say(*AT)

    first = lines[0].partition(" | ")[0]
    assert lines[1].startswith("  see: postfix-log trace --log ")
    below = [above for above, line in itertools.pairwise(lines) if line.startswith(" ")]
    assert first in below
    assert not any(" OK - " in line for line in below)


def test_which_time_was_judged_is_told_where_it_is_not_now(capsys):
    with pytest.raises(SystemExit):
        cli.main(["now", *map(str, AT)])
    *_, last = capsys.readouterr().out.splitlines()

    assert last == "-- judged: 2026-11-24 18:01 to 18:16; the queue as it is now"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--at", "last night"], "--at last night: 'last' and 'night' are not understood; use for"
         " example 16:30, 'yesterday 22:00' or '2026-11-24 16:30'"),
        (["--window", "3x"], "--window 3x: not a duration; use for example 15m"),
    ],
)  # fmt: skip
def test_wrong_usage_is_told_once_and_not_by_every_check(capsys, options, said):
    with pytest.raises(SystemExit) as end:
        cli.main(["now", *options])
    printed = capsys.readouterr()

    assert end.value.code == 2
    assert printed.err == f"postfix-log: {said}\n"
    assert not printed.out


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

    # What keeps the others from seeing anything is an alarm of the check of the log itself.
    assert status == 2
    assert lines[0].startswith("POSTFIX LOG CRITICAL - ")
    assert len(lines) == len(programs.NAMES)
    assert "no such file" in lines[0]
    assert all(line.endswith(" UNKNOWN - as above") for line in lines[1:-1])
    assert lines[-1].startswith("POSTFIX QUEUE OK")


def test_what_several_checks_remark_is_said_once(say):
    """The recorded log is silent since then, which makes each OK UNKNOWN."""
    _, lines = say("--log", RECORDED, "--no-state", "--at", "2026-12-01T12:00Z")

    assert sum("no log line for " in line for line in lines) == 1
    assert lines[0].startswith("POSTFIX LOG CRITICAL - ")
    assert "no log line for " in lines[0]
    unknown = [line for line in lines if " UNKNOWN - " in line]
    assert len(unknown) == len(programs.NAMES) - 2
    assert all(line.endswith(" (as above)") for line in unknown)


def test_of_what_is_said_above_an_ok_needs_no_mention(say):
    _, lines = say(*AT)

    assert sum("log begins " in line for line in lines) <= 1
    assert not any("as above" in line for line in lines if " UNKNOWN - " not in line)


def test_postfix_that_is_down_comes_before_what_follows_from_it(say, tmp_path):
    (tmp_path / "postqueue").write_text(
        "#!/bin/sh\n"
        "echo 'postqueue: fatal: Queue report unavailable - mail system is down' >&2; exit 69\n"
    )

    _, lines = say(*AT)

    assert lines[0].startswith("POSTFIX QUEUE CRITICAL - postqueue: mail system is down")
    assert lines[1].startswith("POSTFIX BOUNCES CRITICAL - ")
