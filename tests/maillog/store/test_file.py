"""The place of the state: whatever lies there, a run neither hangs nor writes elsewhere."""

from __future__ import annotations

import os
import pwd
import socket
import stat
import time

import pytest

from check_postfix.maillog.errors import StoreError
from check_postfix.maillog.store import file
from check_postfix.maillog.store.store import Store

NOBODY = pwd.getpwnam("nobody")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="makes what belongs to others")


def a_socket(path):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path)


ODD = {
    "FIFO": os.mkfifo,
    "directory": os.mkdir,
    "socket": a_socket,
    "device": lambda path: os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3)),
    "link": lambda path: os.symlink("/etc/passwd", path),
}


@pytest.mark.parametrize("is_there", [True, False], ids=["a state", "no state"])
@pytest.mark.parametrize("beside", ["", "-journal", "-wal", "-shm"])
@pytest.mark.parametrize("kind", sorted(ODD))
def test_what_is_no_file_in_its_place_or_beside_it_is_named_at_once(
    kind, beside, is_there, tmp_path
):
    if kind == "device" and os.geteuid() != 0:
        pytest.skip("only root can make a device")
    path = str(tmp_path / "state")
    if is_there and beside:
        Store(path, 1).__exit__()
    ODD[kind](path + beside)
    before = os.lstat(path + beside)
    started = time.monotonic()

    with pytest.raises(StoreError) as caught:
        Store(path, 1)

    # Nobody should remove a directory or /dev/null because of this.
    assert str(caught.value) == f"{path}{beside}: " + {
        "directory": "is a directory; name another file with --state",
        "device": "is a device; name a file with --state, or --no-state to remember nothing",
    }.get(kind, "is not a regular file; remove it, or choose another with --state")
    assert time.monotonic() - started < 1
    assert os.lstat(path + beside) == before


def test_a_journal_that_a_killed_run_has_left_is_no_odd_thing(tmp_path):
    path = str(tmp_path / "state")
    Store(path, 1).__exit__()
    (tmp_path / "state-journal").touch()

    with Store(path, 1) as store:
        assert not store.logs.are_there()


@pytest.mark.parametrize("is_there", [True, False], ids=["a state", "no state"])
@pytest.mark.parametrize("mode", [0o702, 0o777, 0o1777])
def test_a_directory_that_others_may_write_is_refused(mode, is_there, tmp_path):
    path = str(tmp_path / "state")
    if is_there:
        Store(path, 1).__exit__()
    tmp_path.chmod(mode)

    with pytest.raises(StoreError) as caught:
        Store(path, 1)

    assert str(caught.value) == (
        f"{tmp_path}: others may write it, and so the state in it; let only the user of the checks,"
        " for example with: chmod go-w, or choose another directory with --state"
    )


@as_root
def test_a_directory_that_a_group_of_others_may_write_is_refused(tmp_path):
    os.chown(tmp_path, 0, NOBODY.pw_gid)
    tmp_path.chmod(0o770)

    with pytest.raises(StoreError, match="others may write it"):
        Store(str(tmp_path / "state"), 1)


@pytest.mark.parametrize("mode", [0o700, 0o755, 0o775])
def test_a_directory_that_a_group_of_this_user_may_write_is_taken(mode, tmp_path):
    tmp_path.chmod(mode)

    Store(str(tmp_path / "state"), 1).__exit__()

    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o600


@as_root
def test_a_directory_that_another_user_has_just_made_in_roots_way_is_refused(tmp_path, monkeypatch):
    made = tmp_path / "in"

    real = os.mkdir

    def mkdir(path, mode):
        real(path, mode)
        os.chown(made, NOBODY.pw_uid, NOBODY.pw_gid)
        raise FileExistsError

    monkeypatch.setattr(file.os, "mkdir", mkdir)
    with pytest.raises(StoreError) as caught:
        Store(str(made / "state"), 1)

    assert str(caught.value) == f"{made}: was just made by another user; run this check again"
