"""Where logs lie, and the files that rotation has made of them."""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress

from check_postfix.maillog.errors import LogError
from check_postfix.maillog.source.logfile import LogFile
from check_postfix.maillog.source.refusal import unreadable
from check_postfix.maillog.source.stream import COMPRESSED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# Where Debian, RHEL and SUSE let syslog write mail.
USUAL_PLACES = ("/var/log/mail.log", "/var/log/maillog", "/var/log/mail")
MAIN_CF = "/etc/postfix/main.cf"

# Where logrotate's `olddir` often is, below the log's own directory.
USUAL_ARCHIVES = ("old", "archive", "archives", "rotated")

# What rotation puts into a name: a separator, then numbers and times.
_SEPARATORS = "-._"
_DIGITS = "0123456789"
_OF_ROTATION = f"{_SEPARATORS}{_DIGITS}T"


def of(path: str, directories: Sequence[str] = ()) -> list[LogFile]:
    """Return the files that rotation may have made of this log, newest first.

    Their names only say where to look; they prove nothing.

    path:        if it is a link, the archives of its target are returned too
    directories: where to look besides the log's own and the usual ones below it
    Raises:      LogError if one of these, or the log's own, cannot be listed
    """
    real = os.path.realpath(path)
    logs = {os.path.basename(path), os.path.basename(real)}
    listed = []
    # The log's own directory comes first: a file moved from it meanwhile is found where it went.
    for own in dict.fromkeys(os.path.dirname(log) or "." for log in (path, real)):
        with suppress(FileNotFoundError):
            listed.append((own, _names(own)))
        for below in USUAL_ARCHIVES:
            directory = os.path.join(own, below)
            # Nobody has said that archives are there. A log that was moved there unread is a gap.
            with suppress(OSError):
                listed.append((directory, os.listdir(directory)))
    for directory in directories:
        try:
            listed.append((directory, _names(directory)))
        except FileNotFoundError:
            raise LogError(
                f"{directory}: no such directory; make it, or name another with --archives"
            ) from None
    found = {}
    for directory, names in listed:
        for name in names:
            if not any(_is_rotated(name, log) for log in logs):
                continue
            where = os.path.join(directory, name)
            try:
                status = os.stat(where)
            except OSError:  # renamed since, or a dangling link
                continue
            if stat.S_ISREG(status.st_mode):
                found[where] = LogFile(where, status)
    return sorted(
        found.values(), key=lambda file: (file.modified, not file.compressed), reverse=True
    )


def _is_rotated(name: str, log: str) -> bool:
    """Tell whether rotation can give an archive of this log this name."""
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


def _names(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise unreadable(directory, error) from None


def usual_log() -> str:
    """Return the path of this machine's mail log.

    Raises: LogError if none of the usual places has one
    """
    configured = _maillog_file()
    for path in (configured, *USUAL_PLACES) if configured else USUAL_PLACES:
        if os.path.exists(path):
            return path
    raise LogError(
        f"no mail log in the usual places ({', '.join(USUAL_PLACES)});"
        " name it with --log, or install rsyslog"
    )


def _maillog_file() -> str | None:
    """Return the file that Postfix itself writes its log to, if it does (Postfix 3.4)."""
    try:
        with open(MAIN_CF, "rb") as file:
            found = re.search(rb"(?m)^maillog_file\s*=\s*\S", file.read())
    except OSError:
        return None
    if not found:
        return None
    # The value may refer to other parameters, which only postconf knows.
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
