"""Context: the lines around those that were found."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Context:
    """Keeps the lines before and after each line with a pattern, of one file.

    lines: how many on each side
    keep:  is given place of the found line, place of the other one, and that one's bytes; a
           place is an offset in the uncompressed file
    """

    def __init__(self, lines: int, keep: Callable[[int, int, bytes], None]) -> None:
        self._lines = lines
        self._keep = keep
        # The last lines of the block before, and where each begins
        self._before: list[tuple[int, bytes]] = []
        # Found lines that are near the end of the block before -> how many lines they still lack
        self._lack: dict[int, int] = {}

    def take(self, start: int, block: bytes, hits: list[int]) -> None:
        """See a block.

        start: where it begins, in the file
        hits:  where lines with a pattern begin, in the block
        """
        for found, lack in list(self._lack.items()):
            there = _after(block, 0, lack)
            for at, raw in there:
                self._keep(found, start + at, raw)
            self._lack[found] = lack - len(there)
        self._lack = {found: lack for found, lack in self._lack.items() if lack > 0}
        for hit in hits:
            before = [(start + at, raw) for at, raw in _before(block, hit, self._lines)]
            if len(before) < self._lines:
                before += self._before[len(self._before) - (self._lines - len(before)) :]
            for at, raw in before:
                self._keep(start + hit, at, raw)
            end = block.find(b"\n", hit) + 1 or len(block)
            after = _after(block, end, self._lines)
            for at, raw in after:
                self._keep(start + hit, start + at, raw)
            if len(after) < self._lines:
                self._lack[start + hit] = self._lines - len(after)
        last = [(start + at, raw) for at, raw in _before(block, len(block), self._lines)]
        self._before = [*self._before, *sorted(last)][-self._lines :]


def _before(block: bytes, end: int, number: int) -> list[tuple[int, bytes]]:
    """Return so many lines that end before an offset, the nearest first."""
    found: list[tuple[int, bytes]] = []
    while end > 0 and len(found) < number:
        begin = block.rfind(b"\n", 0, end - 1) + 1
        found.append((begin, block[begin:end].removesuffix(b"\n")))
        end = begin
    return found


def _after(block: bytes, begin: int, number: int) -> list[tuple[int, bytes]]:
    """Return so many lines that begin at an offset or after it."""
    found: list[tuple[int, bytes]] = []
    while begin < len(block) and len(found) < number:
        end = block.find(b"\n", begin)
        end = len(block) if end < 0 else end
        found.append((begin, block[begin:end]))
        begin = end + 1
    return found
