"""Icinga DB Web shows the checks of a server in trouble to a person with a browser.

    python -m tests.monitoring.in_browser DIRECTORY      (in a namespace, see machine.py)

leaves observed.json: by service what its check printed and how the page shows that; and by name
the pictures of all pages, as base64 of PNG.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.integration.namespace import sh
from tests.integration.waiting import wait_until

from . import feeding
from .browser import Browser

PACKAGES = [
    *("icingadb", "redis-server", "postgresql", "icingaweb2", "icingadb-web", "icingacli"),
    *("php-cli", "php-intl", "php-pgsql", "php-curl", "php-xml"),
]
WEB = "127.0.0.1:8082"
SHARE = Path("/usr/share")
POSTGRESQL = """\
listen_addresses = '127.0.0.1'
port = 5433
unix_socket_directories = '{directory}'
fsync = off
synchronous_commit = off
full_page_writes = off
"""
ICINGADB = """\
database: { type: pgsql, host: 127.0.0.1, port: 5433, database: icingadb, user: icinga }
redis: { host: 127.0.0.1, port: 6380 }
logging: { level: info, output: console }
"""
# The user comes from the environment, which is how a web server's own login arrives.
ICINGAWEB = {
    "config.ini": """\
[global]
config_resource = "icingaweb"
module_path = "/usr/share/icingaweb2/modules"
[logging]
log = "file"
file = "{directory}/web.log"
""",
    "resources.ini": "\n".join(
        f'[{name}]\ntype = "db"\ndb = "pgsql"\nhost = "127.0.0.1"\nport = "5433"\n'
        f'dbname = "{name}"\nusername = "icinga"\npassword = "icinga"\ncharset = "utf8"\n'
        for name in ("icingaweb", "icingadb")
    ),
    "authentication.ini": '[autologin]\nbackend = "external"\n',
    "roles.ini": '[admins]\nusers = "admin"\npermissions = "*"\n',
    "modules/icingadb/config.ini": '[icingadb]\nresource = "icingadb"\n',
    "modules/icingadb/redis.ini": '[redis1]\nhost = "127.0.0.1"\nport = "6380"\n',
}
# Icinga Web knows PHP's own server by a name that it has no more in PHP 8.4.
ROUTER = """\
<?php
$_SERVER['SERVER_SOFTWARE'] = 'PHP 8 Development Server';
return require '/usr/share/php/Icinga/Application/webrouter.php';
"""
ICINGA = 'object IcingaDB "icingadb" { host = "127.0.0.1"; port = 6380 }\n'
HOST = feeding.HOSTS[0]

# The output below "Plugin Output" begins folded up.
OUTPUT = "document.querySelector('[id^=check-output] .plugin-output')"
UNFOLD = """
const button = [...document.querySelectorAll('button')].find(
    one => one.querySelector('[title=Expand]')
);
if (button) button.click();
"""
# What a person then sees: the text as it is laid out, and the letters it is set in; what it is
# made of; whether it is whole on the screen; and what a script in it would have done.
LOOK = f"""
const output = {OUTPUT};
const style = getComputedStyle(output);
const place = output.getBoundingClientRect();
const fold = output.parentElement.getBoundingClientRect();
return {{
    text: output.innerText,
    elements: [...document.querySelectorAll('.plugin-output *')].map(one => one.outerHTML),
    font: style.fontFamily,
    whole: output.scrollWidth <= output.clientWidth && place.bottom <= fold.bottom
        && place.right <= document.documentElement.clientWidth,
    title: document.title,
}};
"""
LOOK_AT_LIST = """
return [...document.querySelectorAll('.plugin-output *')].map(one => one.outerHTML);
"""


def start_postgresql(directory: Path) -> None:
    """Start a PostgreSQL with the two databases."""
    directory.mkdir()
    sh("chown", "postgres:postgres", str(directory))
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    as_postgres = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--")
    data = directory / "data"
    sh(
        *(*as_postgres, f"{binaries}/initdb", "-D", str(data), "-A", "trust", "-E", "UTF8"),
        *("--locale=C.UTF-8", "--no-sync"),
    )
    with (data / "postgresql.conf").open("a") as config:
        config.write(POSTGRESQL.format(directory=directory))
    _start(directory / "out", *as_postgres, f"{binaries}/postgres", "-D", str(data))
    ready = [f"{binaries}/pg_isready", "-h", "127.0.0.1", "-p", "5433"]
    wait_until(lambda: subprocess.run(ready, stdout=subprocess.DEVNULL).returncode == 0, "a server")
    for words in (
        "CREATE USER icinga",
        "CREATE DATABASE icingadb OWNER icinga",
        "CREATE DATABASE icingaweb OWNER icinga",
    ):
        _sql("postgres", "postgres", "-c", words)
    _sql("postgres", "icingadb", "-c", "CREATE EXTENSION citext")
    _sql("icinga", "icingadb", "-f", str(SHARE / "icingadb/schema/pgsql/schema.sql"))
    _sql("icinga", "icingaweb", "-f", str(SHARE / "icingaweb2/schema/pgsql.schema.sql"))


def _sql(user: str, database: str, *words: str) -> str:
    where = ("-h", "127.0.0.1", "-p", "5433", "-U", user, "-d", database)
    return sh("psql", "-qXAt", "-v", "ON_ERROR_STOP=1", *where, *words)


def start_database(directory: Path) -> None:
    """Start what Icinga writes into: Redis, and the daemon that carries it to PostgreSQL."""
    _start(
        directory / "redis.out",
        *("redis-server", "--port", "6380", "--bind", "127.0.0.1", "--save", ""),
        *("--dir", str(directory)),
    )
    wait_until(lambda: "PONG" in _pinged(), "Redis")
    (directory / "icingadb.yml").write_text(ICINGADB)
    _start(directory / "icingadb.out", "icingadb", "-c", str(directory / "icingadb.yml"))


def _pinged() -> str:
    command = ["redis-cli", "-p", "6380", "ping"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def start_web(directory: Path) -> None:
    """Start Icinga Web 2 with its module for Icinga DB, in PHP's own server."""
    for name, text in ICINGAWEB.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("{directory}", str(directory)))
    router = directory / "webrouter.php"  # it knows itself by this name
    router.write_text(ROUTER)
    (directory / "enabledModules").mkdir()
    module = SHARE / "icingaweb2/modules/icingadb"
    (directory / "enabledModules/icingadb").symlink_to(module)
    _start(
        directory / "php.out",
        *("php", "-d", f"session.save_path={directory}", "-d", "date.timezone=UTC"),
        *("-d", "display_errors=0", "-S", WEB, "-t", str(SHARE / "icingaweb2/public")),
        str(router),
        ICINGAWEB_CONFIGDIR=str(directory),
        ICINGAWEB_STORAGEDIR=str(directory / "storage"),
        REMOTE_USER="admin",
        PHP_CLI_SERVER_WORKERS="4",
    )
    wait_until(_answers, "Icinga Web")


def _answers() -> bool:
    try:
        urllib.request.urlopen(f"http://{WEB}/authentication/login").close()
    except OSError:
        return False
    return True


def _start(out: Path, *command: str, **environment: str) -> None:
    with out.open("wb") as file:
        subprocess.Popen(command, env=os.environ | environment, stdout=file, stderr=file)


def open_page(browser: Browser, service: str, log: Path) -> None:
    """Go to the page of a service; `log` is Icinga Web's own."""
    query = urlencode({"name": service, "host.name": HOST})
    browser.open(f"http://{WEB}/icingadb/service?{query}")
    wait_until(
        lambda: browser.run(f"return {OUTPUT} !== null"),
        f"the page of {service}",
        otherwise=lambda: (
            f"{browser.run('return document.body.innerText')}\n"
            + (log.read_text()[-2000:] if log.exists() else "nothing was logged")
        ),
    )


def look(browser: Browser, service: str, pictures: dict[str, str], log: Path) -> dict[str, Any]:
    """Return how the page of a service shows its output, and take pictures of it."""
    open_page(browser, service, log)
    pictures[f"{service}-folded"] = browser.picture()
    browser.run(UNFOLD)
    wait_until(
        lambda: browser.run(LOOK)["whole"],
        f"the whole output of {service}",
        otherwise=lambda: str(browser.run(LOOK)),
    )
    pictures[service] = browser.picture()
    shown: dict[str, Any] = browser.run(LOOK)
    return shown


def main(directory: Path) -> None:
    """Run all of it."""
    feeding.furnish(directory)
    database = directory / "database"
    start_postgresql(database)
    start_database(directory)
    icinga = feeding.start(directory, ICINGA)
    web = directory / "icingaweb"
    start_web(web)
    names = [name for name in icinga.services() if name.startswith(f"{HOST}!postfix-")]
    results = {name: attrs["last_check_result"] for name, attrs in icinga.check(names).items()}

    def in_database() -> int:
        count = "SELECT count(*) FROM service_state WHERE output LIKE 'POSTFIX%'"
        return int(_sql("icinga", "icingadb", "-c", count))

    wait_until(
        lambda: in_database() >= len(names),
        "Icinga DB",
        otherwise=(directory / "icingadb.out").read_text,
    )
    browser = Browser(directory, 1200, 1100)
    pictures: dict[str, str] = {}
    services = {}
    for name, result in results.items():
        service = name.partition("!")[2]
        shown = look(browser, service, pictures, web / "web.log")
        services[service] = {"output": result["output"], "shown": shown}
    browser.open(f"http://{WEB}/icingadb/services?host.name={HOST}")
    pictures["services"] = browser.picture()
    observed = {
        "services": services,
        "elements_in_list": browser.run(LOOK_AT_LIST),
        "pictures": pictures,
    }
    (directory / "observed.json").write_text(json.dumps(observed, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
