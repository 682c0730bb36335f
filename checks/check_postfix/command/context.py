"""Context: the lines around those that were found."""

from __future__ import annotations

from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    # Where each begins, and its bytes
    Lines = list[tuple[int, bytes]]


class Near(namedtuple("Near", "start head tail found")):
    """What a block tells of the lines around; another process may have looked through it.

    start: where the block begins, in its file
    head, tail: its first and its last lines, each with where it begins in the file
    found: where a line with a pattern begins -> lines before it, and lines after it, of this block
    """

    __slots__ = ()

    start: int
    head: Lines
    tail: Lines
    found: dict[int, tuple[Lines, Lines]]


def near(start: int, block: bytes, hits: Iterable[int], number: int) -> Near:
    """Return the lines around those that were found in a block.

    start:  where it begins, in its file
    hits:   where lines with a pattern begin, in the block
    number: of lines on each side
    """

    def placed(lines: Lines) -> Lines:
        return [(start + at, raw) for at, raw in lines]

    found = {}
    for hit in hits:
        end = block.find(b"\n", hit) + 1 or len(block)
        before, after = _before(block, hit, number), _after(block, end, number)
        found[start + hit] = placed(before), placed(after)
    tail = sorted(_before(block, len(block), number))
    return Near(start, placed(_after(block, 0, number)), placed(tail), found)


class Context:
    """Keeps the lines before and after each line with a pattern, of one file.

    lines: how many on each side
    keep:  is given place of the found line, place of the other one, and that one's bytes; a
           place is an offset in the uncompressed file
    """

    def __init__(self, lines: int, keep: Callable[[int, int, bytes], None]) -> None:
        self._lines = lines
        self._keep = keep
        # The last lines before the next block
        self._before: Lines = []
        # Found lines that are near the end of the block before -> how many lines they still lack
        self._lack: dict[int, int] = {}

    def take(self, near: Near) -> None:
        """See what the next block tells."""
        for found, lack in list(self._lack.items()):
            there = near.head[:lack]
            for at, raw in there:
                self._keep(found, at, raw)
            self._lack[found] = lack - len(there)
        self._lack = {found: lack for found, lack in self._lack.items() if lack > 0}
        for found, (before, after) in near.found.items():
            missing = self._lines - len(before)
            earlier = self._before[len(self._before) - missing :] if missing > 0 else []
            for at, raw in (*before, *earlier, *after):
                self._keep(found, at, raw)
            if len(after) < self._lines:
                self._lack[found] = self._lines - len(after)
        self._before = [*self._before, *near.tail][-self._lines :]


def _before(block: bytes, end: int, number: int) -> Lines:
    """Return so many lines that end before an offset, the nearest first."""
    found: Lines = []
    while end > 0 and len(found) < number:
        begin = block.rfind(b"\n", 0, end - 1) + 1
        found.append((begin, block[begin:end].removesuffix(b"\n")))
        end = begin
    return found


def _after(block: bytes, begin: int, number: int) -> Lines:
    """Return so many lines that begin at an offset or after it."""
    found: Lines = []
    while begin < len(block) and len(found) < number:
        end = block.find(b"\n", begin)
        end = len(block) if end < 0 else end
        found.append((begin, block[begin:end]))
        begin = end + 1
    return found
