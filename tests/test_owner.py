"""Root works on somebody else's files as that user, whenever an alarm comes."""

from __future__ import annotations

import errno
import os
import pwd
import signal
import tempfile
from pathlib import Path

import pytest

from check_postfix import owner
from check_postfix.maillog.errors import StoreError
from check_postfix.maillog.store import by_root
from check_postfix.plugin import prometheus
from tests.maillog.store import exchange_race
from tests.support.reach import needs_reach

NOBODY = pwd.getpwnam("nobody")

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")


@pytest.fixture
def theirs():
    """A directory of user nobody that every user may reach, as pytest's own are not."""
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        path = Path(directory, "theirs")
        path.mkdir(mode=0o700)
        os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid)
        yield path


def identity():
    return os.geteuid(), os.getegid(), os.getgroups()


@pytest.mark.heavy
@needs_reach
def test_the_owner_of_a_state_who_exchanges_it_for_links_gains_nothing():
    with tempfile.TemporaryDirectory() as directory:
        won, counted, failed = exchange_race.play(Path(directory), 200)

    assert (won, failed) == (0, 0)
    assert counted > 0


def test_what_only_root_can_exchange_root_reaches_as_root(tmp_path):
    assert owner.of(str(tmp_path / "state")) is None
    assert owner.of("/no/such/directory/state") is None


@pytest.mark.parametrize("name", ["state", "in/it/state"])
def test_the_first_on_the_way_who_is_not_root_is_the_owner(name, theirs):
    (theirs / "in" / "it").mkdir(parents=True)

    found = owner.of(str(theirs / name))

    assert found.name == "nobody"
    assert found.does(identity) == (NOBODY.pw_uid, NOBODY.pw_gid, [NOBODY.pw_gid])


def test_a_link_of_theirs_into_a_directory_of_roots_is_theirs(theirs, tmp_path):
    link = theirs / "link"
    link.symlink_to(tmp_path)
    os.chown(link, NOBODY.pw_uid, NOBODY.pw_gid, follow_symlinks=False)

    assert owner.of(str(link / "state")).name == "nobody"


def test_a_link_of_roots_leads_to_whose_directory_it_is(theirs, tmp_path):
    (tmp_path / "absolute").symlink_to(theirs)
    (tmp_path / "relative").symlink_to(os.path.relpath(theirs, tmp_path))
    (tmp_path / "circle").symlink_to("circle")

    assert owner.of(str(tmp_path / "absolute" / "state")).name == "nobody"
    assert owner.of(str(tmp_path / "relative" / "state")).name == "nobody"
    assert owner.of(str(tmp_path / "circle" / "state")) is None


def test_whoever_is_not_root_acts_as_no_other(theirs):
    os.seteuid(NOBODY.pw_uid)
    try:
        found = owner.of(str(theirs / "state"))
    finally:
        os.seteuid(0)

    assert found is None


def test_root_that_may_act_as_nobody_else_is_told_what_to_do(theirs, monkeypatch):
    def refused(*_):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(owner.Owner, "does", refused)  # as in a container without CAP_SETUID
    state = theirs / "state"

    with pytest.raises(StoreError) as raised:
        by_root.connected(str(state), 1)

    assert str(raised.value) == (
        f"{state}: root cannot act as user nobody, to whom the directory belongs: operation not"
        " permitted; run this check as that user, or choose another with --state"
    )


class Alarm(Exception):
    pass


def test_whenever_an_alarm_comes_root_is_never_left_to_what_follows(theirs):
    found = owner.of(str(theirs / "state"))
    before = identity()
    seen = set()

    is_armed = False
    rung = 0

    def ring(*_):
        nonlocal is_armed, rung
        if is_armed:
            is_armed = False
            rung += 1
            raise Alarm

    signal.signal(signal.SIGALRM, ring)
    for delay in range(3000):
        try:
            is_armed = True
            signal.setitimer(signal.ITIMER_REAL, 1e-6 * (1 + delay % 60))
            for _ in range(20):
                seen.add(found.does(os.geteuid))
            is_armed = False
        except Alarm:
            pass
        assert os.geteuid() == 0
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    seen.add(found.does(os.geteuid))

    assert rung > 100
    assert seen == {NOBODY.pw_uid}
    assert identity() == before


def test_metrics_that_root_writes_into_their_directory_are_theirs(theirs):
    prometheus.write(str(theirs / "postfix.prom"), "# HELP a_state what check_a says: so\n")

    assert (theirs / "postfix.prom").stat().st_uid == NOBODY.pw_uid
