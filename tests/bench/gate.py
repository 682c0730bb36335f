"""A gate: whoever opens or reads a file of a directory is held there, until let through.

So that something can happen in the middle of a run, at the same place each time,
whatever program it is. Linux (fanotify) offers that to root.
"""

from __future__ import annotations

import ctypes
import errno
import os
import select
import struct
import threading
from pathlib import Path

# linux/fanotify.h
_CLASS_CONTENT, _CLOEXEC = 0x04, 0x01
_MARK_ADD = 0x01
_OPEN_PERM, _ACCESS_PERM, _ON_CHILDREN = 0x10000, 0x20000, 0x08000000
_EVENT = struct.Struct("=IBBHQii")
_ANSWER = struct.Struct("=iI")
_ALLOW = 1
_AT_FDCWD = -100

_libc = ctypes.CDLL(None, use_errno=True)


class Gate:
    """Holds whoever comes as number `holds`, counted from 1; this process passes freely.

    Raises: OSError where the system does not let us
    """

    def __init__(self, directory: Path, holds: int) -> None:
        self._descriptor = _call("fanotify_init", _CLASS_CONTENT | _CLOEXEC, os.O_RDONLY)
        events = ctypes.c_uint64(_OPEN_PERM | _ACCESS_PERM | _ON_CHILDREN)
        _call(
            "fanotify_mark", self._descriptor, _MARK_ADD, events, _AT_FDCWD, os.fsencode(directory)
        )  # fmt: skip
        self._left = holds
        self._held = -1
        self._is_held = threading.Event()
        self._end, self._ends = os.pipe()
        self._keeper = threading.Thread(target=self._keep)
        self._keeper.start()

    def __enter__(self) -> Gate:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._ends)
        self._keeper.join()
        self.open()
        os.close(self._end)
        os.close(self._descriptor)

    def holds_somebody(self, seconds: float) -> bool:
        """Wait so long for somebody to be held."""
        return self._is_held.wait(seconds)

    def open(self) -> None:
        """Let through whoever is held."""
        if self._held >= 0:
            self._allow(self._held)
            self._held = -1

    def _keep(self) -> None:
        while True:
            ready, _, _ = select.select([self._descriptor, self._end], [], [])
            if self._end in ready:
                return
            events = os.read(self._descriptor, 4096)
            for length, _, _, _, _, file, process in _EVENT.iter_unpack(events):
                assert length == _EVENT.size
                if process != os.getpid():
                    self._left -= 1
                    if self._left == 0:
                        self._held = file
                        self._is_held.set()
                        continue
                self._allow(file)

    def _allow(self, file: int) -> None:
        os.write(self._descriptor, _ANSWER.pack(file, _ALLOW))
        os.close(file)


def why_impossible(directory: Path) -> str:
    """Say why nobody can be held here; empty if somebody can."""
    try:
        with Gate(directory, holds=1):
            return ""
    except OSError as error:
        return (error.strerror or str(error)).lower()


def _call(name: str, *arguments: object) -> int:
    function = getattr(_libc, name, None)
    result: int = function(*arguments) if function else -1
    if result < 0:
        number = ctypes.get_errno() if function else errno.ENOSYS
        raise OSError(number, os.strerror(number), name)
    return result
