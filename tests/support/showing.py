"""What the checks say, for a person at a terminal: of a recorded log, then of this machine.

python -m tests.support.showing          (what tests/try does when all is installed)
"""

from __future__ import annotations

import grp
import os
import pwd
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

from check_postfix.maillog.errors import LogError
from check_postfix.maillog.source import archives, journalctl
from check_postfix.plugin.output import STATES
from tests.support.definitions import checks, log_checks
from tests.support.package import ROOT

PROGRAMS = Path(sys.executable).parent
RECORDED = "tests/recorded/mail.iso.log"
COLOURS = {"OK": "32", "WARNING": "33", "CRITICAL": "31", "UNKNOWN": "35"}
BOLD = "1"


def coloured(text: str, colour: str) -> str:
    """Return text in a colour, where somebody sees it."""
    wanted = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    return f"\033[{colour}m{text}\033[0m" if wanted else text


def title(text: str) -> None:
    """Begin a part."""
    print("\n" + coloured(text, BOLD) + "\n")


def say(program: str, *options: str) -> None:
    """Run a check and show what it says, without the perfdata; and the command, to be repeated."""
    path = PROGRAMS / program
    short = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    print(coloured(f"$ {shlex.join([str(short), *options])}", "2"))
    done = subprocess.run([path, *options], cwd=ROOT, capture_output=True, text=True, check=False)
    first, *more = done.stdout.splitlines()
    words = first.partition(" | ")[0]
    state = STATES[done.returncode]
    print(words.replace(state, coloured(state, COLOURS[state]), 1))
    command = PROGRAMS / "postfix-log"
    command = command.relative_to(ROOT) if command.is_relative_to(ROOT) else command
    for line in more:
        # It is not in PATH here.
        print(f"  {line.replace('see: postfix-log', f'see: {command}')}")
    print()


@contextmanager
def as_a_log_is(path: Path) -> Iterator[None]:
    """Close a file to others for a while: in a clone everybody may read it, which is no alarm."""
    mode = path.stat().st_mode
    try:
        with suppress(PermissionError):  # then it stays as it is
            path.chmod(mode & ~0o007)
        yield
    finally:
        with suppress(PermissionError):
            path.chmod(mode)


def show_recorded() -> None:
    """Show trouble: what was recorded when a real Postfix had some, each kind at once."""
    title(f"A mail server in trouble, recorded from a real Postfix: {RECORDED}")
    stamp = (ROOT / RECORDED).read_text().splitlines()[-1].split()[0]
    end = datetime.fromisoformat(stamp) + timedelta(minutes=1)
    options = ["--no-state", "--log", RECORDED, "--at", f"{end:%Y-%m-%dT%H:%MZ}"]
    first, *others = log_checks()
    with as_a_log_is(ROOT / RECORDED):
        say(first.executable, *options, "-v")
        for check in others:
            say(check.executable, *options)
    print("(-v says more of each; what stands behind | for graphs is left out here)")


def own_log() -> str | None:
    """Return the log of this machine that the checks find: a path, "" for the journal, or None."""
    with suppress(LogError):
        return archives.usual_log()
    return "" if journalctl.has_journal() else None


def closed(log: str) -> Iterator[str]:
    """Give what this user may not read of it: a path, or directories and files of the journal."""
    places = [log]
    if not log:
        found = [Path(place) for place in journalctl.directories()]
        places = [str(path) for place in found for path in (place, *place.glob("system*.journal"))]
    for path in places:
        above = next((str(p) for p in Path(path).parents if not os.access(p, os.X_OK)), path)
        if os.path.lexists(above) and not os.access(above, os.R_OK):
            yield above


def opening(path: str) -> str:
    """Return the one command that lets this user read a file or directory, and try again."""
    me = pwd.getpwuid(os.geteuid())
    status = os.stat(path)
    group = grp.getgrgid(status.st_gid).gr_name
    # A login takes its groups along: only one that begins after it joined them has all.
    again = f"su {me.pw_name} -c {ROOT / 'tests/try'}"
    if status.st_gid and status.st_mode & 0o040:
        if status.st_gid in os.getgrouplist(me.pw_name, me.pw_gid):
            return again
        return as_root(f"usermod -aG {group} {me.pw_name} && {again}")
    rights = "rx" if os.path.isdir(path) else "r"
    return as_root(f"setfacl -m u:{me.pw_name}:{rights} {shlex.quote(path)}") + " && tests/try"


def as_root(command: str) -> str:
    """Return the command that does this as root."""
    # Without a login, su keeps this user's PATH, in which usermod is not.
    return f"{'sudo sh' if shutil.which('sudo') else 'su -'} -c {shlex.quote(command)}"


def show_own() -> None:
    """Show what the checks say of this machine's log and queue, as far as there are any."""
    log = own_log()
    if log is None:
        title("This machine has no mail log and no journal; on a mail server you would see its own")
    else:
        name = log or "the systemd journal"
        title(f"This machine: {name}, the last 15 minutes; nothing is kept of this run")
        refused = next(closed(log), None)
        if refused:
            print(f"User {pwd.getpwuid(os.geteuid()).pw_name} may not read {refused}. Let it:\n")
            print(f"    {opening(refused)}")
        else:
            for check in log_checks():
                say(check.executable, "--no-state")
    known = {check.executable for check in log_checks()}
    if not shutil.which("postqueue", path=f"{os.environ.get('PATH', '')}:/usr/sbin"):
        print("\nNo Postfix is installed here: no queue to look at.")
        return
    title("This machine's queue, as postqueue tells it")
    for check in checks():
        if check.executable not in known:
            say(check.executable, "--no-state")


if __name__ == "__main__":
    show_recorded()
    show_own()
    print("\nTo let Icinga or Nagios run them: README.md, Install it.")
