"""Waiting: what of messages waits in the store for a piece of log that is not read yet.

A run of pieces without a hole is a region. At its begin wait orphans, at its end
receipts and sizes (messages.py). Where a further piece lies at one of its ends, or two
regions have become one, both are brought together, in the transaction that counts the
piece. Of a region that grows only those messages are looked up that its new piece tells of.
"""

from __future__ import annotations

from collections import namedtuple

from check_postfix.maillog.counts.messages import (
    MOST_ACTIVE,
    MOST_ORPHANS,
    MOST_RECEIVED,
    Messages,
    Orphan,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Set

    from check_postfix.maillog.counts.messages import Sums, Where

    # What it is, minute, number, recipients
    _What = tuple[str, int, int, int]

# The edges of what is read of a generation, or of a stretch of the journal, which has
# no hole.
BEGIN, HOLE_START, HOLE_END, END = range(4)


class Place(namedtuple("Place", "log owner edge")):
    """Where something waits.

    log:   number of the log
    owner: number of its generation, or of the stretch
    edge:  BEGIN, HOLE_START, HOLE_END or END
    """

    __slots__ = ()

    log: int
    owner: int
    edge: int


class Region(namedtuple("Region", "begin end")):
    """A run of pieces of log; its places."""

    __slots__ = ()

    begin: Place
    end: Place


class Waiting:
    """The table of what waits; to be changed inside a transaction only.

    db: the store's
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def append(self, region: Region, piece: Messages, now: int, sums: Sums) -> None:
        """Put a piece of log behind a region.

        now: minutes since 1970
        sums: to which is added what has found together
        """
        told = piece.orphans.keys() | piece.ended | piece.received.keys() | piece.active.keys()
        earlier = self._taken(region, told, sums)
        earlier.followed_by(piece)
        self._put(region, earlier, now)

    def prepend(self, region: Region, piece: Messages, now: int, sums: Sums) -> None:
        """Put a piece of log in front of a region; see `append`."""
        told = piece.orphans.keys() | piece.received.keys() | piece.active.keys()
        piece.followed_by(self._taken(region, told, sums))
        self._put(region, piece, now)

    def unite(self, earlier: Region, later: Region, now: int, sums: Sums) -> None:
        """Put two regions together; what waits then, waits at the outer ends; see `append`."""
        told = self._messages(earlier.end) | self._messages(later.begin)
        if not told:
            return
        if not self._has_any(earlier.begin) and not self._has_any(earlier.end):
            self.move(later.begin, earlier.begin)
            return
        united = self._taken(earlier, told, sums)
        united.followed_by(self._taken(later, told, sums))
        self._put(Region(earlier.begin, later.end), united, now)

    def absorb(self, earlier: Region, later: Region, now: int, sums: Sums) -> None:
        """Put two regions together, to wait at the ends of the earlier; see `append`.

        That is less work where the later one is small.
        """
        told = self._messages(later.begin) | self._messages(later.end)
        self.append(earlier, self._taken(later, told, sums), now, sums)

    def move(self, old: Place, new: Place) -> None:
        """Let wait at another place what waits at one; nothing does there."""
        self._db.execute(
            "UPDATE waiting SET owner=?, edge=? WHERE log=? AND owner=? AND edge=?",
            (new.owner, new.edge, *old),
        )

    def drop(self, place: Place) -> None:
        """Forget what waits at a place."""
        self._db.execute("DELETE FROM waiting WHERE log=? AND owner=? AND edge=?", place)

    def _messages(self, place: Place) -> set[Where]:
        return {
            (stream, queue_id)
            for stream, queue_id in self._db.execute(
                "SELECT stream, queue_id FROM waiting WHERE log=? AND owner=? AND edge=?", place
            )
        }

    def _has_any(self, place: Place) -> bool:
        found = self._db.execute(
            "SELECT 1 FROM waiting WHERE log=? AND owner=? AND edge=? LIMIT 1", place
        )
        return found.fetchone() is not None

    def _taken(self, region: Region, told: Set[Where], sums: Sums) -> Messages:
        """Return what waits of these messages at the ends of a region, and take it from there."""
        taken = Messages(sums)
        for where, rows in self._take(region.begin, told).items():
            orphan = None
            for what, minute, number, recipients in rows:
                if what == "removed":
                    taken.ended.add(where)
                    continue
                orphan = orphan or Orphan()
                if what == "active":
                    orphan.active = minute, number, recipients
                elif what == "cancelled":
                    orphan.cancelled = minute
                elif what == "deferred":
                    orphan.deferred = number
                else:
                    orphan.sent[what, minute] = number
            if orphan:
                taken.orphans[where] = orphan
                if orphan.is_complete:  # what became of it, the end of the region tells
                    taken.ended.add(where)
        for where, rows in self._take(region.end, told).items():
            for what, minute, number, recipients in rows:
                if what == "active":
                    taken.active[where] = minute, number, recipients
                else:
                    taken.received[where] = minute, bool(number)
        return taken

    def _take(self, place: Place, told: Set[Where]) -> dict[Where, list[_What]]:
        """Return what waits of these messages at a place, and take it from there."""
        there = "FROM waiting WHERE log=? AND owner=? AND edge=?"
        of_one = f"{there} AND stream=? AND queue_id=?"
        columns = "stream, queue_id, what, minute, number, recipients"
        # A place where less waits is read as a whole, which is quicker than to ask for each.
        rows = self._db.execute(
            f"SELECT {columns} {there} LIMIT ?", (*place, len(told) + 1)
        ).fetchall()
        if len(rows) > len(told):
            rows = []
            for where in told:
                rows += self._db.execute(f"SELECT {columns} {of_one}", (*place, *where))
        taken: dict[Where, list[_What]] = {}
        for stream, queue_id, *what in rows:
            if (stream, queue_id) in told:
                taken.setdefault((stream, queue_id), []).append(tuple(what))
        self._db.executemany(f"DELETE {of_one}", [(*place, *where) for where in taken])
        return taken

    def _put(self, region: Region, piece: Messages, now: int) -> None:
        """Let wait what waits at the ends of a piece."""
        begin: list[tuple[object, ...]] = []
        for where, orphan in piece.orphans.items():
            here = *region.begin, *where
            begin += [(*here, kind, minute, n, 0, now) for (kind, minute), n in orphan.sent.items()]
            if orphan.deferred:
                begin.append((*here, "deferred", 0, orphan.deferred, 0, now))
            if orphan.active is not None:
                begin.append((*here, "active", *orphan.active, now))
            if orphan.cancelled is not None:
                begin.append((*here, "cancelled", orphan.cancelled, 0, 0, now))
        begin += [
            (*region.begin, *where, "removed", 0, 0, 0, now)
            for where in piece.ended
            if where not in piece.orphans or not piece.orphans[where].is_complete
        ]
        end: list[tuple[object, ...]] = [
            (*region.end, *where, "received", minute, int(logged_in), 0, now)
            for where, (minute, logged_in) in piece.received.items()
        ]
        end += [
            (*region.end, *where, "active", *active, now) for where, active in piece.active.items()
        ]
        self._db.executemany(
            "INSERT INTO waiting VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", sorted(begin + end)
        )
        if begin:
            self._bound(region.begin, "1", MOST_ORPHANS, "minute")
        if piece.received:
            self._bound(region.end, "what='received'", MOST_RECEIVED, "minute DESC")
        if piece.active:
            self._bound(region.end, "what='active'", MOST_ACTIVE, "minute DESC")

    def _bound(self, place: Place, of: str, most: int, nearest: str) -> None:
        """Keep the half that is nearest to a place, if too much of some kind waits there."""
        there = f"FROM waiting WHERE log=? AND owner=? AND edge=? AND {of}"
        number = self._db.execute(f"SELECT count(*) {there}", place).fetchone()[0]
        if number > most:
            key = "log, owner, edge, stream, queue_id, what, minute"
            self._db.execute(
                f"DELETE FROM waiting WHERE ({key}) IN"
                f" (SELECT {key} {there} ORDER BY {nearest}, {key} LIMIT -1 OFFSET ?)",
                (*place, most // 2),
            )
