"""Origins: the table of the hosts and instances that logs tell of, and when each last wrote."""

from __future__ import annotations

from operator import itemgetter

from check_postfix.maillog.store import checksum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from check_postfix.maillog.store.database import Database
    from check_postfix.maillog.store.logs import Log


class OriginsTable:
    """The table of origins; to be changed inside a transaction only."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._db = database.db

    def save_newest(self, log: Log, newest: Mapping[tuple[bytes, bytes], int], latest: int) -> None:
        """Keep the minute of the newest line of some origins; inside a transaction only.

        newest: (host, instance) -> minute; those of which nothing was counted yet are left out
        latest: what was kept of later minutes, while a clock was ahead, is kept no longer
        """
        self._db.executemany(
            "UPDATE origin SET last=max(iif(last<=?, last, 0), ?)"
            " WHERE log=? AND host=? AND instance=?",
            [
                (
                    latest,
                    minute,
                    log.id,
                    host.decode("utf-8", "replace"),
                    name.decode("utf-8", "replace"),
                )
                for (host, name), minute in newest.items()
            ],
        )

    def cut_newest(self, log: Log, latest: int) -> None:
        """Let no origin's newest line lie after a minute; inside a transaction only."""
        self._db.execute("UPDATE origin SET last=?1 WHERE log=?2 AND last>?1", (latest, log.id))

    def of(self, log: Log) -> list[tuple[int, str, str, int | None]]:
        """Return everything this log has told of.

        Returns: number, host, instance, and the minute of the newest line of a daemon, None
                 if that is not known
        """
        rows = self._database.whole(
            checksum.of_log("origin", log.id), "SELECT * FROM origin WHERE log=?", log.id
        )
        told = [(number, host, name, last) for number, _, host, name, last, *_ in rows]
        return sorted(told, key=itemgetter(1, 2))
