"""What a search has found: lines by message, kept on disk, however many there are."""

from __future__ import annotations

import sqlite3

from check_postfix.command.line import Line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from check_postfix.command.history import Key


class FoundLines:
    """The lines that were found, each once. Use it as a context manager.

    They lie in a nameless temporary file, which nobody else can read.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.executescript(
            """
            BEGIN;  -- the file is thrown away: nothing need be safe on disk
            CREATE TABLE line (
                host BLOB, queue_id BLOB, file INTEGER, offset INTEGER, time REAL, raw BLOB,
                PRIMARY KEY (host, queue_id, file, offset)
            ) WITHOUT ROWID;
            CREATE TABLE hit (
                file INTEGER, offset INTEGER, pattern INTEGER, host BLOB, queue_id BLOB,
                PRIMARY KEY (file, offset, pattern)
            ) WITHOUT ROWID;
            CREATE TABLE context (
                file INTEGER, hit INTEGER, offset INTEGER, raw BLOB,
                PRIMARY KEY (file, hit, offset)
            ) WITHOUT ROWID;
            CREATE TABLE link (
                next_id BLOB, host BLOB, queue_id BLOB, PRIMARY KEY (next_id, host, queue_id)
            ) WITHOUT ROWID;
            """
        )

    def __enter__(self) -> FoundLines:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def add(self, line: Line) -> None:
        """Keep a line, with the time that it was first found to have.

        In the hour that daylight saving repeats, another reading may find another one.
        """
        self._database.execute(
            "INSERT OR IGNORE INTO line VALUES (?, ?, ?, ?, ?, ?)",
            (line.record.host, line.queue_id, *line.place, line.time, line.raw),
        )

    def add_hit(self, pattern: int, line: Line) -> None:
        """Keep that a pattern was found in a line."""
        self._database.execute(
            "INSERT OR IGNORE INTO hit VALUES (?, ?, ?, ?, ?)",
            (*line.place, pattern, line.record.host, line.queue_id),
        )

    def add_context(self, file: int, hit: int, offset: int, raw: bytes) -> None:
        """Keep a line that stands near one with a pattern.

        hit, offset: where both begin in the file's uncompressed bytes
        """
        self._database.execute(
            "INSERT OR IGNORE INTO context VALUES (?, ?, ?, ?)", (file, hit, offset, raw)
        )

    def context(self, place: tuple[int, int]) -> list[tuple[tuple[int, int], bytes]]:
        """Return places and bytes of the lines that stand near the one at a place."""
        rows = self._database.execute(
            "SELECT offset, raw FROM context WHERE file = ? AND hit = ? ORDER BY offset", place
        )
        return [((place[0], offset), raw) for offset, raw in rows]

    def add_link(self, key: Key, next_id: bytes) -> None:
        """Keep that a line of a message names another ID under which it goes on, or had before."""
        self._database.execute("INSERT OR IGNORE INTO link VALUES (?, ?, ?)", (next_id, *key))

    def leading_to(self, next_id: bytes) -> list[Key]:
        """Return the keys whose lines name this ID."""
        rows = self._database.execute(
            "SELECT host, queue_id FROM link WHERE next_id = ?", (next_id,)
        )
        return [(host, queue_id) for host, queue_id in rows]

    def hits(self) -> Iterator[tuple[Key, tuple[float, int, int]]]:
        """Yield key, and time and place, of each line with a pattern, in the order of time."""
        for host, queue_id, *place in self._database.execute(
            "SELECT DISTINCT host, queue_id, time, file, offset"
            " FROM hit JOIN line USING (host, queue_id, file, offset)"
            " ORDER BY time, file, offset"
        ):
            yield (host, queue_id), (place[0], place[1], place[2])

    def patterns(self, line: Line) -> set[int]:
        """Return which patterns were found in a line."""
        rows = self._database.execute(
            "SELECT pattern FROM hit WHERE file = ? AND offset = ?", line.place
        )
        return {pattern for (pattern,) in rows}

    def lines(self, key: Key, read: Callable[[bytes, tuple[int, int]], Line | None]) -> list[Line]:
        """Return the lines of a key, in the order of time.

        read: makes a line of its bytes and place
        """
        rows = self._database.execute(
            "SELECT raw, time, file, offset FROM line WHERE host = ? AND queue_id = ?"
            " ORDER BY time, file, offset",
            key,
        )
        return [_again(read, raw, (time, file, offset)) for raw, time, file, offset in rows]

    def line(
        self,
        key: Key,
        place: tuple[float, int, int],
        read: Callable[[bytes, tuple[int, int]], Line | None],
    ) -> Line:
        """Return one line; for `read` see lines().

        place: with the time before it
        """
        (raw,) = self._database.execute(
            "SELECT raw FROM line WHERE host = ? AND queue_id = ? AND file = ? AND offset = ?",
            (*key, *place[1:]),
        ).fetchone()
        return _again(read, raw, place)

    def keys_named(self, queue_id: bytes) -> list[Key]:
        """Return the keys with this queue ID, of any host."""
        rows = self._database.execute(
            "SELECT DISTINCT host FROM line WHERE queue_id = ?", (queue_id,)
        )
        return [(host, queue_id) for (host,) in rows]


def _again(
    read: Callable[[bytes, tuple[int, int]], Line | None],
    raw: bytes,
    place: tuple[float, int, int],
) -> Line:
    """Return a line that was read before, with the time that it was found to have then."""
    line = read(raw, place[1:])
    assert line is not None  # it was understood before
    # In the hour that daylight saving repeats, the order of reading decides.
    return line._replace(time=place[0])
