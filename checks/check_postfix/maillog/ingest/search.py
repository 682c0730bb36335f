"""The search for a generation that is in none of a log's files: under any name beside the log.

Some rotate to names of their own: mail.old, maillog.processed, mail.Mon. To take every file in
the directory for a log's would count strangers' lines. So a file is taken only for a generation
that is known, by how that begins and by the bytes before the offset up to which it is counted;
and it is looked for only when that generation would be lost otherwise.
"""

from __future__ import annotations

import os
from contextlib import suppress
from time import monotonic

from check_postfix.maillog.errors import LogError
from check_postfix.maillog.source.generation import FINGERPRINTED, fingerprints
from check_postfix.maillog.source.logfile import LogFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from check_postfix.maillog.source.generation import Generation

# So many files are looked into for a loss, the most likely ones; and so many however little
# time there is, of so many in a directory.
MOST_LOOKS = 200
LEAST_LOOKS = 20
_LEAST_LISTED = 1000


class UnfinishedSearchError(Exception):
    """There was no time to look into all of them."""


def found(
    generations: Sequence[Generation],
    directories: Iterable[str],
    is_known: Callable[[LogFile], bool],
    inodes: set[str],
    key: bytes,
    deadline: float,
) -> Iterator[tuple[LogFile, Generation]]:
    """Yield the files that hold one of some generations, under names that are not known.

    directories: where to look
    is_known:    tells of a file whether it is known what it is
    inodes:      device:inode of files that have held them; a renamed file keeps them
    deadline:    time.monotonic() at which to give up

    Raises: UnfinishedSearchError
    """
    # Of what is not counted yet, nothing is known by which to find it.
    wanted = [generation for generation in generations if generation.tail_size]
    if not wanted:
        return
    shortest = min(generation.end for generation in wanted)
    there = []
    for directory in directories:
        for file in _files(directory, deadline):
            is_long_enough = file.compressed or file.size >= shortest
            if file.size and is_long_enough and not is_known(file):
                there.append(file)
    there.sort(key=lambda file: (":".join(map(str, file.inode)) not in inodes, -file.modified))
    for number, file in enumerate(there[:MOST_LOOKS]):
        if number >= LEAST_LOOKS and monotonic() > deadline:
            raise UnfinishedSearchError
        for generation in wanted:
            if holds(file, generation, key, deadline):
                yield file, generation


def _files(directory: str, deadline: float) -> Iterator[LogFile]:
    """Yield the files in a directory; links lead to what has another name."""
    with suppress(OSError), os.scandir(directory) as entries:  # who reads the log says why
        for number, entry in enumerate(entries):
            if number >= _LEAST_LISTED and monotonic() > deadline:
                raise UnfinishedSearchError
            with suppress(OSError):  # gone since
                if entry.is_file(follow_symlinks=False):
                    yield LogFile(entry.path, entry.stat(follow_symlinks=False))


def holds(file: LogFile, generation: Generation, key: bytes, deadline: float) -> bool:
    """Tell whether a file begins like a generation, and has what was read of it last."""
    if not file.compressed and file.size < generation.end:
        return False
    try:
        with file.open(deadline) as stream:
            head = fingerprints(stream.read_head(FINGERPRINTED), key)
            if not generation.likeness(head):
                return False
            size = generation.tail_size
            if not stream.go_to(generation.end - size):
                return False
            data = stream.read_whole(size)
    except (LogError, OSError):
        return False
    return len(data) == size and generation.has_tail(data, key)
