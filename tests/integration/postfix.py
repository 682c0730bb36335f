"""A private Postfix instance: its three directories, its configuration, its queue."""

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .namespace import sh

# The services every instance has; what listens to the network is added by whoever lays it out.
SERVICES = """\
pickup     unix n - n 60    1 pickup
cleanup    unix n - n -     0 cleanup
qmgr       unix n - n 300   1 qmgr
rewrite    unix - - n -     - trivial-rewrite
bounce     unix - - n -     0 bounce
defer      unix - - n -     0 bounce
trace      unix - - n -     0 bounce
verify     unix - - n -     1 verify
flush      unix n - n 1000? 0 flush
proxymap   unix - - n -     - proxymap
proxywrite unix - - n -     1 proxymap
smtp       unix - - n -     - smtp
relay      unix - - n -     - smtp
  -o syslog_name=${multi_instance_name?{$multi_instance_name}:{postfix}}/$service_name
showq      unix n - n -     - showq
error      unix - - n -     - error
retry      unix - - n -     - error
discard    unix - - n -     - discard
local      unix - n n -     - local
virtual    unix - n n -     - virtual
lmtp       unix - - n -     - lmtp
anvil      unix - - n -     1 anvil
scache     unix - - n -     1 scache
tlsmgr     unix - - n 1000? 1 tlsmgr
"""
# Needed by those that write their own log (maillog_file).
POSTLOG = "postlog unix-dgram n - n - 1 postlogd\n"
# Nothing is retried and no administrator written to unless the scenario says so: it counts along.
PARAMETERS = {
    "compatibility_level": "3.6",
    "inet_protocols": "ipv4",
    "mydestination": "$myhostname",
    "alias_maps": "",
    "alias_database": "",
    "default_database_type": "texthash",
    "biff": "no",
    "smtp_host_lookup": "native",
    "smtp_dns_support_level": "disabled",
    "queue_run_delay": "1h",
    "minimal_backoff_time": "1h",
    "maximal_backoff_time": "1h",
    "notify_classes": "",
    "smtpd_error_sleep_time": "0",
}


class Postfix:
    """One instance. Its configuration directory also identifies it to every Postfix command."""

    def __init__(self, name: str, config: Path, spool: Path, data: Path) -> None:
        """Note where things stand; nothing is written yet."""
        self.name = name
        self.config = config
        self._spool = spool
        self._data = data

    def lay_out(
        self,
        parameters: Mapping[str, str],
        services: str,
        tables: Mapping[str, str],
    ) -> None:
        """Write main.cf, master.cf and lookup tables; a table's name is its file's."""
        for directory in (self.config, self._spool, self._data):
            directory.mkdir(parents=True, exist_ok=True)
        shutil.chown(self._data, "postfix")
        directories = {"queue_directory": self._spool, "data_directory": self._data}
        settings: dict[str, object] = {**PARAMETERS, **directories, **parameters}
        lines = [f"{name} = {value}\n" for name, value in settings.items()]
        (self.config / "main.cf").write_text("".join(lines))
        (self.config / "master.cf").write_text(SERVICES + services)
        for name, text in tables.items():
            (self.config / name).write_text(text)

    def start(self) -> None:
        """Start it; returns when its master answers."""
        self.command("postfix", "start")

    def change(self, *settings: str) -> None:
        """Change settings ("name = value"); every daemon has read them when this returns.

        A reload would not do: it returns before the old queue manager is gone.
        """
        self.command("postconf", "-e", *settings)
        self.command("postfix", "stop")
        self.command("postfix", "start")

    def command(self, name: str, *arguments: str) -> str:
        """Run one of Postfix's own commands on this instance; return what it printed."""
        return sh(name, "-c", str(self.config), *arguments)

    def queue(self) -> list[dict[str, Any]]:
        """Return `postqueue -j`, one dict a message."""
        return [json.loads(line) for line in self.command("postqueue", "-j").splitlines()]

    def queue_sizes(self) -> Counter[str]:
        """Return the number of messages by queue name."""
        return Counter(message["queue_name"] for message in self.queue())

    def sendmail(self, *arguments: str) -> None:
        """Hand in an empty message the way a local program does, without waiting for delivery."""
        command = ["sendmail", "-C", str(self.config), *arguments]
        subprocess.run(command, input="", text=True, check=True)
