"""Icinga 2 writes into a real carbon; graphite-web is asked what the dashboard asks.

    python -m tests.monitoring.into_graphite DIRECTORY      (in a namespace, see machine.py)

leaves observed.json: the hosts that the dashboard offers, the answer to each of its queries, and
by service what the checks had measured.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from tests.integration.namespace import sh
from tests.integration.waiting import wait_until

from . import feeding, grafana
from .icinga2 import Icinga2

PACKAGES = ["graphite-carbon", "graphite-web"]
URL = "http://127.0.0.1:8081"
CARBON = """\
[cache]
STORAGE_DIR = {directory}/storage/
CONF_DIR = {directory}/
LOG_DIR = {directory}/log/
PID_DIR = {directory}/
LOCAL_DATA_DIR = {directory}/storage/whisper/
USER = _graphite
MAX_CREATES_PER_MINUTE = inf
LINE_RECEIVER_INTERFACE = 127.0.0.1
LINE_RECEIVER_PORT = 2003
ENABLE_UDP_LISTENER = False
CACHE_QUERY_INTERFACE = 127.0.0.1
CACHE_QUERY_PORT = 7002
PICKLE_RECEIVER_PORT = 0
"""
SCHEMAS = "[all]\npattern = .*\nretentions = 10s:1d\n"
WEB = """\
SECRET_KEY = 'only this run knows it'
ALLOWED_HOSTS = ['*']
TIME_ZONE = 'UTC'
STORAGE_DIR = WHISPER_DIR = '{directory}/storage/whisper'
STANDARD_DIRS = [WHISPER_DIR]
CONF_DIR = LOG_DIR = '{directory}/log'
INDEX_FILE = '{directory}/log/index'
CARBONLINK_HOSTS = ['127.0.0.1:7002']
DATABASES = {{'default': {{'ENGINE': 'django.db.backends.sqlite3', 'NAME': '{directory}/log/db'}}}}
"""
# Where Debian's graphite-web reads its settings.
SETTINGS = "/etc/graphite/local_settings.py"
# No template is set: what is proved is what an administrator gets without.
WRITER = 'object GraphiteWriter "one" { host = "127.0.0.1"; port = 2003 }\n'
# The writer may connect ten seconds after the start, and drops what was measured before.
PATIENCE = 60


def start(directory: Path) -> None:
    """Start carbon and graphite-web, both empty."""
    for place in ("", "log", "storage", "storage/whisper"):
        (directory / place).mkdir(exist_ok=True)
        (directory / place).chmod(0o777)
    (directory / "carbon.conf").write_text(CARBON.format(directory=directory))
    (directory / "storage-schemas.conf").write_text(SCHEMAS)
    command = [
        *("carbon-cache", "--nodaemon", f"--config={directory}/carbon.conf"),
        *(f"--pidfile={directory}/carbon.pid", "start"),
    ]
    _start(command, directory / "carbon.out", GRAPHITE_ROOT=str(directory))
    (directory / "local_settings.py").write_text(WEB.format(directory=directory))
    sh("mount", "--bind", str(directory / "local_settings.py"), SETTINGS)
    sh("graphite-manage", "migrate", "--run-syncdb")
    command = ["graphite-manage", "runserver", "--noreload", "--insecure", "127.0.0.1:8081"]
    _start(command, directory / "web.out")
    wait_until(_answers, "graphite-web", otherwise=(directory / "web.out").read_text)


def _start(command: list[str], out: Path, **environment: str) -> None:
    with out.open("wb") as file:
        subprocess.Popen(
            command, env=os.environ | environment, stdout=file, stderr=subprocess.STDOUT
        )


def _answers() -> bool:
    try:
        ask("metrics/find", query="*")
    except OSError:
        return False
    return True


def ask(path: str, **parameters: str) -> Any:
    """Return what graphite-web answers."""
    with urllib.request.urlopen(f"{URL}/{path}/?{urllib.parse.urlencode(parameters)}") as answer:
        return json.load(answer)


def feed(icinga: Icinga2) -> dict[str, dict[str, float]]:
    """Run the checks until all that they measure has arrived; return what that is."""
    measured = feeding.check(icinga)
    expected = sum(len(labels) for labels in measured.values())

    def arrived() -> int:
        found = ask("metrics/expand", query="icinga2.*.services.*.*.perfdata.*.value")
        return len(found["results"])

    def fed() -> bool:
        if arrived() == 0:
            measured.update(feeding.check(icinga))
        return arrived() >= expected

    wait_until(
        fed,
        f"{expected} series in Graphite",
        PATIENCE,
        otherwise=lambda: f"{arrived()}\n{icinga.words()}",
    )
    return measured


def answers(host: str) -> list[dict[str, Any]]:
    """Return what each query of the dashboard finds: by legend the newest value."""
    found = []
    for panel, target in grafana.targets(grafana.load("graphite")):
        query = grafana.filled(target["target"], host)
        series = ask("render", target=query, format="json", **{"from": "-10min"})
        newest = {
            one["target"]: [value for value, _ in one["datapoints"] if value is not None][-1]
            for one in series
        }
        found.append({"panel": panel, "query": target["target"], "newest": newest})
    return found


def hosts() -> list[str]:
    """Return the hosts that the dashboard offers."""
    variable = grafana.host(grafana.load("graphite"))
    query = variable["query"].removeprefix("expand(").removesuffix(")")
    return grafana.count_matching(ask("metrics/expand", query=query)["results"], variable["regex"])


def main(directory: Path) -> None:
    """Run all of it."""
    feeding.furnish(directory)
    start(directory / "graphite")
    icinga = feeding.start(directory, WRITER)
    measured = feed(icinga)
    observed = {
        "measured": measured,
        "hosts": hosts(),
        "answers": {host: answers(host) for host in hosts()},
    }
    (directory / "observed.json").write_text(json.dumps(observed, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
