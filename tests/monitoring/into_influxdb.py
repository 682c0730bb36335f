"""Icinga 2 writes into a real InfluxDB, which is asked what the dashboard asks.

    python -m tests.monitoring.into_influxdb DIRECTORY      (in a namespace, see machine.py)

leaves observed.json: by database the hosts that the dashboard offers, the answer to each of its
queries, and by service what the checks had measured.

InfluxDB is 1.6, Debian's. It does not have the API of version 2, so what the Influxdb2Writer
sends is handed on to the older address; the lines of data are the same in both.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.integration.waiting import wait_until

from . import feeding, grafana

PACKAGES = ["influxdb"]
URL = "http://127.0.0.1:8086"
# By writer: the database that it fills.
DATABASES = {"InfluxdbWriter": "icinga2", "Influxdb2Writer": "bucket"}
CONFIG = """\
reporting-disabled = true
bind-address = "127.0.0.1:8088"
[meta]
  dir = "{directory}/meta"
[data]
  dir = "{directory}/data"
  wal-dir = "{directory}/wal"
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:8086"
  log-enabled = false
"""
# No template is set: what is proved is what an administrator gets without.
WRITERS = """\
object InfluxdbWriter "one" {
    host = "127.0.0.1"; port = 8086; database = "icinga2"; flush_interval = 1s
}
object Influxdb2Writer "two" {
    host = "127.0.0.1"; port = 8087; flush_interval = 1s
    organization = "example"; bucket = "bucket"; auth_token = "token"
}
"""


class Version2(BaseHTTPRequestHandler):
    """The address at which InfluxDB 2 is written to."""

    def do_POST(self) -> None:
        """Hand the lines on."""
        asked = urllib.parse.urlsplit(self.path)
        bucket = urllib.parse.parse_qs(asked.query)["bucket"][0]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        urllib.request.urlopen(f"{URL}/write?db={bucket}&precision=s", body).close()
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def ask(query: str, database: str = "") -> list[dict[str, Any]]:
    """Return the series that a query finds."""
    body = urllib.parse.urlencode({"q": query, "db": database}).encode()
    with urllib.request.urlopen(f"{URL}/query", body) as answer:
        (result,) = json.load(answer)["results"]
    assert "error" not in result, f"{query}: {result}"
    series: list[dict[str, Any]] = result.get("series", [])
    return series


def start(directory: Path) -> None:
    """Start InfluxDB with two empty databases."""
    (directory / "influxdb.conf").write_text(CONFIG.format(directory=directory))
    with (directory / "influxdb.out").open("wb") as out:
        command = ["influxd", "-config", str(directory / "influxdb.conf")]
        subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    for database in DATABASES.values():
        wait_until(lambda name=database: _created(name), "InfluxDB")  # type: ignore[misc]
    server = ThreadingHTTPServer(("127.0.0.1", 8087), Version2)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def _created(database: str) -> bool:
    try:
        return ask(f"CREATE DATABASE {database}") == []
    except OSError:
        return False


def answers(database: str, host: str) -> list[dict[str, Any]]:
    """Return what each query of the dashboard finds: by legend the newest value."""
    found = []
    for panel, target in grafana.targets(grafana.load("influxdb")):
        series = ask(grafana.filled(target["query"], host), database)
        newest = {
            grafana.legend(target["alias"], one["tags"]): [
                value for _, value in one["values"] if value is not None
            ][-1]
            for one in series
        }
        found.append({"panel": panel, "query": target["query"], "newest": newest})
    return found


def hosts(database: str) -> list[str]:
    """Return the hosts that the dashboard offers."""
    variable = grafana.host(grafana.load("influxdb"))
    series = ask(variable["query"], database)
    return grafana.count_matching(
        [value for one in series for _, value in one["values"]], variable["regex"]
    )


def main(directory: Path) -> None:
    """Run all of it."""
    feeding.furnish(directory)
    influxdb = directory / "influxdb"
    influxdb.mkdir()
    start(influxdb)
    icinga = feeding.start(directory, WRITERS)
    measured = feeding.check(icinga)
    expected = sum(len(labels) for labels in measured.values())

    def arrived(database: str) -> int:
        series = ask("SHOW SERIES WHERE \"metric\" != ''", database)
        return sum(len(one["values"]) for one in series)

    for database in DATABASES.values():
        wait_until(
            lambda name=database: arrived(name) >= expected,  # type: ignore[misc]
            f"{expected} series in {database}",
            otherwise=lambda name=database: f"{arrived(name)}\n{icinga.words()}",  # type: ignore[misc]
        )
    observed = {
        "measured": measured,
        "databases": {
            writer: {
                "hosts": hosts(database),
                "answers": {host: answers(database, host) for host in feeding.HOSTS},
            }
            for writer, database in DATABASES.items()
        },
    }
    (directory / "observed.json").write_text(json.dumps(observed, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
