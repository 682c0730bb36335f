"""The README's installation, typed line by line into a bare Debian with real monitoring.

What has to be there before: Icinga 2, Nagios and NRPE, as Debian installs them, a clone, and a
mail log. systemd is not the first process in it, so its `systemctl restart` calls what the
packages bring for that case.
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
# What `icinga2 node wizard` does on a master if it gets no answers but the default ones.
A_MASTER = ["icinga2", "node", "setup", "--master", "--cn", "mail.example.com", "--disable-confd"]
# Takes what both examples of Debian send as mail.
MAIL = """\
#!/bin/sh
{ echo "$*"; cat; } > /tmp/mail.$$
mv /tmp/mail.$$ /tmp/mailed.$$
"""
TAKE_MAIL = "rm -f /usr/bin/mail /tmp/mailed.*; install -m 0755 /tmp/mail /usr/bin/mail\n"
# Others may be in trouble as well, and name the command postfix-log.
ITS_SERVICE = "'^Service: *postfix-log$'"
UNTIL_MAILED = f"for _ in $(seq 120); do ! grep -qs {ITS_SERVICE} /tmp/mailed.* || break\n"
MAILED = f"sleep 0.5; done; grep -l {ITS_SERVICE} /tmp/mailed.* | xargs cat\n"
ICINGA_MAILS = f"""\
{TAKE_MAIL}
sed -i 's/vars.postfix = true/&\\n vars.check_postfix_log_critical = "@0:"/' \\
    /etc/icinga2/conf.d/postfix-mail.conf
icinga2 daemon -C && systemctl restart icinga2 || exit 1
{ICINGA_API}{UNTIL_MAILED}
    ask -X POST "$url/actions/reschedule-check?type=Service&force=true" >/dev/null
{MAILED}"""
NAGIOS_MAILS = f"""\
{TAKE_MAIL}
sed -i 's/check_postfix_log!--verbose/& -c @0:/' /etc/nagios4/conf.d/postfix-services.cfg
nagios4 -v /etc/nagios4/nagios.cfg && systemctl restart nagios4 || exit 1
until [ -p /var/lib/nagios4/rw/nagios.cmd ]; do sleep 0.2; done
{UNTIL_MAILED}
    echo "[$(date +%s)] SCHEDULE_FORCED_SVC_CHECK;mail.example.com;postfix-log;$(date +%s)" \\
        > /var/lib/nagios4/rw/nagios.cmd
{MAILED}"""
# What is printed after it is what the page shows the services with.
SEEN = "echo '====='\n"
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
    machine.must("apt-get", "-q", "-y", "--no-install-recommends", "install", *MONITORING)
    # Debian 13 lets everybody ping by a setting that systemd makes when it boots. Of the services
    # of a host that cannot be reached nobody is told.
    machine.must("chmod", "u+s", "/usr/bin/ping")
    if CERTIFICATES.exists():  # this machine's own: the package has made others
        machine.copy_in(CERTIFICATES, str(CERTIFICATES))
    machine.path("/usr/local/bin/systemctl").write_text(SYSTEMCTL)
    machine.path("/usr/local/bin/systemctl").chmod(0o755)
    machine.copy_tree_in(CLONE)
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
    # By hand one sees that the configuration is refused.
    lines = re.sub(r"(?m)^(.* && systemctl restart .*)$", r"\1 || exit 1", lines)
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


def mailed(said: str, subject: str, address: str) -> None:
    """See that such a mail was sent, with the line that the page shows and all that -v says."""
    page = (ROOT / "README.md").read_text()
    (line,) = re.findall(r"^    (POSTFIX LOG CRITICAL - .*) \| ", page, re.MULTILINE)
    mail = said.rpartition("\n---\n")[2]

    assert f"`{subject}`" in page
    assert f"-s {subject} {address}\n" in mail, said
    age = r"\d+\\ (?:s|min)"  # as old as the log is by then: the page's own age is of another day
    assert re.search(re.sub(age, r"\\d+ (s|min)", re.escape(line)), mail), mail
    assert "\nread: /var/log/mail.log" in mail


def test_every_command_of_the_installation_is_tried():
    assert shells() == len(commands())


def test_icinga_on_the_mail_server_alarms_and_has_nothing_to_warn_of(machine):
    said = typed(
        machine, "icinga", "icinga api", then=ICINGA_SAYS + SEEN + commands()["icinga see"]
    )
    told, _, seen = said.rpartition("\n=====\n")

    assert complaints(told) == []
    alarmed(told)
    lines = dict(line.split(": ", 1) for line in seen.splitlines())
    assert sorted(lines) == [f"mail.example.com!{name}" for name in SERVICES]
    assert lines["mail.example.com!postfix-deferred"].startswith("POSTFIX DEFERRED WARNING - ")


def test_nagios_on_the_mail_server_alarms_and_has_nothing_to_warn_of(machine):
    said = typed(
        machine, "nagios", then=NAGIOS_SAYS + SEEN + commands()["nagios see"],
        HOST_NAME="mail.example.com",
    )  # fmt: skip
    told, _, seen = said.rpartition("\n=====\n")

    assert "Total Warnings: 0" in told
    alarmed(told)
    lines = seen.splitlines()
    assert sorted(line for line in lines if line.startswith("postfix-")) == SERVICES
    after = lines[lines.index("postfix-deferred") + 1]
    assert after.startswith("    POSTFIX DEFERRED WARNING - ")


def test_the_alarm_that_is_tried_is_mailed_by_icinga_as_the_page_says(machine):
    machine.path("/tmp/mail").write_text(MAIL)
    said = typed(machine, "icinga", "icinga api", "icinga mail", then=ICINGA_MAILS)

    mailed(said, "[PROBLEM] postfix-log on mail.example.com is CRITICAL!", "root@localhost")


def test_the_alarm_that_is_tried_is_mailed_by_nagios_with_what_shows_its_cause(machine):
    machine.path("/tmp/mail").write_text(MAIL)
    said = typed(machine, "nagios", "nagios mail", then=NAGIOS_MAILS)

    subject = "** PROBLEM Service Alert: mail.example.com/postfix-log is CRITICAL **"
    mailed(said, subject, "nagios@localhost")


def test_nagios_that_asks_by_nrpe_alarms_and_has_nothing_to_warn_of(machine):
    said = typed(machine, "nrpe", "nagios nrpe", then=NAGIOS_SAYS, HOST_NAME="mx1.example.com")

    assert "Total Warnings: 0" in said
    alarmed(said)


def test_an_icinga_master_takes_what_is_for_agents_and_has_nothing_to_warn_of(machine):
    """What agents say is told by test_icinga_cluster.py."""
    machine.must("cp", "-a", "/etc/icinga2", "/etc/icinga2.before")
    try:
        machine.must(*A_MASTER)
        without_zone = machine.path("/etc/icinga2/zones.conf").read_text()
        said = typed(machine, "icinga master", then=ICINGA_NAMES)
        machine.path("/etc/icinga2/zones.conf").write_text(without_zone)
        refused = machine.run("icinga2", "daemon", "-C").stdout
    finally:
        machine.must("sh", "-c", "rm -r /etc/icinga2; mv /etc/icinga2.before /etc/icinga2")

    assert complaints(said) == []
    assert sorted(said.rpartition("\n---\n")[2].split()) == sorted([*SERVICES, "postfix-agent"])
    told = "Object 'mx1.example.com' of type 'Endpoint' does not exist."
    assert told in refused
    assert f"`{told}`" in (ROOT / "README.md").read_text()


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
    alarmed(typed(machine, "icinga", "icinga api", then=ICINGA_SAYS))
    alarmed(typed(machine, "nagios", then=NAGIOS_SAYS, HOST_NAME="mail.example.com"))


def test_a_package_over_what_pip_has_brought_is_refused(machine, request):
    if request.node.callspec.params["machine"] != "pip":
        pytest.skip("is about pip")
    others = "/usr/lib/nagios/plugins/check_postfix_of_others"
    machine.must("ln", "-s", "/usr/bin/true", others)
    with pytest.raises(AssertionError, match="there are links of an installation by pip") as told:
        typed(machine, "deb")
    machine.must("rm", others)

    assert others not in str(told.value)
    links = "/usr/share/check_postfix /usr/lib/nagios/plugins/check_postfix_"
    assert f"rm -rf {links}" in str(told.value)
    assert "POSTFIX LOG" in machine.run("/usr/lib/nagios/plugins/check_postfix_log").stdout


def test_it_is_removed_as_the_page_says(machine, request):
    typed(machine, f"{request.node.callspec.params['machine']} remove")

    left = (
        "ls -d /usr/lib/nagios/plugins/check_postfix_* /usr/share/check_postfix /opt/check_postfix"
    )
    said = machine.must("sh", "-c", f"{left} 2>/dev/null; command -v postfix-log || echo none")
    assert said == "none\n"


def test_what_removes_pips_takes_nothing_of_the_package(machine):
    typed(machine, "deb", "pip remove")

    assert machine.must("dpkg", "--verify", "check-postfix") == ""
    assert "POSTFIX LOG" in machine.run("/usr/lib/nagios/plugins/check_postfix_log").stdout


def test_pip_over_the_package_leaves_nothing_of_it_in_the_way(machine):
    typed(machine, "pip remove", "deb")
    typed(machine, "pip")

    assert "installed" not in machine.must("dpkg-query", "-W", "-f", "${Status}", "check-postfix")
    shared = machine.path("/usr/share/check_postfix")
    assert str(shared.readlink()) == "/opt/check_postfix/share/check_postfix"
    assert machine.must("sh", "-c", "PATH=/usr/local/bin:$PATH; command -v postfix-log") == (
        "/usr/local/bin/postfix-log\n"
    )
    assert "POSTFIX LOG" in machine.run("/usr/lib/nagios/plugins/check_postfix_log").stdout
    typed(machine, "pip remove")


def test_the_same_version_built_anew_is_what_is_installed_then(machine):
    """As an upgrade of a clone by git is, which may leave the version as it was."""
    changed = machine.path(f"{CLONE}/icinga/postfix-services.conf")
    changed.write_text(changed.read_text() + "// changed\n")
    typed(machine, "deb")

    installed = machine.path("/usr/share/check_postfix/icinga/postfix-services.conf")
    assert installed.read_text().endswith("// changed\n")
