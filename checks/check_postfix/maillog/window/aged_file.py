"""Aged file: one that a log is made of, as far as the log itself is judged by it."""

from __future__ import annotations

from check_postfix.maillog.source.value import Value


class AgedFile(Value):
    """A live log, or one of its archives.

    path: where it lies
    mode: its permissions
    last: minute of its newest line, or of its last change where that is not known
    live: whether it is written to
    """

    path: str = ""
    mode: int = 0
    last: int = 0
    live: bool = False
