"""A bare Debian in a directory: this machine's release or another, by its own apt configuration."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Those that the checks are meant for, the older one first.
SUPPORTED = ("bookworm", "trixie")
_SOURCES = Path("/etc/apt/sources.list.d/debian.sources")
_ONE_LINE_SOURCES = Path("/etc/apt/sources.list")
# How this machine reaches packages: a Debian within it must do the same.
_WAYS_OUT = (
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/pip.conf",
)
# Not where Debian has its own, which a package's installation would bring back.
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_CERTIFICATES_INSIDE = "/etc/ssl/of-the-host.crt"
# The first process in it: it waits for what others have left, as an init does. What was stopped is
# gone then, and can be started again.
_INIT = '"$@" & wait $!'
_SETTING = re.compile(r"PIP_\w+|\w+_proxy|\w+_PROXY")


class Debian:
    """A Debian to run commands in. Nothing but apt and what that needs is installed."""

    def __init__(self, directory: Path, release: str) -> None:
        """Make it.

        release: its name, as of this machine's own or one that lies beside that
        Raises:  subprocess.CalledProcessError if packages cannot be fetched
        """
        self.directory = directory
        own = _SOURCES if _SOURCES.exists() else _ONE_LINE_SOURCES
        sources = directory.with_suffix(own.suffix)
        sources.write_text(re.sub(rf"\b{own_release() or ''}\b", release, own.read_text()))
        options = directory.with_suffix(".apt")
        options.write_text(
            subprocess.run(
                ["apt-config", "dump", "--format", '%f "%v";%n', "Acquire"],
                capture_output=True, text=True, check=True,
            ).stdout
        )  # fmt: skip
        subprocess.run(
            ["mmdebstrap", "--quiet", "--variant=apt",
                "--skip=cleanup/apt/lists", f"--aptopt={options}", release,
             str(directory), str(sources)],
            check=True,
        )  # fmt: skip
        for way in map(Path, _WAYS_OUT):
            if way.exists():
                self.path(str(way.parent)).mkdir(parents=True, exist_ok=True)
                self.copy_in(way, str(way))

        if _CERTIFICATES.exists():
            self.path("/etc/ssl").mkdir(exist_ok=True)
            self.copy_in(_CERTIFICATES, _CERTIFICATES_INSIDE)

    def run(
        self, *command: str, user: str = "root", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in it; its output is one text."""
        passed_on = {name: value for name, value in os.environ.items() if _SETTING.fullmatch(name)}
        if self.path(_CERTIFICATES_INSIDE).exists():
            passed_on["PIP_CERT"] = _CERTIFICATES_INSIDE
        path = [] if user == "root" else ["env", "PATH=/usr/bin"]  # as Debian's own logins have it
        return subprocess.run(
            ["unshare", "--mount", "--pid", "--fork", f"--mount-proc={self.directory}/proc",
             "chroot", str(self.directory), "sh", "-c", _INIT, "init",
             "runuser", "-u", user, "--", *path, *command],
            env={
                "PATH": "/usr/sbin:/usr/bin",
                "DEBIAN_FRONTEND": "noninteractive",
                "LC_ALL": "C.UTF-8",
                "TZ": "UTC",
                **passed_on,
                **environment,
            },
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip

    def must(self, *command: str, user: str = "root", **environment: str) -> str:
        """Run a command that has to succeed; return its output."""
        done = self.run(*command, user=user, **environment)
        assert done.returncode == 0, f"{command}:\n{done.stdout}"
        return done.stdout

    def copy_in(self, source: Path, target: str) -> None:
        """Put a file into it."""
        shutil.copy(source, self.path(target))

    def copy_tree_in(self, target: str) -> None:
        """Put this clone into it, without what does not belong to the project."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        for name in filter(None, listed.split("\0")):
            self.path(f"{target}/{name}").parent.mkdir(parents=True, exist_ok=True)
            self.copy_in(ROOT / name, f"{target}/{name}")

    def path(self, inside: str) -> Path:
        """Return where a path of it lies outside."""
        return self.directory / inside.lstrip("/")


def own_release() -> str | None:
    """Return the name of this machine's release as apt knows it: os-release has none for sid."""
    if _SOURCES.exists():
        found = re.search(r"(?m)^Suites: *([\w.-]+)", _SOURCES.read_text())
    elif _ONE_LINE_SOURCES.exists():
        found = re.search(r"(?m)^deb +(?:\[.*\] +)?\S+ +([\w.-]+)", _ONE_LINE_SOURCES.read_text())
    else:
        found = None
    return found[1] if found else None


def releases() -> list[str]:
    """Return this machine's release, if it has one, and those that the checks are meant for."""
    return list(dict.fromkeys(filter(None, [own_release(), *SUPPORTED])))
