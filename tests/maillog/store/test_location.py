"""Where a user's store lies when nobody says where."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from check_postfix.maillog.errors import StoreError
from check_postfix.maillog.store import location

USER = os.geteuid()


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine with a home and a /var/tmp, but without the shared directory."""
    home, var_tmp = tmp_path / "home", tmp_path / "tmp"
    home.mkdir()
    var_tmp.mkdir()
    real = {name: getattr(os, name) for name in ("mkdir", "lstat", "access", "listdir")}

    def moved(path):
        return os.fspath(path).replace("/var/tmp", str(var_tmp))

    monkeypatch.setattr(location, "SHARED", str(tmp_path / "shared"))
    monkeypatch.setattr(
        location.pwd, "getpwuid", lambda _: SimpleNamespace(pw_dir=str(home))
    )  # fmt: skip
    fake = SimpleNamespace(
        **{
            **vars(os),
            "mkdir": lambda path, mode=0o777: real["mkdir"](moved(path), mode),
            "lstat": lambda path: real["lstat"](moved(path)),
            "listdir": lambda path: real["listdir"](moved(path)),
        }
    )
    monkeypatch.setattr(location, "os", fake)
    return SimpleNamespace(home=home, var_tmp=var_tmp, shared=tmp_path / "shared", os=fake)


def no_home(monkeypatch):
    monkeypatch.setattr(location.pwd, "getpwuid", lambda _: SimpleNamespace(pw_dir="/nonexistent"))


def private(machine):
    return machine.var_tmp / f"check_postfix-{USER}"


def test_the_shared_place_is_taken_where_the_user_may_write(machine):
    machine.shared.mkdir()

    assert location.default_store() == f"{machine.shared}/maillog.sqlite3"


def test_otherwise_it_lies_in_the_users_home(machine):
    assert location.default_store() == f"{machine.home}/.local/state/check_postfix/maillog.sqlite3"


@pytest.mark.parametrize("home", ["", "/", "/nonexistent"])
def test_a_user_without_a_home_has_a_private_directory(machine, monkeypatch, home):
    monkeypatch.setattr(location.pwd, "getpwuid", lambda _: SimpleNamespace(pw_dir=home))

    found = location.default_store()

    assert found == f"/var/tmp/check_postfix-{USER}/maillog.sqlite3"
    assert private(machine).stat().st_mode & 0o777 == 0o700
    assert location.default_store() == found


@pytest.mark.usefixtures("machine")
def test_a_user_without_an_entry_has_a_private_directory(monkeypatch):
    def unknown(_):
        raise KeyError

    monkeypatch.setattr(location.pwd, "getpwuid", unknown)

    assert location.default_store() == f"/var/tmp/check_postfix-{USER}/maillog.sqlite3"


def test_a_directory_that_others_may_enter_is_refused(machine, monkeypatch):
    no_home(monkeypatch)
    private(machine).mkdir()
    private(machine).chmod(0o755)

    with pytest.raises(StoreError) as error:
        location.default_store()

    assert str(error.value) == (
        f"/var/tmp/check_postfix-{USER}: is not private, others may enter it; remove it,"
        " or choose a file with --state"
    )


def put_a_link(path, _):
    path.symlink_to("/")


def put_a_file(path, _):
    path.touch()


def put_a_directory(path, monkeypatch):
    path.mkdir(mode=0o700)
    real = os.lstat
    others = [*real(path)]
    others[4] = USER + 1
    monkeypatch.setattr(
        location.os,
        "lstat",
        lambda wanted: (
            os.stat_result(others)
            if wanted == f"/var/tmp/{path.name}"
            else real(wanted.replace("/var/tmp", str(path.parent)))
        ),
    )


@pytest.mark.parametrize("put", [put_a_link, put_a_file, put_a_directory])
def test_where_somebody_else_has_taken_its_name_another_is_taken_and_found_again(
    put, machine, monkeypatch
):
    no_home(monkeypatch)
    put(private(machine), monkeypatch)

    found = location.default_store()

    directory = os.path.basename(os.path.dirname(found))
    assert directory.startswith(f"check_postfix-{USER}-")
    assert (machine.var_tmp / directory).stat().st_mode & 0o777 == 0o700
    assert location.default_store() == found


def test_a_name_that_another_user_has_prepared_is_not_taken(machine, monkeypatch):
    no_home(monkeypatch)
    put_a_file(private(machine), None)
    (machine.var_tmp / f"check_postfix-{USER}-0").symlink_to("/")

    found = location.default_store()

    assert not found.startswith(f"/var/tmp/check_postfix-{USER}-0/")


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o707])
def test_a_home_that_others_may_write_is_not_taken(mode, machine):
    machine.home.chmod(mode)

    assert location.default_store().startswith(f"/var/tmp/check_postfix-{USER}/")


def test_where_no_directory_can_be_made_that_is_said(machine, monkeypatch):
    no_home(monkeypatch)
    machine.var_tmp.rmdir()

    with pytest.raises(StoreError, match=r"^cannot write /var/tmp/check_postfix-\d+: no such file"):
        location.default_store()


def test_a_place_where_nobody_can_make_a_directory_is_told_of(machine, monkeypatch):
    no_home(monkeypatch)
    machine.var_tmp.rmdir()

    with pytest.raises(StoreError) as error:
        location.default_store()

    assert str(error.value) == (
        f"cannot write /var/tmp/check_postfix-{USER}: no such file or directory; choose a file"
        " with --state"
    )
