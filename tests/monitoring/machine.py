"""The machine that monitoring runs on: a namespace, furnished as the README tells it."""

import grp
import os
import pwd
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.integration import namespace
from tests.integration.namespace import sh
from tests.support.definitions import ROOT, commands

PLUGINS = Path("/usr/lib/nagios/plugins")
HOME = Path("/var/lib/nagios")
LOG = Path("/var/log/mail.log")


def furnish(directory: Path, addresses: Iterable[str] = ()) -> None:
    """Make the checks reachable for user nagios, and what they read readable.

    directory: holds what remains: log/ becomes /var/log
    addresses: that this machine has
    """
    directory.chmod(0o755)
    log = directory / "log"
    log.mkdir()
    namespace.furnish(log, {}, addresses, "monitor")
    namespace.open_the_way([ROOT, sys.prefix, sys.base_prefix, directory])
    namespace.cover(str(PLUGINS), keep=os.listdir(PLUGINS))
    for check in commands():
        (PLUGINS / check.executable).symlink_to(Path(sys.executable).with_name(check.executable))
    _let_nagios_read_the_log()
    home()


def home() -> None:
    """Give user nagios a home of its own, where the checks keep their counts."""
    namespace.cover(str(HOME))
    sh("chown", "nagios:nagios", str(HOME))


def _let_nagios_read_the_log() -> None:
    """Do what `adduser nagios adm` does."""
    groups = Path("/etc/group").read_text()
    changed = Path("/run/group")
    changed.write_text(
        "".join(
            line.rstrip("\n") + (",nagios" if not line.endswith(":\n") else "nagios") + "\n"
            if line.startswith("adm:")
            else line
            for line in groups.splitlines(keepends=True)
        )
    )
    sh("mount", "--bind", str(changed), "/etc/group")


def write_log(lines: Iterable[str], path: Path = LOG) -> None:
    """Write a log as syslog leaves it: for group adm, and nobody else."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
    path.chmod(0o640)
    os.chown(path, 0, grp.getgrnam("adm").gr_gid)


def as_nagios(command: Sequence[str], **more: object) -> subprocess.CompletedProcess[str]:
    """Run a command as user nagios, who is in group adm."""
    nagios = pwd.getpwnam("nagios")
    return subprocess.run(
        list(command),
        user=nagios.pw_uid,
        group=nagios.pw_gid,
        extra_groups=[grp.getgrnam("adm").gr_gid],
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"} | dict(more.pop("env", {})),  # type: ignore[call-overload]
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **more,  # type: ignore[call-overload]
    )
