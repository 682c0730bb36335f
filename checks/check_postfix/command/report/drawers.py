"""Drawers: names and their numbers that do not fit into memory, in a nameless temporary file.

A name always lies in the same drawer. So what was put away of it at different times comes together
when that drawer is opened, and one of many drawers fits into memory.
"""

from __future__ import annotations

import os
from marshal import dumps, loads

from check_postfix.maillog.errors import LogError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import IO, Any

    # Name -> number, or numbers
    Rows = dict[bytes, Any]

_ON_DISK = "/var/tmp"  # noqa: S108 - nameless there, too
# So many names of which few are alike are spread evenly.
_NUMBER = 256
# The version of marshal's format that looks for nothing that is there twice
_FORMAT = 2


class TemporaryFile:
    """A file that nobody else can read, and that is gone when the process is."""

    def __init__(self) -> None:
        # Few reports have need of one.
        import tempfile

        self._end = 0
        # /tmp may be in memory, of which there is too little.
        places = [None] if "TMPDIR" in os.environ else [_ON_DISK, None]
        for place in places:
            try:
                self._file: IO[bytes] = tempfile.TemporaryFile(dir=place)  # noqa: SIM115
            except OSError as error:
                why = error
            else:
                return
        raise _unwritable(why)

    def append(self, data: bytes) -> tuple[int, int]:
        """Write bytes; return where they lie.

        Raises: LogError
        """
        place = self._end, len(data)
        try:
            self._file.seek(self._end)
            self._file.write(data)
            self._file.flush()
        except OSError as error:
            raise _unwritable(error) from None
        self._end += len(data)
        return place

    def read(self, place: tuple[int, int]) -> bytes:
        """Return what lies there."""
        start, size = place
        self._file.seek(start)
        return self._file.read(size)

    def close(self) -> None:
        """Be gone."""
        self._file.close()


def _unwritable(error: OSError) -> LogError:
    why = (error.strerror or str(error)).lower()
    return LogError(
        f"cannot write a temporary file: {why}; let TMPDIR name a directory with more room"
    )


class Drawers:
    """The drawers of one tally.

    file: where they are
    add:  from some rows and others, adds these to those
    """

    def __init__(self, file: TemporaryFile, add: Callable[[Rows, Rows], None]) -> None:
        self._file = file
        self._add = add
        self._places: list[list[tuple[int, int]]] = [[] for _ in range(_NUMBER)]

    def put(self, rows: Mapping[bytes, Any]) -> None:
        """Put rows away.

        Raises: LogError
        """
        parts: list[Rows] = [{} for _ in range(_NUMBER)]
        for name, row in rows.items():
            parts[hash(name) % _NUMBER][name] = row
        # All at once: a call of the system costs more than to copy a few thousand bytes.
        packed = [dumps(part, _FORMAT) if part else b"" for part in parts]
        at, _ = self._file.append(b"".join(packed))
        for places, data in zip(self._places, packed, strict=True):
            if data:
                places.append((at, len(data)))
            at += len(data)

    def bring_together(self) -> int:
        """Bring together what lies in each drawer, and return how many names there are."""
        number = 0
        for places in self._places:
            if not places:
                continue
            rows = self._opened(places)
            number += len(rows)
            if len(places) > 1:
                places[:] = [self._file.append(dumps(rows, _FORMAT))]
        return number

    def all(self) -> Iterator[Rows]:
        """Yield the rows of each drawer."""
        return map(self._opened, filter(None, self._places))

    def of(self, name: bytes) -> Rows:
        """Return the rows of a name's drawer."""
        return self._opened(self._places[hash(name) % _NUMBER])

    def _opened(self, places: list[tuple[int, int]]) -> Rows:
        rows: Rows = {}
        for place in places:
            more = loads(self._file.read(place))  # noqa: S302 - nobody else can write it
            if rows:
                self._add(rows, more)
            else:
                rows = more
        return rows
