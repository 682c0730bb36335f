"""The installation that runs, as doctor finds it: where its executables are, and another one's."""

from __future__ import annotations

import glob
import os
import shlex
import sys

from check_postfix import programs
from check_postfix.command import packaged
from check_postfix.command.doctor.finding import Finding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = "postfix-log"
# Where commands are looked for, whatever PATH is: root's and a monitoring's differ.
PLACES = ("/usr/local/bin", "/usr/bin")
# Where a monitoring looks for its plugins: Debian; Red Hat; by hand.
PLUGINS = (
    "/usr/lib/nagios/plugins",
    "/usr/lib64/nagios/plugins",
    "/usr/local/nagios/libexec",
)


def executables() -> list[str]:
    """Return the names of the checks' executables."""
    return [f"check_postfix_{name}" for name in (*programs.NAMES, "all")]


def findings(is_monitored: bool) -> Iterator[Finding]:
    """Yield whether there is one, and whether the checks are where a monitoring looks for them.

    is_monitored: whether this machine has a monitoring
    """
    several = _commands()
    if len(several) > 1:
        yield Finding(
            f"{len(several)} of them: {', '.join(several)}",
            "keep one, whose version is then the checks' as well: apt remove check-postfix, or of"
            f" pip what {packaged.readme()} says under 'Upgrade, change and remove'; install what"
            " is kept again",
        )
    if is_monitored:
        yield from _of_plugins()


def _commands() -> list[str]:
    """Return the commands of this name, each file once."""
    places = [*os.environ.get("PATH", "").split(os.pathsep), *PLACES]
    if os.path.basename(sys.argv[0]) == COMMAND and os.path.dirname(sys.argv[0]):
        places.insert(0, os.path.dirname(sys.argv[0]))
    found: dict[str, str] = {}
    for place in places:
        path = os.path.join(place, COMMAND)
        if place and os.access(path, os.X_OK):
            found.setdefault(os.path.realpath(path), path)
    return list(found.values())


def _of_plugins() -> Iterator[Finding]:
    directories = [place for place in PLUGINS if os.path.isdir(place)]
    if not directories:
        return
    names = executables()
    missing = {
        place: [name for name in names if not os.access(os.path.join(place, name), os.X_OK)]
        for place in directories
    }
    place = min(directories, key=lambda place: len(missing[place]))
    if not missing[place]:
        yield Finding(f"the checks are in {place}")
        return
    which = "none" if len(missing[place]) == len(names) else "not all"
    yield Finding(
        f"{which} of the checks are in {place}, such as {missing[place][0]}", _link(place)
    )


def _link(place: str) -> str:
    """Return the command that puts the checks into a directory of plugins."""
    if packaged.is_packaged():
        return "apt install --reinstall check-postfix"
    scripts = os.path.join(sys.prefix, "bin")
    if not glob.glob(os.path.join(glob.escape(scripts), "check_postfix_*")):
        return f"link the executables check_postfix_* of this installation into {place}"
    return f"ln -sf {shlex.quote(scripts)}/check_postfix_* {shlex.quote(place)}/"
