"""What cannot be written: the first line names the true cause and what helps."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from check_postfix import unwritable, user
from tests.support import mail_log
from tests.support.reach import needs_reach
from tests.support.server import UNKNOWN, Server

pytestmark = needs_reach
BIN = Path(sys.executable).parent
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away, and mount")


@pytest.fixture
def server(tmp_path):
    """A server whose checks are run by a user for whom permissions hold."""
    server = Server(tmp_path, like_any_user=True)
    server.writes([mail_log.SENT])
    return server


@pytest.fixture
def disk(tmp_path):
    """A disk of 512 KB, and what changes how it is mounted."""
    where = tmp_path / "disk"
    where.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k,mode=700", "tmpfs", where]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("cannot mount a file system here")
    yield where, lambda how: subprocess.run(["mount", "-o", f"remount,{how}", where], check=True)
    subprocess.run(["umount", where], check=True)


def said(server, state, check="deferred"):
    """Return what a check says of a state that it cannot write."""
    of_check = server.says(check, "--state", str(state))
    assert of_check.exit_code == UNKNOWN
    return of_check.line.partition("UNKNOWN - ")[2].replace(str(state), "STATE")


def test_a_directory_that_may_not_be_written(server, tmp_path):
    (tmp_path / "theirs").mkdir(mode=0o555)

    assert said(server, tmp_path / "theirs" / "s") == (
        f"cannot write STATE: {user.me()} may not write the directory {tmp_path}/theirs;"
        " let that user, or choose another with --state"
    )


def test_a_directory_that_may_not_be_written_any_more(server, tmp_path):
    there = tmp_path / "there"
    server.says("deferred", "--state", str(there / "s"))
    there.chmod(0o555)
    server.writes([mail_log.SENT])

    assert said(server, there / "s").startswith(
        f"cannot write STATE: {user.me()} may not write the directory {there}; let that user"
    )


@as_root
@pytest.mark.parametrize(("name", "mode"), [("s", 0o600), ("s", 0o644), ("s-journal", 0o600)])
def test_a_state_of_another_owner(server, tmp_path, mode, name):
    state = tmp_path / "there" / "s"
    server.says("deferred", "--state", str(state))
    of_another = state.with_name(name)
    of_another.touch()
    of_another.chmod(mode)
    os.chown(of_another, 65534, 65534)
    server.writes([mail_log.SENT])

    who = "it" if name == "s" else "STATE-journal"
    assert said(server, state) == (
        f"cannot write STATE: {who} belongs to {user.in_words(65534)}, not to {user.me()};"
        f" run 'chown {os.geteuid()} STATE{name[1:]}', or choose another with --state"
    )


def test_a_state_that_its_owner_may_not_write(server, tmp_path):
    state = tmp_path / "there" / "s"
    server.says("deferred", "--state", str(state))
    state.chmod(0o400)
    server.writes([mail_log.SENT])

    assert "STATE: it may not be written by its owner; run 'chmod u+rw STATE'" in said(
        server, state
    )


@as_root
@pytest.mark.parametrize("is_there", [True, False])
def test_a_file_system_that_is_mounted_read_only(server, disk, is_there):
    where, remount = disk
    if is_there:
        server.says("deferred", "--state", str(where / "s"))
        server.writes([mail_log.SENT])
    remount("ro")

    assert said(server, where / "s") == (
        "cannot write STATE: its file system is mounted read-only; mount it writable (the kernel's"
        " log tells more), or choose another with --state"
    )


@as_root
@pytest.mark.parametrize("is_there", [True, False])
def test_a_full_disk(server, disk, is_there):
    where, _ = disk
    if is_there:
        server.says("deferred", "--state", str(where / "s"))
    server.writes([mail_log.SENT, mail_log.DEFERRED])
    subprocess.run(["dd", "if=/dev/zero", f"of={where}/full"], capture_output=True, check=False)

    assert said(server, where / "s") == "cannot write STATE: the disk is full; make room on it"


@as_root
def test_a_disk_without_room_for_another_file(server, disk):
    where, remount = disk
    remount("nr_inodes=1")

    assert said(server, where / "s") == (
        "cannot write STATE: its file system has no room for another file; delete files on it"
    )


def test_a_quota_that_is_used_up(tmp_path, monkeypatch):
    def used_up(*_):
        raise OSError(122, "Disk quota exceeded")

    monkeypatch.setattr(os, "write", used_up)

    # SQLite says `disk I/O error`, and not which.
    assert unwritable.why(str(tmp_path / "s"), None, "--state") == (
        f"the disk quota of {user.me()} is used up",
        "raise it, or delete files of that user",
    )


def test_of_what_is_in_order_again_nothing_is_said(tmp_path):
    (tmp_path / "s").touch()

    assert unwritable.why(str(tmp_path / "s"), None, "--state") is None
    assert os.listdir(tmp_path) == ["s"]


def test_what_else_can_forbid_it_is_named(tmp_path):
    cause, fix = unwritable.why(str(tmp_path / "s"), 13, "--state") or ("", "")

    assert cause == "permission denied"
    assert fix.startswith("see what else forbids it (lsattr, AppArmor, SELinux), or choose")


def in_a_deleted_directory(tmp_path, check, *arguments):
    """Return the first line of a check whose working directory is gone."""
    gone = tmp_path / "gone"
    gone.mkdir()
    done = subprocess.run(
        ["sh", "-c", 'rmdir "$PWD" && exec "$@"', "sh", BIN / f"check_postfix_{check}", *arguments],
        cwd=gone, capture_output=True, check=False, text=True,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.partition(" | ")[0].rstrip()


ELSEWHERE = "the working directory was deleted; start the check in another one, or name "


@pytest.mark.parametrize(
    ("option", "what"),
    [
        ("--state", f"cannot write x: {ELSEWHERE}a whole path with --state"),
        ("--log", f"{ELSEWHERE}files by their whole paths"),
        ("--archives", f"{ELSEWHERE}files by their whole paths"),
    ],
)
def test_a_working_directory_that_was_deleted(tmp_path, option, what):
    log = str(mail_log.write(tmp_path / "mail.log", mail_log.lines([mail_log.SENT])))
    given = {"--log": log, "--state": str(tmp_path / "s")} | {option: "x"}
    arguments = [word for pair in given.items() for word in pair]

    line = in_a_deleted_directory(tmp_path, "deferred", *arguments)

    assert line == f"POSTFIX DEFERRED UNKNOWN - {what}"


def test_a_working_directory_that_was_deleted_harms_nobody_with_whole_paths(tmp_path):
    log = str(mail_log.write(tmp_path / "mail.log", mail_log.lines([mail_log.SENT])))

    line = in_a_deleted_directory(tmp_path, "auth", "--log", log, "--state", str(tmp_path / "s"))

    assert line.startswith("POSTFIX AUTH OK - 0 failed logins in 15 min")


def test_what_the_queue_check_keeps(tmp_path):
    postqueue = tmp_path / "postqueue"
    postqueue.write_text("#!/bin/sh\n")
    postqueue.chmod(0o755)

    line = in_a_deleted_directory(tmp_path, "queue", "--postqueue", str(postqueue), "--state", "x")

    assert f"(cannot write x: {ELSEWHERE}a whole path with --state)" in line


@as_root
def test_the_file_for_prometheus_on_a_full_disk(server, disk):
    where, _ = disk
    subprocess.run(["dd", "if=/dev/zero", f"of={where}/full"], capture_output=True, check=False)

    line = server.says("deferred", "--prometheus", str(where / "x.prom")).line

    assert f"cannot write {where}/x.prom: the disk is full; make room on it" in line
    assert os.listdir(where) == ["full"]


def test_the_file_for_prometheus_in_a_directory_that_may_not_be_written(server, tmp_path):
    there = tmp_path / "there"
    there.mkdir(mode=0o555)

    line = server.says("deferred", "--prometheus", str(there / "x.prom")).line

    assert (
        f"cannot write {there}/x.prom: {user.me()} may not write the directory {there};"
        " let that user, or choose another with --prometheus"
    ) in line


def test_a_file_that_is_gone_as_soon_as_it_was_looked_at(tmp_path, monkeypatch):
    state = tmp_path / "s"
    state.touch()
    state.chmod(0o400)
    exists, access = os.path.exists, os.access

    def gone_afterwards(look):
        def looked(path, *how):
            found = look(path, *how)
            if path == os.fspath(state):
                state.unlink(missing_ok=True)
            return found

        return looked

    monkeypatch.setattr(os.path, "exists", gone_afterwards(exists))
    monkeypatch.setattr(os, "access", gone_afterwards(access))

    unwritable.why(os.fspath(state), None, "--state")  # says what it can
