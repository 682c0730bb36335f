"""A log file: the bytes of one generation, plain or compressed, and where such files lie."""

from __future__ import annotations

import errno
import os
import re
import stat

from check_postfix.maillog.errors import LogError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from typing import IO


# Where Debian, RHEL and SUSE let syslog write mail.
USUAL_PLACES = ("/var/log/mail.log", "/var/log/maillog", "/var/log/mail")
MAIN_CF = "/etc/postfix/main.cf"

_COMPRESSED = (".gz", ".xz", ".bz2", ".zst")
# Passed over at a time in a compressed file.
_PIECE = 64 * 1024


class LogFile:
    """A file that holds a generation.

    path:      where it lies now
    signature: device, inode, size and the times of change: the same signature
               is the same file with the same bytes, nothing else is concluded
    size:      bytes on disk
    modified:  time of its last change, in seconds
    """

    __slots__ = ("modified", "path", "signature", "size")

    def __init__(self, path: str, status: os.stat_result) -> None:
        self.path = path
        self.signature = (
            f"{status.st_dev}:{status.st_ino}:{status.st_size}"
            f":{status.st_mtime_ns}:{status.st_ctime_ns}"
        )
        self.size = status.st_size
        self.modified = status.st_mtime

    @property
    def compressed(self) -> bool:
        """Whether its name says that it is compressed."""
        return self.path.endswith(_COMPRESSED)

    def open(self) -> Stream:
        """Open it for reading.

        Raises: LogError where the system refuses, FileNotFoundError where it
                has been renamed or removed since it was listed
        """
        return Stream(self.path)


def look(path: str) -> LogFile:
    """Return the live log of this path.

    Raises: FileNotFoundError, LogError if it is no regular file or not to be seen
    """
    try:
        status = os.stat(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _unreadable(path, error) from None
    if not stat.S_ISREG(status.st_mode):
        raise LogError(
            f"{path}: is {_kind(status.st_mode)}, not a file; name the mail log with --log"
        )
    return LogFile(path, status)


def archives(path: str) -> list[LogFile]:
    """Return the files that rotation may have made of this log, newest first.

    That they are is not concluded from their names; those only say where to look.
    """
    directory, name = os.path.split(path)
    stem, extension = os.path.splitext(name)
    # mail.log.1, mail.log-20261120, mail.log.20261120-093012.gz, mail.1.log (`extension .log`)
    matches = re.compile(
        f"(?:{re.escape(name)}[-._][0-9][-._0-9T]*|{re.escape(stem)}[-._][0-9][-._0-9T]*"
        f"{re.escape(extension)})(?:[.](?:gz|xz|bz2|zst))?\\Z"
    ).match
    found = []
    try:
        names = os.listdir(directory or ".")
    except OSError as error:
        raise _unreadable(directory or ".", error) from None
    for other in names:
        if other == name or not matches(other):
            continue
        where = os.path.join(directory, other)
        try:
            status = os.stat(where)
        except OSError:  # renamed since, or a dangling link
            continue
        if stat.S_ISREG(status.st_mode) and status.st_size:
            found.append(LogFile(where, status))
    found.sort(key=lambda file: (file.modified, not file.compressed), reverse=True)
    return found


def usual() -> str:
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
            capture_output=True, check=False, timeout=5, env={"PATH": "/usr/sbin:/usr/bin", "LC_ALL": "C"},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    path = done.stdout.decode("utf-8", "surrogateescape").strip()
    return path if path.startswith("/") and not path.startswith("/dev/") else None


def _kind(mode: int) -> str:
    for test, name in (
        (stat.S_ISDIR, "a directory"),
        (stat.S_ISFIFO, "a FIFO"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    ):
        if test(mode):
            return name
    return "something else"


def _unreadable(path: str, error: OSError) -> LogError:
    cause = (error.strerror or str(error)).lower()
    if error.errno not in (errno.EACCES, errno.EPERM):
        return LogError(f"cannot read {path}: {cause}; see that its file system is in order")
    return LogError(f"cannot read {path}: {cause}; {_fix_for(path)}")


def _fix_for(path: str) -> str:
    """Return what lets this user read a file: the group to join, if there is one."""
    import grp
    import pwd

    try:
        status = os.stat(path)
        user = pwd.getpwuid(os.geteuid()).pw_name
        group = grp.getgrgid(status.st_gid).gr_name
    except (OSError, KeyError):
        return "let the monitoring user into its directory"
    if status.st_mode & stat.S_IRGRP and status.st_gid:
        return f"add user {user} to group {group}"
    return f"let user {user} read it, for example with: setfacl -m u:{user}:r {path}"


class Unfinished(LogError):
    """A compressed file that ends before its end mark: somebody is still writing it."""


class Stream:
    """The uncompressed bytes of a log file."""

    def __init__(self, path: str) -> None:
        """Open the file.

        Raises: LogError where the system refuses, FileNotFoundError where it
                has been renamed or removed since it was listed
        """
        self.path = path
        self._child: subprocess.Popen[bytes] | None = None
        try:
            # O_NONBLOCK: a FIFO put in the file's place must not hang the check
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise _unreadable(path, error) from None
        self._disk = os.fdopen(fd, "rb", buffering=0)
        self._file = self._uncompressed()
        self._offset = 0

    def _uncompressed(self) -> IO[bytes]:
        if self.path.endswith(".gz"):
            import gzip

            return gzip.GzipFile(fileobj=self._disk)
        if self.path.endswith(".xz"):
            import lzma

            return lzma.LZMAFile(self._disk)
        if self.path.endswith(".bz2"):
            import bz2

            return bz2.BZ2File(self._disk)
        if self.path.endswith(".zst"):
            return self._zstd()
        return self._disk

    def _zstd(self) -> IO[bytes]:
        # Python before 3.14 has no zstd; who compresses with it has the program.
        import subprocess

        try:
            self._child = subprocess.Popen(
                ["zstd", "-dcq"],
                stdin=self._disk,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError:
            raise LogError(
                f"cannot read {self.path}: the program zstd is missing; install the package zstd"
            ) from None
        assert self._child.stdout is not None
        return self._child.stdout

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._disk.close()
        if self._child:
            self._child.kill()
            self._child.wait()

    def read(self, size: int) -> bytes:
        """Return at most `size` further bytes, b"" at the end.

        Raises: Unfinished or LogError
        """
        try:
            data = self._file.read(size)
        except EOFError:
            raise Unfinished(f"{self.path}: ends too early; it is still being written") from None
        except OSError as error:
            if error.errno:
                raise _unreadable(self.path, error) from None
            raise self._damaged(error) from None
        except Exception as error:  # zlib.error, lzma.LZMAError: only known once imported
            raise self._damaged(error) from None
        if not data and self._child and self._child.wait() != 0:
            raise Unfinished(f"{self.path}: ends too early; it is still being written")
        self._offset += len(data)
        return data

    def _damaged(self, error: Exception) -> LogError:
        return LogError(f"{self.path}: damaged ({error}); remove it, or restore it from a backup")

    @property
    def compressed(self) -> bool:
        """Whether it can only be read from its beginning."""
        return self._file is not self._disk

    def status(self) -> os.stat_result:
        """Return what the system says of the open file, whatever its name is by now."""
        return os.fstat(self._disk.fileno())

    def read_whole(self, size: int) -> bytes:
        """Return `size` further bytes, less only at the end."""
        data = b""
        while len(data) < size and (more := self.read(size - len(data))):
            data += more
        return data

    def go_to(self, offset: int) -> bool:
        """Go on from this offset, in a compressed file not before the present one.

        Returns: False if the stream ends before it
        """
        if self._file is self._disk:
            self._disk.seek(offset)
            return offset <= self.status().st_size
        while self._offset < offset:
            if not self.read(min(offset - self._offset, _PIECE)):
                return False
        return True
