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

    from check_postfix.maillog.counts.messages import MessageKey, Sums

    # What it is, minute, number, recipients
    _What = tuple[str, int, int, int]

# The boundaries of what is read of a generation, or of a journal span, which has
# no hole.
START, HOLE_START, HOLE_END, END = range(4)


class Boundary(namedtuple("Boundary", "log owner side")):
    """Where something waits.

    log:   number of the log
    owner: number of its generation, or of the journal span
    side:  BEGIN, HOLE_START, HOLE_END or END
    """

    __slots__ = ()

    log: int
    owner: int
    side: int


class Segment(namedtuple("Segment", "start end")):
    """A run of pieces of log; its places."""

    __slots__ = ()

    start: Boundary
    end: Boundary


class Pending:
    """The table of what waits; to be changed inside a transaction only.

    db: the store's
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def append(self, segment: Segment, piece: Messages, now: int, sums: Sums) -> None:
        """Put a piece of log behind a region.

        now: minutes since 1970
        sums: to which is added what has found together
        """
        told = piece.orphans.keys() | piece.ended | piece.received.keys() | piece.active.keys()
        earlier = self._taken(segment, told, sums)
        earlier.followed_by(piece)
        self._put(segment, earlier, now)

    def prepend(self, segment: Segment, piece: Messages, now: int, sums: Sums) -> None:
        """Put a piece of log in front of a region; see `append`."""
        told = piece.orphans.keys() | piece.received.keys() | piece.active.keys()
        piece.followed_by(self._taken(segment, told, sums))
        self._put(segment, piece, now)

    def unite(self, earlier: Segment, later: Segment, now: int, sums: Sums) -> None:
        """Put two regions together; what waits then, waits at the outer ends; see `append`."""
        told = self._messages(earlier.end) | self._messages(later.start)
        if not told:
            return
        if not self._has_any(earlier.start) and not self._has_any(earlier.end):
            self.move(later.start, earlier.start)
            return
        united = self._taken(earlier, told, sums)
        united.followed_by(self._taken(later, told, sums))
        self._put(Segment(earlier.start, later.end), united, now)

    def absorb(self, earlier: Segment, later: Segment, now: int, sums: Sums) -> None:
        """Put two regions together, to wait at the ends of the earlier; see `append`.

        That is less work where the later one is small.
        """
        told = self._messages(later.start) | self._messages(later.end)
        self.append(earlier, self._taken(later, told, sums), now, sums)

    def move(self, old: Boundary, new: Boundary) -> None:
        """Let wait at another place what waits at one; nothing does there."""
        self._db.execute(
            "UPDATE pending SET owner=?, side=? WHERE log=? AND owner=? AND side=?",
            (new.owner, new.side, *old),
        )

    def drop(self, boundary: Boundary) -> None:
        """Forget what waits at a place."""
        self._db.execute("DELETE FROM pending WHERE log=? AND owner=? AND side=?", boundary)

    def _messages(self, boundary: Boundary) -> set[MessageKey]:
        return {
            (origin, queue_id)
            for origin, queue_id in self._db.execute(
                "SELECT origin, queue_id FROM pending WHERE log=? AND owner=? AND side=?", boundary
            )
        }

    def _has_any(self, boundary: Boundary) -> bool:
        found = self._db.execute(
            "SELECT 1 FROM pending WHERE log=? AND owner=? AND side=? LIMIT 1", boundary
        )
        return found.fetchone() is not None

    def _taken(self, segment: Segment, told: Set[MessageKey], sums: Sums) -> Messages:
        """Return what waits of these messages at the ends of a region, and take it from there."""
        taken = Messages(sums)
        for key, rows in self._take(segment.start, told).items():
            orphan = None
            for what, minute, number, recipients in rows:
                if what == "removed":
                    taken.ended.add(key)
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
                taken.orphans[key] = orphan
                if orphan.is_complete:  # what became of it, the end of the region tells
                    taken.ended.add(key)
        for key, rows in self._take(segment.end, told).items():
            for what, minute, number, recipients in rows:
                if what == "active":
                    taken.active[key] = minute, number, recipients
                else:
                    taken.received[key] = minute, bool(number)
        return taken

    def _take(self, boundary: Boundary, told: Set[MessageKey]) -> dict[MessageKey, list[_What]]:
        """Return what waits of these messages at a place, and take it from there."""
        there = "FROM pending WHERE log=? AND owner=? AND side=?"
        of_one = f"{there} AND origin=? AND queue_id=?"
        columns = "origin, queue_id, what, minute, number, recipients"
        # A place where less waits is read as a whole, which is quicker than to ask for each.
        rows = self._db.execute(
            f"SELECT {columns} {there} LIMIT ?", (*boundary, len(told) + 1)
        ).fetchall()
        if len(rows) > len(told):
            rows = []
            for key in told:
                rows += self._db.execute(f"SELECT {columns} {of_one}", (*boundary, *key))
        taken: dict[MessageKey, list[_What]] = {}
        for origin, queue_id, *what in rows:
            if (origin, queue_id) in told:
                taken.setdefault((origin, queue_id), []).append(tuple(what))
        self._db.executemany(f"DELETE {of_one}", [(*boundary, *key) for key in taken])
        return taken

    def _put(self, segment: Segment, piece: Messages, now: int) -> None:
        """Let wait what waits at the ends of a piece."""
        start: list[tuple[object, ...]] = []
        for key, orphan in piece.orphans.items():
            here = *segment.start, *key
            start += [(*here, kind, minute, n, 0, now) for (kind, minute), n in orphan.sent.items()]
            if orphan.deferred:
                start.append((*here, "deferred", 0, orphan.deferred, 0, now))
            if orphan.active is not None:
                start.append((*here, "active", *orphan.active, now))
            if orphan.cancelled is not None:
                start.append((*here, "cancelled", orphan.cancelled, 0, 0, now))
        start += [
            (*segment.start, *key, "removed", 0, 0, 0, now)
            for key in piece.ended
            if key not in piece.orphans or not piece.orphans[key].is_complete
        ]
        end: list[tuple[object, ...]] = [
            (*segment.end, *key, "received", minute, int(logged_in), 0, now)
            for key, (minute, logged_in) in piece.received.items()
        ]
        end += [
            (*segment.end, *key, "active", *active, now) for key, active in piece.active.items()
        ]
        self._db.executemany(
            "INSERT INTO pending VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", sorted(start + end)
        )
        if start:
            self._bound(segment.start, "1", MOST_ORPHANS, "minute")
        if piece.received:
            self._bound(segment.end, "what='received'", MOST_RECEIVED, "minute DESC")
        if piece.active:
            self._bound(segment.end, "what='active'", MOST_ACTIVE, "minute DESC")

    def _bound(self, boundary: Boundary, of: str, most: int, nearest: str) -> None:
        """Keep the half that is nearest to a place, if too much of some kind waits there."""
        there = f"FROM pending WHERE log=? AND owner=? AND side=? AND {of}"
        number = self._db.execute(f"SELECT count(*) {there}", boundary).fetchone()[0]
        if number > most:
            key = "log, owner, side, origin, queue_id, what, minute"
            self._db.execute(
                f"DELETE FROM pending WHERE ({key}) IN"
                f" (SELECT {key} {there} ORDER BY {nearest}, {key} LIMIT -1 OFFSET ?)",
                (*boundary, most // 2),
            )
