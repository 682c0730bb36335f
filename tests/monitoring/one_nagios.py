"""A Nagios 4 runs every check in every state: itself, by NRPE, and by NSCA as mail servers report.

    python -m tests.monitoring.one_nagios DIRECTORY      (in a namespace, see machine.py)

leaves observed.json: what `nagios4 -v` said, and by service what Nagios knows, beside what the
same check printed when user nagios ran it by hand.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.integration.namespace import sh
from tests.integration.waiting import wait_until
from tests.support.definitions import ROOT, log_checks, names

from . import machine, mail_log
from .cases import CASES, arguments
from .nagios4 import Nagios, unescaped
from .queue import fill_the_queue

LOCAL, BY_NRPE, PASSIVE, CENTRAL = (f"{name}.example.com" for name in ("mail", "mx1", "mx2", "mx3"))
ADDRESSES = ["192.0.2.10", "192.0.2.11", "192.0.2.12", "192.0.2.13"]
NRPE_ADDRESS, NSCA_ADDRESS = ADDRESSES[1], ADDRESSES[0]
HOSTILE_LOG = Path("/var/log/hostile.log")
CENTRAL_LOG = Path("/var/log/remote/mail.log")
CHECK_NRPE = str(machine.PLUGINS / "check_nrpe")
# The seconds after which Nagios misses reports; minutes would be too long for a test.
SILENCE = 40
# What $ARG1$ may hold in single quotes, as it is written there and as it is meant.
WRITTEN, MEANT = 'a $$b$$ "c" `d` \\! | (e) ~ 5:', 'a $b$ "c" `d` ! | (e) ~ 5:'

TEMPLATE = f"""
define service {{
    name                  case
    use                      postfix-service
    host_name                {LOCAL}
    max_check_attempts       1
    notifications_enabled    0
    register                 0
}}
define command {{
    command_name    keep-output
    command_line    /usr/bin/printf "%b" "$SERVICEOUTPUT$\\n$LONGSERVICEOUTPUT$\\n" > {{kept}}
}}
define contact {{
    use                              generic-contact
    contact_name                     tester
    service_notification_commands    keep-output
}}
"""
CASE = """
define service {{
    use                    case
    service_description    {name}
    check_command          {command}!{arguments}
    {more}
}}
"""
NOTIFIED = """notifications_enabled    1
    contacts                 tester
    contact_groups           null"""
NRPE_CONFIG = """\
pid_file=/run/nrpe.pid
log_file=/run/nrpe.log
server_address={address}
server_port=5666
nrpe_user=nagios
nrpe_group=nagios
allowed_hosts={address}
dont_blame_nrpe=0
include={shipped}
command[long]={plugins}/check_postfix_deferred {hostile} -vv
"""
NSCA_CONFIG = """\
pid_file=/run/nsca.pid
server_address={address}
server_port=5667
nsca_user=nagios
nsca_group=nagios
command_file={pipe}
decryption_method=1
"""
HOSTILE = f"--log {HOSTILE_LOG} --no-state --verbose"


def cases() -> Iterator[tuple[str, str, list[str]]]:
    """Yield name, check and command line of every service that is not shipped."""
    for check, states in CASES.items():
        for state, variables in states.items():
            yield f"{check} {state}", check, arguments(variables)
    for check in names(log_checks()):
        yield f"{check} hostile", check, HOSTILE.split()


def definitions(kept: Path) -> str:
    """Return the definitions of those services.

    kept: where a notification leaves what Nagios puts into it
    """
    parts = [TEMPLATE.replace("{kept}", str(kept))]
    for name, check, words in cases():
        more = NOTIFIED if name == "deferred hostile" else ""
        command = f"check_postfix_{check}"
        parts.append(CASE.format(name=name, command=command, arguments=" ".join(words), more=more))
    quoted = f"--no-state --host '{WRITTEN}'"
    parts.append(
        CASE.format(name="quoted", command="check_postfix_auth", arguments=quoted, more="")
    )
    return "".join(parts)


def start_nrpe() -> None:
    """Start an NRPE that includes what is shipped."""
    text = NRPE_CONFIG.format(
        address=NRPE_ADDRESS,
        shipped=ROOT / "nagios/postfix-nrpe.conf",
        plugins=machine.PLUGINS,
        hostile=HOSTILE,
    )
    _start("nrpe", text, "-f")


def start_nsca(nagios: Nagios) -> None:
    """Start an NSCA that hands everything to Nagios."""
    text = NSCA_CONFIG.format(address=NSCA_ADDRESS, pipe=nagios.directory / "rw/nagios.cmd")
    _start("nsca", text, "-f")


def _start(program: str, config: str, *options: str) -> None:
    path = Path("/run", f"{program}.cfg")
    path.write_text(config)
    subprocess.Popen([program, "-c", str(path), *options], stdin=subprocess.DEVNULL)


def _send_no_mail() -> None:
    """Let notifications end here: they would fill the very queue that is looked at."""
    if Path("/usr/bin/mail").exists():
        sh("mount", "--bind", "/usr/bin/true", "/usr/bin/mail")


def by_hand(check: str, words: list[str]) -> dict[str, Any]:
    """Return what a check prints."""
    done = machine.as_nagios([str(machine.PLUGINS / f"check_postfix_{check}"), *words])
    return {"printed": done.stdout, "printed_exit_status": done.returncode}


def by_nrpe(command: str, *options: str) -> dict[str, Any]:
    """Return what arrives of a command over the wire."""
    done = machine.as_nagios([CHECK_NRPE, "-H", NRPE_ADDRESS, *options, "-c", command])
    return {"output": done.stdout, "exit_status": done.returncode}


def told(service: dict[str, str]) -> dict[str, Any]:
    """Return what the tests ask of a service."""
    return {
        "exit_status": int(service["current_state"]),
        "output": service["plugin_output"],
        "long_output": unescaped(service["long_plugin_output"]),
        "performance_data": service["performance_data"],
    }


def main(directory: Path) -> None:
    """Run all of it."""
    machine.furnish(directory, ADDRESSES)
    machine.write_log([*mail_log.quiet("mx1"), *mail_log.trouble("mx1")])
    machine.write_log([*mail_log.quiet("mx1"), *mail_log.hostile("mx1")], HOSTILE_LOG)
    machine.write_log([*mail_log.quiet("mx3"), *mail_log.trouble("mx4")], CENTRAL_LOG)
    fill_the_queue()
    time.sleep(1)  # what waits has an age then, in seconds
    _send_no_mail()
    start_nrpe()
    kept = directory / "nagios" / "kept"
    # The whole folder, and all example hosts.
    shipped = {path.name: path.read_text() for path in (ROOT / "nagios").iterdir()}
    shipped["postfix-hosts.cfg"] = shipped["postfix-hosts.cfg.example"]
    code, words = Nagios(directory / "shipped", shipped).validate()
    observed: dict[str, Any] = {"validated": code, "words": words}
    shipped["postfix-passive.cfg"] = shipped["postfix-passive.cfg"].replace(
        "freshness_threshold       300", f"freshness_threshold       {SILENCE}"
    )
    nagios = Nagios(directory / "nagios", {**shipped, "cases.cfg": definitions(kept)})
    if code == 0 and nagios.validate()[0] == 0:
        nagios.start()
        observed |= observe(nagios, kept)
    (directory / "observed.json").write_text(json.dumps(observed, indent=1))


def observe(nagios: Nagios, kept: Path) -> dict[str, Any]:
    """Let Nagios work; return what it came to."""
    passive = [f"{PASSIVE}!postfix-{check}" for check in CASES]
    nagios.wait_for_pipe()
    start_nsca(nagios)
    wait_until(lambda: _reported(), "send_passive to be heard")
    nagios.wait_for(passive)
    observed: dict[str, Any] = {
        "reported": {name: told(nagios.services()[name]) for name in passive},
    }
    active = [name for name in nagios.services() if not name.startswith(PASSIVE)]
    nagios.wait_for(active)
    services = nagios.services()
    observed["services"] = {name: told(services[name]) for name in active}
    observed["perfdata"] = nagios.perfdata()
    wait_until(kept.exists, "the notification about hostile words")
    observed["notified"] = kept.read_text()
    observed["by hand"] = {name: by_hand(check, words) for name, check, words in cases()}
    for check in CASES:
        observed["by hand"][f"postfix-{check}"] = by_hand(check, ["--verbose"])
        observed["by hand"][f"passive {check}"] = by_hand(check, [])
    observed["by hand"]["long"] = by_hand("deferred", [*HOSTILE.split(), "-vv"])
    observed["nrpe 2"] = {check: by_nrpe(f"check_postfix_{check}", "-2") for check in CASES}
    observed["nrpe 2"]["long"] = by_nrpe("long", "-2")
    observed["nrpe"] = {"long": by_nrpe("long")}
    observed["nrpe arguments"] = by_nrpe("check_postfix_deferred", "-a", "--version")
    wait_until(
        lambda: all("no report" in nagios.services()[name]["plugin_output"] for name in passive),
        "Nagios to miss the reports",
        SILENCE + 60,
    )
    observed["silent"] = {name: told(nagios.services()[name]) for name in passive}
    observed["pwned"] = Path("/tmp/pwned").exists()
    return observed


def _reported() -> bool:
    command = [str(ROOT / "nagios/send_passive"), PASSIVE, NSCA_ADDRESS]
    done = machine.as_nagios(command, env={"PATH": "/usr/sbin:/usr/bin:/bin"})
    return done.returncode == 0


if __name__ == "__main__":
    main(Path(sys.argv[1]))
