"""What `tests/try` and `tests/run` say to whoever has just cloned this."""

from __future__ import annotations

import grp
import io
import os
import pwd
import shutil
import subprocess
import sys

import pytest

from check_postfix.maillog.errors import LogError
from check_postfix.maillog.source import archives, journalctl
from tests.support import showing
from tests.support.package import ROOT


class Terminal(io.StringIO):
    def isatty(self):
        return True


def shown(capsys, *options):
    showing.say("check_postfix_deferred", *options)
    return capsys.readouterr().out.splitlines()


def test_trouble_is_shown_first_with_its_reasons_and_without_perfdata(capsys):
    showing.show_recorded()

    said = capsys.readouterr().out
    assert said.index("DEFERRED WARNING - ") < said.index("deferrals by reason:")
    assert said.index("deferrals by reason:") < said.index("BOUNCES CRITICAL - ")
    assert showing.RECORDED in said
    assert "deferred_ratio=" not in said
    assert "UNKNOWN" not in said


def test_the_state_is_coloured_on_a_terminal_and_nowhere_else(monkeypatch, capsys):
    plain = shown(capsys, "--window", "x")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys, "stdout", terminal := Terminal())

    showing.say("check_postfix_deferred", "--window", "x")

    assert "DEFERRED UNKNOWN - " in plain[1]
    assert "DEFERRED \033[35mUNKNOWN\033[0m - " in terminal.getvalue()


def test_who_wants_no_colour_gets_none(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(sys, "stdout", terminal := Terminal())

    showing.say("check_postfix_deferred", "--window", "x")

    assert "\033" not in terminal.getvalue()


# -- this machine


@pytest.fixture
def me(monkeypatch):
    """Let this be an ordinary user, in no group but its own, on a machine with sudo."""
    entry = pwd.struct_passwd(("joe", "x", 4711, 4711, "", "/home/joe", "/bin/sh"))
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    monkeypatch.setattr(pwd, "getpwuid", lambda _: entry)
    monkeypatch.setattr(os, "getgrouplist", lambda *_: [4711])
    monkeypatch.setattr(grp, "getgrgid", lambda _: grp.struct_group(("adm", "x", 4, [])))
    monkeypatch.setattr(shutil, "which", lambda name, **_: f"/usr/bin/{name}")
    monkeypatch.setattr(os, "access", lambda *_: False)


@pytest.fixture
def status(monkeypatch):
    """Return a function that gives every path this mode and group."""

    def be(mode, group):
        result = os.stat_result((mode, 0, 0, 1, 0, group, 0, 0, 0, 0))
        monkeypatch.setattr(os, "stat", lambda *_, **__: result)

    return be


TRY = f"su joe -c {ROOT}/tests/try"


@pytest.mark.usefixtures("me")
def test_a_log_of_a_group_is_opened_by_joining_it(status):
    status(0o100640, 4)

    assert showing.opening("/var/log/mail.log") == f"sudo sh -c 'usermod -aG adm joe && {TRY}'"


@pytest.mark.usefixtures("me")
def test_who_is_in_the_group_since_this_login_need_only_use_it(status, monkeypatch):
    status(0o100640, 4)
    monkeypatch.setattr(os, "getgrouplist", lambda *_: [4711, 4])

    assert showing.opening("/var/log/mail.log") == TRY


@pytest.mark.usefixtures("me")
@pytest.mark.parametrize(
    ("mode", "group", "rights"), [(0o100600, 4, "r"), (0o100640, 0, "r"), (0o40700, 0, "rx")]
)
def test_what_is_roots_alone_is_opened_by_an_acl(status, mode, group, rights):
    status(mode, group)

    command = showing.opening("/var/log/mail")

    assert command == f"sudo sh -c 'setfacl -m u:joe:{rights} /var/log/mail' && tests/try"


@pytest.mark.usefixtures("me")
def test_without_sudo_it_is_su(status, monkeypatch):
    status(0o100640, 4)
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)

    assert showing.opening("/x") == f"su - -c 'usermod -aG adm joe && {TRY}'"


def test_a_closed_log_is_told_with_the_command_and_no_check_is_run(monkeypatch, tmp_path, capsys):
    log = tmp_path / "mail.log"
    log.write_text("")
    monkeypatch.setattr(archives, "usual_log", lambda: str(log))
    monkeypatch.setattr(os, "access", lambda path, _: path != str(log))

    showing.show_own()

    said = capsys.readouterr().out
    assert f"may not read {log}. Let it:" in said
    assert f"    {showing.opening(str(log))}\n" in said
    assert "check_postfix_deferred" not in said


def test_of_a_closed_directory_that_is_told_which_is_closed(monkeypatch, tmp_path):
    log = tmp_path / "mail" / "mail.log"
    monkeypatch.setattr(os, "access", lambda path, _: str(path) != str(tmp_path))

    assert list(showing.closed(str(log))) == [str(tmp_path)]


def test_the_journal_is_read_where_there_is_no_log_file_and_may_be_closed(
    monkeypatch, tmp_path, capsys
):
    journal = tmp_path / "system.journal"
    journal.write_text("")

    def no_log():
        raise LogError("no mail log")

    monkeypatch.setattr(archives, "usual_log", no_log)
    monkeypatch.setattr(journalctl, "has_journal", lambda: True)
    monkeypatch.setattr(journalctl, "directories", lambda: [str(tmp_path)])
    monkeypatch.setattr(os, "access", lambda path, _: path != str(journal))

    showing.show_own()

    said = capsys.readouterr().out
    assert "This machine: the systemd journal, " in said
    assert f"may not read {journal}. Let it:" in said


# -- what installs


def environment(directory, python, *arguments):
    """Run tests/environment where python3 is a script that says this of itself."""
    programs = directory / "bin"
    if not programs.exists():
        programs.mkdir()
        for name in ("cksum", "cat"):
            (programs / name).symlink_to(shutil.which(name))
    if python is not None:
        (programs / "python3").write_text(f"#!/bin/sh\n{python}\n")
        (programs / "python3").chmod(0o755)
    return subprocess.run(
        ["/bin/sh", ROOT / "tests/environment", *arguments],
        cwd=ROOT, env={"PATH": str(programs)}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_python_that_is_too_old_is_named(tmp_path):
    old = 'case "$2" in *print*) echo 3.9.2 ;; *) exit 1 ;; esac'

    done = environment(tmp_path, old, str(tmp_path / "venv"), ".")

    assert (done.returncode, done.stderr) == (
        1,
        "python3 is Python 3.9.2, and the checks need 3.11 or later:"
        " put a newer python3 first in PATH\n",
    )


def test_a_machine_without_python_is_told_what_to_install(tmp_path):
    done = environment(tmp_path, None, str(tmp_path / "venv"), ".")

    assert done.returncode == 1
    assert done.stderr.startswith("There is no python3: install Python 3.11 or later (Debian:")


def test_a_python_without_venv_is_told_what_to_install(tmp_path):
    bare = 'case "$2" in *print*) echo 3.13.5 ;; *ensurepip*) exit 1 ;; esac'

    done = environment(tmp_path, bare, str(tmp_path / "venv"), ".")

    assert (done.returncode, done.stderr) == (
        1,
        "Python's module venv is not whole: install it (Debian: apt install python3-venv)\n",
    )


# A Python that makes an environment whose pip notes what it is called with.
MAKES = """
case "$*" in
*print*) echo 3.13.5 ;;
*'-m venv'*)
    /bin/mkdir -p "$4/bin"
    printf '#!/bin/sh\\necho "$*" >>%s\\n' "$4/pip-calls" >"$4/bin/pip"
    /bin/chmod 755 "$4/bin/pip" ;;
esac
"""


def test_an_environment_is_made_once(tmp_path):
    venv = tmp_path / "venv"
    first = environment(tmp_path, MAKES, str(venv), "--editable", ".")

    second = environment(tmp_path, MAKES, str(venv), "--editable", ".")

    assert (first.returncode, second.returncode) == (0, 0)
    assert first.stderr.startswith(f"Installing into {venv}, from PyPI")
    assert second.stderr == ""
    assert len((venv / "pip-calls").read_text().splitlines()) == 1


@pytest.mark.parametrize("change", ["python", "arguments"])
def test_of_other_things_it_is_made_anew(tmp_path, change):
    venv = tmp_path / "venv"
    environment(tmp_path, MAKES, str(venv), "--editable", ".")
    python = MAKES.replace("3.13.5", "3.14.0") if change == "python" else MAKES
    more = ["--group", "test"] if change == "arguments" else []

    done = environment(tmp_path, python, str(venv), "--editable", ".", *more)

    assert done.stderr.startswith("Installing")
