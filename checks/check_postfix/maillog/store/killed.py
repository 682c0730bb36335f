"""Killed: whether a run was killed, or the machine stopped, in the middle of a transaction.

What it has left is undone by SQLite with the help of the journal. That has but weak checksums of
its own. If it is damaged, a part of the transaction may stay. So all of the file is looked at then.
"""

from __future__ import annotations

import fcntl
import os

# The byte of a file on which SQLite holds a lock as long as it writes (its file format, "locking").
_RESERVED = 0x40000001


def has_been(path: str) -> bool:
    """Tell whether a run was killed in a transaction, and nobody has undone that yet.

    path: of a store that has a journal, and that this process has not open
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:  # whoever opens it next will say why
        return False
    try:
        fcntl.lockf(fd, fcntl.LOCK_SH | fcntl.LOCK_NB, 1, _RESERVED)
    except OSError:  # the journal is that of a run that goes on
        return False
    else:
        return True
    finally:
        os.close(fd)
