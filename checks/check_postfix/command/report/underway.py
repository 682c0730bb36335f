"""Messages under way: what earlier lines told of a message that later lines are about, too.

A line tells who sends it in, another how large it is, a third that it was delivered. They have
the queue ID in common. What does not fit into memory goes to the temporary file.
"""

from __future__ import annotations

from itertools import islice
from operator import itemgetter

from check_postfix.command.report.book import SEPARATOR

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from typing import Any

    from check_postfix.command.report.tally import Shelf

    # Client, and account or nothing
    Whom = tuple[bytes, bytes]

# So many messages are in memory; the queue manager has as many in its active queue
# (qmgr_message_active_limit).
MOST = 20_000


class Underway:
    """What is known of messages that have not left the queue: whom they are from, then their size.

    A key is an origin and a queue ID; hosts and instances can use the same ID. What is known of
    one is in memory or in the file.

    known: key -> what is known of the message, in memory. It is always the same dictionary
    """

    def __init__(self, shelf: Shelf, most: int = MOST) -> None:
        self._shelf = shelf
        self._most = most
        self.known: dict[bytes, Any] = {}
        self._spilled: sqlite3.Connection | None = None

    def begin(self, key: bytes, whom: Whom) -> None:
        """A message is received: a new one, whatever its ID stood for before."""
        if self._spilled and key not in self.known:
            self._take_out(key)
        self.known[key] = whom

    def take_up(self, key: bytes, size: int) -> Whom | None:
        """The queue manager takes a message up.

        Returns: whom it was received from, if this is the first time since then; else None
        """
        known = self.known.pop(key, None)
        if known is None and self._spilled:
            known = self._take_out(key)
        self.known[key] = size
        return known if isinstance(known, tuple) else None

    def size(self, key: bytes) -> int | None:
        """Return the size of a message, None if no line has told it."""
        known = self.known.get(key)
        if known is None and self._spilled:
            known = self._look_up(key)
        return known if isinstance(known, int) else None

    def end(self, key: bytes) -> None:
        """A message has left the queue."""
        if self.known.pop(key, None) is None and self._spilled:
            self._take_out(key)

    def put(self, key: bytes, state: int | Whom | None) -> None:
        """Set what is known of a message."""
        self.end(key)
        if state is not None:
            self.known[key] = state

    def tidy(self) -> None:
        """Make room if there are too many messages in memory."""
        known = self.known
        if len(known) <= self._most:
            return
        older = sorted(islice(known.items(), len(known) // 2), key=itemgetter(0))
        for key, _ in older:
            del known[key]
        if self._spilled is None:
            self._spilled = self._shelf.database
            self._spilled.execute(
                "CREATE TABLE underway (key BLOB PRIMARY KEY, what BLOB) WITHOUT ROWID"
            )
        self._spilled.executemany(
            "INSERT OR REPLACE INTO underway VALUES (?, ?)",
            ((key, what if isinstance(what, int) else SEPARATOR.join(what)) for key, what in older),
        )

    def _look_up(self, key: bytes) -> int | Whom | None:
        assert self._spilled is not None
        found = self._spilled.execute("SELECT what FROM underway WHERE key = ?", (key,)).fetchone()
        if found is None:
            return None
        what: int | bytes = found[0]
        if isinstance(what, int):
            return what
        client, _, account = what.partition(SEPARATOR)
        return client, account

    def _take_out(self, key: bytes) -> int | Whom | None:
        assert self._spilled is not None
        known = self._look_up(key)
        if known is not None:
            self._spilled.execute("DELETE FROM underway WHERE key = ?", (key,))
        return known
