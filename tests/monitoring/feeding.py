"""An Icinga 2 that watches a server in trouble, and hands on what its checks have measured."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from tests.support import perfdata
from tests.support.definitions import ROOT, log_checks, names

from . import machine, trouble
from .icinga2 import PORT, Icinga2

TROUBLE = Path("/run/trouble")
# One server with one Postfix, one with an instance of that name, to be told apart.
HOSTS = ("mx1.example.com", "relay.example.com")
CONFIG = f"""\
object Endpoint NodeName {{ }}
object Zone ZoneName {{ endpoints = [ NodeName ] }}
object ApiListener "api" {{ bind_host = "127.0.0.1"; bind_port = {PORT} }}
template Host "in trouble" {{
    check_command = "dummy"
    vars.dummy_text = "up"
    for (condition in {json.dumps(names(log_checks()))}) {{
        vars["check_postfix_" + condition + "_log"] = "{TROUBLE}/mail.log"
    }}
    vars.check_postfix_recipients_address = "ann@example.net"
}}
object Host "{HOSTS[0]}" {{
    import "in trouble"
    vars.postfix = true
}}
object Host "{HOSTS[1]}" {{
    import "in trouble"
    vars.postfix = true
    vars.postfix_instances["postfix"] = {{ }}
}}
"""


def furnish(directory: Path) -> None:
    """Make the namespace a mail server in trouble."""
    machine.furnish(directory)
    TROUBLE.mkdir()
    trouble.lay_out(TROUBLE, datetime.now(UTC))
    os.environ["PATH"] = f"{TROUBLE}/bin:{os.environ['PATH']}"


def start(directory: Path, configuration: str) -> Icinga2:
    """Start Icinga with all that we ship and this."""
    icinga = Icinga2(directory, "monitor")
    icinga.configure(CONFIG + configuration)
    for name in ("postfix-commands.conf", "postfix-services.conf"):
        icinga.configure((ROOT / "icinga" / name).read_text(), name)
        icinga.configure(f'include "{name}"\n')
    icinga.start()
    icinga.wait_for_api()
    return icinga


def check(icinga: Icinga2) -> dict[str, dict[str, float]]:
    """Run all checks of Postfix now; return by HOST!SERVICE what was measured, by label."""
    names = [name for name in icinga.services() if "!postfix-" in name]
    return {name: measured(attrs) for name, attrs in icinga.check(names).items()}


def measured(attrs: Mapping[str, object]) -> dict[str, float]:
    """Return what the last result of a service has measured, by label."""
    result = attrs["last_check_result"]
    assert isinstance(result, dict)
    labels = perfdata.of("x | " + " ".join(result["performance_data"]))
    return {name: label.value for name, label in labels.items()}
