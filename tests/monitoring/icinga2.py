"""A private Icinga 2: its directories, certificates and configuration, the daemon and its API."""

import json
import os
import signal
import ssl
import subprocess
import time
import urllib.request
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.integration.namespace import sh
from tests.integration.waiting import wait_until

PACKAGES = ["icinga2-bin", "icinga2-common", "monitoring-plugins-basic", "openssl", "iproute2"]
PORT = 5665
# Where an instance keeps what; relative to its directory.
PLACES = {
    "ConfigDir": "etc",
    "ZonesDir": "etc/zones.d",
    "DataDir": "data",
    "LogDir": "log",
    "CacheDir": "cache",
    "SpoolDir": "spool",
    "InitRunDir": "run",
    "PidPath": "run/icinga2.pid",
    "VarsPath": "cache/icinga2.vars",
    "StatePath": "data/icinga2.state",
    "ModAttrPath": "data/modified-attributes.conf",
    "ObjectsPath": "cache/icinga2.debug",
}
EMPTY = [
    *("etc/zones.d", "data/certs", "data/ca", "log/crash", "cache", "spool/perfdata"),
    *("spool/tmp", "run/cmd", "data/api/log", "data/api/zones", "data/api/zones-stage"),
    "data/api/packages",
]
HEAD = """\
const NodeName = "{name}"
const ZoneName = "{name}"
const PluginDir = "/usr/lib/nagios/plugins"
include <itl>
include <plugins>
object CheckerComponent "checker" {{ }}
object NotificationComponent "notification" {{ }}
object ApiUser "test" {{ password = "test"; permissions = [ "*" ] }}
"""
# The certificates are made by the test itself, for this one run.
KEYS = ("openssl", "req", "-newkey", "rsa:2048", "-nodes")


class Icinga2:
    """One instance, which is its own certificate authority or belongs to another one's."""

    def __init__(
        self,
        above: Path,
        name: str,
        authority: "Icinga2 | None" = None,
        address: str = "127.0.0.1",
    ) -> None:
        """Lay out directories and certificates.

        address: where its API can be reached
        """
        self.name = name
        self.address = address
        self.directory = above / name
        for place in EMPTY:
            (self.directory / place).mkdir(parents=True)
        (self.directory / "etc/icinga2.conf").write_text(HEAD.format(name=name))
        self._certify(authority or self)
        self._daemon: subprocess.Popen[bytes] | None = None

    def configure(self, text: str, file: str = "icinga2.conf") -> None:
        """Add to a configuration file, which lies in etc/."""
        path = self.directory / "etc" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as config:
            config.write(text)

    def validate(self) -> tuple[int, str]:
        """Return the exit code and the words of `icinga2 daemon -C`."""
        self._own()
        done = subprocess.run(
            [*self._command(), "-C"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    def start(self, *inside: str) -> None:
        """Start the daemon.

        inside: a command that runs another one, in another place
        """
        self._own()
        with (self.directory / "daemon.out").open("wb") as out:
            self._daemon = subprocess.Popen(
                [*inside, *self._command()],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self) -> None:
        """End the daemon and all of its processes as a power cut does."""
        assert self._daemon is not None
        os.killpg(self._daemon.pid, signal.SIGKILL)
        self._daemon.wait()

    def words(self) -> str:
        """Return the end of what the daemon has printed."""
        return (self.directory / "daemon.out").read_text()[-3000:]

    def wait_for_api(self) -> None:
        """Return when the API answers."""
        wait_until(
            lambda: self.knows("status", "IcingaApplication"),
            f"the API of {self.name}",
            otherwise=self.words,
        )

    def api(self, path: str, body: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Return the results of a request; with a body it is a POST."""
        request = urllib.request.Request(
            f"https://{self.address}:{PORT}/v1/{path}",
            headers={
                "Accept": "application/json",
                "Authorization": f"Basic {b64encode(b'test:test').decode()}",
            },
            data=None if body is None else json.dumps(body).encode(),
        )
        context = ssl.create_default_context(cafile=self.directory / "data/certs/ca.crt")
        context.check_hostname = False
        # Python 3.13 asks for extensions that the certificates of Icinga do not have.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        with urllib.request.urlopen(request, timeout=20, context=context) as answer:
            results: list[dict[str, Any]] = json.load(answer)["results"]
        return results

    def services(self) -> dict[str, dict[str, Any]]:
        """Return the attributes of all services, by HOST!SERVICE."""
        return {one["name"]: one["attrs"] for one in self.api("objects/services")}

    def check(self, names: Sequence[str], seconds: float = 60) -> dict[str, dict[str, Any]]:
        """Run checks now; return the services' attributes when there are new results."""
        asked = time.time()
        body = {"type": "Service", "filter": "service.__name in names", "force": True}
        self.api("actions/reschedule-check", body | {"filter_vars": {"names": list(names)}})

        def late() -> list[str]:
            services = self.services()
            results = {name: services[name]["last_check_result"] for name in names}
            return [
                name
                for name, result in results.items()
                if not result or result["schedule_end"] < asked
            ]

        wait_until(
            lambda: not late(),
            f"results at {self.name}",
            seconds,
            otherwise=lambda: f"none of {late()}\n{self.words()}",
        )
        return {name: attrs for name, attrs in self.services().items() if name in names}

    def report(self, name: str, state: int, output: str) -> None:
        """Hand in a check result from outside."""
        result = {"exit_status": state, "plugin_output": output}
        self.api("actions/process-check-result", {"type": "Service", "service": name} | result)

    def knows(self, kind: str, name: str) -> bool:
        """Say whether the API answers and has this."""
        try:
            return bool(self.api(f"{kind}/{name}"))
        except OSError:
            return False

    def _command(self) -> list[str]:
        places = [
            word
            for place, path in PLACES.items()
            for word in ("-D", f"Configuration.{place}={self.directory / path}")
        ]
        return ["icinga2", "daemon", "-c", str(self.directory / "etc/icinga2.conf"), *places]

    def _own(self) -> None:
        sh("chown", "-R", "nagios:nagios", str(self.directory))

    def _certify(self, authority: "Icinga2") -> None:
        ca = authority.directory / "data/ca"
        own = self.directory / "data/certs"
        if authority is self:
            sh(
                *(*KEYS, "-x509", "-days", "2", "-subj", "/CN=Icinga CA"),
                *("-keyout", f"{ca}/ca.key", "-out", f"{ca}/ca.crt"),
            )
        sh("cp", f"{ca}/ca.crt", str(own))
        sh(
            *(*KEYS, "-subj", f"/CN={self.name}", "-addext", f"subjectAltName=DNS:{self.name}"),
            *("-keyout", f"{own}/{self.name}.key", "-out", f"{own}/{self.name}.csr"),
        )
        sh(
            *("openssl", "x509", "-req", "-in", f"{own}/{self.name}.csr", "-days", "2"),
            *("-CA", f"{ca}/ca.crt", "-CAkey", f"{ca}/ca.key", "-CAcreateserial"),
            *("-copy_extensions", "copy", "-out", f"{own}/{self.name}.crt"),
        )


def service(host: str, name: str, command: str, variables: Mapping[str, object]) -> str:
    """Return the definition of a service with custom variables, checked when told to."""
    lines = [
        f'object Service "{name}" {{',
        f'\thost_name = "{host}"',
        f'\tcheck_command = "{command}"',
        "\tenable_active_checks = false",
        *(f"\tvars.{key} = {written(value)}" for key, value in variables.items()),
        "}",
    ]
    return "\n".join(lines) + "\n"


def written(value: object) -> str:
    """Return a value as Icinga's configuration language writes it, which JSON is a part of."""
    return json.dumps(value, ensure_ascii=False)


def complaints(words: str) -> list[str]:
    """Return what Icinga warns of, but for the notice about API users of its later versions."""
    lines = [line for line in words.splitlines() if "warning/" in line or "critical/" in line]
    return [line for line in lines if "Security notice" not in line]
