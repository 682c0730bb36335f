"""Names that were seen: a set that is small enough for the queue IDs of a very large queue."""

from __future__ import annotations

from array import array

_FIRST_SLOTS = 1 << 12


class Seen:
    """A set of strings, of which 8 bytes each are kept, and at least as many again are free.

    A Python set of 500,000 queue IDs takes 60 MB, this takes 8. Two strings are taken for one
    where 64 bits of their hashes are the same: once in 100 million queues of that size.
    """

    __slots__ = ("_count", "_slots")

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 * _FIRST_SLOTS))
        self._count = 0

    def add(self, name: str) -> bool:
        """Take a string in; tell whether it is new."""
        # 0 is a free slot. Python's hash of a string is keyed anew in each process.
        found = hash(name) & 0xFFFFFFFFFFFFFFFF or 1
        slots = self._slots
        place = found & (len(slots) - 1)
        while slots[place]:
            if slots[place] == found:
                return False
            place = (place + 1) & (len(slots) - 1)
        slots[place] = found
        self._count += 1
        if 2 * self._count > len(slots):
            self._grow()
        return True

    def _grow(self) -> None:
        slots = array("Q", bytes(8 * 2 * len(self._slots)))
        mask = len(slots) - 1
        for found in self._slots:
            if found:
                place = found & mask
                while slots[place]:
                    place = (place + 1) & mask
                slots[place] = found
        self._slots = slots
