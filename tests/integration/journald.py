"""A real systemd-journald without systemd: it takes /dev/log and keeps a journal of its own."""

import signal
import subprocess
import syslog
from collections.abc import Iterable
from pathlib import Path

from .namespace import sh
from .waiting import wait_until

PACKAGES = ["systemd", "systemd-journal-remote", "postfix", "iproute2"]
PROGRAM = "/lib/systemd/systemd-journald"
REMOTE = "/lib/systemd/systemd-journal-remote"
MACHINE = "fedcba9876543210fedcba9876543210"
BOOT = "0123456789abcdef0123456789abcdef"
# A persistent journal, so that nothing but the tests vacuums it. Messages of a unit are limited
# far below journald's own 10,000, so that a limit can be reached.
CONFIGURATION = """\
[Journal]
Storage=persistent
ReadKMsg=no
Audit=no
RateLimitIntervalSec=2
RateLimitBurst={burst}
ForwardToSyslog=no
"""
DIRECTORY = Path("/var/log/journal", MACHINE)
CGROUPS = Path("/sys/fs/cgroup")


class Journald:
    """The log daemon; needs a furnished namespace, whose /run, /dev and /var/log are its own."""

    def __init__(self, burst: int = 100_000) -> None:
        """Start it and wait for its sockets."""
        for path, text in (
            ("/etc/machine-id", MACHINE + "\n"),
            ("/etc/systemd/journald.conf", CONFIGURATION.format(burst=burst)),
        ):
            source = Path("/run", path.strip("/").replace("/", "-"))
            source.write_text(text)
            sh("mount", "--bind", str(source), path)
        # journald does not start without it, and learns from it which unit a process is of.
        sh("mount", "-t", "cgroup2", "cgroup2", str(CGROUPS))
        Path("/run/systemd/journal").mkdir(parents=True)
        DIRECTORY.mkdir(parents=True)
        # What systemd's tmpfiles.d gives them.
        for directory in (DIRECTORY.parent, DIRECTORY):
            sh("chgrp", "systemd-journal", str(directory))
            directory.chmod(0o2755)
        self._process = subprocess.Popen([PROGRAM])
        wait_until(Path("/run/systemd/journal/dev-log").exists, "journald")
        Path("/dev/log").unlink(missing_ok=True)
        Path("/dev/log").symlink_to("/run/systemd/journal/dev-log")

    def rotate(self) -> None:
        """Have the active file archived."""
        before = set(DIRECTORY.iterdir())
        self._process.send_signal(signal.SIGUSR2)
        wait_until(lambda: bool(set(DIRECTORY.iterdir()) - before), "journald's rotation")

    def stop(self) -> None:
        """Stop it, whereupon its file is whole."""
        self._process.terminate()
        self._process.wait()


def say(tag: str, text: str, facility: int = syslog.LOG_MAIL) -> None:
    """Log a line and wait until it is in the journal."""
    syslog.openlog(tag, 0, facility)
    before = len(said(tag, text))
    syslog.syslog(text)
    wait_until(lambda: len(said(tag, text)) > before, f"{text!r} in the journal")


def said(tag: str, text: str) -> list[str]:
    """Return the lines of this tag and text that are in the journal."""
    lines = sh("journalctl", "-q", "-a", "-o", "cat", f"SYSLOG_IDENTIFIER={tag}").splitlines()
    return [line for line in lines if line == text]


def import_entries(export: Iterable[bytes], file: str) -> None:
    """Make a journal file of entries in the export format."""
    with subprocess.Popen([REMOTE, "-o", file, "-"], stdin=subprocess.PIPE) as remote:
        assert remote.stdin is not None
        remote.stdin.writelines(export)
        remote.stdin.close()
        assert remote.wait() == 0


def entry(second: float, identifier: str, text: str, **fields: str) -> bytes:
    """Return an entry of the mail facility in the export format."""
    stamp = int(second * 1_000_000)
    all_fields = {
        "__REALTIME_TIMESTAMP": str(stamp),
        "__MONOTONIC_TIMESTAMP": str(stamp - 1_600_000_000_000_000),
        "_BOOT_ID": BOOT,
        "_MACHINE_ID": MACHINE,
        "_HOSTNAME": "mx1",
        "_TRANSPORT": "syslog",
        "PRIORITY": "6",
        "SYSLOG_FACILITY": "2",
        "SYSLOG_IDENTIFIER": identifier,
        "SYSLOG_PID": "1234",
        "_PID": "1234",
        "MESSAGE": text,
        **fields,
    }
    return "".join(f"{name}={value}\n" for name, value in all_fields.items()).encode() + b"\n"
