"""The syslog daemon of this machine: why it has written no mail log, and what mends that."""

from __future__ import annotations

import glob
import os
import re
from contextlib import suppress

PROCESSES = "/proc"
# Program -> the service that runs it
SERVICES = {"rsyslogd": "rsyslog", "syslog-ng": "syslog-ng", "syslogd": "syslogd"}
PLACES = ("/usr/sbin", "/sbin", "/usr/local/sbin")
# rsyslog's configuration, as Debian, RHEL and SUSE have it
CONFIGURATION = ("/etc/rsyslog.conf", "/etc/rsyslog.d/*.conf")
_OF_MAIL = "/etc/rsyslog.d/mail.conf"

# `mail.* -/var/log/mail.log`, `mail.info action(type="omfile" file="/var/log/mail.info")`
_find_mail = re.compile(
    r"^[ \t]*(?:[\w,*]+\.[\w!=*]+;)*[\w,]*\bmail(?:,\w+)*\.(?!none)[^\s]+[ \t]+"
    r"(?:-?(?P<plain>/[^\s;]+)|action\([^)]*\bfile=\"(?P<named>/[^\"]+)\")",
    re.MULTILINE,
).findall


def explained() -> tuple[str, str]:
    """Return what keeps mail from being logged, as far as it is seen, and what mends it."""
    if running := _running():
        if running != "rsyslogd":
            return (
                f", though {running} runs",
                "see that it writes mail.* to a file and that Postfix has logged anything,"
                " or name the log with --log",
            )
        return _of_rsyslog()
    if installed := _installed():
        return (
            f": {installed} is installed and does not run",
            f"start it: systemctl enable --now {SERVICES[installed]}",
        )
    return "", "name it with --log, or install rsyslog"


def _of_rsyslog() -> tuple[str, str]:
    files, is_read = _files_of_mail()
    if there := [path for path in files if os.path.exists(path)]:
        return f", though rsyslogd writes mail to {there[0]}", f"name it: --log {there[0]}"
    if files:
        return (
            f", though rsyslogd runs and is to write mail to {files[0]}",
            "see that Postfix runs and has logged anything (postfix status), then:"
            " systemctl restart rsyslog",
        )
    if not is_read:
        return (
            ", though rsyslogd runs",
            "see that it writes mail.* to a file and that Postfix has logged anything,"
            " or name the log with --log",
        )
    return (
        ", though rsyslogd runs: it is told to write mail to no file",
        f"as root: echo 'mail.* -/var/log/mail.log' > {_OF_MAIL} && systemctl restart rsyslog",
    )


def _files_of_mail() -> tuple[list[str], bool]:
    """Return where rsyslog is told to write mail to, and whether its configuration was read."""
    found: list[str] = []
    paths = [path for pattern in CONFIGURATION for path in sorted(glob.glob(pattern))]
    for path in paths:
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                found += [plain or named for plain, named in _find_mail(file.read())]
        except OSError:
            return found, False
    return found, bool(paths)


def _running() -> str:
    """Return the name of the syslog daemon that runs, nothing if none is seen."""
    processes: list[str] = []
    with suppress(OSError):
        processes = os.listdir(PROCESSES)
    for process in filter(str.isdecimal, processes):
        with suppress(OSError), open(f"{PROCESSES}/{process}/comm", "rb") as file:
            if (name := file.read().decode(errors="replace").strip()) in SERVICES:
                return name
    return ""


def _installed() -> str:
    return next(
        (
            name
            for name in SERVICES
            if any(os.access(os.path.join(place, name), os.X_OK) for place in PLACES)
        ),
        "",
    )
