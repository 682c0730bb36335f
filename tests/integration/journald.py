"""A real systemd-journald without systemd: it takes /dev/log and keeps a journal of its own."""

import os
import signal
import socket
import subprocess
import syslog
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .namespace import sh
from .waiting import wait_until

PACKAGES = [
    "systemd",
    "systemd-journal-remote",
    "postfix",
    "dovecot-core",
    "dovecot-imapd",
    "iproute2",
]
PROGRAM = "/lib/systemd/systemd-journald"
REMOTE = "/lib/systemd/systemd-journal-remote"
MACHINE = "fedcba9876543210fedcba9876543210"
# Persistent, so that nothing but the tests removes anything.
CONFIGURATION = """\
[Journal]
Storage=persistent
ReadKMsg=no
Audit=no
RateLimitIntervalSec=1
RateLimitBurst={burst}
ForwardToSyslog=no
"""
VOLATILE = Path("/run/log/journal", MACHINE)
PERSISTENT = Path("/var/log/journal", MACHINE)
CGROUPS = Path("/sys/fs/cgroup")
FLUSHED = Path("/run/systemd/journal/flushed")


class Journald:
    """The log daemon; needs a furnished namespace, whose /run, /dev and /var/log are its own."""

    def __init__(self) -> None:
        """Start it: as on a machine that has just booted, its journal is in /run."""
        self._replace("/etc/machine-id", MACHINE + "\n")
        # journald does not start without it, and learns from it which unit a process is of.
        sh("mount", "-t", "cgroup2", "cgroup2", str(CGROUPS))
        Path("/run/systemd/journal").mkdir(parents=True)
        # What systemd's tmpfiles.d gives them.
        for directory in (VOLATILE, PERSISTENT):
            directory.mkdir(parents=True)
            for path in (directory.parent, directory):
                sh("chgrp", "systemd-journal", str(path))
                path.chmod(0o2755)
        self.start()

    def start(self, burst: int = 1_000_000) -> None:
        """Start it and wait for its socket.

        burst: lines a second of one unit, above which it drops them
        """
        self._replace("/etc/systemd/journald.conf", CONFIGURATION.format(burst=burst))
        socket = Path("/run/systemd/journal/dev-log")
        socket.unlink(missing_ok=True)
        self._process = subprocess.Popen([PROGRAM], stderr=subprocess.DEVNULL)
        wait_until(socket.exists, "journald")
        Path("/dev/log").unlink(missing_ok=True)
        Path("/dev/log").symlink_to(socket)

    def stop(self) -> None:
        """Stop it, whereupon its file is whole."""
        self._process.terminate()
        self._process.wait()

    def kill(self) -> None:
        """Let it crash: its file stays as it is, and it will begin a new one."""
        self._process.kill()
        self._process.wait()

    def flush(self) -> None:
        """Have the journal moved from /run to /var, as it is late in a machine's start."""
        self._process.send_signal(signal.SIGUSR1)
        wait_until(FLUSHED.exists, "journald's flush")

    def rotate(self) -> None:
        """Have the active file archived."""
        before = set(PERSISTENT.iterdir())
        self._process.send_signal(signal.SIGUSR2)
        wait_until(lambda: bool(set(PERSISTENT.iterdir()) - before), "journald's rotation")

    @staticmethod
    def _replace(path: str, text: str) -> None:
        source = Path("/run", path.strip("/").replace("/", "-"))
        if not source.exists():
            source.touch()
            sh("mount", "--bind", str(source), path)
        source.write_text(text)


@contextmanager
def unit(path: str) -> Iterator[None]:
    """Let what is started meanwhile belong to this unit, as systemd would have it."""
    group = CGROUPS / "system.slice" / path
    group.mkdir(parents=True, exist_ok=True)
    (group / "cgroup.procs").write_text(str(os.getpid()))
    try:
        yield
    finally:
        (CGROUPS / "cgroup.procs").write_text(str(os.getpid()))


def native(**fields: str) -> None:
    """Write an entry of any fields, as programs do that know journald."""
    data = "".join(f"{name}={value}\n" for name, value in fields.items())
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.sendto(data.encode(), "/run/systemd/journal/socket")


def wait_for_the_last_entry(tag: str = "scenario") -> None:
    """Log a line and wait for it: then all that was logged before it is in the journal."""
    syslog.openlog(tag, 0, syslog.LOG_USER)
    before = number_of_entries(f"SYSLOG_IDENTIFIER={tag}")
    syslog.syslog("the last entry")
    wait_until(lambda: number_of_entries(f"SYSLOG_IDENTIFIER={tag}") > before, "the journal")


def number_of_entries(*matches: str) -> int:
    """Return how many entries the journal has."""
    return journalctl(*matches).count("__CURSOR=")


def journalctl(*arguments: str) -> str:
    """Return what journalctl prints in the export format."""
    command = ["journalctl", "-o", "export", "--output-fields=SYSLOG_IDENTIFIER", *arguments]
    done = subprocess.run(command, capture_output=True, check=True)
    return done.stdout.decode("utf-8", "replace")


def import_entries(export: Iterable[bytes], file: Path) -> None:
    """Make a journal file of entries in the export format."""
    command = [REMOTE, "-o", str(file), "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as remote:
        assert remote.stdin is not None
        remote.stdin.writelines(export)
        remote.stdin.close()
        assert remote.wait() == 0


def entry(time: float, identifier: str, text: str, boot: int = 1) -> bytes:
    """Return an entry of the mail facility in the export format."""
    stamp = int(time * 1_000_000)
    fields = {
        "__REALTIME_TIMESTAMP": str(stamp),
        "__MONOTONIC_TIMESTAMP": str(stamp - 1_600_000_000_000_000),
        "_BOOT_ID": f"{boot:032x}",
        "_MACHINE_ID": MACHINE,
        "_HOSTNAME": "mx1",
        "_TRANSPORT": "syslog",
        "PRIORITY": "6",
        "SYSLOG_FACILITY": "2",
        "SYSLOG_IDENTIFIER": identifier,
        "SYSLOG_PID": "1234",
        "_PID": "1234",
        "_SYSTEMD_UNIT": "postfix@-.service",
        "MESSAGE": text,
    }
    return "".join(f"{name}={value}\n" for name, value in fields.items()).encode() + b"\n"
