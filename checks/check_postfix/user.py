"""The user that a process runs as, in words: what an error tells whoever must become that one."""

from __future__ import annotations

import os


def me() -> str:
    """Return the user of this process: `user nagios`."""
    return in_words(os.geteuid())


def in_words(number: int) -> str:
    """Return a user in words, `user 1000` where passwd has no name."""
    import pwd

    try:
        return f"user {pwd.getpwuid(number).pw_name}"
    except KeyError:  # a container's need not have one
        return f"user {number}"
