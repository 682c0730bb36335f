"""A finding of doctor: what it has looked at, and what mends it."""

from __future__ import annotations

from collections import namedtuple


class Finding(namedtuple("Finding", "text fix", defaults=("",))):
    """What was found.

    fix: the command or the words that mend it; nothing where it is well
    """

    __slots__ = ()

    text: str
    fix: str
