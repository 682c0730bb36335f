"""Messages under way: what earlier lines told of a message that later lines are about, too.

A line tells who sends it in, another how large it is, a third that it was delivered. They have
the queue ID in common. What does not fit into memory goes to the temporary file.
"""

from __future__ import annotations

from itertools import islice

from check_postfix.command.report.book import SEPARATOR

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from typing import Any

    from check_postfix.command.report.tally import Shelf

# So many messages are in memory; the queue manager has as many in its active queue
# (qmgr_message_active_limit).
MOST = 20_000
_RECEIVED, _ACTIVE = "received", "active"


class Underway:
    """What is known of messages that have not left the queue.

    A key is an origin and a queue ID; hosts and instances can use the same ID.
    """

    def __init__(self, shelf: Shelf, most: int = MOST) -> None:
        self._shelf = shelf
        self._most = most
        self._received: dict[bytes, tuple[bytes, bytes]] = {}
        self._active: dict[bytes, int] = {}
        self._spilled: sqlite3.Connection | None = None

    def begin(self, key: bytes, whom: tuple[bytes, bytes]) -> None:
        """A message is received: a new one, whatever its ID stood for before.

        whom: client, and account or nothing
        """
        self.end(key)
        self._received[key] = whom

    def take_up(self, key: bytes, size: int) -> tuple[bytes, bytes] | None:
        """The queue manager takes a message up.

        Returns: whom it was received from, if this is the first time since then; else None
        """
        whom = self._received.pop(key, None)
        if whom is None and self._spilled:
            if (found := self._look_up(_RECEIVED, key)) is not None:
                client, _, account = found.partition(SEPARATOR)
                whom = client, account
            self._forget(key)
        self._active[key] = size
        return whom

    def size(self, key: bytes) -> int | None:
        """Return the size of a message, None if no line has told it."""
        size = self._active.get(key)
        return self._look_up(_ACTIVE, key) if size is None and self._spilled else size

    def end(self, key: bytes) -> None:
        """A message has left the queue."""
        was_there = self._active.pop(key, None) is not None
        was_there = self._received.pop(key, None) is not None or was_there
        if self._spilled and not was_there:
            self._forget(key)

    def state(self, key: bytes) -> int | tuple[bytes, bytes] | None:
        """Return what is known of a message in memory: whom it is from, then its size."""
        size = self._active.get(key)
        return self._received.get(key) if size is None else size

    def put(self, key: bytes, state: int | tuple[bytes, bytes] | None) -> None:
        """Set what is known of a message."""
        self.end(key)
        if isinstance(state, int):
            self._active[key] = state
        elif state:
            self._received[key] = state

    def tidy(self) -> None:
        """Make room if there are too many messages in memory."""
        both: tuple[tuple[str, dict[bytes, Any]], ...]
        both = ((_RECEIVED, self._received), (_ACTIVE, self._active))
        for table, messages in both:
            if len(messages) <= self._most:
                continue
            older: list[tuple[bytes, Any]]
            older = list(islice(messages.items(), len(messages) // 2))
            for key, _ in older:
                del messages[key]
            if self._spilled is None:
                self._spilled = self._shelf.database
                self._spilled.execute(
                    "CREATE TABLE underway (key BLOB, what TEXT, value BLOB,"
                    " PRIMARY KEY (key, what)) WITHOUT ROWID"
                )
            self._spilled.executemany(
                "INSERT OR REPLACE INTO underway VALUES (?, ?, ?)",
                sorted((key, table, _packed(value)) for key, value in older),
            )

    def _look_up(self, table: str, key: bytes) -> Any:
        assert self._spilled is not None
        found = self._spilled.execute(
            "SELECT value FROM underway WHERE key = ? AND what = ?", (key, table)
        ).fetchone()
        return found and found[0]

    def _forget(self, key: bytes) -> None:
        assert self._spilled is not None
        self._spilled.execute("DELETE FROM underway WHERE key = ?", (key,))


def _packed(value: int | tuple[bytes, bytes]) -> int | bytes:
    """Return what is known of a message as it stands in the file."""
    return value if isinstance(value, int) else SEPARATOR.join(value)
