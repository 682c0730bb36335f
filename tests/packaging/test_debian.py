"""The Debian package, in a bare Debian: installed, used, purged."""

from __future__ import annotations

import io
import os
import re
import shutil
import stat
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.ground import one_day
from tests.integration import packages
from tests.monitoring.cases import at_any_time
from tests.support.definitions import log_checks, names

from .debian import ROOT, Debian, releases

pytestmark = pytest.mark.integration

BUILD = ROOT / "checks/debian/build"
RECORDED = ROOT / "tests/recorded/mail.iso.log"
PLUGINS = "/usr/lib/nagios/plugins"
STATE = "/var/lib/check_postfix"


def build(directory: Path) -> Path:
    done = subprocess.run(
        [sys.executable, BUILD, directory], capture_output=True, text=True, check=True
    )
    return Path(done.stdout.strip())


@pytest.fixture(scope="module")
def package(tmp_path_factory) -> Path:
    """The package, built by the documented command."""
    if not shutil.which("dpkg-deb"):
        pytest.skip("dpkg-deb builds the package, and this is no Debian")
    return build(tmp_path_factory.mktemp("deb"))


@pytest.fixture(scope="module", params=releases())
def debian(request, package, tmp_path_factory) -> Iterator[Debian]:
    """A bare Debian with the package installed by apt, and a mail log that only adm may read."""
    if os.geteuid() != 0:
        pytest.skip("a Debian of its own needs root")
    packages.install("mmdebstrap")
    place = tmp_path_factory.mktemp("debian") / "root"
    machine = Debian(place, request.param)
    machine.copy_in(package, "/tmp/check-postfix.deb")
    machine.must("apt-get", "-q", "-y", "--no-install-recommends", "install",
                 "/tmp/check-postfix.deb")  # fmt: skip
    machine.copy_in(RECORDED, "/tmp/recorded.log")
    machine.path("/tmp/recorded.log").chmod(0o644)
    log = one_day(machine.path("/var/log/mail.log"), 1_000_000)
    machine.must("chgrp", "adm", "/var/log/mail.log")
    machine.must("chmod", "0640", "/var/log/mail.log")
    machine.truth = log.truth
    yield machine
    shutil.rmtree(place)


def at_end_of_record() -> list[str]:
    last = RECORDED.read_text().splitlines()[-1]
    return ["--no-state", "--window", "1h", "--at", last.split()[0]]


def test_lintian_has_nothing_to_say(package):
    if os.geteuid() == 0:
        packages.install("lintian")
    elif not shutil.which("lintian"):
        pytest.skip("lintian is not installed, and installing it needs root")
    done = subprocess.run(
        ["lintian", "--fail-on", "error,warning", package],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stdout) == (0, "")


def test_the_same_tree_gives_the_same_package(package, tmp_path):
    assert build(tmp_path).read_bytes() == package.read_bytes()


def test_its_libraries_are_debians_own(debian):
    program = "import nagiosplugin, dateutil; print(nagiosplugin.__file__, dateutil.__file__)"
    found = debian.must("python3", "-I", "-c", program).split()

    assert [Path(name).parents[1] for name in found] == [Path("/usr/lib/python3/dist-packages")] * 2


@pytest.mark.parametrize("check", names(log_checks()))
def test_user_nagios_gets_the_answer_that_the_tree_gives(debian, check):
    command = [f"{PLUGINS}/check_postfix_{check}", *at_end_of_record()]
    installed = debian.run(*command, "--log", "/tmp/recorded.log", user="nagios")
    tree = subprocess.run(
        [sys.executable, "-m", f"check_postfix.{check}", *at_end_of_record(),
         "--log", str(RECORDED)],
        env={"PYTHONPATH": str(ROOT / "checks"), "TZ": "UTC"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    # Without a state each run has other pseudonyms.
    said = at_any_time(tree.stdout).replace(str(RECORDED), "/tmp/recorded.log")
    assert (at_any_time(installed.stdout), installed.returncode) == (said, tree.returncode)


def test_the_queue_check_says_that_there_is_no_postfix(debian):
    done = debian.run(f"{PLUGINS}/check_postfix_queue", user="nagios")

    assert done.returncode == 3
    assert done.stdout.startswith("POSTFIX QUEUE UNKNOWN - ")
    assert "postqueue" in done.stdout


def test_it_is_compiled_when_it_is_installed(debian):
    where = debian.path("/usr/lib/python3/dist-packages/check_postfix")
    modules = {path.stem for path in where.rglob("*.py")}
    compiled = {path.name.partition(".")[0] for path in where.rglob("*.pyc")}

    assert compiled == modules


def test_the_state_directory_is_nagios_own(debian):
    status = debian.path(STATE).stat()
    owner = debian.must("stat", "-c", "%U:%G", STATE).strip()

    assert (owner, stat.S_IMODE(status.st_mode)) == ("nagios:nagios", 0o700)


def test_nagios_finds_the_commands(debian):
    assert "define command" in debian.must("cat", "/etc/nagios-plugins/config/check_postfix.cfg")
    assert debian.path("/usr/share/check_postfix/icinga/postfix-commands.conf").exists()


def test_it_brings_the_pages_that_an_operator_needs(package):
    listed = subprocess.run(
        ["dpkg-deb", "--fsys-tarfile", package], capture_output=True, check=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(listed)) as tree:
        names = {name.removeprefix("./usr/share/") for name in tree.getnames()}
        links = {member.name: member.linkname for member in tree.getmembers() if member.issym()}
    pages = {f"doc/check-postfix/{page}" for page in (
        "README.md", "README.Debian", "checks/OPTIONS.md", "checks/NUMBERS.md", "checks/THREATS.md"
    )}  # fmt: skip

    assert pages | {f"check_postfix/{kind}/README.md" for kind in ("icinga", "nagios")} <= names
    assert links == {
        "./usr/share/doc/check-postfix/icinga": "../../check_postfix/icinga",
        "./usr/share/doc/check-postfix/nagios": "../../check_postfix/nagios",
        "./usr/share/doc/check-postfix/checks/schedule": "../../../check_postfix/schedule",
    }


def test_nagios_must_be_let_into_group_adm_and_is_told_so(debian):
    check = f"{PLUGINS}/check_postfix_auth"
    before = debian.run(check, user="nagios")
    debian.must("adduser", "--quiet", "nagios", "adm")
    after = debian.run(check, "-vv", "--window", "2d", user="nagios")

    assert before.returncode == 3
    assert "cannot read /var/log/mail.log: permission denied; add user nagios to group adm" in (
        before.stdout
    )
    assert f"{debian.truth.totals['auth_failed']} failed logins in 2 d" in after.stdout
    assert debian.must("stat", "-c", "%U %a", f"{STATE}/maillog.sqlite3").strip() == "nagios 600"


def test_installing_again_keeps_the_counts(debian):
    debian.path(STATE).joinpath("witness").write_text("")
    debian.must("apt-get", "-q", "-y", "install", "--reinstall", "/tmp/check-postfix.deb")

    assert debian.path(STATE).joinpath("witness").exists()


def test_purging_leaves_nothing_behind_but_the_user(debian):
    listed = debian.must("dpkg", "-L", "check-postfix").split()
    debian.must("apt-get", "-q", "-y", "purge", "check-postfix")

    left = [name for name in [*listed, STATE] if "postfix" in name and debian.path(name).exists()]
    assert not left
    assert debian.run("id", "nagios").returncode == 0


# -- an ordinary user with a clone

CLONE = "/home/joe/check_postfix"
LET_JOE_READ = f"usermod -aG adm joe && su joe -c {CLONE}/tests/try"


@pytest.fixture(scope="module")
def joe(debian) -> str:
    """A user without any rights who has this clone, on a machine with Python's venv."""
    debian.must("apt-get", "-q", "-y", "--no-install-recommends", "install", "python3-venv")
    debian.must("adduser", "--quiet", "--disabled-password", "--comment", "", "joe")
    debian.copy_tree_in(CLONE)
    debian.must("chown", "-R", "joe:", CLONE)
    return "joe"


def test_an_ordinary_user_sees_what_the_checks_say(debian, joe):
    said = debian.must(f"{CLONE}/tests/try", user=joe, HOME=f"/home/{joe}")

    assert "DEFERRED WARNING - " in said
    assert "deferrals by reason:" in said
    assert (
        f"User joe may not read /var/log/mail.log. Let it:\n\n    su - -c '{LET_JOE_READ}'\n"
    ) in said


@pytest.mark.usefixtures("joe")
def test_the_command_that_it_is_told_lets_it_read_the_log(debian):
    said = debian.must("sh", "-c", LET_JOE_READ)

    assert "This machine: /var/log/mail.log, the last 15 minutes" in said
    assert "may not read" not in said


def test_an_ordinary_user_passes_the_tests_that_need_nothing_installed(debian, joe):
    said = debian.must(f"{CLONE}/tests/run", user=joe, HOME=f"/home/{joe}")

    assert re.search(r"^\d+ passed", said.splitlines()[-1])


@pytest.mark.usefixtures("joe")
def test_what_the_other_tests_install_leaves_nothing_that_starts(debian):
    program = "from tests.integration import packages; packages.install('postfix', 'rsyslog')"
    before = packages.at_boot(debian.directory)
    debian.must("sh", "-c", f'cd {CLONE} && python3 -c "{program}"')

    assert debian.run("which", "postfix", "rsyslogd").returncode == 0
    assert packages.at_boot(debian.directory) == before
    assert not debian.path("/usr/sbin/policy-rc.d").exists()
    assert "No configuration" not in debian.must("debconf-show", "postfix")
