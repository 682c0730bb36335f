"""An expression: one of Python's regular ones, compiled when it is first needed.

Compiling all expressions that a log could need takes longer than reading the lines of a
minute, which need few.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Expression:
    """A regular expression over bytes."""

    __slots__ = ("_compiled", "_flags", "_text")

    def __init__(self, text: bytes, flags: int = 0) -> None:
        self._text = text
        self._flags = flags
        self._compiled: re.Pattern[bytes] | None = None

    def _compile(self) -> re.Pattern[bytes]:
        self._compiled = re.compile(self._text, self._flags)
        return self._compiled

    def match(self, text: bytes, start: int = 0) -> re.Match[bytes] | None:
        """Match a text at a place."""
        return (self._compiled or self._compile()).match(text, start)

    def search(self, text: bytes, start: int = 0) -> re.Match[bytes] | None:
        """Find the first match in a text, at or after a place."""
        return (self._compiled or self._compile()).search(text, start)

    def finditer(self, text: bytes, start: int = 0) -> Iterator[re.Match[bytes]]:
        """Find all matches in a text, at or after a place."""
        return (self._compiled or self._compile()).finditer(text, start)

    def sub(self, replace: bytes | Callable[[re.Match[bytes]], bytes], text: bytes) -> bytes:
        """Return a text in which all matches are replaced."""
        return (self._compiled or self._compile()).sub(replace, text)
