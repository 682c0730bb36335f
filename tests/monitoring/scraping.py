"""node-exporter reads what the checks write with --prometheus, and a Prometheus asks it.

    python -m tests.monitoring.scraping DIRECTORY      (in a namespace, see machine.py)

leaves observed.json: what the checks printed, what node-exporter showed and what Prometheus
knew; and all that again after the log had become unreadable.
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
from tests.support.definitions import checks, log_checks, names

from . import feeding, machine

PACKAGES = ["prometheus", "prometheus-node-exporter"]
EXPORTER, PROMETHEUS = "127.0.0.1:9100", "127.0.0.1:9090"
CONFIG = f"""\
global: {{ scrape_interval: 1s }}
scrape_configs:
- job_name: mail
  static_configs: [ {{ targets: [ "{EXPORTER}" ] }} ]
"""
FILES = Path("/run/textfiles")
LOG = ["--log", f"{feeding.TROUBLE}/mail.log"]
OPTIONS = {name: LOG if name in names(log_checks()) else [] for name in names(checks())}
OPTIONS["recipients"] = [*LOG, "--address", "ann@example.net"]


def run(condition: str, *options: str, file: str = "") -> str:
    """Run a check as an agent does; return what it printed."""
    path = FILES / f"{file or condition}.prom"
    command = [str(machine.PLUGINS / f"check_postfix_{condition}"), *options]
    done = machine.as_nagios(
        [*command, "--prometheus", str(path)], env={"PATH": os.environ["PATH"]}
    )
    assert not done.stderr, done.stderr
    return done.stdout


def start(directory: Path) -> None:
    """Start node-exporter with nothing but its textfile collector, and a Prometheus beside it."""
    config = directory / "prometheus.yml"
    config.write_text(CONFIG)
    _start(
        *("prometheus-node-exporter", f"--web.listen-address={EXPORTER}"),
        *("--collector.disable-defaults", "--collector.textfile"),
        f"--collector.textfile.directory={FILES}",
    )
    _start(
        *("prometheus", f"--web.listen-address={PROMETHEUS}"),
        *(f"--config.file={config}", f"--storage.tsdb.path={directory}/tsdb"),
    )


def _start(*command: str) -> None:
    subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def shown() -> list[str]:
    """Return the lines that node-exporter shows of our files and of itself reading them."""
    with urllib.request.urlopen(f"http://{EXPORTER}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return [line for line in lines if "postfix_" in line or "node_textfile" in line]


def known(name: str) -> list[str]:
    """Return the newest values of a metric that Prometheus knows, none if it cannot be asked."""
    query = urllib.parse.urlencode({"query": name})
    try:
        with urllib.request.urlopen(f"http://{PROMETHEUS}/api/v1/query?{query}") as answer:
            series = json.load(answer)["data"]["result"]
    except OSError:
        return []
    return [one["value"][1] for one in series]


def main(directory: Path) -> None:
    """Run all of it."""
    feeding.furnish(directory)
    FILES.mkdir()
    sh("chown", "nagios:nagios", str(FILES))
    printed = {condition: run(condition, *options) for condition, options in OPTIONS.items()}
    run("deferred", *LOG, "--instance", "postfix", "--window", "1h", file="deferred-postfix")
    start(directory)
    wait_until(lambda: known("postfix_auth_state") == ["2"], "Prometheus to know of an alarm")
    observed: dict[str, Any] = {
        "printed": printed,
        "shown": shown(),
        "failures": known("postfix_auth_failures"),
    }
    Path(LOG[1]).chmod(0)
    observed["printed_then"] = run("auth", *LOG)
    wait_until(lambda: known("postfix_auth_state") == ["3"], "Prometheus to know of the UNKNOWN")
    observed["shown_then"] = shown()
    observed["failures_then"] = known("postfix_auth_failures")
    (directory / "observed.json").write_text(json.dumps(observed, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
