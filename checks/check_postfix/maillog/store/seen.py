"""Seen: which files of a log were looked into, so that a run looks at nothing but what is new."""

from __future__ import annotations

from check_postfix.maillog.source.logfile import COMPRESSED
from check_postfix.maillog.source.value import Value
from check_postfix.maillog.store import checksum
from check_postfix.maillog.store.failure import explained

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from check_postfix.maillog.store.database import Database

# Minutes before a file is tried again that could not be read: one, two, four, up to this.
LONGEST_PAUSE = 60


class SeenFile(Value):
    """A file that was looked into.

    signature:  of the file as it was then (logfile.py)
    path:       where it lay
    generation: which one it holds, 0 if that is none, or not known
    note:       why it cannot be read, nothing if it can
    unread:     whether there is more to be read in it
    tries:      how often it could not be read, for a reason that may pass
    next_try:   minute from which on to try again
    seconds:    how much time the last try had, in whole ones
    watched:    whether it is looked at even if no file has got another name
    """

    signature: str = ""
    path: str = ""
    generation: int = 0
    note: str = ""
    unread: bool = False
    tries: int = 0
    next_try: int = 0
    seconds: int = 0
    watched: bool = True

    def put_off(self, now: int, seconds: float) -> None:
        """Do not try again before a pause that grows with each try.

        now:     minutes since 1970
        seconds: how much time this try had
        """
        pause = min(2**self.tries, LONGEST_PAUSE)
        self.tries += 1
        self.next_try = now + pause
        self.seconds = -int(
            -seconds // 1
        )  # rounded up; some Pythons have math in a file of its own

    def is_due(self, now: int, seconds: float) -> bool:
        """Tell whether to try again.

        seconds: how much time there is
        """
        if not self.tries:
            return False
        # a clock that was ahead, and a run by hand with a longer timeout
        is_early = now < self.next_try <= now + LONGEST_PAUSE
        return not is_early or seconds > 2 * self.seconds

    @property
    def rests(self) -> bool:
        """Whether it needs not be read, now or ever."""
        return not self.unread or bool(self.note)

    @property
    def compressed(self) -> bool:
        """Whether its name says that it is compressed."""
        return self.path.endswith(COMPRESSED)

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return int(self.signature.split(":")[2])

    @property
    def inode(self) -> str:
        """Device and inode, as the signature has them."""
        return ":".join(self.signature.split(":")[:2])

    @property
    def modified(self) -> int:
        """Minute of its last change."""
        return int(self.signature.split(":")[3]) // 60_000_000_000


_COLUMNS = ", ".join(SeenFile.FIELDS)


class SeenFilesTable:
    """The table of the files of one log; to be changed inside a transaction only.

    log: number of the log
    """

    def __init__(self, database: Database, log: int) -> None:
        self._database = database
        self._db = database.db
        self._log = log

    def _whole(self, name: str, where: str, *values: object) -> list[SeenFile]:
        """Return the files of a slice; see Checksums."""
        query = f"SELECT * FROM seen {where}"
        rows = self._database.whole(name, query, self._log, *values)
        return [SeenFile(*row[1:]) for row in rows]  # the columns are the fields

    def all(self) -> list[SeenFile]:
        """Return all files."""
        name = checksum.seen_watched(self._log, False)
        return self.watched() + self._whole(name, "WHERE log=? AND NOT watched")

    def watched(self) -> list[SeenFile]:
        """Return the files that are looked at even if no file has got another name."""
        name = checksum.seen_watched(self._log, True)
        # SQLite would rather look at all.
        return self._whole(name, "INDEXED BY seen_watched WHERE log=? AND watched")

    def of(self, signature: str) -> SeenFile | None:
        """Return the file of this signature.

        It is as it was written if `watched` or `all` has seen it.
        """
        with explained(self._database.path):
            row = self._db.execute(
                "SELECT * FROM seen WHERE log=? AND signature=?", (self._log, signature)
            ).fetchone()
        return SeenFile(*row[1:]) if row else None

    def holding(self, generation: int) -> list[SeenFile]:
        """Return the files that hold a generation."""
        name = checksum.seen_holding(self._log, generation)
        return self._whole(name, "WHERE log=? AND generation=?", generation)

    def refused(self) -> list[SeenFile]:
        """Return the files that cannot be read."""
        refused = [file for file in self.watched() if file.note]
        return sorted(refused, key=lambda file: file.note)

    def put(self, file: SeenFile) -> None:
        """Keep a file."""
        self._db.execute(
            f"INSERT OR REPLACE INTO seen (log, {_COLUMNS})"
            f" VALUES (?{', ?' * len(SeenFile.FIELDS)})",
            (self._log, *(getattr(file, name) for name in SeenFile.FIELDS)),
        )

    def drop(self, signatures: Iterable[str]) -> None:
        """Forget files."""
        self._db.executemany(
            "DELETE FROM seen WHERE log=? AND signature=?",
            [(self._log, signature) for signature in signatures],
        )

    def directories(self) -> dict[str, str]:
        """Return directory -> its state when its files were last listed."""
        name = checksum.of_log("directory", self._log)
        query = "SELECT * FROM directory WHERE log=?"
        rows = self._database.whole(name, query, self._log)
        return {path: state for _, path, state, *_ in rows}

    def save_directories(self, states: Mapping[str, str]) -> None:
        """Keep the states of exactly these directories."""
        if states == self.directories():
            return
        self._db.execute("DELETE FROM directory WHERE log=?", (self._log,))
        self._db.executemany(
            "INSERT INTO directory VALUES (?, ?, ?)",
            [(self._log, path, state) for path, state in states.items()],
        )
