"""Parts: where files are cut for several processes to read them, and what each reads."""

from __future__ import annotations

from collections import namedtuple

from check_postfix.maillog.errors import LogError
from check_postfix.maillog.syntax import frame
from check_postfix.maillog.syntax.partial_lines import is_of_container

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from check_postfix.command.logs import File

# Of less than this, one process has read the most before others have begun.
WORTH_IT_BYTES = 16 << 20
# A part of a plain file has about so many bytes.
PART_BYTES = 2 << 20
# The longest line next to which a file is cut
_LONGEST_LINE = 4096
# So many blocks in a row are looked at for where to cut.
_TRIES = 8


class FilePart(namedtuple("FilePart", "file start end before")):
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


def whole(files: Sequence[File]) -> list[FilePart]:
    """Return a part for each file."""
    return [FilePart(number, 0, None, b"") for number in range(len(files))]


def for_several(files: Sequence[File], jobs: int, block: int) -> list[FilePart]:
    """Return the parts of some files, in order, for so many processes to read.

    Nothing where one process is as quick, or a file cannot be read: that one says so, and what
    it could read before.

    block: bytes that are read at a time: the blocks of a part are those of the whole file

    Raises: Rotated
    """
    if jobs < 2 or sum(file.size for file in files) < WORTH_IT_BYTES:
        return []
    parts = []
    for number, file in enumerate(files):
        try:
            cuts = [] if file.is_compressed else _cuts(file, block)
        except LogError:
            return []
        starts = [(0, b""), *cuts]
        ends = [start for start, _ in cuts]
        for (start, before), end in zip(starts, [*ends, None], strict=True):
            parts.append(FilePart(number, start, end, before))
    return parts


def _cuts(file: File, block: int) -> list[tuple[int, bytes]]:
    """Return where a plain file can be cut, with the line before."""
    if is_of_container(file.near(0, _LONGEST_LINE), 0):
        return []  # their lines may come in several parts
    found: list[tuple[int, bytes]] = []
    last = (file.size - 1) // block
    step = max(1, PART_BYTES // block)
    at = step
    while at <= last:
        for place in range(at, min(at + _TRIES, last + 1)):
            if cut := _cut(file, place * block):
                found.append(cut)
                at = place
                break
        at += step
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
