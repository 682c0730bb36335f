"""A log file: the bytes of one generation, plain or compressed, and where such files lie."""

from __future__ import annotations

import errno
import os
import re
import stat
from contextlib import suppress
from math import inf
from time import monotonic

from check_postfix.maillog.errors import LogError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence
    from typing import Protocol

    class _Readable(Protocol):
        def read(self, size: int, /) -> bytes: ...


# Where Debian, RHEL and SUSE let syslog write mail.
USUAL_PLACES = ("/var/log/mail.log", "/var/log/maillog", "/var/log/mail")
MAIN_CF = "/etc/postfix/main.cf"

# Where logrotate's `olddir` often is, below the log's own directory.
USUAL_ARCHIVES = ("old", "archive", "archives", "rotated")

# What rotation puts into a name: a separator, then numbers and times.
_SEPARATORS = "-._"
_DIGITS = "0123456789"
_OF_ROTATION = f"{_SEPARATORS}{_DIGITS}T"
_COMPRESSED = (".gz", ".xz", ".bz2", ".zst")
# Passed over at a time in a compressed file.
_CHUNK_BYTES = 64 * 1024


class LogFile:
    """A file that holds a generation.

    path:      where it lies now
    inode:     device and inode
    signature: these, size and the times of change: the same signature is the
               same file with the same bytes, nothing else is concluded
    size:      bytes on disk
    modified:  time of its last change, in seconds
    """

    __slots__ = ("inode", "modified", "path", "signature", "size")

    def __init__(self, path: str, status: os.stat_result) -> None:
        self.path = path
        self.inode = status.st_dev, status.st_ino
        # Two users can share a store, and not see the same of the log.
        self.signature = (
            f"{status.st_dev}:{status.st_ino}:{status.st_size}"
            f":{status.st_mtime_ns}:{status.st_ctime_ns}:{os.access(path, os.R_OK):d}"
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


def archives(path: str, directories: Sequence[str] = ()) -> list[LogFile]:
    """Return the files that rotation may have made of this log, newest first.

    That they are is not concluded from their names; those only say where to look.

    path:        if it is a link, the archives of what it leads to are meant too
    directories: where to look besides the log's own and the usual ones below it
    Raises:      LogError if one of these, or the log's own, cannot be listed
    """
    real = os.path.realpath(path)
    logs = {os.path.basename(path), os.path.basename(real)}
    listed = []
    # The log's own comes first: what is moved from there meanwhile is seen where it went.
    for own in dict.fromkeys(os.path.dirname(log) or "." for log in (path, real)):
        with suppress(FileNotFoundError):
            listed.append((own, _names(own)))
        for below in USUAL_ARCHIVES:
            directory = os.path.join(own, below)
            # Nobody has said that archives are there; what has gone there unread is a gap.
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
    """Tell whether rotation gives a file of this name to a log of that."""
    stem, extension = os.path.splitext(log)
    if not name.startswith(stem):
        return False
    plain, compression = os.path.splitext(name)
    for written in (name, plain) if compression in _COMPRESSED else (name,):
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
        raise _unreadable(directory, error) from None


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
            capture_output=True,
            check=False,
            timeout=5,
            env={"PATH": "/usr/sbin:/usr/bin", "LC_ALL": "C"},
        )
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
    if stat.S_ISDIR(status.st_mode):
        return f"let user {user} into it, for example with: setfacl -m u:{user}:rx {path}"
    return f"let user {user} read it, for example with: setfacl -m u:{user}:r {path}"


class Unfinished(LogError):
    """A compressed file that ends before its end mark: somebody is still writing it."""


class TooLong(LogError):
    """A compressed file that takes longer than there is time to get to where it was read."""


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

    def _uncompressed(self) -> _Readable:
        if self.path.endswith(".gz"):
            return _Gunzip(self._disk)
        if self.path.endswith(".xz"):
            import lzma

            return lzma.LZMAFile(self._disk)
        if self.path.endswith(".bz2"):
            import bz2

            return bz2.BZ2File(self._disk)
        if self.path.endswith(".zst"):
            return self._zstd()
        return self._disk

    def _zstd(self) -> _Readable:
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
        self._end_child()
        self._disk.close()

    def _end_child(self) -> None:
        if self._child:
            assert self._child.stdout is not None
            self._child.stdout.close()
            self._child.kill()
            self._child.wait()
            self._child = None

    def read(self, size: int) -> bytes:
        """Return at most `size` further bytes, b"" at the end.

        Raises: Unfinished or LogError
        """
        try:
            data = self._file.read(size)
        except EOFError:
            raise self._unfinished() from None
        except OSError as error:
            if error.errno:
                raise _unreadable(self.path, error) from None
            raise self._damaged(error) from None
        except Exception as error:  # noqa: BLE001 - zlib.error, LZMAError: known once imported
            raise self._damaged(error) from None
        if not data and self._child and self._child.wait() != 0:
            raise self._unfinished()
        self._offset += len(data)
        return data

    def _unfinished(self) -> Unfinished:
        return Unfinished(
            f"{self.path}: ends too early; if nobody is writing it, restore it from a backup,"
            " or remove it"
        )

    def _damaged(self, error: Exception) -> LogError:
        return LogError(f"{self.path}: damaged ({error}); restore it from a backup, or remove it")

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

    def read_head(self, size: int) -> bytes:
        """Return `size` bytes from the beginning, less only at the end.

        The NUL bytes that truncation leaves in front of a log are all alike and
        say nothing of which log it is: they are passed over.
        """
        self.go_to(0)
        data = self.read(size).lstrip(b"\0")
        while not data and (more := self.read(_CHUNK_BYTES)):
            data = more.lstrip(b"\0")
        return data[:size] if len(data) >= size else data + self.read_whole(size - len(data))

    def go_to(self, offset: int, deadline: float = inf) -> bool:
        """Go on from this offset; in a compressed file by reading up to it.

        deadline: time.monotonic() at which to give up
        Returns:  False if the stream ends before it
        Raises:   TooLong, Unfinished or LogError
        """
        if not self.compressed:
            self._disk.seek(offset)
            return offset <= self.status().st_size
        if offset < self._offset:
            self._end_child()
            self._disk.seek(0)
            self._file = self._uncompressed()
            self._offset = 0
        while self._offset < offset:
            if not self.read(min(offset - self._offset, _CHUNK_BYTES)):
                return False
            if monotonic() > deadline and self._offset < offset:
                raise TooLong(
                    f"{self.path}: is too big to be read within the timeout; uncompress it,"
                    " or run once with a longer --timeout"
                )
        return True

    def ends_at(self, offset: int) -> bool:
        """Tell whether the stream is sure to end at this offset, without reading up to it."""
        if not self.path.endswith(".gz"):
            return False
        # A gzip file ends with how long it was, modulo 2**32.
        fd = self._disk.fileno()
        trailer = os.pread(fd, 4, max(0, self.status().st_size - 4))
        return int.from_bytes(trailer, "little") == offset % 2**32


class _Gunzip:
    """The uncompressed bytes of a gzip file, of all its members."""

    def __init__(self, disk: _Readable) -> None:
        import zlib

        self._disk = disk
        self._new = zlib.decompressobj
        self._member = self._new(_GZIP)
        self._pending = b""  # compressed
        self._inside = False  # a member

    def read(self, size: int) -> bytes:
        """Return at most `size` further bytes, b"" at the end.

        Raises: EOFError inside a member, zlib.error
        """
        while size:  # to zlib, none is no limit
            if self._inside:
                data = self._member.decompress(self._pending, size)
                self._pending = self._member.unconsumed_tail
                if self._member.eof:
                    self._inside = False
                    self._pending = self._member.unused_data
                    self._member = self._new(_GZIP)
                if data:
                    return data
            if not self._inside:
                # members may be padded with NUL bytes
                self._pending = self._pending.lstrip(b"\0")
                self._inside = bool(self._pending)
            if not self._pending:
                self._pending = self._disk.read(_CHUNK_BYTES)
                if not self._pending:
                    if self._inside:
                        raise EOFError
                    break
        return b""


# zlib's name for: a gzip header and trailer, the largest window
_GZIP = 31
