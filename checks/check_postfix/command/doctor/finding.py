"""A finding of doctor: what it has looked at, and what mends it."""

from __future__ import annotations

from collections import namedtuple

AS_ROOT = "as root: postfix-log doctor"


class Finding(namedtuple("Finding", "text fix", defaults=("",))):
    """What was found.

    fix: the command or the words that mend it; nothing where it is well
    """

    __slots__ = ()

    text: str
    fix: str


def of_error(error: Exception) -> Finding:
    """Return the finding of an error, which names thing, cause and fix."""
    text, _, fix = str(error).partition("; ")
    return Finding(text, fix or "see above")
