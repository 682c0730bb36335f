"""The executables, run as a monitoring agent would run them, and what came of it."""

import grp
import pwd
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.definitions import checks, log_checks, names

CHECKS, LOG_CHECKS = names(checks()), names(log_checks())

# Ourselves; somebody who may read the mail log; somebody who may not.
ROOT, READER, STRANGER = "root", "reader", "stranger"
GROUPS = {READER: ["adm"], STRANGER: []}

# What an agent leaves of the environment: /usr/sbin, with Postfix's commands, is not in PATH.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
SECONDS = 30


@dataclass(frozen=True)
class Result:
    """What a command printed and how it ended."""

    command: list[str]
    exit_code: int
    stdout: str
    stderr: str


def run_check(check: str, options: Sequence[str], user: str = ROOT) -> Result:
    """Run one of the executables as it is installed beside this Python.

    user: anybody but ROOT is the system's "nobody", in the groups that make the difference
    """
    executable = Path(sys.executable).with_name(f"check_postfix_{check}")
    if not executable.exists():
        raise FileNotFoundError(f"{executable}: install the project first (pip install -e .)")
    command = [str(executable), *options]
    nobody = pwd.getpwnam("nobody")
    done = subprocess.run(
        command,
        user=None if user == ROOT else nobody.pw_uid,
        group=None if user == ROOT else nobody.pw_gid,
        extra_groups=None if user == ROOT else [grp.getgrnam(name).gr_gid for name in GROUPS[user]],
        cwd="/",
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return Result(command, done.returncode, done.stdout, done.stderr)
