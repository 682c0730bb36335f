"""A private Nagios 4: Debian's own configuration, but every path in a directory of ours."""

import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tests.integration.namespace import sh
from tests.integration.waiting import wait_until

PACKAGES = [
    *("nagios4-core", "monitoring-plugins-basic", "iproute2"),
    *("nagios-nrpe-server", "nagios-nrpe-plugin", "nsca", "nsca-client"),
]
DEBIAN = Path("/etc/nagios4")
OBJECTS = ["commands", "contacts", "timeperiods", "templates"]
PATHS = {
    "log_file": "nagios.log",
    "object_cache_file": "objects.cache",
    "precached_object_file": "objects.precache",
    "status_file": "status.dat",
    "command_file": "rw/nagios.cmd",
    "query_socket": "rw/nagios.qh",
    "lock_file": "nagios.lock",
    "temp_file": "nagios.tmp",
    "temp_path": "",
    "log_archive_path": "archives",
    "check_result_path": "checkresults",
    "state_retention_file": "retention.dat",
    "debug_file": "nagios.debug",
    "service_perfdata_file": "service-perfdata",
}
PERFDATA = ("TIMET", "HOSTNAME", "SERVICEDESC", "SERVICESTATE", "SERVICEPERFDATA")
# For tests that cannot wait: everything is due at once, and looked at every second. But no more
# runs at the same time than a small machine can finish before check_nrpe gives up, after 10 s.
SETTINGS = {
    "max_concurrent_checks": "4",
    "status_update_interval": "1",
    "check_result_reaper_frequency": "1",
    "service_inter_check_delay_method": "n",
    "host_inter_check_delay_method": "n",
    "service_freshness_check_interval": "1",
    "additional_freshness_latency": "1",
    "retain_state_information": "0",
    "use_syslog": "0",
    "check_for_updates": "0",
    "process_performance_data": "1",
    "service_perfdata_file_template": "\\t".join(f"${macro}$" for macro in PERFDATA),
    "service_perfdata_file_mode": "a",
}
# As Nagios writes long output into its files.
ESCAPED = {"\\n": "\n", "\\\\": "\\"}


class Nagios:
    """One instance."""

    def __init__(self, directory: Path, objects: Mapping[str, str]) -> None:
        """Write its configuration.

        objects: files with definitions, by name
        """
        self.directory = directory
        for place in ("rw", "archives", "checkresults", "objects"):
            (directory / place).mkdir(parents=True)
        for name, text in objects.items():
            (directory / "objects" / name).write_text(text)
        (directory / "nagios.cfg").write_text("".join(f"{line}\n" for line in self._settings()))
        sh("chown", "-R", "nagios:nagios", str(directory))

    def validate(self) -> tuple[int, str]:
        """Return the exit code and the words of `nagios4 -v`."""
        done = subprocess.run(
            ["nagios4", "-v", str(self.directory / "nagios.cfg")],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    def start(self) -> None:
        """Start the daemon, as user nagios in all of his groups."""
        with (self.directory / "daemon.out").open("wb") as out:
            subprocess.Popen(
                [
                    *("setpriv", "--reuid=nagios", "--regid=nagios", "--init-groups", "--"),
                    *("nagios4", str(self.directory / "nagios.cfg")),
                ],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def wait_for_pipe(self) -> None:
        """Return when Nagios takes external commands."""
        wait_until((self.directory / "rw/nagios.cmd").is_fifo, "Nagios to open its pipe")

    def services(self) -> dict[str, dict[str, str]]:
        """Return what status.dat says of each service, by HOST!SERVICE."""
        status = self.directory / "status.dat"
        if not status.exists():
            return {}
        blocks = re.findall(r"^servicestatus \{\n(.*?)^\t\}", status.read_text(), re.M | re.S)
        services = [
            dict(line.strip("\t").split("=", 1) for line in block.splitlines()) for block in blocks
        ]
        return {f"{one['host_name']}!{one['service_description']}": one for one in services}

    def wait_for(self, names: Iterable[str]) -> None:
        """Return when there is a result of each of the services."""

        def missing() -> list[str]:
            services = self.services()
            return [name for name in names if services.get(name, {}).get("has_been_checked") != "1"]

        wait_until(
            lambda: not missing(), "results at Nagios", 120, otherwise=lambda: str(missing())
        )

    def perfdata(self) -> dict[str, str]:
        """Return the newest line of the perfdata file for each service, by HOST!SERVICE."""
        lines = (self.directory / "service-perfdata").read_text().splitlines()
        fields = [line.split("\t") for line in lines]
        return {f"{host}!{name}": perfdata for _, host, name, _, perfdata in fields}

    def _settings(self) -> Iterator[str]:
        changed = {
            **SETTINGS,
            **{name: str(self.directory / path) for name, path in PATHS.items()},
        }
        for line in (DEBIAN / "nagios.cfg").read_text().splitlines():
            name = line.partition("=")[0].strip()
            if "=" in line and name not in changed and name not in ("cfg_file", "cfg_dir"):
                yield line
        yield from (f"{name}={value}" for name, value in changed.items())
        yield from (f"cfg_file={DEBIAN}/objects/{name}.cfg" for name in OBJECTS)
        yield "cfg_dir=/etc/nagios-plugins/config"
        yield f"cfg_dir={self.directory}/objects"


def unescaped(text: str) -> str:
    """Return long output as it was before Nagios wrote it into a file."""
    return re.sub(r"\\[n\\]", lambda escape: ESCAPED[escape[0]], text)
