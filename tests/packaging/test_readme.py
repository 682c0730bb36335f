"""The README's installation, typed line by line into a bare Debian with real monitoring.

What has to be there before: Icinga 2, Nagios and NRPE, as Debian installs them, a clone, and a
mail log. systemd is not the first process in it, so its `systemctl restart` calls what the
packages bring for that case, and apt takes every question for answered.
"""

from __future__ import annotations

import copy
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.integration import packages
from tests.monitoring import mail_log
from tests.monitoring.icinga2 import complaints
from tests.support.definitions import checks, names

from .debian import ROOT, Debian, releases
from .readme import commands, shells

pytestmark = pytest.mark.integration

CLONE = "/root/check_postfix"
MONITORING = [
    *("icinga2", "nagios4-core", "nagios-nrpe-server", "nagios-nrpe-plugin"),
    *("monitoring-plugins-basic", "curl", "procps", "ca-certificates"),
]
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
SYSTEMCTL = """\
#!/bin/sh
[ "$1" = restart ] && exec service "$2" restart
"""
WAYS = ["pip", "deb"]
SERVICES = sorted(f"postfix-{name}" for name in names(checks()))
# How each monitoring system is asked for its services: NAME STATE OUTPUT, one a line.
# A check is due within a minute.
ICINGA_API = """\
password=$(sed -n 's/.*password = "\\(.*\\)".*/\\1/p' /etc/icinga2/conf.d/api-users.conf)
ask() { curl -sSk -u "root:$password" -H 'Accept: application/json' "$@"; }
url=https://localhost:5665/v1
until ask $url/status >/dev/null 2>&1; do sleep 0.2; done
"""
ICINGA_SAYS = (
    ICINGA_API
    + """\
for _ in $(seq 100); do
    ask -X POST "$url/actions/reschedule-check?type=Service&force=true" >/dev/null
    sleep 0.5
    ask $url/objects/services > /tmp/services
    python3 - <<'PYTHON' > /tmp/said
import json
for one in json.load(open("/tmp/services"))["results"]:
    of = one["attrs"]
    said = (of["last_check_result"] or {}).get("output", "pending").partition("\\n")[0]
    if of["name"].startswith("postfix-"):
        print(of["name"], int(of["state"]), said)
PYTHON
    grep -q pending /tmp/said || break
done
cat /tmp/said
"""
)
ICINGA_NAMES = (
    ICINGA_API
    + """\
ask $url/objects/services?attrs=name | grep -o '"name":"[^"]*!postfix-[^"]*"' \\
    | sed 's/.*!//; s/"//'
"""
)
# What `icinga2 node wizard` leaves on a master that knows one agent.
MASTER_ZONES = """\
object Endpoint NodeName { }
object Zone "master" { endpoints = [ NodeName ] }
object Endpoint "mx1.example.com" { }
object Zone "mx1.example.com" { endpoints = [ "mx1.example.com" ]; parent = "master" }
object Zone "global-templates" { global = true }
object Zone "director-global" { global = true }
"""
NAGIOS_SAYS = """\
until [ -p /var/lib/nagios4/rw/nagios.cmd ]; do sleep 0.2; done
for service in deferred bounces auth rejects senders recipients queue; do
    echo "[$(date +%s)] SCHEDULE_FORCED_SVC_CHECK;$HOST_NAME;postfix-$service;$(date +%s)" \\
        > /var/lib/nagios4/rw/nagios.cmd
done
for _ in $(seq 200); do
    python3 - <<'PYTHON' > /tmp/said
import re
text = open("/var/lib/nagios4/status.dat").read()
for block in re.findall(r"servicestatus \\{(.*?)\\n\\t\\}", text, re.S):
    of = dict(line.strip().split("=", 1) for line in block.strip().splitlines() if "=" in line)
    if of["service_description"].startswith("postfix-"):
        said = of["plugin_output"] if of["has_been_checked"] == "1" else "pending"
        print(of["service_description"], of["current_state"], said)
PYTHON
    [ -s /tmp/said ] && ! grep -q pending /tmp/said && break
    sleep 0.3
done
cat /tmp/said
"""


def write_log(machine: Debian, lines: Iterable[str]) -> None:
    """Let the mail log grow; it is for group adm only."""
    path = machine.path("/var/log/mail.log")
    with path.open("a") as log:
        log.writelines(f"{line}\n" for line in lines)
    path.chmod(0o640)
    machine.must("chgrp", "adm", "/var/log/mail.log")


@pytest.fixture(scope="module", params=releases())
def furnished(request, tmp_path_factory) -> Iterator[Debian]:
    """A bare Debian in which Icinga, Nagios and NRPE have just been installed."""
    if os.geteuid() != 0:
        pytest.skip("a Debian of its own needs root")
    packages.install("mmdebstrap")
    place = tmp_path_factory.mktemp("debian") / "root"
    machine = Debian(place, request.param)
    machine.path("/etc/apt/apt.conf.d/yes").write_text('APT::Get::Assume-Yes "true";\n')
    machine.must("apt-get", "-q", "--no-install-recommends", "install", *MONITORING)
    if CERTIFICATES.exists():  # this machine's own: the package has made others
        machine.copy_in(CERTIFICATES, str(CERTIFICATES))
    machine.path("/usr/local/bin/systemctl").write_text(SYSTEMCTL)
    machine.path("/usr/local/bin/systemctl").chmod(0o755)
    machine.copy_tree_in(CLONE)
    machine.must("icinga2", "api", "setup")
    yield machine
    shutil.rmtree(place)


@pytest.fixture(scope="module", params=WAYS)
def machine(request, furnished, tmp_path_factory) -> Iterator[Debian]:
    """A copy of that, with the checks installed in one of the two ways, and a log of trouble."""
    place = tmp_path_factory.mktemp(request.param) / "root"
    subprocess.run(["cp", "-a", "--reflink=auto", furnished.directory, place], check=True)
    machine = copy.copy(furnished)
    machine.directory = place
    write_log(machine, mail_log.quiet("mx1"))
    typed(machine, request.param, "read")
    write_log(machine, mail_log.trouble("mx1"))
    yield machine
    shutil.rmtree(place)


@pytest.fixture(autouse=True)
def unconfigured(request) -> Iterator[None]:
    """Leave nothing configured for the next test."""
    yield
    if "machine" in request.fixturenames:
        machine = request.getfixturevalue("machine")
        machine.must(
            "sh", "-c", "rm -f /etc/icinga2/conf.d/postfix-* /etc/nagios4/conf.d/postfix-*"
        )


def typed(machine: Debian, *marks: str, then: str = "", **environment: str) -> str:
    """Type the README's commands of these marks, one after the other; return what is said.

    then: further commands, of the test
    """
    # Master and mail server are one machine here.
    lines = "".join(commands()[mark] for mark in marks).replace("192.0.2.11", "127.0.0.1")
    # What is tried by hand may well alarm.
    lines = re.sub(r"(?m)^(/\S*/check_nrpe .*)$", r"\1 || [ $? -lt 3 ]", lines)
    # What ran before has ended with its namespace, as in a power cut; its number is another's now.
    no_pids = "find /run -name '*.pid' -delete"
    script = f"set -eu\n{no_pids}\nexport PATH=/usr/local/bin:$PATH\ncd {CLONE}\n{lines}"
    machine.path("/tmp/typed").write_text(f"{script}\necho; echo '---'\n{then}")
    return machine.must("sh", "/tmp/typed", **environment)


def services(said: str) -> dict[str, tuple[int, str]]:
    found = {}
    for line in said.rpartition("\n---\n")[2].splitlines():
        name, state, output = line.split(" ", 2)
        found[name] = int(state), output
    return found


def alarmed(said: str) -> None:
    """See that there are all services, and that two of them alarm with a reason."""
    found = services(said)

    assert sorted(found) == SERVICES, said
    state, output = found["postfix-deferred"]
    assert (state, output.partition(" | ")[0].rstrip()) == (
        1,
        "POSTFIX DEFERRED WARNING - 17.9 % of 56 delivery attempts deferred in 15 min,"
        " all to example.net: 4.4.1",
    )
    assert found["postfix-auth"][0] == 0
    assert found["postfix-queue"][0] == 3  # there is no Postfix, and it says so
    assert "postqueue" in found["postfix-queue"][1]


def test_every_command_of_the_installation_is_tried():
    assert shells() == len(commands())


def test_icinga_on_the_mail_server_alarms_and_has_nothing_to_warn_of(machine):
    said = typed(machine, "icinga", then=ICINGA_SAYS)

    assert complaints(said) == []
    alarmed(said)


def test_nagios_on_the_mail_server_alarms_and_has_nothing_to_warn_of(machine):
    said = typed(machine, "nagios", then=NAGIOS_SAYS, HOST_NAME="mail.example.com")

    assert "Total Warnings: 0" in said
    alarmed(said)


def test_nagios_that_asks_by_nrpe_alarms_and_has_nothing_to_warn_of(machine):
    said = typed(machine, "nrpe", "nagios nrpe", then=NAGIOS_SAYS, HOST_NAME="mx1.example.com")

    assert "Total Warnings: 0" in said
    alarmed(said)


def test_an_icinga_master_takes_what_is_for_agents_and_has_nothing_to_warn_of(machine):
    """What agents say is told by test_icinga_cluster.py."""
    zones = machine.path("/etc/icinga2/zones.conf")
    before = zones.read_text()
    zones.write_text(MASTER_ZONES)
    try:
        typed(machine, "icinga agent")  # on another machine
        said = typed(machine, "icinga master", then=ICINGA_NAMES)
    finally:
        zones.write_text(before)
        machine.must("sh", "-c", "rm -rf /etc/icinga2/zones.d/*/postfix-*")

    assert complaints(said) == []
    assert sorted(said.rpartition("\n---\n")[2].split()) == sorted([*SERVICES, "postfix-agent"])


def test_files_of_0_1_stop_everything_until_they_are_deleted_as_the_page_says(machine):
    old = {
        "/etc/icinga2/conf.d/postfix/commands.conf": "icinga/postfix-commands.conf",
        "/etc/icinga2/conf.d/postfix/services.conf": "icinga/postfix-services.conf",
        "/etc/nagios4/conf.d/postfix/commands.cfg": "nagios/postfix-commands.cfg",
        "/etc/nagios/nrpe.d/check_postfix.cfg": "nagios/postfix-nrpe.conf",
    }
    for path, of_now in old.items():
        machine.path(path).parent.mkdir(exist_ok=True)
        machine.copy_in(ROOT / of_now, path)

    with pytest.raises(AssertionError, match=r"already exists|re-defined"):
        typed(machine, "icinga")
    listed = typed(machine, "from 0.1").partition("\n---\n")[0].split()
    machine.must("rm", *listed)

    assert sorted(listed) == sorted(path for path in old if "icinga2" in path)
    alarmed(typed(machine, "icinga", then=ICINGA_SAYS))
    alarmed(typed(machine, "nagios", then=NAGIOS_SAYS, HOST_NAME="mail.example.com"))


def test_it_is_removed_as_the_page_says(machine, request):
    typed(machine, f"{request.node.callspec.params['machine']} remove")

    left = (
        "ls -d /usr/lib/nagios/plugins/check_postfix_* /usr/share/check_postfix /opt/check_postfix"
    )
    said = machine.must("sh", "-c", f"{left} 2>/dev/null; command -v postfix-log || echo none")
    assert said == "none\n"
