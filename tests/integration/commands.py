"""Commands run on the machine, as whom, and what came of it."""

import grp
import pwd
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

# What a monitoring agent leaves of the environment: Postfix's own /usr/sbin is not in it.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
SECONDS = 30
READER, STRANGER = "reader", "stranger"


@dataclass(frozen=True)
class Result:
    """What one command printed and how it ended."""

    command: list[str]
    exit_code: int
    stdout: str
    stderr: str


@dataclass
class Commands:
    """The commands run so far, by the name they are asked for afterwards."""

    results: dict[str, Result] = field(default_factory=dict)

    def check(self, name: str, user: str, check: str, *options: str) -> None:
        """Run one of the five executables as it is installed beside this Python."""
        executable = Path(sys.executable).with_name(f"check_postfix_{check}")
        if not executable.exists():
            raise FileNotFoundError(f"{executable}: install the project first (pip install -e .)")
        self.run(name, user, str(executable), *options)

    def run(self, name: str, user: str, *command: str) -> None:
        """Run a command as root, as a reader of logs, or as a stranger who may read none."""
        identity = {} if user == "root" else _nobody(*(["adm"] if user == READER else []))
        done = subprocess.run(
            command,
            **identity,
            cwd="/",
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        self.results[name] = Result(list(command), done.returncode, done.stdout, done.stderr)

    def give(self, path: Path, user: str) -> None:
        """Let a path belong to the user."""
        if user != "root":
            shutil.chown(path, "nobody", "nogroup")

    def as_json(self) -> dict[str, object]:
        """Return the results as plain values."""
        return {name: asdict(result) for name, result in self.results.items()}


def _nobody(*groups: str) -> dict[str, object]:
    nobody = pwd.getpwnam("nobody")
    return {
        "user": nobody.pw_uid,
        "group": nobody.pw_gid,
        "extra_groups": [grp.getgrnam(group).gr_gid for group in groups],
    }
