"""An Icinga Director imports the basket, twice, and shows what it makes of it.

    python -m tests.monitoring.one_director DIRECTORY      (in a namespace, see machine.py)

leaves observed.json: what it holds then, how Icinga 2 likes what it would deploy, and what it
exports again.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.integration import namespace
from tests.integration.namespace import sh
from tests.integration.waiting import wait_until
from tests.support.definitions import ROOT, commands

from . import icinga2
from .icinga2 import Icinga2

PACKAGES = [
    *icinga2.PACKAGES,
    *("icingaweb2-module-director", "icingacli", "php-cli", "php-pgsql", "php-intl"),
    *("php-curl", "php-xml", "postgresql"),
]
BASKET = ROOT / "icinga" / "director-basket.json"
CONFIG = Path("/etc/icingaweb2")
MODULES = Path("/usr/share/icingaweb2/modules")
NEEDED = ["incubator", "reactbundle", "director"]
PORT = 5433
RESOURCES = f"""\
[director]
type = "db"
db = "pgsql"
host = "127.0.0.1"
port = "{PORT}"
dbname = "director"
username = "postgres"
charset = "utf8"
"""
POSTGRES = f"""\
listen_addresses = '127.0.0.1'
port = {PORT}
unix_socket_directories = ''
fsync = off
"""
AS_POSTGRES = ("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--")
SQL = ("psql", "-qX", "-h", "127.0.0.1", "-p", str(PORT), "-U", "postgres")


def start_database(directory: Path) -> None:
    """Start a PostgreSQL with an empty database for the Director."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    data = directory / "data"
    data.mkdir()
    sh("chown", "postgres:postgres", str(data))
    sh(*AS_POSTGRES, f"{programs}/initdb", "-D", str(data), "-A", "trust", "-E", "UTF8", "-N")
    with (data / "postgresql.conf").open("a") as config:
        config.write(POSTGRES)
    with (directory / "postgres.out").open("wb") as out:
        subprocess.Popen(
            [*AS_POSTGRES, f"{programs}/postgres", "-D", str(data)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    wait_until(lambda: _query("select 1") == "1", "the database")
    sh(*SQL, "-c", "create database director")
    sh(*SQL, "-d", "director", "-c", "create extension pgcrypto")


def _query(statement: str, database: str = "postgres") -> str:
    done = subprocess.run(
        [*SQL, "-At", "-d", database, "-c", statement], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def configure() -> None:
    """Give Icinga Web a configuration of its own, with the Director enabled."""
    namespace.cover(str(CONFIG))
    (CONFIG / "modules/director").mkdir(parents=True)
    (CONFIG / "enabledModules").mkdir()
    for name in NEEDED:
        (CONFIG / "enabledModules" / name).symlink_to(MODULES / name)
    (CONFIG / "resources.ini").write_text(RESOURCES)
    (CONFIG / "config.ini").write_text('[global]\nconfig_resource = "director"\n')
    (CONFIG / "modules/director/config.ini").write_text('[db]\nresource = "director"\n')


def director(*words: str, stdin: str = "") -> str:
    """Run one of the Director's commands; return what it printed."""
    done = subprocess.run(
        ["icingacli", "director", *words],
        input=stdin,
        env=os.environ | {"LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{words}: {done.stdout}{done.stderr}")
    return done.stdout


def main(directory: Path) -> None:
    """Run all of it."""
    (directory / "log").mkdir()
    directory.chmod(0o755)
    namespace.furnish(directory / "log", {}, [], "director")
    start_database(directory)
    configure()
    director("migration", "run")
    basket = BASKET.read_text()
    observed: dict[str, Any] = {"times": []}
    for _ in range(2):
        director("basket", "restore", stdin=basket)
        observed["times"].append(
            {
                "commands": _query("select count(*) from icinga_command", "director"),
                "fields": _query("select count(*) from director_datafield", "director"),
                "references": _query("select count(*) from icinga_command_field", "director"),
            }
        )
    names = [check.executable for check in commands()]
    icinga = Icinga2(directory, "director")
    for name in names:
        icinga.configure(director("command", "show", name))
    observed["validated"], observed["words"] = icinga.validate()
    observed["exported"] = {
        name: json.loads(director("command", "show", name, "--json")) for name in names
    }
    (directory / "observed.json").write_text(json.dumps(observed, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
