"""The survey: which file holds which generation.

Names, inodes and times of change only say where to look and what need not be
looked at again; what a file is, its content decides.
"""

from __future__ import annotations

from check_postfix.maillog.errors import LogError
from check_postfix.maillog.source.generation import (
    FINGERPRINTED,
    Generation,
    Replaced,
    fingerprints,
)
from check_postfix.maillog.source.logfile import LogFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Survey:
    """What the files of a log are, as of now.

    files: the live log first, if it exists
    live:  its path
    seen:  signature -> generation of the files read to their end before; 0 for
           those that have none, or cannot be read
    known: all generations known so far; new ones are added to it
    key:   of the fingerprints
    first_minute: tells the minute of the first line of a file with this head, None if
           it has none

    `unread` holds (file, generation) of what is not read to its end, the live log
    first, then the newest; `holds` (file, generation) of all files; `current` the
    generation of the live log; `notes` file signature -> why it cannot be read.

    Raises: LogError if the live log cannot be read, FileNotFoundError or Replaced
            if files were renamed or removed since they were listed
    """

    def __init__(
        self,
        files: Sequence[LogFile],
        live: str,
        seen: dict[str, int],
        known: list[Generation],
        key: bytes,
        first_minute: Callable[[LogFile, bytes], int | None],
    ) -> None:
        self._known = known
        self._key = key
        self._first_minute = first_minute
        self.notes: dict[str, str] = {}
        self.current: Generation | None = None
        self.unread: list[tuple[LogFile, Generation]] = []
        self.holds: list[tuple[LogFile, Generation | None]] = []
        by_number = {generation.id: generation for generation in known}
        for file in files:
            if file.signature in seen:
                generation = by_number.get(seen[file.signature])
            else:
                try:
                    file, generation = self._look_into(file)
                except LogError as error:
                    if file.path == live:
                        raise
                    self.notes[file.signature] = str(error)
                    generation = None
                if generation:
                    self.unread.append((file, generation))
            self.holds.append((file, generation))
            if file.path == live:
                self.current = generation
        self.unread.sort(
            key=lambda pair: (
                pair[0].path == live,
                pair[1].first_minute or 0,
                # one generation in two files: the plain one is quicker to read
                not pair[0].compressed,
            ),
            reverse=True,
        )

    def _look_into(self, file: LogFile) -> tuple[LogFile, Generation | None]:
        """Return the file as it was opened, and its generation, None if it has no line yet."""
        with file.open() as stream:
            opened = LogFile(file.path, stream.status())
            data = stream.read_head(FINGERPRINTED)
        if opened.inode != file.inode:
            raise Replaced
        head = fingerprints(data, self._key)
        if not head:
            return opened, None
        generation = max(self._known, key=lambda known: known.likeness(head), default=None)
        if not generation or not generation.likeness(head):
            generation = Generation(head=head, first_minute=self._first_minute(opened, data))
            self._known.append(generation)
        return opened, generation
