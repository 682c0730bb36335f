"""Debian packages the real programs come from."""

import os
import subprocess
from contextlib import ExitStack
from pathlib import Path

POLICY = Path("/usr/sbin/policy-rc.d")
# Postfix asks for a configuration when it is installed; the tests bring their own.
ANSWERS = "postfix postfix/main_mailer_type select No configuration\n"


class NotInstallable(Exception):
    """apt could not install what the tests need; the message is the end of what apt said."""


def missing(*packages: str) -> list[str]:
    """Return those of the packages that are not fully installed."""
    return [name for name in packages if not _is_installed(name)]


def install(*packages: str) -> None:
    """Install the packages that are missing, starting none of their services.

    Raises: NotInstallable
    """
    absent = missing(*packages)
    if not absent:
        return
    with ExitStack() as undo:
        _forbid_starting_services(undo)
        _run("debconf-set-selections", answers=ANSWERS)
        try:
            _install(absent)
        except NotInstallable:
            # There are no package lists yet, or they name files that are gone.
            _run("apt-get", "-q", "update")
            _install(absent)


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


def _run(*command: str, answers: str = "") -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        command,
        input=answers,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NotInstallable(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}")
