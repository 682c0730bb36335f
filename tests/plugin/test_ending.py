"""A signal that asks a run to end gets one line and exit code 3, from the first instant."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from tests.support import effort, mail_log
from tests.support.definitions import checks, names
from tests.test_commands import BIN, ENVIRONMENT

ALL_SIGNALS = ["SIGHUP", "SIGINT", "SIGTERM"]
SIGNALS = pytest.mark.parametrize("name", ALL_SIGNALS)

# The signal comes while module number N is loaded by the executable's code.
WHILE_LOADING = """
import builtins, os, signal, sys
from check_postfix import programs
number, left = getattr(signal, sys.argv[1]), int(sys.argv[2])
real = builtins.__import__
def load(*arguments, **named):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), number)
    return real(*arguments, **named)
builtins.__import__ = load
sys.argv = ["check_postfix_deferred", "--version"]
programs.deferred()
"""
# The signal comes while the check measures; nothing of a child may outlive it.
WHILE_MEASURING = """
import os, signal, sys
from check_postfix.plugin import Check, Source, run
from contextlib import contextmanager
@contextmanager
def opened(_):
    os.kill(os.getpid(), getattr(signal, sys.argv[1]))
    os.kill(os.getpid(), signal.SIGTERM)
    yield
CHECK = Check("some thing", "", Source([], opened), lambda *_: {}, [], lambda *_: "")
run(CHECK, sys.argv[2:])
"""


# The signal comes where Python cannot pass on what is raised.
WHILE_FREEING = WHILE_MEASURING.replace(
    "    os.kill(os.getpid(), getattr(signal, sys.argv[1]))",
    """\
    class Freed:
        def __del__(self):
            os.kill(os.getpid(), getattr(signal, sys.argv[1]))
    Freed()""",
)


def words(name):
    return f"ended by {name}; let whoever runs this check wait longer than its --timeout"


def done(program, *arguments, **more):
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True, text=True, check=False, **more,
    )  # fmt: skip


@SIGNALS
@pytest.mark.parametrize("module", [1, 2, 3, 5, 10, 30, 60, 100])
@pytest.mark.parametrize(("program", "what"), [("deferred", "DEFERRED"), ("together", "ALL")])
def test_while_it_loads_modules(program, what, module, name):
    run = done(WHILE_LOADING.replace("programs.deferred", f"programs.{program}"), name, str(module))

    assert (run.stdout, run.stderr, run.returncode) == (
        f"POSTFIX {what} UNKNOWN - {words(name)}\n", "", 3,
    )  # fmt: skip


@SIGNALS
def test_where_nothing_can_be_raised(name):
    run = done(WHILE_FREEING, name)

    assert (run.stdout, run.stderr, run.returncode) == (
        f"SOME THING UNKNOWN - {words(name)}\n", "", 3,
    )  # fmt: skip


@SIGNALS
def test_while_it_measures_whatever_comes_after(name):
    run = done(WHILE_MEASURING, name)

    assert (run.stdout, run.stderr, run.returncode) == (
        f"SOME THING UNKNOWN - {words(name)}\n", "", 3,
    )  # fmt: skip


def test_a_signal_that_is_ignored_from_the_start_is_ignored():
    run = done(WHILE_MEASURING, "SIGHUP", preexec_fn=lambda: signal.signal(1, signal.SIG_IGN))

    assert run.stdout.startswith(f"SOME THING UNKNOWN - {words('SIGTERM')}")


# -- the executables, at random instants


def _delays(name):
    """Return after how many seconds a signal comes; a quick run tries each with one signal only."""
    delays = (0.03, 0.06, 0.1, 0.15, 0.2, 0.3)
    return delays[ALL_SIGNALS.index(name) :: len(ALL_SIGNALS)] if effort.quick else delays


@SIGNALS
@pytest.mark.parametrize("check", names(checks()))
def test_at_any_instant_an_executable_says_one_line_or_python_has_not_begun(check, name, tmp_path):
    log = mail_log.write(tmp_path / "mail.log", mail_log.lines(mail_log.EVERYTHING * 200))
    arguments = ["--log", log] if check != "queue" else []
    for delay in _delays(name):
        run = subprocess.Popen(
            [BIN / f"check_postfix_{check}", *arguments, "--no-state"],
            env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        started = time.monotonic()
        while time.monotonic() < started + delay and run.poll() is None:
            time.sleep(0.001)
        _send(run.pid, name)
        said, errors = run.communicate()
        if run.returncode < 0 or "KeyboardInterrupt" in errors:
            # Python had not come to a line of ours. It may go on where it told of it only.
            assert said == "" or "Exception ignored" in errors
            assert ", in program\n" not in errors
            continue
        assert errors == ""
        assert said.count("\n") == 1
        assert run.returncode in (0, 1, 2, 3)


def _send(pid, name):
    with suppress(ProcessLookupError):
        os.kill(pid, getattr(signal, name))


# What SQLite calls is interrupted the first time that it is called.
IN_SQLITE = """
import os, sys
from check_postfix import programs
from check_postfix.maillog.store import checksum, packed
number, name = int(sys.argv.pop(1)), sys.argv.pop(1)
owner, attribute = {"noted": (checksum.Checksums, "_noted"), "merged": (packed, "merged")}[name]
whole = getattr(owner, attribute)
def interrupted(*values):
    setattr(owner, attribute, whole)
    os.kill(os.getpid(), number)
    return whole(*values)
setattr(owner, attribute, interrupted)
programs.deferred()
"""


@pytest.mark.parametrize("function", ["noted", "merged"])
@pytest.mark.parametrize(
    ("number", "words"),
    [(signal.SIGTERM, "ended by SIGTERM"), (signal.SIGALRM, "timed out after 10 s")],
)
def test_in_what_sqlite_calls_a_signal_is_no_damage(number, words, function, tmp_path):
    """SQLite tells only that a function has failed, which is what damage makes it do."""
    log, state = tmp_path / "mail.log", tmp_path / "state"
    line = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}+00:00 mx postfix/smtp[1]: 4ABCDEF01: "
    line += (
        "to=<ann@example.com>, relay=mx.example.com[192.0.2.25]:25, delay=1.1,"
        " delays=0.1/0/0.4/0.6, dsn=2.0.0, status=sent (250 2.0.0 Ok)\n"
    )

    def run(*program: str) -> subprocess.CompletedProcess[str]:
        with log.open("a") as file:
            file.write(line)
        command = [sys.executable, *program, "--log", str(log), "--state", str(state)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    run("-m", "check_postfix.deferred")
    done = run("-c", IN_SQLITE, str(int(number)), function)

    assert (done.returncode, done.stderr) == (3, "")
    assert done.stdout.startswith(f"POSTFIX DEFERRED UNKNOWN - {words}")
    again = run("-m", "check_postfix.deferred")
    assert "sent=3;" in again.stdout
    assert "damaged" not in again.stdout
