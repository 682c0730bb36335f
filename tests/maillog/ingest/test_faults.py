"""What a run says when its surroundings are broken: the thing, the cause, the fix.

And that all is caught up with when the fault is gone.
"""

from __future__ import annotations

import grp
import os
import pwd
import resource
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator

import pytest

from check_postfix.maillog.errors import DamagedStore, LogError, StoreError
from check_postfix.maillog.store.damage import set_aside
from check_postfix.maillog.store.store import Store
from tests.maillog.conftest import Place, once
from tests.support import effort, kept, logbook

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
# Every so many bytes of the state are damaged in turn; 1 for all of them.
DAMAGE_STEP = int(os.environ.get("DAMAGE_STEP", 211 * effort.ONE_IN if effort.quick else 211))
NOBODY = pwd.getpwnam("nobody")


def said_by(act: Callable[[], object], kind: type[Exception] = Exception) -> str:
    """Return the message of the error that an act ends in."""
    with pytest.raises(kind) as caught:
        act()
    return str(caught.value)


def said_to_nobody(act: Callable[[], object]) -> str:
    """Return the message of the error that an act ends in for an unprivileged user."""
    # Python's own modules may lie where nobody may read them: what the act loads is loaded here.
    assert grp
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.setgroups([])
            os.setgid(NOBODY.pw_gid)
            os.setuid(NOBODY.pw_uid)
            try:
                act()
                message = "nothing"
            except (LogError, StoreError) as error:
                message = str(error)
            except BaseException as error:  # noqa: BLE001 - told to the parent
                message = repr(error)
            os.write(write, message.encode())
        finally:
            os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with open(read, "rb") as pipe:
        return pipe.read().decode()


@pytest.fixture
def open_place() -> Iterator[Place]:
    """Return a place that an unprivileged user can reach and write.

    Not below tmp_path: another pytest that begins meanwhile closes that to all but its own user.
    """
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        os.chown(directory, NOBODY.pw_uid, NOBODY.pw_gid)
        yield Place(directory)


# -- the log


@as_root
def test_an_unreadable_log_names_the_group_to_join(open_place: Place) -> None:
    open_place.write(0)
    os.chown(open_place.log, 0, 4)
    os.chmod(open_place.log, 0o640)

    assert said_to_nobody(open_place.run) == (
        f"cannot read {open_place.log}: permission denied; add user nobody to group adm, and"
        " restart what runs this check"
    )


@as_root
def test_a_log_that_no_group_may_read_is_opened_by_an_acl(open_place: Place) -> None:
    open_place.write(0)
    os.chmod(open_place.log, 0o600)

    assert said_to_nobody(open_place.run) == (
        f"cannot read {open_place.log}: permission denied; let user nobody read it,"
        f" for example with: setfacl -m u:nobody:r {open_place.log}"
    )


@as_root
def test_a_log_in_a_closed_directory_names_the_directory(open_place: Place) -> None:
    inner = os.path.join(os.path.dirname(open_place.log), "closed")
    os.mkdir(inner, 0o700)
    log = os.path.join(inner, "mail.log")
    logbook.write(log, logbook.line(logbook.FIRST))

    said = said_to_nobody(lambda: logbook.ingest(open_place.store, log, logbook.FIRST))

    assert said == (
        f"cannot read {inner}: permission denied; let user nobody into it, for example with:"
        f" setfacl -m u:nobody:rx {inner}"
    )


def test_a_missing_log_says_so(place: Place) -> None:
    assert said_by(place.run, LogError) == (
        f"{place.log}: no such file; name the mail log with --log"
    )


def test_a_log_in_a_missing_directory_says_so(place: Place) -> None:
    log = os.path.join(os.path.dirname(place.log), "nowhere", "mail.log")

    assert said_by(lambda: logbook.ingest(place.store, log, 0), LogError) == (
        f"{log}: no such file; name the mail log with --log"
    )


def test_a_missing_directory_of_archives_says_so(place: Place) -> None:
    place.write(0)

    assert said_by(lambda: place.run(archives=["/nowhere/at/all"]), LogError) == (
        "/nowhere/at/all: no such directory; make it, or name another with --archives"
    )


@as_root
def test_a_closed_directory_of_archives_says_so(open_place: Place) -> None:
    open_place.write(0)
    closed = os.path.join(os.path.dirname(open_place.log), "closed")
    os.mkdir(closed, 0o700)

    assert said_to_nobody(lambda: open_place.run(archives=[closed])) == (
        f"cannot read {closed}: permission denied; let user nobody into it, for example with:"
        f" setfacl -m u:nobody:rx {closed}"
    )


@as_root
def test_a_usual_directory_that_is_closed_is_passed_over(open_place: Place) -> None:
    open_place.write(0)
    os.mkdir(os.path.join(os.path.dirname(open_place.log), "old"), 0o700)

    assert said_to_nobody(open_place.run) == "nothing"
    assert open_place.counted() == once(0)


def test_a_directory_is_no_log(place: Place) -> None:
    os.mkdir(place.log)

    assert said_by(place.run, LogError) == (
        f"{place.log}: is a directory, not a file; name the mail log with --log"
    )


def test_a_fifo_is_no_log_and_does_not_hang(place: Place) -> None:
    os.mkfifo(place.log)

    assert said_by(place.run, LogError) == (
        f"{place.log}: is a FIFO, not a file; name the mail log with --log"
    )


def test_a_socket_is_no_log(place: Place) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        here = os.getcwd()
        os.chdir(os.path.dirname(place.log))
        try:
            server.bind("mail.log")
        finally:
            os.chdir(here)

        assert said_by(place.run, LogError) == (
            f"{place.log}: is a socket, not a file; name the mail log with --log"
        )


def test_a_device_is_no_log(place: Place) -> None:
    assert said_by(lambda: logbook.ingest(place.store, "/dev/null", 0), LogError) == (
        "/dev/null: is a device, not a file; name the mail log with --log"
    )


def test_a_fifo_with_an_archives_name_is_passed_over(place: Place) -> None:
    place.write(0)
    os.mkfifo(place.log + ".1")

    coverage = place.run()

    assert place.counted() == once(0)
    assert coverage.notes == []


@as_root
def test_an_unreadable_archive_is_noted_and_read_when_it_can_be(open_place: Place) -> None:
    open_place.write(0)
    open_place.rename(".1")
    os.chmod(open_place.log + ".1", 0o600)
    open_place.write(1)
    notes = []

    said = said_to_nobody(lambda: notes.extend(open_place.run().notes) or fail(notes))
    before = open_place.counted()
    open_place.run()

    assert said == str(
        [
            f"cannot read {open_place.log}.1: permission denied; let user nobody read it,"
            f" for example with: setfacl -m u:nobody:r {open_place.log}.1"
        ]
    )
    assert before == once(1)
    assert open_place.counted() == once(0, 1)


def fail(value: object) -> None:
    """Carry a value out of another process."""
    raise LogError(str(value))


# -- the store


@as_root
def test_an_unwritable_state_directory_says_so(open_place: Place) -> None:
    open_place.write(0)
    os.chown(os.path.dirname(open_place.log), 0, 0)

    assert said_to_nobody(open_place.run) == (
        f"cannot write {open_place.store}: user nobody may not write the directory"
        f" {os.path.dirname(open_place.store)}; let that user, or choose another with --state"
    )


@as_root
def test_a_state_directory_that_cannot_be_made_says_so(open_place: Place) -> None:
    open_place.store = "/proc/check_postfix/state.sqlite"
    open_place.write(0)

    assert said_by(open_place.run, StoreError) == (
        "cannot write /proc/check_postfix/state.sqlite: no such file or directory; make its"
        " directory, or choose another with --state"
    )


@as_root
def test_a_read_only_state_file_says_so_and_is_caught_up_with_later(open_place: Place) -> None:
    open_place.write(0)
    open_place.run()
    os.chown(open_place.store, 0, 0)
    os.chmod(open_place.store, 0o444)
    open_place.write(1)

    said = said_to_nobody(open_place.run)
    os.chown(open_place.store, NOBODY.pw_uid, NOBODY.pw_gid)
    os.chmod(open_place.store, 0o600)
    open_place.run()

    assert said == (
        f"cannot write {open_place.store}: it belongs to user root, not to user nobody; run"
        f" 'chown 65534 {open_place.store}', or choose another with --state"
    )
    assert open_place.counted() == once(0, 1)


@as_root
def test_a_state_file_in_a_read_only_directory_says_so(open_place: Place) -> None:
    open_place.write(0)
    open_place.run()
    os.chown(os.path.dirname(open_place.store), 0, 0)
    open_place.write(1)

    assert said_to_nobody(open_place.run) == (
        f"cannot write {open_place.store}: user nobody may not write the directory"
        f" {os.path.dirname(open_place.store)}; let that user, or choose another with --state"
    )


@as_root
def test_a_run_with_nothing_new_does_not_need_to_write(open_place: Place) -> None:
    open_place.write(0)
    open_place.run()
    os.chmod(open_place.store, 0o444)
    os.chmod(os.path.dirname(open_place.store), 0o755)

    assert said_to_nobody(open_place.run) == "nothing"


def test_a_link_in_the_states_place_is_not_followed(place: Place) -> None:
    place.write(0)
    target = place.store + ".target"
    logbook.write(target, b"")
    os.symlink(target, place.store)

    assert said_by(place.run, StoreError) == (
        f"{place.store}: is not a regular file; remove it, or choose another with --state"
    )
    assert os.path.getsize(target) == 0


def test_a_directory_in_the_states_place_says_so(place: Place) -> None:
    place.write(0)
    os.mkdir(place.store)

    assert said_by(place.run, StoreError) == (
        f"{place.store}: is a directory; name another file with --state"
    )


def test_the_state_of_a_newer_version_is_left_untouched(place: Place) -> None:
    place.write(0)
    place.run()
    _sql(place.store, "PRAGMA user_version=99", "UPDATE checksum SET sum=99 WHERE slice='version'")
    before = _bytes(place.store)
    place.write(1)

    said = said_by(place.run, StoreError)

    assert said == (
        f"{place.store}: was written by a newer check_postfix; upgrade this one,"
        " or choose another file with --state"
    )
    assert set_aside(place.store) is None
    assert _bytes(place.store) == before


@pytest.mark.parametrize("counters", ["received", "1 2\nreceived", "x\nreceived", "1.5\nreceived"])
def test_counts_that_cannot_be_read_are_damage(place: Place, counters: str) -> None:
    place.write(0)
    place.run()
    with kept.changed(place.store) as db:
        db.execute("UPDATE total SET counters=?", (counters,))

    with Store(place.store, 1) as store:
        said = said_by(lambda: store.answers.totals(0, 10**9, [1]), StoreError)

    assert said == f"{place.store}: has counts that cannot be read"
    assert set_aside(place.store) == f"{place.store}.damaged"


def test_counts_that_cannot_be_read_are_not_added_to(place: Place) -> None:
    place.write(0)
    place.run()
    with kept.changed(place.store) as db:
        db.execute("UPDATE total SET counters='received'")
    place.write(0)

    said = said_by(place.run, StoreError)

    assert said == f"{place.store}: has counts that cannot be read"
    assert set_aside(place.store) == f"{place.store}.damaged"
    place.run()
    assert place.counted() == {0: 2}


def test_another_programs_database_is_not_written_to(place: Place) -> None:
    place.write(0)
    _sql(place.store, "CREATE TABLE theirs (x)")
    before = _bytes(place.store)

    assert said_by(place.run, DamagedStore) == f"{place.store}: is another program's database"
    assert _bytes(place.store) == before


def test_another_programs_database_with_a_version_is_not_written_to(place: Place) -> None:
    place.write(0)
    _sql(place.store, "CREATE TABLE theirs (x)", "PRAGMA user_version=1")
    before = _bytes(place.store)

    assert said_by(place.run, DamagedStore) == f"{place.store}: is another program's database"
    assert _bytes(place.store) == before


def test_a_file_that_is_no_database_is_damaged(place: Place) -> None:
    place.write(0)
    logbook.write(place.store, b"something else entirely\n" * 100)

    assert said_by(place.run, DamagedStore) == f"{place.store}: is damaged (SQLITE_NOTADB)"


def test_a_truncated_database_is_damaged(place: Place) -> None:
    place.write(0)
    place.run()
    os.truncate(place.store, os.path.getsize(place.store) // 2)
    place.write(1)

    assert said_by(place.run, DamagedStore) == f"{place.store}: is damaged (SQLITE_CORRUPT)"


def test_a_database_without_its_key_is_damaged(place: Place) -> None:
    place.write(0)
    place.run()
    with kept.changed(place.store) as db:
        db.execute("DELETE FROM secret")

    assert said_by(place.run, DamagedStore) == f"{place.store}: has lost its key"


def test_a_damaged_state_is_set_aside_and_built_again_from_all_that_exists(place: Place) -> None:
    place.write(0, 1)
    place.rename(".1")
    place.write(2)
    place.run()
    with open(place.store, "r+b") as file:
        file.write(b"\xff" * 100)

    said_by(place.run, DamagedStore)
    aside = set_aside(place.store)
    coverage = place.run()

    assert aside == place.store + ".damaged"
    assert _bytes(aside).startswith(b"\xff" * 100)
    assert place.counted() == once(0, 1, 2)
    assert place.gaps(coverage) == []


def test_a_sound_state_is_never_set_aside(place: Place) -> None:
    place.write(0)
    place.run()

    assert set_aside(place.store) is None
    assert place.counted() == once(0)


def test_damage_that_two_runs_find_is_set_aside_once(place: Place) -> None:
    place.write(0)
    logbook.write(place.store, b"garbage" * 1000)

    first = set_aside(place.store)
    place.run()
    second = set_aside(place.store)

    assert first is not None
    assert second is None
    assert place.counted() == once(0)


def test_runs_that_find_damage_at_the_same_moment_all_succeed(place: Place) -> None:
    place.write(*range(20))
    logbook.write(place.store, b"garbage" * 1000)
    children = []
    ready, go = os.pipe()
    for _ in range(8):
        child = os.fork()
        if not child:
            try:
                os.close(go)
                os.read(ready, 1)
                try:
                    place.run()
                except DamagedStore:
                    set_aside(place.store)
                    place.run()
                os._exit(0)
            finally:
                os._exit(1)
        children.append(child)
    os.close(ready)
    os.close(go)

    statuses = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]

    assert statuses == [0] * 8
    assert place.counted() == once(*range(20))


def test_a_state_set_aside_just_when_it_is_opened_is_made_anew(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write(0)
    logbook.write(place.store, b"garbage" * 1000)
    look = os.lstat

    def look_too_late(path: str) -> os.stat_result:
        monkeypatch.undo()
        os.rename(place.store, place.store + ".damaged")
        return look(path)

    monkeypatch.setattr(os, "lstat", look_too_late)

    place.run()

    assert place.counted() == once(0)


def test_a_journal_of_the_damaged_state_does_not_touch_the_next_one(place: Place) -> None:
    place.write(0)
    logbook.write(place.store, b"garbage" * 1000)
    logbook.write(place.store + "-journal", b"its journal")

    set_aside(place.store)

    assert not os.path.exists(place.store + "-journal")


def test_a_state_replaced_while_it_was_open_is_noticed_before_it_is_written(
    place: Place,
) -> None:
    place.write(0)
    with Store(place.store, 5) as store:
        os.rename(place.store, place.store + ".damaged")
        place.run()
        place.write(1)

        said = said_by(lambda: logbook.ingest_into(store, place.log, logbook.FIRST), DamagedStore)

    assert said == f"{place.store}: was replaced while it was open"


def test_any_byte_of_the_state_may_be_damaged_without_an_unknown_error(place: Place) -> None:
    place.write(*range(40))
    place.run()
    whole = _bytes(place.store)
    place.write(40)
    odd = []

    for position in range(0, len(whole), DAMAGE_STEP):
        damaged = bytearray(whole)
        damaged[position] ^= 0xFF
        logbook.write(place.store, bytes(damaged), "wb")
        try:
            with Store(place.store, 0) as store:
                logbook.ingest_into(store, place.log, logbook.FIRST + 100)
                logs = store.logs.of(place.log)
                origins = [number for number, *_ in store.origins.of(logs)] if logs else []
                store.answers.totals(0, 10**9, origins)
                store.answers.keys("sent", 0, 10**9, origins)
        except StoreError:
            pass
        except Exception as error:  # noqa: BLE001 - what the test is about
            odd.append((position, repr(error)))

    assert odd == []


def test_a_state_held_by_another_run_for_too_long_says_so(place: Place) -> None:
    place.write(0)
    place.run()
    place.write(1)
    other = sqlite3.connect(place.store, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with Store(place.store, 0.05) as store:
        said = said_by(lambda: logbook.ingest_into(store, place.log, logbook.FIRST), StoreError)
    other.execute("ROLLBACK")
    other.close()
    place.run()

    assert said == (
        f"{place.store}: another run has held it for too long; see what that run is doing,"
        " or raise --timeout"
    )
    assert place.counted() == once(0, 1)


def test_a_file_size_limit_leaves_the_old_state_whole(place: Place) -> None:
    place.write(0)
    place.run()
    place.write(*range(1, 2000))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (os.path.getsize(place.store) + 4096, hard))
    try:
        said = said_by(lambda: place.run(at=3000), StoreError)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    before = place.counted()

    place.run(at=3000)

    assert said == (
        f"cannot write {place.store}: disk I/O error; see the disk's errors in the kernel's log"
    )
    assert before == once(0)
    assert place.counted() == once(*range(2000))


@pytest.fixture
def small_disk(tmp_path: os.PathLike[str]) -> Iterator[str]:
    """Return a directory with room for 512 KB."""
    where = os.path.join(tmp_path, "disk")
    os.mkdir(where)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k,mode=700", "tmpfs", where], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("cannot mount a file system here")
    yield where
    subprocess.run(["umount", where], check=True)


@as_root
@pytest.mark.parametrize("room", range(0, 80_000, 8192))
def test_a_full_disk_leaves_the_old_state_whole(place: Place, small_disk: str, room: int) -> None:
    place.store = os.path.join(small_disk, "state.sqlite")
    place.write(0)
    place.run()
    place.write(*range(1, 3000))
    filler = os.path.join(small_disk, "filler")
    logbook.write(filler, b"x" * (512 * 1024 - os.path.getsize(place.store) - 8192 - room))

    said = said_by(lambda: place.run(at=4000), StoreError)
    before = place.counted()
    os.remove(filler)
    place.run(at=4000)

    assert said == f"cannot write {place.store}: the disk is full; make room on it"
    assert before == once(0)
    assert place.counted() == once(*range(3000))


@as_root
def test_without_a_state_a_full_disk_for_temporary_files_is_named(small_disk: str) -> None:
    program = (
        "from check_postfix.maillog.store.store import Store\n"
        "with Store(None, 1) as store, store.transaction():\n"
        "    for number in range(1000):\n"
        "        store.logs.add(str(number) * 4096)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"SQLITE_TMPDIR": small_disk}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.stderr.endswith(
        "cannot write a temporary file: database or disk is full; make room in /var/tmp, or name"
        " another directory in the environment with SQLITE_TMPDIR\n"
    )


# -- whose files they are


@as_root
def test_what_root_makes_in_a_users_directory_belongs_to_the_user(open_place: Place) -> None:
    home = os.path.join(os.path.dirname(open_place.log), "home")
    os.mkdir(home)
    os.chown(home, NOBODY.pw_uid, NOBODY.pw_gid)
    open_place.store = os.path.join(home, ".local", "state", "state.sqlite")
    open_place.write(0)

    open_place.run()

    made = [os.path.join(home, ".local"), os.path.dirname(open_place.store), open_place.store]
    assert [os.stat(path).st_uid for path in made] == [NOBODY.pw_uid] * 3
    assert [os.stat(path).st_mode & 0o777 for path in made] == [0o700, 0o700, 0o600]


@as_root
def test_the_journal_that_root_makes_belongs_to_the_user(open_place: Place) -> None:
    home = os.path.join(os.path.dirname(open_place.log), "home")
    os.mkdir(home)
    os.chown(home, NOBODY.pw_uid, NOBODY.pw_gid)
    open_place.store = os.path.join(home, "state.sqlite")
    open_place.write(0)
    open_place.run()

    with Store(open_place.store, 5) as store, store.transaction():
        store.logs.add("/x")
        owner = os.stat(open_place.store + "-journal").st_uid

    assert owner == NOBODY.pw_uid


def _bytes(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _sql(path: str, *statements: str) -> None:
    db = sqlite3.connect(path)
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.close()
