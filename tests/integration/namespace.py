"""A machine within the machine: own network, mounts, processes and host name.

Only "lo" exists in it, carrying documentation addresses, so that what the programs log can be
published as it is. Whatever is left running or mounted in it ends with its first process.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
UNSHARE = (
    *("unshare", "--net", "--mount", "--pid", "--uts", "--ipc"),
    *("--fork", "--kill-child", "--mount-proc", "--propagation", "private", "--"),
)
# Killed from outside, setpriv's --pdeathsig takes unshare along, and that its namespace.
DIE_WITH_PARENT = ("setpriv", "--pdeathsig", "KILL", "--")
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
# All a private Postfix needs of /etc/postfix apart from the two files the tests write.
POSTFIX_TABLES = ["dynamicmaps.cf", "dynamicmaps.cf.d", "postfix-files", "postfix-files.d"]
_TRIES = 50


def why_impossible() -> str:
    """Say why no namespace can be made here; empty if one can."""
    if os.geteuid() != 0:
        return "a private Postfix needs root"
    probe = subprocess.run([*UNSHARE, "true"], capture_output=True, text=True, check=False)
    return "" if probe.returncode == 0 else f"no namespaces here: {probe.stderr.strip()}"


def run_inside(module: str, *arguments: str, timeout: float) -> None:
    """Run a Python module as the first process of a new namespace.

    Raises: subprocess.CalledProcessError, with what the module printed in its notes
    """
    command = [*DIE_WITH_PARENT, *UNSHARE, sys.executable, "-m", module, *arguments]
    done = subprocess.run(
        command,
        cwd=PROJECT,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        fault = subprocess.CalledProcessError(done.returncode, command)
        fault.add_note(done.stdout[-4000:])
        raise fault


def furnish(log: Path, hosts: Mapping[str, str], nameless: Iterable[str], hostname: str) -> None:
    """Give the namespace addresses, names, a /dev, and directories for what programs leave.

    log:       becomes /var/log, and is what remains afterwards
    hosts:     addresses by name
    nameless:  further addresses
    """
    socket.sethostname(hostname)
    sh("ip", "link", "set", "lo", "up")
    # A new network lets nobody ping, and Debian 13's ping has no capability of its own.
    Path("/proc/sys/net/ipv4/ping_group_range").write_text("0 2147483647\n")
    for address in {*hosts.values(), *nameless}:
        sh("ip", "address", "add", f"{address}/32", "dev", "lo")
    cover("/run")
    Path("/run/lock").mkdir()
    _furnish_dev(Path("/run/dev"))
    _furnish_etc(Path("/run/etc"))
    lines = ["127.0.0.1 localhost", *(f"{address} {name}" for name, address in hosts.items())]
    _replace_file("/etc/hosts", "\n".join(lines) + "\n")
    _replace_file("/etc/resolv.conf", "nameserver 127.0.0.1\n")
    sh("mount", "--bind", str(log), "/var/log")
    cover("/etc/postfix", keep=POSTFIX_TABLES)
    cover("/var/spool/postfix")
    cover("/var/lib/postfix")


def open_the_way(paths: Iterable[str | Path]) -> None:
    """Let every user reach these paths, though a directory above them may be root's alone.

    Such a directory (/root, say) is covered by an open one in which only the paths are left.
    """
    whole = {Path(path).resolve() for path in paths}
    for path in sorted(whole):
        for closed in reversed(path.parents):
            if not closed.stat().st_mode & 0o001:
                _cover_all_but(closed, [kept for kept in sorted(whole) if closed in kept.parents])


def cover(path: str, keep: Iterable[str] = ()) -> None:
    """Hide a directory behind an empty one that holds copies of the kept entries."""
    with tempfile.TemporaryDirectory() as saved:
        for name in keep:
            if Path(path, name).exists():
                sh("cp", "-a", f"{path}/{name}", saved)
        sh("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", path)
        # a link may lead to what has just been hidden, as those of alternatives do
        shutil.copytree(saved, path, symlinks=True, dirs_exist_ok=True)
    Path(path).chmod(0o755)


def sh(*command: str) -> str:
    """Run a command that must succeed; return what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return done.stdout


def _cover_all_but(closed: Path, kept: list[Path]) -> None:
    tops = [path for path in kept if not any(other in path.parents for other in kept)]
    with tempfile.TemporaryDirectory(dir="/run") as aside:
        places = [Path(aside, str(number)) for number in range(len(tops))]
        for top, place in zip(tops, places, strict=True):
            place.mkdir()
            sh("mount", "--rbind", str(top), str(place))
        cover(str(closed))
        for top, place in zip(tops, places, strict=True):
            top.mkdir(parents=True)
            sh("mount", "--rbind", str(place), str(top))
            sh("umount", "--recursive", str(place))


def _furnish_dev(new: Path) -> None:
    """Put a /dev in place whose /dev/log may be made anew."""
    new.mkdir()
    sh("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", str(new))
    for name in DEVICES:
        (new / name).touch()
        sh("mount", "--bind", f"/dev/{name}", f"{new}/{name}")
    (new / "fd").symlink_to("/proc/self/fd")
    (new / "shm").mkdir(mode=0o1777)
    (new / "shm").chmod(0o1777)
    sh("mount", "--rbind", str(new), "/dev")


def _furnish_etc(new: Path) -> None:
    """Put a copy of /etc in its place, which nobody changes from outside.

    A package that adds a user renames a new /etc/group over the old one, and that takes along
    whatever is mounted on it in here.
    """
    new.mkdir()
    sh("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", str(new))
    for tries_left in reversed(range(_TRIES)):
        try:
            sh("cp", "-a", "/etc/.", str(new))
            break
        except RuntimeError:  # files come and go while a package is installed
            if not tries_left:
                raise
            time.sleep(0.1)
    sh("mount", "--rbind", str(new), "/etc")


def _replace_file(path: str, text: str) -> None:
    source = Path("/run", path.strip("/").replace("/", "-"))
    source.write_text(text)
    sh("mount", "--bind", str(source), path)
