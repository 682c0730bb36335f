"""What is longer than the terminal's screen goes to a pager; anything else is just printed."""

from __future__ import annotations

import fcntl
import os
import pty
import shutil
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from tests.support.package import ROOT

COMMAND = [sys.executable, "-m", "check_postfix.command"]
PROGRAM = """
import sys
from check_postfix.command import pager
def lines():
    for number in range(int(sys.argv[1])):
        yield f"line {number}"
    return 7
sys.exit(pager.shown(lines()))
"""
ROWS, COLUMNS = 10, 80


def on_a_terminal(
    command: int | list[str],
    size: tuple[int, int] = (ROWS, COLUMNS),
    typed: bytes = b"",
    **environment: str,
) -> tuple[str, int]:
    """Return what a command's output looks like on a terminal, and its exit code.

    command: a number: that prints so many lines
    typed:   by whoever sits there
    """
    if isinstance(command, int):
        command = [sys.executable, "-c", PROGRAM, str(command)]
    try:
        screen, terminal = pty.openpty()
    except OSError:  # as in a directory that is made a root without /dev/pts
        pytest.skip("no pseudo-terminals here")
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    run = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=terminal,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path), **environment},
        start_new_session=True,  # or the tests' own terminal would be asked for keys
    )
    os.close(terminal)
    os.write(screen, typed)
    said = b""
    while True:
        try:
            chunk = os.read(screen, 1 << 16)
        except OSError:  # EIO: nobody has it open any more
            break
        if not chunk:
            break
        said += chunk
    os.close(screen)
    return said.decode().replace("\r\n", "\n"), run.wait(timeout=60)


def plain(number: int) -> str:
    return "".join(f"line {n}\n" for n in range(number))


def through_sed(number: int) -> str:
    return plain(number).replace("line", "paged")


SED = "sed s/line/paged/"


@pytest.mark.parametrize("number", [0, 1, ROWS - 2])
def test_what_fits_on_the_screen_is_printed(number):
    assert on_a_terminal(number, PAGER=SED) == (plain(number), 7)


@pytest.mark.parametrize("number", [ROWS - 1, 500])
def test_what_does_not_goes_through_the_users_pager(number):
    assert on_a_terminal(number, PAGER=SED) == (through_sed(number), 7)


def test_lines_that_are_wrapped_fill_the_screen_sooner():
    assert on_a_terminal(5, (ROWS, 3), PAGER=SED)[0] == through_sed(5)


@pytest.mark.parametrize(
    "environment",
    [
        {"PAGER": ""},
        {"PAGER": "no-such-program"},
        {"PAGER": "'"},
        {"PAGER": "./sed s/line/paged/"},
        {"PAGER": "/"},  # cannot be run
        {"PAGER": SED, "TERM": "dumb"},
        {"PAGER": SED, "PATH": ".:"},
    ],
)
def test_without_a_pager_that_can_be_used_all_is_printed(environment, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy("/bin/sed", tmp_path)

    assert on_a_terminal(50, **environment) == (plain(50), 7)


def test_a_terminal_of_unknown_size_gets_all_at_once():
    assert on_a_terminal(50, (0, 0), PAGER=SED) == (plain(50), 7)


def test_who_has_seen_enough_ends_it_without_an_error():
    said, exit_code = on_a_terminal(200_000, PAGER="head -n 3")

    assert (said, exit_code) == (plain(3), 0)


def test_less_is_told_how_to_behave():
    said, _ = on_a_terminal(50, PAGER="sh -c 'cat >/dev/null; echo $LESS $LESSSECURE'")
    own, _ = on_a_terminal(50, PAGER="sh -c 'cat >/dev/null; echo $LESS'", LESS="-S")

    assert (said, own) == ("FRX 1\n", "-S\n")


@pytest.mark.skipif(not Path("/usr/bin/less").exists(), reason="no less")
def test_it_is_less_unless_somebody_wants_another():
    said, exit_code = on_a_terminal(50, typed=b"q", TERM="xterm")

    assert "line 0" in said
    assert f"line {ROWS}" not in said  # it waits at the end of each page
    assert exit_code == 7


@pytest.mark.skipif(not Path("/usr/bin/less").exists(), reason="no less")
def test_no_shell_can_be_started_from_less():
    said, _ = on_a_terminal(50, typed=b"!echo un''safe\n\nq", TERM="xterm", SHELL="/bin/sh")

    assert "line 0" in said
    assert "unsafe" not in said


def test_a_report_is_paged():
    log = str(ROOT / "tests" / "recorded" / "mail.iso.log")
    report = [*COMMAND, "report", "--log", log, "--day", "2026-11-24", "--timezone", "UTC"]

    said, exit_code = on_a_terminal(report, PAGER="sed s/^/=/")

    assert {line[:1] for line in said.splitlines()} == {"="}
    assert exit_code == 0


def test_in_a_pipe_nothing_is_paged():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "50"],
        capture_output=True, text=True, check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path), "PAGER": SED},
    )  # fmt: skip

    assert (done.stdout, done.returncode) == (plain(50), 7)
