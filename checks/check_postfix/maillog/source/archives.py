"""Where logs lie, and the files that rotation has made of them."""

from __future__ import annotations

import errno
import os
import re
import stat
import time

from check_postfix.maillog.errors import LogError
from check_postfix.maillog.source.logfile import COMPRESSED, LogFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Where Debian, RHEL and SUSE let syslog write mail.
USUAL_PLACES = ("/var/log/mail.log", "/var/log/maillog", "/var/log/mail")
MAIN_CF = "/etc/postfix/main.cf"

# Where logrotate's `olddir` often is, below the log's own directory.
USUAL_ARCHIVES = ("old", "archive", "archives", "rotated")

# What rotation puts into a name: a separator, then numbers and times.
_SEPARATORS = "-._"
_DIGITS = "0123456789"
_OF_ROTATION = f"{_SEPARATORS}{_DIGITS}T"

# What stat says of a file that was renamed since, of a link to nothing, and in a directory that
# this user may list but not enter.
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EACCES)

# A directory that was changed less long ago may be changed once more without a trace: file
# systems keep the time in steps of up to two seconds.
_RESTLESS_NS = 2_000_000_000
# What stands for the state of a directory that is to be listed again.
UNKNOWN = "?"


def directories(path: str, named: Sequence[str] = ()) -> list[str]:
    """Return where the files may lie that rotation has made of a log, the log's own place first.

    path:  if it is a link, the directory of what it leads to is meant too
    named: directories besides the log's own and the usual ones below it
    """
    found = []
    for log in (path, os.path.realpath(path)):
        own = os.path.dirname(log) or "."
        found += [own, *(os.path.join(own, below) for below in USUAL_ARCHIVES)]
    return list(dict.fromkeys([*found, *named]))


def states(places: Iterable[str]) -> dict[str, str]:
    """Return directory -> what changes whenever a file in it gets another name, as of now.

    A state of UNKNOWN is not to be compared: the directory has been changed just now.
    """
    now = time.time_ns()
    return {place: _state(place, now) for place in places}


def _state(place: str, now: int) -> str:
    try:
        status = os.stat(place)
    except FileNotFoundError:
        return "-"
    except OSError:
        return UNKNOWN
    if max(status.st_mtime_ns, status.st_ctime_ns) > now - _RESTLESS_NS:
        return UNKNOWN
    # Two users can share a store, and not see the same of the log.
    return (
        f"{status.st_dev}:{status.st_ino}:{status.st_mtime_ns}:{status.st_ctime_ns}"
        f":{os.access(place, os.R_OK | os.X_OK):d}"
    )


def of(path: str, named: Sequence[str] = ()) -> list[LogFile]:
    """Return the files that rotation may have made of this log, newest first.

    That they are is not concluded from their names; those only say where to look.

    path, named: as for `directories`
    Raises:      LogError if one of the named directories, or the log's own, cannot be listed
    """
    real = os.path.realpath(path)
    logs = {os.path.basename(path), os.path.basename(real)}
    own = {os.path.dirname(log) or "." for log in (path, real)}
    found = []
    # The log's own comes first: what is moved from there meanwhile is seen where it went.
    listed = [(place, _names(place, place in own, named)) for place in directories(path, named)]
    for directory, names in listed:
        found += [
            os.path.join(directory, name)
            for name in names
            if any(is_rotated(name, log) for log in logs)
        ]
    return there(found)


def there(paths: Iterable[str]) -> list[LogFile]:
    """Return those of these files that are there, newest first.

    Raises: LogError if the system cannot tell
    """
    found = {}
    for path in paths:
        try:
            status = os.stat(path)
        except OSError as error:
            if error.errno in _NOT_THERE:
                continue
            raise _unreadable(path, error) from None
        if stat.S_ISREG(status.st_mode):
            found[path] = LogFile(path, status)
    return sorted(
        found.values(), key=lambda file: (file.modified, not file.compressed), reverse=True
    )


def _names(directory: str, is_own: bool, named: Sequence[str]) -> list[str]:
    try:
        return os.listdir(directory)
    except FileNotFoundError:
        if directory in named and not is_own:
            raise LogError(
                f"{directory}: no such directory; make it, or name another with --archives"
            ) from None
    except OSError as error:
        if is_own or directory in named:
            raise _unreadable(directory, error) from None
    # Nobody has said that archives are there; what has gone there unread is a gap.
    return []


def _unreadable(path: str, error: OSError) -> LogError:
    # Nearly all are readable.
    from check_postfix.maillog.source.refusal import unreadable

    return unreadable(path, error)


def is_rotated(name: str, log: str) -> bool:
    """Tell whether rotation gives a file of this name to a log of that."""
    stem, extension = os.path.splitext(log)
    if not name.startswith(stem):
        return False
    plain, compression = os.path.splitext(name)
    for written in (name, plain) if compression in COMPRESSED else (name,):
        rest = written[len(stem) :]
        # mail.log.1, mail.log-20261120, mail.log.20261120-093012
        if rest.startswith(extension) and _is_of_rotation(rest.removeprefix(extension)):
            return True
        # mail.1.log (`extension .log`)
        if rest.endswith(extension) and _is_of_rotation(rest.removesuffix(extension)):
            return True
    return False


def _is_of_rotation(part: str) -> bool:
    if len(part) < 2 or part.strip(_OF_ROTATION):
        return False
    return part[0] in _SEPARATORS and part[1] in _DIGITS


def usual_log() -> str:
    """Return the path of this machine's mail log.

    Raises: LogError if none of the usual places has one
    """
    configured = _maillog_file()
    for path in (configured, *USUAL_PLACES) if configured else USUAL_PLACES:
        if os.path.exists(path):
            return path
    from check_postfix.maillog.source import syslog_daemon

    cause, fix = syslog_daemon.explained()
    places = ", ".join(USUAL_PLACES)
    if configured:
        places = f"{configured} (maillog_file of Postfix), {places}"
        fix = f"see that Postfix runs and has logged anything (postfix status); {fix}"
    raise LogError(f"no mail log in the usual places ({places}){cause}; {fix}")


def _maillog_file() -> str | None:
    """Return the file that Postfix itself writes its log to, if it does (Postfix 3.4)."""
    try:
        with open(MAIN_CF, "rb") as file:
            said = re.search(rb"(?m)^maillog_file\s*=\s*\S", file.read())
    except OSError:
        return None
    if not said:
        return None
    # The value may be made of other parameters; only postconf knows them.
    import subprocess

    try:
        done = subprocess.run(
            ["/usr/sbin/postconf", "-xh", "maillog_file"],
            capture_output=True,
            check=False,
            timeout=5,
            env={"PATH": "/usr/sbin:/usr/bin", "LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    path = done.stdout.decode("utf-8", "surrogateescape").strip()
    return path if path.startswith("/") and not path.startswith("/dev/") else None
