"""Pending: what the store keeps of messages until a piece of log is read that is still missing.

A run of pieces without a hole is a segment. Orphans are pending at its start, receipts and
sizes at its end (messages.py). When a piece is read that touches one of its boundaries, or two
segments become one, both sides are brought together, in the transaction that counts the
piece. Of a growing segment only those messages are looked up that the new piece tells of.
"""

from __future__ import annotations

from collections import namedtuple

from check_postfix.maillog.counts.messages import (
    MOST_ACTIVE,
    MOST_ORPHANS,
    MOST_PUT_OFF,
    MOST_RECEIVED,
    Messages,
    link_of,
    minute_of,
    own_link,
)
from check_postfix.maillog.counts.orphan import Orphan, is_complete
from check_postfix.maillog.counts.sights import MOST_LAST
from check_postfix.maillog.store import checksum

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Set

    from check_postfix.maillog.counts.message_sums import Sums
    from check_postfix.maillog.counts.messages import MessageKey
    from check_postfix.maillog.counts.sights import Tries
    from check_postfix.maillog.store.checksum import Checksums

    # What it is, minute, number, recipients, sender
    _What = tuple[str, int, int, int, str]

# What a try to deliver mail to a watched address is called, and its number.
_TRIED = "tried"
# What the first and the last try for a watched address are called, and its number.
_FIRST_TRY, _LAST_TRY = "first try", "last try"
# What a message is called that waits for a retry.
_PUT_OFF = "put off"
# Stands with a message whose earlier half is missing if it waits for a retry.
_WAITS = "="
# The boundaries of what is read of a generation, or of a journal span, which has
# no hole.
START, HOLE_START, HOLE_END, END = range(4)


class Boundary(namedtuple("Boundary", "log owner side")):
    """Where something is pending.

    log:   number of the log
    owner: number of its generation, or of the journal span
    side:  BEGIN, HOLE_START, HOLE_END or END
    """

    __slots__ = ()

    log: int
    owner: int
    side: int


class Segment(namedtuple("Segment", "start end")):
    """A run of pieces of log, by its two boundaries."""

    __slots__ = ()

    start: Boundary
    end: Boundary


class Pending:
    """The table of what is pending; to be changed inside a transaction only.

    db: the store's
    checksums: the store's
    """

    def __init__(self, db: sqlite3.Connection, checksums: Checksums) -> None:
        self._db = db
        self._checksums = checksums
        self._sound: set[Boundary] = set()

    def append(self, segment: Segment, piece: Messages, now: int, sums: Sums) -> None:
        """Add a piece of log after a segment.

        now: minutes since 1970
        sums: what came together is added to them
        """
        wanted = _messages(piece) | _links(piece)
        earlier = self._taken(segment, wanted, sums)
        earlier.followed_by(piece)
        self._put(segment, earlier, now)

    def prepend(self, segment: Segment, piece: Messages, now: int, sums: Sums) -> None:
        """Add a piece of log before a segment; see `append`."""
        # What is told of these is told of the messages that were theirs before a filter.
        wanted = _messages(piece) | _links(piece)
        wanted |= self._whose_senders_are_told(segment.end, wanted)
        piece.followed_by(self._taken(segment, wanted, sums))
        self._put(segment, piece, now)

    def unite(self, earlier: Segment, later: Segment, now: int, sums: Sums) -> None:
        """Make one segment of two; what is still pending then is so at the outer boundaries."""
        wanted = self._messages(earlier.end) | self._messages(later.start)
        if not wanted:
            return
        if not self._has_any(earlier.start) and not self._has_any(earlier.end):
            self.move(later.start, earlier.start)
            return
        wanted |= self._whose_senders_are_told(later.end, wanted)
        united = self._taken(earlier, wanted, sums)
        united.followed_by(self._taken(later, wanted, sums))
        self._put(Segment(earlier.start, later.end), united, now)

    def absorb(self, earlier: Segment, later: Segment, now: int, sums: Sums) -> None:
        """Make one segment of two, at the boundaries of the earlier one; see `append`.

        That is less work where the later one is small.
        """
        wanted = self._messages(later.start) | self._messages(later.end)
        self.append(earlier, self._taken(later, wanted, sums), now, sums)

    def move(self, old: Boundary, new: Boundary) -> None:
        """Move what is pending at a boundary to another one, where nothing is."""
        self._db.execute(
            "UPDATE pending SET owner=?, side=? WHERE log=? AND owner=? AND side=?",
            (new.owner, new.side, *old),
        )

    def drop(self, boundary: Boundary) -> None:
        """Forget what is pending at a boundary."""
        self._db.execute("DELETE FROM pending WHERE log=? AND owner=? AND side=?", boundary)

    def drop_unwatched(self) -> None:
        """Forget tries for addresses that are not watched any more."""
        self._db.execute(
            f"DELETE FROM pending WHERE (what GLOB '{_TRIED} *' OR what GLOB '{_FIRST_TRY} *'"
            f" OR what GLOB '{_LAST_TRY} *') AND sender NOT IN (SELECT address FROM watched)"
        )

    def owners(self, log: int) -> set[int]:
        """Return the numbers of the generations of a log, or journal spans, that have boundaries
        where something is pending.

        Raises: DamagedStore
        """
        query = "SELECT DISTINCT owner, side FROM pending WHERE log=?"
        found = self._db.execute(query, (log,)).fetchall()
        names = {checksum.pending(log, *where) for where in found}
        prefix = checksum.of_log("pending", log)
        for name in names ^ self._checksums.names(f"{prefix} ", f"{prefix} {checksum.LAST}"):
            raise self._checksums.damage(name)
        return {owner for owner, _ in found}

    def _look_at(self, boundary: Boundary) -> None:
        """See that what is pending at a boundary is what was written there.

        Once a run: what it writes itself is right.
        """
        if boundary not in self._sound:
            query = "SELECT * FROM pending WHERE log=? AND owner=? AND side=?"
            self._checksums.check(checksum.pending(*boundary), self._db.execute(query, boundary))
            self._sound.add(boundary)

    def _messages(self, boundary: Boundary) -> set[MessageKey]:
        self._look_at(boundary)
        return {
            (origin, queue_id)
            for origin, queue_id in self._db.execute(
                "SELECT origin, queue_id FROM pending WHERE log=? AND owner=? AND side=?", boundary
            )
        }

    def _whose_senders_are_told(
        self, boundary: Boundary, wanted: Set[MessageKey]
    ) -> set[MessageKey]:
        """Return the messages that wait to hear from one of these who has handed them in."""
        self._look_at(boundary)
        return {
            (origin, queue_id)
            for origin, queue_id, sender in self._db.execute(
                "SELECT origin, queue_id, sender FROM pending WHERE log=? AND owner=? AND side=?"
                f" AND sender GLOB '[<=]*' AND what NOT GLOB '{_LAST_TRY}*'",
                boundary,
            )
            if (origin, link_of(sender)) in wanted
        }

    def _has_any(self, boundary: Boundary) -> bool:
        self._look_at(boundary)
        found = self._db.execute(
            "SELECT 1 FROM pending WHERE log=? AND owner=? AND side=? LIMIT 1", boundary
        )
        return found.fetchone() is not None

    def _taken(self, segment: Segment, wanted: Set[MessageKey], sums: Sums) -> Messages:
        """Return what is pending of these messages in a segment, and delete it there."""
        taken = Messages(sums)
        for key, rows in self._take(segment.end, wanted).items():
            for row in rows:
                _wait_at_end(taken, key, *row)
        for key, rows in self._take(segment.start, wanted | _links(taken)).items():
            _wait_at_start(taken, key, rows)
        return taken

    def _take(self, boundary: Boundary, wanted: Set[MessageKey]) -> dict[MessageKey, list[_What]]:
        """Return what is pending of these messages at a boundary, and delete it there."""
        self._look_at(boundary)
        there = "FROM pending WHERE log=? AND owner=? AND side=?"
        of_one = f"{there} AND origin=? AND queue_id=?"
        columns = "origin, queue_id, what, minute, number, recipients, sender"
        # A boundary where less is pending is read whole, which is quicker than to ask for each.
        rows = self._db.execute(
            f"SELECT {columns} {there} LIMIT ?", (*boundary, len(wanted) + 1)
        ).fetchall()
        if len(rows) > len(wanted):
            rows = []
            for key in wanted:
                rows += self._db.execute(f"SELECT {columns} {of_one}", (*boundary, *key))
        taken: dict[MessageKey, list[_What]] = {}
        for origin, queue_id, *what in rows:
            if (origin, queue_id) in wanted:
                taken.setdefault((origin, queue_id), []).append(tuple(what))
        self._db.executemany(f"DELETE {of_one}", [(*boundary, *key) for key in taken])
        return taken

    def _put(self, segment: Segment, piece: Messages, now: int) -> None:
        """Keep what is pending at the boundaries of a piece."""
        start: list[tuple[object, ...]] = []
        for key, orphan in piece.orphans.items():
            here = *segment.start, *key
            late = now, ""
            if isinstance(orphan, int):
                start.append((*here, "sent", orphan, 1, 0, *late))
                continue
            start += [
                (*here, kind, minute, n, 0, *late) for (kind, minute), n in orphan.sent.items()
            ]
            if orphan.deferred:
                start.append((*here, "deferred", 0, orphan.deferred, 0, *late))
            if any(orphan.bounced):
                start.append((*here, "bounced", 0, *orphan.bounced, *late))
            start += [
                (*here, f"{_TRIED} {at}", minute, int(is_after), 0, now, address)
                for at, (minute, address, is_after) in enumerate(sorted(orphan.tried))
            ]
            if orphan.active is not None:
                waits = _WAITS if piece.put_off.get(key) == own_link(key) else ""
                start.append((*here, "active", *orphan.active, now, waits))
            if orphan.cancelled is not None:
                start.append((*here, "cancelled", orphan.cancelled, 0, 0, *late))
        start += [
            (*segment.start, *key, "removed", 0, 0, 0, now, "")
            for key in piece.ended
            if not is_complete(piece.orphans.get(key))
        ]
        start += _tries(segment.start, _FIRST_TRY, piece.sights.first, now)
        end: list[tuple[object, ...]] = [
            (*segment.end, *key, "received", minute, int(logged_in), 0, now, sender)
            for key, (minute, logged_in, sender) in piece.received.items()
        ]
        end += [
            (*segment.end, *key, "active", *active, now, sender)
            for key, (*active, sender) in piece.active.items()
        ]
        end += [
            (*segment.end, *key, _PUT_OFF, minute_of(sender, now), 0, 0, now, sender)
            for key, sender in piece.put_off.items()
            if sender != own_link(key)
        ]
        end += _tries(segment.end, _LAST_TRY, piece.sights.last, now)
        self._db.executemany(
            "INSERT INTO pending VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", sorted(start + end)
        )
        if start:
            self._bound(segment.start, "1", MOST_ORPHANS, "minute")
        if piece.received:
            self._bound(segment.end, "what='received'", MOST_RECEIVED, "minute DESC")
        if piece.active:
            self._bound(segment.end, "what='active'", MOST_ACTIVE, "minute DESC")
        if piece.put_off:
            self._bound(segment.end, f"what='{_PUT_OFF}'", MOST_PUT_OFF, "minute DESC")
        if piece.sights.last:
            self._bound(segment.end, f"what GLOB '{_LAST_TRY}*'", MOST_LAST, "minute DESC")

    def _bound(self, boundary: Boundary, of: str, most: int, nearest: str) -> None:
        """Keep the half that is nearest to a boundary, if too much of some kind is there."""
        there = f"FROM pending WHERE log=? AND owner=? AND side=? AND {of}"
        number = self._db.execute(f"SELECT count(*) {there}", boundary).fetchone()[0]
        if number > most:
            key = "log, owner, side, origin, queue_id, what, minute"
            self._db.execute(
                f"DELETE FROM pending WHERE ({key}) IN"
                f" (SELECT {key} {there} ORDER BY {nearest}, {key} LIMIT -1 OFFSET ?)",
                (*boundary, most // 2),
            )


def _wait_at_end(
    taken: Messages,
    key: MessageKey,
    what: str,
    minute: int,
    number: int,
    recipients: int,
    sender: str,
) -> None:
    """Let a message wait for what follows, as a row says."""
    if what == "active":
        taken.active[key] = minute, number, recipients, sender
    elif what == _PUT_OFF:
        if sender:  # which is forgotten when it is too old
            taken.put_off[key] = sender
    elif what.startswith(_LAST_TRY):
        if sender:
            taken.sights.last.setdefault(key, {})[sender] = minute
    else:
        taken.received[key] = minute, bool(number), sender


def _wait_at_start(taken: Messages, key: MessageKey, rows: Iterable[_What]) -> None:
    """Let a message wait for what stands before, as its rows say."""
    orphan = None
    for row in rows:
        what, minute, *_, address = row
        if what == "removed":
            taken.ended.add(key)
        elif what.startswith(_FIRST_TRY):
            if address:
                taken.sights.first.setdefault(key, {})[address] = minute
        else:
            orphan = orphan or Orphan()
            _tell(orphan, *row)
            if what == "active" and address == _WAITS:
                taken.put_off[key] = own_link(key)
    if orphan:
        taken.orphans[key] = orphan
        if orphan.is_complete:  # the segment's end tells what became of it
            taken.ended.add(key)


def _tell(
    orphan: Orphan, what: str, minute: int, number: int, recipients: int, address: str
) -> None:
    """Let an orphan know what a row says."""
    if what == "active":
        orphan.active = minute, number, recipients
    elif what == "cancelled":
        orphan.cancelled = minute
    elif what == "deferred":
        orphan.deferred = number
    elif what == "bounced":
        orphan.bounced = [number, recipients]
    elif what.startswith(_TRIED):
        orphan.tried.add((minute, address, bool(number)))
    else:
        orphan.sent[what, minute] = number


def _messages(piece: Messages) -> set[MessageKey]:
    """Return the messages that a piece tells of."""
    found = piece.orphans.keys() | piece.ended | piece.received.keys() | piece.active.keys()
    return found | piece.put_off.keys() | piece.sights.first.keys() | piece.sights.last.keys()


def _tries(boundary: Boundary, what: str, tries: Tries, now: int) -> list[tuple[object, ...]]:
    """Return the rows of tries for watched addresses."""
    return [
        (*boundary, *key, f"{what} {at}", minute, 0, 0, now, address)
        for key, of_message in tries.items()
        for at, (address, minute) in enumerate(of_message.items())
    ]


def _links(messages: Messages) -> set[MessageKey]:
    """Return the messages whose earlier halves tell who has handed in one of those that wait."""
    return {(origin, link_of(link)) for origin, link in messages.links()}
