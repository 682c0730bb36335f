"""A master and three agents, each in a network of its own, with a mail log and a home of its own.

    python -m tests.monitoring.cluster DIRECTORY      (in a namespace, see machine.py)

leaves observed.json: what became of the services when all was well, when one agent's log told of
trouble, and when one agent was killed. Hosts, services and notifications are those of icinga/; the
agents are known to the master, and take commands from it, by what the README types.
"""

import json
import sys
import threading
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from tests.integration.namespace import sh
from tests.integration.waiting import wait_until
from tests.packaging import readme
from tests.support.definitions import ROOT

from . import machine, mail_log
from .icinga2 import PORT, Icinga2
from .queue import fill_the_queue

MASTER = "mail.example.com"
MASTER_ADDRESS = "192.0.2.10"
AGENTS = {
    "mx1.example.com": "192.0.2.11",
    "mx2.example.com": "192.0.2.14",
    "log.example.com": "192.0.2.15",
}
# The addresses of relay.example.com and mx3.example.com, so that they are up.
OTHERS = ["192.0.2.12", "192.0.2.13"]
# mx1.example.com comes with postfix-hosts.conf.example; this is a second one of its kind.
MX2 = """
object Host "mx2.example.com" {
	address = "192.0.2.14"
	check_command = "hostalive"
	vars.postfix = true
	vars.agent_endpoint = "mx2.example.com"
}
"""
GATEWAY_PORT = 8080
CRITICAL, UNKNOWN = 2, 3
# After so many a state is hard, and is notified: max_check_attempts in postfix-services.conf.
ATTEMPTS = 3
# As `icinga2 node wizard` leaves it when nobody says yes.
API = "features-available/api.conf"
LISTENER = f"""\
object ApiListener "api" {{
  bind_host = "0.0.0.0"
  bind_port = {PORT}
  accept_config = false
  accept_commands = false
}}
"""
# Whoever starts tries the other one at once; whoever is tried needs not try.
PEERS = f"""
include "{API}"
object Endpoint "{MASTER}" {{ host = "{MASTER_ADDRESS}" }}
object Zone "master" {{ endpoints = [ "{MASTER}" ] }}
object Zone "global-templates" {{ global = true }}
"""
# What a service is told by.
KEPT = ["state", "last_reachable"]
KEPT_OF_RESULT = ["check_source", "exit_status", "output", "performance_data"]


class Gateway(HTTPServer):
    """Takes alarms by HTTP, and keeps them."""

    def __init__(self) -> None:
        """Listen where the master is."""
        super().__init__((MASTER_ADDRESS, GATEWAY_PORT), _TakeAlarm)
        self.alarms: list[dict[str, str]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def hosts(self) -> set[str]:
        """Return the hosts that there were alarms about."""
        return {alarm["host"] for alarm in self.alarms}


class _TakeAlarm(BaseHTTPRequestHandler):
    server: Gateway

    def do_POST(self) -> None:
        """Keep the alarm."""
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.alarms.append({name: values[0] for name, values in parse_qs(text).items()})
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Be silent."""


class Agent:
    """A mail server: a network namespace, a /var/log and a home, and an Icinga 2 in it."""

    def __init__(self, above: Path, master: Icinga2, name: str, address: str, number: int) -> None:
        """Wire it up and configure it; it is not started yet."""
        self.name = name
        self.log = above / f"{name}.log"
        self.log.mkdir()
        self._network(address, number)
        self.icinga = Icinga2(above, name, master, address)
        self.icinga.configure(LISTENER, API)
        self._take_commands()
        self.icinga.configure(PEERS + _agent(name, address))

    def start(self) -> None:
        """Start its Icinga 2, in its own world."""
        inside = (
            f"hostname {self.name} && mount --bind {self.log} /var/log &&"
            f" mount -t tmpfs -o mode=0755 tmpfs {machine.HOME} &&"
            f' chown nagios:nagios {machine.HOME} && exec "$@"'
        )
        self.icinga.start(
            *("ip", "netns", "exec", self.name, "unshare", "--mount", "--uts", "--pid"),
            *("--fork", "--kill-child", "sh", "-c", inside, "sh"),
        )

    def wait_for_commands(self) -> None:
        """Return when it has got the commands from the master, and has started anew with them."""
        wait_until(
            lambda: self.icinga.knows("objects/checkcommands", "check_postfix_queue"),
            f"{self.name} to get the commands",
            60,
            otherwise=self.icinga.words,
        )

    def write_log(self, lines: Iterable[str], name: str = "mail.log") -> None:
        """Write its mail log."""
        machine.write_log(lines, self.log / name)

    def add_to_log(self, lines: Iterable[str]) -> None:
        """Let its mail log grow."""
        with (self.log / "mail.log").open("a") as log:
            log.writelines(f"{line}\n" for line in lines)

    def _take_commands(self) -> None:
        """Type what the README has for that, but for the last line, which starts it."""
        typed, _ = readme.commands()["icinga agent"].splitlines()
        sh("sh", "-c", typed.replace("/etc/icinga2", str(self.icinga.directory / "etc")))

    def _network(self, address: str, number: int) -> None:
        name = self.name
        sh("ip", "netns", "add", name)
        sh(*f"ip link add agent{number} type veth peer name eth0 netns {name}".split())
        sh(*f"ip link set agent{number} master bridge up".split())
        sh(*f"ip -n {name} link set lo up".split())
        sh(*f"ip -n {name} address add {address}/24 dev eth0".split())
        sh(*f"ip -n {name} link set eth0 up".split())


def _agent(name: str, address: str) -> str:
    """Return what the README adds to zones.conf for an agent."""
    shown = readme.written("icinga master", "/etc/icinga2/zones.conf")
    return shown.replace("mx1.example.com", name).replace("192.0.2.11", address)


def build_bridge() -> None:
    """Let the agents and the master meet."""
    sh(*["ip", "link", "add", "bridge", "type", "bridge"])
    sh(*["ip", "link", "set", "bridge", "up"])
    for address in (MASTER_ADDRESS, *OTHERS):
        sh(*f"ip address add {address}/24 dev bridge".split())
    Path("/run/netns").mkdir()


def shipped(name: str) -> str:
    """Return a file of icinga/."""
    return (ROOT / "icinga" / name).read_text()


def configure(master: Icinga2) -> None:
    """Give the master what icinga/ holds, at the places that the files name."""
    master.configure(LISTENER, API)
    master.configure(PEERS)
    for name, address in AGENTS.items():
        master.configure(_agent(name, address))
    commands = "postfix-commands.conf"
    master.configure(shipped(commands), f"zones.d/global-templates/{commands}")
    own = "zones.d/master"
    master.configure(shipped("postfix-hosts.conf.example") + MX2, f"{own}/hosts.conf")
    for name in ("postfix-services.conf", "postfix-agents.conf"):
        master.configure(shipped(name), f"{own}/{name}")
    gateway = f"http://{MASTER_ADDRESS}:{GATEWAY_PORT}"
    notifications = shipped("postfix-notifications.conf.example")
    master.configure(
        notifications.replace("https://alarm.example.net", gateway), f"{own}/notifications.conf"
    )


def told(services: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return what the tests ask of services."""
    return {
        name: {
            **{key: attrs[key] for key in KEPT},
            **{key: attrs["last_check_result"][key] for key in KEPT_OF_RESULT},
        }
        for name, attrs in services.items()
    }


def observe(
    master: Icinga2, agents: dict[str, Agent], gateway: Gateway
) -> Iterator[tuple[str, Any]]:
    """Let things happen; yield what was observed."""
    everything = sorted(master.services())
    yield "well", told(master.check(everything))
    mx2 = agents["mx2.example.com"]
    mx2.add_to_log(line for _ in range(5) for line in mail_log.trouble("mx2"))
    for _ in range(ATTEMPTS):
        services = master.check(everything)
    yield "spike at mx2", told(services)
    wait_until(lambda: "mx2.example.com" in gateway.hosts(), "an alarm about mx2")
    agents["mx1.example.com"].icinga.kill()
    agent = "mx1.example.com!postfix-agent"
    wait_until(lambda: master.check([agent])[agent]["state"] == CRITICAL, "mx1 to be missed")
    for _ in range(ATTEMPTS):
        # What the master says of such a service itself, when it has been up for 5 minutes.
        master.report("mx1.example.com!postfix-deferred", UNKNOWN, "agent is not connected")
        services = master.check([agent]) | master.services()
    wait_until(lambda: "mx1.example.com" in gateway.hosts(), "an alarm about mx1")
    yield "mx1 killed", told(services)
    yield "alarms", gateway.alarms


def main(directory: Path) -> None:
    """Run all of it."""
    machine.furnish(directory)
    machine.write_log([*mail_log.quiet("mail"), *mail_log.quiet("mail", "postfix-out")])
    fill_the_queue()
    build_bridge()
    gateway = Gateway()
    master = Icinga2(directory, MASTER)
    agents = {
        name: Agent(directory, master, name, address, number)
        for number, (name, address) in enumerate(AGENTS.items())
    }
    agents["mx1.example.com"].write_log(mail_log.quiet("mx1"))
    agents["mx2.example.com"].write_log(mail_log.quiet("mx2"))
    agents["log.example.com"].write_log(
        [*mail_log.quiet("mx3"), *mail_log.quiet("mx4"), *mail_log.trouble("mx4")],
        "remote/mail.log",
    )
    configure(master)
    observed: dict[str, Any] = dict(zip(("validated", "words"), master.validate(), strict=True))
    if observed["validated"] == 0:
        for agent in agents.values():
            agent.start()
        master.start()
        master.wait_for_api()
        for agent in agents.values():
            agent.wait_for_commands()
        _wait_until_connected(master, len(agents))
        observed |= dict(observe(master, agents, gateway))
    (directory / "observed.json").write_text(json.dumps(observed, indent=1))


def _wait_until_connected(master: Icinga2, number: int) -> None:
    def connected() -> bool:
        status = master.api("status/ApiListener")[0]["status"]
        return status["api"]["num_conn_endpoints"] == number

    wait_until(connected, f"{number} connected agents", 60, otherwise=master.words)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
