"""The programs that people use instead, fetched into a scratch directory.

Debian's packages are unpacked there, not installed. What cannot be had is absent,
and the tables say so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
_DEBIAN = {
    "logtail2": ("logtail", "usr/sbin/logtail2"),
    "pflogsumm": ("pflogsumm", "usr/sbin/pflogsumm"),
    "mtail": ("mtail", "usr/bin/mtail"),
    "check_logfiles": (
        "monitoring-plugins-check-logfiles", "usr/lib/nagios/plugins/check_logfiles",
    ),
    "lnav": ("lnav", "usr/bin/lnav"),
}  # fmt: skip
_PERL_LIBRARIES = ("libdate-calc-perl", "libbit-vector-perl", "libcarp-clan-perl")
_PYPI = ("pygtail", "maillogger")


class Market:
    """What could be had.

    scratch:  the directory
    ours, peers: Python interpreters that know our package, and the others' packages
    programs: name -> path of Debian's programs
    versions: name -> version of everything
    absent:   name -> why
    """

    def __init__(self, scratch: Path, python: str = sys.executable) -> None:
        self.scratch = scratch
        self.programs: dict[str, Path] = {}
        self.versions: dict[str, str] = {}
        self.absent: dict[str, str] = {}
        self.ours = self._environment("ours", python, [str(ROOT)])
        self.peers = self._environment("peers", python, [])
        for package in _PYPI:
            self._install(package)
        self._unpack_debian()
        self._ask_versions()

    @property
    def unpacked(self) -> Path:
        """Where Debian's packages are unpacked."""
        return self.scratch / "debian"

    def perl(self, name: str) -> str:
        """Return a shell command that runs a Perl program of the market."""
        library = self.unpacked / "usr/share/perl5"
        compiled = next(self.unpacked.glob("usr/lib/*/perl5/*"), library)
        return f"perl -I {library} -I {compiled} {self.programs[name]}"

    def check(self, name: str) -> str:
        """Return the path of one of our executables."""
        return str(Path(self.ours).with_name(f"check_postfix_{name}"))

    def _environment(self, name: str, python: str, packages: list[str]) -> str:
        directory = self.scratch / name
        # of the system's Python, so that no environment lies around another one
        base = str(Path(python).resolve())
        subprocess.run([base, "-m", "venv", str(directory)], check=True)
        interpreter = str(directory / "bin" / "python")
        for package in packages:
            _pip(interpreter, package)
        return interpreter

    def _install(self, package: str) -> None:
        try:
            _pip(self.peers, package)
        except subprocess.CalledProcessError as error:
            self.absent[package] = error.output.strip().rpartition("\n")[2]

    def _unpack_debian(self) -> None:
        self.unpacked.mkdir()
        if not shutil.which("apt-get"):
            self.absent |= dict.fromkeys(_DEBIAN, "not a Debian system")
            return
        for package in _PERL_LIBRARIES:
            self._fetch(package)
        for name, (package, path) in _DEBIAN.items():
            problem = self._fetch(package)
            program = self.unpacked / path
            if problem or not program.exists():
                self.absent[name] = problem or f"package {package} does not have it"
            else:
                self.programs[name] = program
        if "lnav" in self.programs:  # its libraries are not fetched
            done = subprocess.run([self.programs["lnav"], "-V"], capture_output=True, check=False)
            if done.returncode:
                del self.programs["lnav"]
                self.absent["lnav"] = "its libraries are not installed"

    def _fetch(self, package: str) -> str:
        """Unpack a package; return why that failed, or nothing."""
        directory = self.scratch / "packages" / package
        directory.mkdir(parents=True)
        environment = os.environ | {"LC_ALL": "C.UTF-8"}
        # apt would rather fetch as its own user, who cannot write here
        options = ["-q", "-o", "APT::Sandbox::User=root"]
        done = subprocess.run(
            ["apt-get", *options, "download", package],
            cwd=directory, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        found = list(directory.glob("*.deb"))
        if done.returncode or not found:
            return done.stderr.strip().rpartition("\n")[2] or "not to be had"
        subprocess.run(["dpkg-deb", "-x", found[0], self.unpacked], check=True)
        self.versions[package] = found[0].name.split("_")[1].replace("%3a", ":")
        return ""

    def _ask_versions(self) -> None:
        for interpreter in (self.ours, self.peers):
            listed = subprocess.run(
                [interpreter, "-m", "pip", "list", "--format=freeze"],
                capture_output=True, text=True, check=True,
            ).stdout  # fmt: skip
            for line in listed.split():
                name, _, version = line.partition("==")
                if name not in ("pip", "setuptools"):
                    self.versions[name] = version
        self.versions["Python"] = subprocess.run(
            [self.ours, "-V"], capture_output=True, text=True, check=True
        ).stdout.split()[1]
        for program in ("grep", "perl", "gzip"):
            said = subprocess.run(
                [program, "--version"], capture_output=True, text=True, check=True
            )
            words = said.stdout.replace("(v", " ").replace(")", " ").split()
            self.versions[program] = next(w for w in words if w[0].isdigit() and "." in w)


def _pip(interpreter: str, package: str) -> None:
    subprocess.run(
        [interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package],
        check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
