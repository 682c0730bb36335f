"""Debian packages the real programs come from.

They stay on the machine, and nothing else of the installation does: no service is started, now
or at the next boot, and debconf keeps no answer that nobody gave.
"""

import fcntl
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path("/")
POLICY = ROOT / "usr/sbin/policy-rc.d"
# Links by which systemd and SysV's init know what to start when they boot.
UNITS = ("etc/systemd/*/*.wants/*", "etc/systemd/*/*.requires/*")
SCRIPTS = "etc/rc[2-5S].d/S*"
# Postfix asks for a configuration when it is installed; the tests bring their own.
QUESTION = "postfix/main_mailer_type"
ANSWER = "No configuration"

# What was installed by name, for whoever wants to be rid of it.
installed: list[str] = []


class NotInstallable(Exception):
    """apt could not install what the tests need; the message is the end of what apt said."""


def missing(*packages: str) -> list[str]:
    """Return those of the packages that are not fully installed."""
    return [name for name in packages if not _is_installed(name)]


def install(*packages: str) -> None:
    """Install the packages that are missing, starting none of their services, now or later.

    Raises: NotInstallable
    """
    if not missing(*packages):
        return
    with _alone(), ExitStack() as undo:
        absent = missing(*packages)
        if not absent:
            return
        _forbid_starting_services(undo)
        undo.callback(disable_all_but, at_boot())
        if missing("postfix"):
            _run("debconf-set-selections", input=f"postfix {QUESTION} select {ANSWER}\n")
            undo.callback(_forget_answer)
        installed.extend(absent)
        try:
            _install(absent)
        except NotInstallable:
            # Somebody has ended an installation halfway; there are no package lists yet, or they
            # name files that are gone.
            _run("dpkg", "--configure", "-a", "--force-confold")
            _run("apt-get", "-q", "update")
            _install(absent)


@contextmanager
def _alone() -> Iterator[None]:
    """Wait until no other process of the tests installs.

    Where one of two ends first, it allows services to start again, and takes links of the other
    for some that were there before.
    """
    directory = os.open(POLICY.parent, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)


def at_boot(root: Path = ROOT) -> set[Path]:
    """Return the links by which something is started when the machine boots."""
    return {path for pattern in (*UNITS, SCRIPTS) for path in root.glob(pattern)}


def disable_all_but(known: set[Path], root: Path = ROOT) -> None:
    """Undo what makes a package's services start at boot, as `systemctl disable` does.

    known: the links to leave alone
    """
    for link in at_boot(root) - known:
        if link.match(SCRIPTS):
            link.rename(link.with_name(f"K01{link.name[3:]}"))
        else:
            link.unlink()


def _forget_answer() -> None:
    asked = f"reset {QUESTION}\nfset {QUESTION} seen false\n"
    _run("debconf-communicate", "postfix", input=asked)


def _install(packages: list[str]) -> None:
    _run(
        *("apt-get", "-q", "-y", "--no-install-recommends"),
        # Somebody else's apt may be at work: wait for it.
        *("-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Options::=--force-confold"),
        *("install", *packages),
    )


def _is_installed(package: str) -> bool:
    query = ["dpkg-query", "-W", "-f=${Status}", package]
    answer = subprocess.run(query, capture_output=True, text=True, check=False)
    return answer.stdout == "install ok installed"


def _forbid_starting_services(undo: ExitStack) -> None:
    """Have invoke-rc.d refuse while apt runs; a policy the machine already has is left alone."""
    if not POLICY.exists():
        POLICY.write_text("#!/bin/sh\nexit 101\n")
        POLICY.chmod(0o755)
        undo.callback(POLICY.unlink)


def _run(*command: str, input: str = "") -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        command,
        input=input,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NotInstallable(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}")
