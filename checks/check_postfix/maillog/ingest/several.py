"""Several processes that read the parts of a piece, and one that tells the store.

Each of them counts a part, with numbers of its own for origins, and hands over what it has counted
as the one process would. That takes it in in the order of the parts. Nobody else writes.

Only where bounds are reached may the store be told something else than by one process: of messages
that wait, if more of them do than are kept, and of hosts beyond those that are kept apart.
"""

from __future__ import annotations

from collections import Counter, namedtuple

from check_postfix.maillog.counts.counts import Counts
from check_postfix.maillog.events.scanner import Scan
from check_postfix.maillog.ingest.parts import LONGEST_LINE
from check_postfix.maillog.ingest.piece_counts import PieceCounts
from check_postfix.maillog.source.lines import blocks
from check_postfix.maillog.syntax.timestamps import Timestamps
from check_postfix.workers import Workers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from check_postfix.maillog.ingest.parts import Part
    from check_postfix.maillog.ingest.piece_counts import Told
    from check_postfix.maillog.store.logs import Log
    from check_postfix.maillog.store.store import Store


class _HandedOver(namedtuple("_HandedOver", "origins gaps counts")):
    """What a part has told so far.

    origins: (host, instance) of each that was not named before
    gaps:    minutes of which lines are lost
    counts:  what `Counts.told` returns, or nothing
    """

    __slots__ = ()

    origins: list[tuple[bytes, bytes]]
    gaps: list[tuple[int, int]]
    counts: tuple[Any, ...]


class _Last(namedtuple("_Last", "told previous is_local")):
    """What is told at the end of a part.

    previous: minute of the line that was read last
    is_local: whether any stamp was read by the zone
    """

    __slots__ = ()

    told: Told
    previous: int | None
    is_local: bool


class _Notebook:
    """Stands for the store where a part is read: what it is told is to be handed over."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[bytes, bytes], int] = {}
        self._told: list[_HandedOver] = []
        self._begin()

    def _begin(self) -> None:
        self._origins: list[tuple[bytes, bytes]] = []
        self._gaps: list[tuple[int, int]] = []

    def origin(self, log: Log, host: bytes, instance: bytes) -> int:  # noqa: ARG002
        """Return the number of an origin in this part."""
        number = self._numbers.get((host, instance))
        if number is None:
            # Where there is but one, this is mostly the store's number.
            number = self._numbers[host, instance] = len(self._numbers) + 1
            self._origins.append((host, instance))
        return number

    def extend_gap(self, log: Log, first: int, last: int) -> None:  # noqa: ARG002
        """Note a gap."""
        self._gaps.append((first, last))

    def add(self, counts: Counts) -> None:
        """Note counts."""
        self._told.append(_HandedOver(self._origins, self._gaps, counts.told()))
        self._begin()

    def taken(self) -> list[_HandedOver]:
        """Return what is noted, and begin anew."""
        told, self._told = self._told, []
        return told


class Several:
    """Processes that read the parts of a piece. Use it as a context manager.

    jobs:    how many
    parts:   in the order in which they are taken in
    read_at: returns so many bytes of the file from an offset on; in any process
    timestamps: returns what reads the stamps behind a line of a minute
    counts:  returns new ones to count in
    """

    def __init__(
        self,
        jobs: int,
        parts: Iterable[Part],
        read_at: Callable[[int, int], bytes],
        timestamps: Callable[[int | None], Timestamps],
        counts: Callable[[], Counts],
        store: Store,
        log: Log,
    ) -> None:
        self._read_at = read_at
        self._timestamps = timestamps
        self._counts = counts
        self._store = store
        self._log = log
        self._workers = Workers(jobs, parts, self._read)

    def __enter__(self) -> Several:
        self._workers.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._workers.__exit__()

    @property
    def has_begun(self) -> bool:
        """Whether any part was begun that is not taken in."""
        return self._workers.next() is not None

    def begin(self, piece: int) -> None:
        """Go on with the parts of a piece, by where it begins; what was not taken is left out."""
        while (part := self._workers.next()) is not None and part.piece != piece:
            for _ in self._workers.of_next():
                pass

    def take(self, start: int, piece: PieceCounts, timestamps: Timestamps) -> int | None:
        """Take in the part that begins at an offset, if that is the next one.

        piece, timestamps: what counts the whole, and reads its stamps
        Returns: the offset up to which is read then
        """
        part: Part | None = self._workers.next()
        if part is None or part.start != start:
            return None
        numbers = [0]
        for answer in self._workers.of_next():
            if isinstance(answer, _HandedOver):
                self._take_in(answer, numbers)
                continue
            timestamps.previous = answer.previous
            timestamps.is_local |= answer.is_local
            before = self._read_at(part.end - LONGEST_LINE, LONGEST_LINE)
            piece.take_in(answer.told, before[: before.rfind(b"\n") + 1], numbers)
        return part.end

    def _take_in(self, told: _HandedOver, numbers: list[int]) -> None:
        """Let the store have what was handed over, and learn the numbers of origins."""
        numbers += [self._store.ledger.origin(self._log, *names) for names in told.origins]
        for gap in told.gaps:
            self._store.gaps.extend(self._log, *gap)
        counts = self._counts()
        counts.take_in(told.counts, numbers)
        self._store.ledger.add(counts)

    def _read(self, part: Part) -> Iterator[_HandedOver | _Last]:
        """Yield what a part tells; in a worker."""
        notebook, timestamps = _Notebook(), self._timestamps(part.previous)
        counts = self._counts()
        scan = Scan(timestamps, part.before, counts.watched)
        scan.go_on(part.before, part.minute, Counter())
        piece = PieceCounts(notebook, self._log, scan, counts)
        for block, _ in blocks(self._reading(part), part.start):
            piece.add(block)
            yield from notebook.taken()
        if part.last is not None:
            piece.end_part(part.last)
        told = piece.told()
        yield from notebook.taken()
        yield _Last(told, timestamps.previous, timestamps.is_local)

    def _reading(self, part: Part) -> Callable[[int], bytes]:
        """Return a `read` of a part that gives the same blocks as one of the whole piece."""
        at, first = part.start, part.first

        def read(size: int) -> bytes:
            nonlocal at, first
            data = self._read_at(at, min(first or size, part.end - at))
            at += len(data)
            first = 0
            return data

        return read
