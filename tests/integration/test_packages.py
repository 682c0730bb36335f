"""What the installation of the real programs leaves behind on a machine."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from . import packages

WANTS = "etc/systemd/system/multi-user.target.wants"


@pytest.fixture
def enable(tmp_path):
    """Return what makes links as a package does, in a root where some are already."""

    def links_to(*places: str) -> None:
        for place in places:
            path = tmp_path / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to("/lib/systemd/system/its.service")

    links_to(f"{WANTS}/own.service", "etc/rc3.d/S01own")
    return links_to


def links(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_symlink()}


@pytest.mark.usefixtures("enable")
def test_what_was_enabled_before_stays_enabled(tmp_path):
    packages.disable_all_but(packages.at_boot(tmp_path), tmp_path)

    assert links(tmp_path) == {f"{WANTS}/own.service", "etc/rc3.d/S01own"}


@pytest.mark.parametrize(
    "place",
    [
        f"{WANTS}/nagios4.service",
        "etc/systemd/system/timers.target.wants/logrotate.timer",
        "etc/systemd/system/sockets.target.requires/its.socket",
        "etc/systemd/user/default.target.wants/its.service",
    ],
)
def test_a_unit_that_came_with_a_package_is_disabled(enable, place, tmp_path):
    known = packages.at_boot(tmp_path)
    enable(place)

    packages.disable_all_but(known, tmp_path)

    assert place not in links(tmp_path)
    assert packages.at_boot(tmp_path) == known


def test_a_script_that_came_with_a_package_is_disabled_as_update_rc_d_does(enable, tmp_path):
    known = packages.at_boot(tmp_path)
    enable("etc/rc2.d/S02postfix", "etc/rc0.d/K01postfix")

    packages.disable_all_but(known, tmp_path)

    assert packages.at_boot(tmp_path) == known
    assert {"etc/rc2.d/K01postfix", "etc/rc0.d/K01postfix"} <= links(tmp_path)


def test_an_installation_that_was_ended_halfway_is_brought_to_its_end(monkeypatch, tmp_path):
    commands = []

    def run(*command, **_):
        commands.append(command)
        if command[0] == "apt-get" and "install" in command and len(commands) == 1:
            raise packages.NotInstallable("E: dpkg was interrupted")

    monkeypatch.setattr(packages, "POLICY", tmp_path / "policy-rc.d")
    monkeypatch.setattr(packages, "missing", lambda name: [] if name == "postfix" else [name])
    monkeypatch.setattr(packages, "_run", run)
    monkeypatch.setattr(packages, "installed", [])

    packages.install("its-name")

    assert [command[0] for command in commands] == ["apt-get", "dpkg", "apt-get", "apt-get"]
    assert commands[1][1:] == ("--configure", "-a", "--force-confold")
    assert commands[3] == commands[0]


def test_one_process_installs_at_a_time(tmp_path):
    program = (
        "from pathlib import Path; from tests.integration import packages;"
        f" packages.POLICY = Path({str(tmp_path / 'policy-rc.d')!r});"
        " packages.missing = lambda name: [] if name == 'postfix' else [name];"
        " packages._install = lambda names: print('installs', *names);"
        " packages.install('its-name')"
    )
    directory = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(directory, fcntl.LOCK_EX)

    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as other:
        deadline = time.monotonic() + 30
        while not waits(other.pid):
            assert time.monotonic() < deadline
            assert other.poll() is None
        os.close(directory)
        said, _ = other.communicate()

    assert said == "installs its-name\n"


def waits(process: int) -> bool:
    """Tell whether a process waits for a lock."""
    locks = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    return any(lock[1] == "->" and lock[5] == str(process) for lock in locks)
