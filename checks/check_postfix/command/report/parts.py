"""Parts: where files are cut for several processes to read them, and what each reads."""

from __future__ import annotations

from collections import namedtuple

from check_postfix.maillog.source.lines import BLOCK
from check_postfix.maillog.syntax import frame
from check_postfix.maillog.syntax.partial_lines import is_of_container

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from check_postfix.command.logs import File

# Of a plain file, a part has so many blocks; of any file, so much is told at a time.
PART_BLOCKS = 64
# The longest line next to which a file is cut
_LONGEST_LINE = 4096
# So many blocks in a row are looked at for where to cut.
_TRIES = 8


class Part(namedtuple("Part", "file start end before")):
    """A part of a file.

    file:       its number
    start, end: in bytes; the end is None where the file's is
    before:     the line before it, nothing at the beginning of the file
    """

    __slots__ = ()

    file: int
    start: int
    end: int | None
    before: bytes


def of(files: Sequence[File], blocks: int = PART_BLOCKS) -> list[Part]:
    """Return the parts of some files, in order.

    blocks: of a part, at least

    Raises: LogError; Replaced
    """
    parts = []
    for number, file in enumerate(files):
        cuts = [] if file.is_compressed else _cuts(file, blocks)
        starts = [(0, b""), *cuts]
        ends = [start for start, _ in cuts]
        for (start, before), end in zip(starts, [*ends, None], strict=True):
            parts.append(Part(number, start, end, before))
    return parts


def _cuts(file: File, blocks: int) -> list[tuple[int, bytes]]:
    """Return where a plain file can be cut, with the line before."""
    if is_of_container(file.near(0, _LONGEST_LINE), 0):
        return []  # their lines may come in several parts
    found: list[tuple[int, bytes]] = []
    block = blocks
    last = (file.size - 1) // BLOCK
    while block <= last:
        for place in range(block, min(block + _TRIES, last + 1)):
            if cut := _cut(file, place * BLOCK):
                found.append(cut)
                block = place
                break
        block += blocks
    return found


def _cut(file: File, offset: int) -> tuple[int, bytes] | None:
    """Return where the line begins in which a block begins, and the line before it.

    None if what follows cannot be read without what stands there.
    """
    before, after = (file.near(at, _LONGEST_LINE) for at in (offset - _LONGEST_LINE, offset))
    lines = before.rsplit(b"\n", 2)
    if len(lines) < 3:  # so long is the one or the other
        return None
    _, line, rest = lines
    if is_of_container(rest + after, 0):
        return None
    record = frame.parse(line)
    # In the hour that the end of daylight saving repeats, earlier lines tell which round it is.
    if record is None or not file.timestamps.is_definite(record.stamp, record.zone):
        return None
    return offset - len(rest), line
