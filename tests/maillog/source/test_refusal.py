"""A refusal: the fix that is named is one that helps, and is not done already."""

from __future__ import annotations

import grp
import os
import pwd

import pytest

from check_postfix.maillog.source import journalctl, refusal
from check_postfix.maillog.source.refusal import unreadable

REFUSED = PermissionError(13, "Permission denied")


class User:
    """Makes this process one of a user who is, by the files or by itself, in some groups."""

    def __init__(self, monkeypatch):
        self._patch = monkeypatch.setattr
        self._patch(os, "geteuid", lambda: 4711)
        entry = pwd.struct_passwd(("icinga", "x", 4711, 4711, "", "/", "/bin/sh"))
        self._patch(pwd, "getpwuid", lambda _: entry)
        groups = {
            "adm": grp.struct_group(("adm", "x", 4, [])),
            "systemd-journal": grp.struct_group(("systemd-journal", "x", 101, [])),
        }
        self._patch(grp, "getgrnam", lambda name: groups[name])
        self._patch(
            grp, "getgrgid", lambda number: next(g for g in groups.values() if g[2] == number)
        )
        self.is_in()

    def is_in(self, by_files=(), process=()):
        self._patch(os, "getgrouplist", lambda *_: [4711, *by_files])
        self._patch(os, "getegid", lambda: 4711)
        self._patch(os, "getgroups", lambda: list(process))


@pytest.fixture
def user(monkeypatch):
    return User(monkeypatch)


@pytest.fixture
def log(tmp_path, monkeypatch):
    """A log of root and group adm."""
    path = tmp_path / "mail.log"
    path.touch()
    found = os.stat(path)
    status = os.stat_result((0o100640, *found[1:4], 0, 4, *found[6:]))
    real = os.stat
    monkeypatch.setattr(
        os, "stat", lambda at, **more: status if at == str(path) else real(at, **more)
    )
    return str(path)


@pytest.mark.usefixtures("user")
def test_a_user_who_is_not_in_the_files_group_is_told_to_join_it(log):
    assert str(unreadable(log, REFUSED)) == (
        f"cannot read {log}: permission denied; add user icinga to group adm, and restart what"
        " runs this check"
    )


def test_a_user_who_has_joined_it_since_the_agent_began_is_told_to_restart_that(log, user):
    user.is_in(by_files=[4])

    assert str(unreadable(log, REFUSED)) == (
        f"cannot read {log}: permission denied; user icinga is in group adm, but this process is"
        " not yet; restart what runs this check"
    )


def test_a_user_whose_process_is_in_it_is_told_to_look_for_something_else(log, user):
    user.is_in(by_files=[4], process=[4])

    assert str(unreadable(log, REFUSED)) == (
        f"cannot read {log}: permission denied; user icinga is in group adm already; see what else"
        " forbids it, such as AppArmor, SELinux or an ACL"
    )


def test_of_the_journal_the_same_is_said(user):
    user.is_in(by_files=[101])

    assert str(journalctl._refused("/var/log/journal")) == (
        "cannot read /var/log/journal: permission denied; user icinga is in group systemd-journal,"
        " but this process is not yet; restart what runs this check"
    )


@pytest.mark.usefixtures("user")
def test_a_group_that_this_machine_does_not_know_is_named_all_the_same(monkeypatch):
    def unknown(name):
        raise KeyError(name)

    monkeypatch.setattr(grp, "getgrnam", unknown)

    assert refusal.join("systemd-journal") == (
        "add user icinga to group systemd-journal, and restart what runs this check"
    )
