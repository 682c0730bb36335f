"""Packed: numbers by name in one text, as the store keeps all that a minute has of them.

The first line has the numbers, and each further line has the name of one. That takes less
time and less room than a row for each. What differs by origin has names that begin with its
number, since a central log has many hosts in each minute, and the price of a row is its checksum.
"""

from __future__ import annotations

from check_postfix.maillog.counts.families import SEPARATOR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Set

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


def numbers(text: str) -> list[int]:
    """Return the numbers of a text without their names.

    Raises: ValueError if there are none
    """
    return list(map(int, text.partition("\n")[0].split(" ")))


def chosen(text: str, origins: Set[str]) -> list[tuple[str, int]]:
    """Return the (name, number) pairs of a text that are of some origins.

    origins: their numbers, as names begin with them

    Raises: ValueError as `unpacked`
    """
    first, *names = text.split("\n")
    return [
        (name, int(number))
        for name, number in zip(names, first.split(" "), strict=True)
        if name[: name.index(SEPARATOR)] in origins
    ]


def own(name: str) -> str:
    """Return what follows in a name on its origin."""
    return name[name.index(SEPARATOR) + 1 :]


def of_all(numbers: Mapping[str, int]) -> dict[str, int]:
    """Return the numbers of all origins, those that are called the same but for it added."""
    sums: dict[str, int] = {}
    for name, number in numbers.items():
        after = own(name)
        sums[after] = sums.get(after, 0) + number
    return sums


def without(text: str, origins: Set[str]) -> str:
    """Return a text without the numbers of some origins; nothing if it has no others.

    Raises: ValueError as `unpacked`
    """
    left = {
        name: number
        for name, number in unpacked(text)
        if name.partition(SEPARATOR)[0] not in origins
    }
    return packed(left) if left else ""


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
