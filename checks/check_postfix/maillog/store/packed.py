"""Packed: numbers by name in one text, as the store keeps all that a minute has of them.

The first line has the numbers, and each further line has the name of one. That takes less
time and less room than a row for each.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# Bytes of memory for the keys that are told apart of what a run looks at, and what one needs
# besides its text, which is there twice. That is 30,000 ordinary ones.
MOST_HELD = 20 << 20
_BESIDE = 550


def packed(numbers: Mapping[str, int]) -> str:
    """Return numbers, of which there is at least one, as one text.

    numbers: name -> number; no name has a newline in it
    """
    return "\n".join([" ".join(map(str, numbers.values())), *numbers])


def unpacked(text: str) -> Iterator[tuple[str, int]]:
    """Yield the (name, number) pairs of a text.

    Raises: ValueError if it is not one that `packed` has made
    """
    first, *names = text.split("\n")
    return zip(names, map(int, first.split(" ")), strict=True)


def added(texts: Iterable[str]) -> dict[str, int]:
    """Return the numbers of several texts, those of one name added.

    Raises: ValueError as `unpacked`
    """
    sums: dict[str, int] = {}
    for text in texts:
        for name, number in unpacked(text):
            sums[name] = sums.get(name, 0) + number
    return sums


def merged(*texts: str) -> str:
    """Return several texts as one; see `added`."""
    return packed(added(texts))


def size(text: str) -> int:
    """Return how many numbers a text has."""
    return text.count("\n")


def held(name: str) -> int:
    """Return how many bytes of memory a name and its number need."""
    return _BESIDE + 2 * len(name)
