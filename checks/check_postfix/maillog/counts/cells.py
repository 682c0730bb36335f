"""Cells: the histograms of all hosts in one table.

A cell is a bucket of one of an origin's histograms, as one number. A central log has many hosts in
each minute, and most of them one delivery: a histogram for each would cost more than to read it.
"""

from __future__ import annotations

from struct import error, pack, unpack

from check_postfix.maillog.counts import histogram

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping, Sequence

# Bits of a cell: of its bucket, and of its place; those before them are the origin's.
_BUCKET, _PLACE = 11, 3
_BUCKETS, _PLACES = (1 << _BUCKET) - 1, (1 << _PLACE) - 1
_OF_ORIGIN = _PLACE + _BUCKET
_IN_ORIGIN = (1 << _OF_ORIGIN) - 1
# Of a cell in bytes: origin and place, bucket, number.
_SIZE = 4 + 2 + 4
_LARGEST = 2**32 - 1


def first(origin: int, place: int) -> int:
    """Return the first cell of a histogram: that of its bucket 0."""
    return (origin << _PLACE | place) << _BUCKET


def split(cell: int) -> tuple[int, int, int]:
    """Return origin, place and bucket of a cell."""
    whose = cell >> _BUCKET
    return whose >> _PLACE, whose & _PLACES, cell & _BUCKETS


def renumbered(cells: Counter[int], numbers: Sequence[int]) -> Counter[int]:
    """Return the same cells of other origins.

    numbers: what the number of each origin becomes
    """
    if all(number == before for before, number in enumerate(numbers)):
        return cells
    firsts = [number << _OF_ORIGIN for number in numbers]
    found: Counter[int] = type(cells)()
    for cell, number in cells.items():
        other = firsts[cell >> _OF_ORIGIN] | cell & _IN_ORIGIN
        found[other] = found.get(other, 0) + number
    return found


def packed(cells: Mapping[int, int]) -> bytes:
    """Return cells as bytes."""
    form = _form(len(cells))
    whose = [cell >> _BUCKET for cell in cells]
    buckets = [cell & _BUCKETS for cell in cells]
    try:
        return pack(form, *whose, *buckets, *cells.values())
    except error:  # a line may say that it was repeated any number of times
        numbers = [min(number, _LARGEST) for number in cells.values()]
        return pack(form, *whose, *buckets, *numbers)


def unpacked(data: bytes) -> dict[int, int]:
    """Return cells of bytes.

    Raises: ValueError if they are not what `packed` has made
    """
    number = len(data) // _SIZE
    try:
        found = unpack(_form(number), data)
    except error:
        raise ValueError("not histograms") from None
    whose, buckets = found[:number], found[number : 2 * number]
    cells = [of << _BUCKET | bucket for of, bucket in zip(whose, buckets, strict=True)]
    return dict(zip(cells, found[2 * number :], strict=True))


def merged(*several: bytes) -> bytes:
    """Return several tables as one, the numbers of a cell added up.

    Raises: ValueError as `unpacked`
    """
    sums: dict[int, int] = {}
    for data in several:
        histogram.add(sums, unpacked(data))
    return packed(sums)


def _form(number: int) -> str:
    return f"<{number}I{number}H{number}I"
