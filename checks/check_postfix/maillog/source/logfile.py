"""A log file: one that holds a generation, plain or compressed, as the system lists it."""

from __future__ import annotations

import os
import stat

from check_postfix.maillog.errors import LogError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from check_postfix.maillog.source.stream import Stream

    # Device and inode number
    Inode = tuple[int, int]

# How compressed files are called.
COMPRESSED = (".gz", ".xz", ".bz2", ".zst")


class LogFile:
    """A file that holds a generation.

    path:      where it lies now
    inode:     device and inode
    signature: inode, size, times of change, and whether we may read it. The same
               signature means the same file with the same bytes, and nothing else
    size:      bytes on disk
    modified:  time of its last change, in seconds
    """

    __slots__ = ("inode", "modified", "path", "signature", "size")

    def __init__(self, path: str, status: os.stat_result) -> None:
        self.path = path
        self.inode = status.st_dev, status.st_ino
        # Two users can share a store, and only one of them may read the log.
        self.signature = (
            f"{status.st_dev}:{status.st_ino}:{status.st_size}"
            f":{status.st_mtime_ns}:{status.st_ctime_ns}:{os.access(path, os.R_OK):d}"
        )
        self.size = status.st_size
        self.modified = status.st_mtime

    @property
    def compressed(self) -> bool:
        """Whether its name says that it is compressed."""
        return self.path.endswith(COMPRESSED)

    def open(self, deadline: float) -> Stream:
        """Open it for reading.

        deadline: time.monotonic() at which to give up passing over bytes
        Raises: LogError where the system refuses, FileNotFoundError where it
                has been renamed or removed since it was listed
        """
        # A run with nothing new opens none.
        from check_postfix.maillog.source.stream import Stream

        return Stream(self.path, deadline)


def inode_at(path: str | None) -> Inode | None:
    """Return device and inode of what is at a path, None if there is nothing, or no path."""
    try:
        status = os.stat(path or "")
    except OSError:
        return None
    return status.st_dev, status.st_ino


def look(path: str) -> LogFile:
    """Return the live log of this path.

    Raises: FileNotFoundError, LogError if it is no regular file or cannot be looked at
    """
    try:
        status = os.stat(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        from check_postfix.maillog.source.refusal import unreadable

        raise unreadable(path, error) from None
    if not stat.S_ISREG(status.st_mode):
        raise LogError(
            f"{path}: is {_kind(status.st_mode)}, not a file; name the mail log with --log"
        )
    return LogFile(path, status)


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
