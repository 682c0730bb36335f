"""An Icinga 2 on the mail server itself runs every check, in every state.

    python -m tests.monitoring.one_icinga DIRECTORY      (in a namespace, see machine.py)

leaves observed.json: what `icinga2 daemon -C` said, and by service what arrived, beside what the
same command printed when user nagios ran it right afterwards.
"""

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.definitions import ROOT, checks, log_checks, names, settable

from . import machine, mail_log
from .cases import CASES
from .icinga2 import PORT, Icinga2, service
from .queue import fill_the_queue

HOST = "mail.example.com"
HOSTILE_LOG = Path("/var/log/hostile.log")
CONFIG = f"""
object Endpoint NodeName {{ }}
object Zone ZoneName {{ endpoints = [ NodeName ] }}
object ApiListener "api" {{ bind_host = "127.0.0.1"; bind_port = {PORT} }}
object Host "{HOST}" {{ check_command = "dummy"; vars.dummy_text = "up"; vars.postfix = true }}
"""
# Nothing in here means anything to Icinga; a shell would make something of it.
ODD = "a 'b' \"c\" `d` ; | > & * \\ ü"


def services() -> str:
    """Return the definitions of all services that are not shipped."""
    parts = []
    for check, states in CASES.items():
        for state, variables in states.items():
            parts.append(_service(f"{check} {state}", check, variables))
    for check in names(log_checks()):
        hostile = {"log": str(HOSTILE_LOG), "no_state": True, "verbose": True}
        parts.append(_service(f"{check} hostile", check, hostile))
    parts.append(_service("auth hostile host", "auth", {**hostile, "host": "mx9"}))
    for check in checks():
        all_set = {option.name: any_value(option) for option in settable(check)}
        parts.append(_service(f"{check.executable} all set", check.name.split()[1], all_set))
    return "".join(parts)


def _service(name: str, check: str, variables: Mapping[str, object]) -> str:
    command = f"check_postfix_{check}"
    named = {f"{command}_{variable}": value for variable, value in variables.items()}
    return service(HOST, name, command, named)


def any_value(option: Any) -> object:
    """Return a value for an option that nothing on the way may change."""
    if option.switch:
        return True
    value = f"{option.name} {ODD}"
    return [f"{value} 1", f"{value} 2"] if option.repeatable else value


def again(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """Return what arrived of a check, and what its command prints when it is run by hand."""
    result = attrs["last_check_result"]
    by_hand = machine.as_nagios(result["command"])
    return {
        **{name: result[name] for name in ("command", "exit_status", "output", "check_source")},
        "performance_data": result["performance_data"],
        "printed": by_hand.stdout,
        "printed_exit_status": by_hand.returncode,
        "stderr": by_hand.stderr,
    }


def main(directory: Path) -> None:
    """Run all of it."""
    machine.furnish(directory)
    machine.write_log([*mail_log.quiet("mx1"), *mail_log.trouble("mx1")])
    machine.write_log([*mail_log.quiet("mx1"), *mail_log.hostile("mx1")], HOSTILE_LOG)
    fill_the_queue()
    icinga = Icinga2(directory, "monitor")
    icinga.configure(CONFIG)
    for name in ("postfix-commands.conf", "postfix-services.conf"):
        shutil.copy(ROOT / "icinga" / name, icinga.directory / "etc")
        icinga.configure(f'include "{name}"\n')
    icinga.configure(services())
    code, words = icinga.validate()
    observed: dict[str, Any] = {"validated": code, "words": words}
    if code == 0:
        icinga.start()
        icinga.wait_for_api()
        results = icinga.check(list(icinga.services()))
        observed["services"] = {
            name.partition("!")[2]: again(attrs) for name, attrs in results.items()
        }
    (directory / "observed.json").write_text(json.dumps(observed, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
