"""The run mark: up to when a check has judged, so that it can be seen that it did not for a while.

It is written every ten minutes at most. A run with nothing new has nothing to write, and a mark in
each would cost it more than all else it does.
"""

from __future__ import annotations

from check_postfix.maillog.errors import DamagedStore, StoreError
from check_postfix.maillog.source.value import Value
from check_postfix.maillog.store import checksum
from check_postfix.maillog.store.failure import explained

TYPE_CHECKING = False
if TYPE_CHECKING:
    from check_postfix.maillog.store.database import Database

_OFTEN = 10


class RunMark(Value):
    """Up to when a check with certain options has judged.

    minute: since 1970; at most ten minutes before its last run
    missed: what is to be said of the time before, when it did not run
    until:  minute until which that is said
    """

    minute: int = 0
    missed: str = ""
    until: int = 0

    def is_worth_writing(self, before: RunMark | None) -> bool:
        """Tell whether this mark says more than the one that was written last."""
        if before is None or before.missed != self.missed:
            return True
        return not before.minute <= self.minute < before.minute + _OFTEN


def kept(database: Database, id: str) -> RunMark | None:
    """Return the run mark of a check with certain options, None if it has none."""
    rows = database.whole(checksum.run(id), "SELECT * FROM run WHERE id=?", id)
    return next((RunMark(*row[1:]) for row in rows), None)


def minutes(database: Database) -> dict[str, int]:
    """Return the minute of each run mark, by the check and options that it is of."""
    with explained(database.path):
        return dict(database.db.execute("SELECT id, minute FROM run"))


def save(database: Database, id: str, mark: RunMark) -> None:
    """Keep a run mark, unless another run is writing just now, or the file cannot be written.

    Nothing waits for it: the next run writes its own.
    """
    try:
        with database.transaction(waits=False):
            database.db.execute(
                "INSERT OR REPLACE INTO run VALUES (?, ?, ?, ?)",
                (id, mark.minute, mark.missed, mark.until),
            )
    except DamagedStore:
        raise
    except StoreError:  # what keeps counts from being written is told when there are any
        pass
