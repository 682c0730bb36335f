"""A bare Debian in a directory, made with this machine's own apt configuration."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
_SOURCES = Path("/etc/apt/sources.list.d/debian.sources")
_ONE_LINE_SOURCES = Path("/etc/apt/sources.list")


class Debian:
    """A Debian to run commands in. Nothing but apt and what that needs is installed."""

    def __init__(self, directory: Path) -> None:
        """Make it.

        Raises: subprocess.CalledProcessError if packages cannot be fetched
        """
        self.directory = directory
        sources = _SOURCES if _SOURCES.exists() else _ONE_LINE_SOURCES
        options = directory.with_suffix(".apt")
        options.write_text(
            subprocess.run(
                ["apt-config", "dump", "--format", '%f "%v";%n', "Acquire"],
                capture_output=True, text=True, check=True,
            ).stdout
        )  # fmt: skip
        subprocess.run(
            ["mmdebstrap", "--quiet", "--variant=apt",
                "--skip=cleanup/apt/lists", f"--aptopt={options}", _release(),
             str(directory), str(sources)],
            check=True,
        )  # fmt: skip
        for name in ("resolv.conf", "hosts"):
            shutil.copy(f"/etc/{name}", directory / "etc" / name)

    def run(self, *command: str, user: str = "root") -> subprocess.CompletedProcess[str]:
        """Run a command in it; its output is one text."""
        return subprocess.run(
            ["unshare", "--mount", "--pid", "--fork", f"--mount-proc={self.directory}/proc",
             "chroot", str(self.directory), "runuser", "-u", user, "--", *command],
            env={
                "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                "DEBIAN_FRONTEND": "noninteractive",
                "LC_ALL": "C.UTF-8",
                "TZ": "UTC",
            },
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip

    def must(self, *command: str) -> str:
        """Run a command as root that has to succeed; return its output."""
        done = self.run(*command)
        assert done.returncode == 0, f"{command}:\n{done.stdout}"
        return done.stdout

    def copy_in(self, source: Path, target: str) -> None:
        """Put a file into it."""
        shutil.copy(source, self.path(target))

    def path(self, inside: str) -> Path:
        """Return where a path of it lies outside."""
        return self.directory / inside.lstrip("/")


def _release() -> str:
    text = Path("/etc/os-release").read_text()
    return next(
        line.partition("=")[2] for line in text.splitlines() if line.startswith("VERSION_CODENAME=")
    )
