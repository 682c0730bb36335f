"""Side by side: the numbers of all origins in one text, made of a text for each of them.

Before version 6 each origin had rows of its own, with names that did not tell the origin.
"""

from __future__ import annotations

from check_postfix.maillog.counts.families import SEPARATOR
from check_postfix.maillog.store import packed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class SideBySide:
    """An aggregate function of SQLite: (origin, packed text) of each row -> packed text."""

    def __init__(self) -> None:
        self._numbers: list[str] = []
        self._names: list[str] = []
        self._is_readable = True

    def step(self, origin: int, text: str) -> None:
        """Add what one origin had; a month has many, so nothing is unpacked."""
        numbers, _, names = text.partition("\n")
        # Else others would get the numbers of these.
        self._is_readable &= numbers.count(" ") == names.count("\n")
        self._numbers.append(numbers)
        first = f"{origin}{SEPARATOR}"
        self._names.append(first + names.replace("\n", f"\n{first}"))

    def finalize(self) -> str:
        """Return the text of all; one that cannot be read if one of them could not be."""
        if not self._is_readable:
            return ""
        return "\n".join([" ".join(self._numbers), *self._names])


def bounded_by(
    bounded: Callable[[Mapping[str, int]], Mapping[str, int]],
) -> type[SideBySide]:
    """Return the same function for a table of which only so much is kept together.

    bounded: returns what is kept of some numbers
    """

    class Bounded(SideBySide):
        def finalize(self) -> str:
            text = super().finalize()
            return packed.packed(bounded(dict(packed.unpacked(text)))) if text else text

    return Bounded
