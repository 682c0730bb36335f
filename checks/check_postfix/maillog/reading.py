"""Reading: one piece of a generation, from its bytes into counts."""

from __future__ import annotations

import time

from check_postfix.maillog import frame
from check_postfix.maillog.counts import Counts
from check_postfix.maillog.generation import FINGERPRINTED, Generation, fingerprint
from check_postfix.maillog.lines import LONGEST, blocks
from check_postfix.maillog.scanner import Scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from check_postfix.maillog.clock import Clock
    from check_postfix.maillog.logfile import Stream
    from check_postfix.maillog.store import Log, Store

# Bytes read in one transaction: few enough that a kill costs a second, enough
# that committing costs next to nothing.
PIECE = 64 * 1024 * 1024
# Lines at either end of a block that are asked for their time.
_LINES_ASKED = 20


class Reading:
    """Reads pieces of the generations of one log into the store; inside a transaction only.

    clock:    makes the clock of a piece from the minute of the line before it
    counts:   makes what a piece is counted in
    deadline: time.monotonic() at which to stop, at the end of a block
    """

    def __init__(
        self,
        store: Store,
        log: Log,
        clock: Callable[[int | None], Clock],
        counts: Callable[[], Counts],
        deadline: float,
    ) -> None:
        self._store = store
        self._log = log
        self._clock = clock
        self._counts = counts
        self._deadline = deadline
        self._streams: dict[tuple[bytes, bytes], int] = {}

    def piece(self, stream: Stream, generation: Generation, now: int) -> bool:
        """Read a piece: what is new at the end, or else of the hole.

        now:     minutes since 1970
        Returns: whether all of this file is read
        Raises:  LogError, StoreError
        """
        if not self._counted_up_to_here(stream, generation):
            if generation.live:
                self._skip_rewritten(stream, generation, now)
            return True
        if stream.compressed:
            return self._forward(stream, generation)
        size = stream.status().st_size
        if size - generation.end > PIECE and not generation.hole:
            self._leave_hole(stream, generation, size - PIECE)
        stream.go_to(generation.end)
        at_end = self._forward(stream, generation)
        if generation.head_size < FINGERPRINTED:
            self._grow_head(stream, generation)
        if at_end and generation.hole:
            self._backward(stream, generation)
        return at_end and not generation.hole

    def _counted_up_to_here(self, stream: Stream, generation: Generation) -> bool:
        """Go to the end of what is counted; tell whether the bytes before it are the known ones."""
        size = generation.tail_size
        if not stream.go_to(generation.end - size):
            return False
        tail = stream.read_whole(size)
        return len(tail) == size and (
            not size or fingerprint(tail, self._store.key) == generation.tail
        )

    def _skip_rewritten(self, stream: Stream, generation: Generation, now: int) -> None:
        """Go on behind a log that somebody has changed: what of it is counted, nobody can tell."""
        lost = generation.since if generation.hole else generation.last
        if lost is not None:
            self._store.add_gap(self._log, lost, now)
        size = stream.status().st_size
        begin = max(0, size - LONGEST)
        stream.go_to(begin)
        data = stream.read_whole(size - begin)
        whole = data[: data.rfind(b"\n") + 1]
        generation.end = begin + len(whole)
        generation.hole_start = generation.hole_end = 0
        generation.since = generation.begins
        self._mark_tail(generation, whole)
        generation.head_size = 0
        self._grow_head(stream, generation)

    def _leave_hole(self, stream: Stream, generation: Generation, offset: int) -> None:
        """Let the reading go on at about this offset, and what is before it wait."""
        stop = _begin_of_line(stream, offset, stream.status().st_size)
        if stop is not None:
            generation.hole_start = generation.end
            generation.hole_end = generation.end = stop
            generation.since = None

    def _forward(self, stream: Stream, generation: Generation) -> bool:
        """Read from the stream's place, the generation's end; tell whether it came to the end."""
        clock = self._clock(generation.last)
        counts, scan = self._counts(), Scan(clock)
        at_end = True
        block = b""
        for block, end in blocks(stream.read, generation.end):
            if generation.since is None:
                generation.since = _minute(block[1:].split(b"\n", _LINES_ASKED), clock)
            self._count(scan, block, generation, counts)
            generation.end = end
            if len(counts.keyed) > 400_000 or time.monotonic() > self._deadline:
                at_end = False
                break
        if block:
            self._mark_tail(generation, block[-FINGERPRINTED:] + b"\n")
            last = _minute(reversed(block.rsplit(b"\n", _LINES_ASKED)), clock)
            generation.last = last if generation.last is None else max(generation.last, last or 0)
        self._finish(generation, counts, scan)
        return at_end

    def _backward(self, stream: Stream, generation: Generation) -> None:
        """Read the last piece of the hole."""
        stop = generation.hole_end
        start = generation.hole_start
        if stop - start > PIECE:
            start = _begin_of_line(stream, stop - PIECE, stop) or start
        stream.go_to(start)
        clock = self._clock(None)
        counts, scan = self._counts(), Scan(clock)
        since = None
        left = stop - start

        def read(size: int) -> bytes:
            nonlocal left
            data = stream.read(min(size, left))
            left -= len(data)
            return data

        for block, _ in blocks(read, start):
            if since is None:
                since = _minute(block[1:].split(b"\n", _LINES_ASKED), clock)
            self._count(scan, block, generation, counts)
        generation.hole_end = start
        if generation.hole:
            generation.since = since if since is not None else generation.since
        else:
            generation.since = generation.begins
        self._finish(generation, counts, scan)

    def _count(self, scan: Scan, block: bytes, generation: Generation, counts: Counts) -> None:
        streams = self._streams
        add = counts.add
        events = 0
        for minute, host, instance, event, times in scan.block(block):
            stream = streams.get((host, instance))
            if stream is None:
                stream = streams[host, instance] = self._store.stream(self._log, host, instance)
            add(minute, stream, event, times)
            events += times
        generation.lines += block.count(b"\n")
        generation.events += events

    def _finish(self, generation: Generation, counts: Counts, scan: Scan) -> None:
        generation.unframed += scan.unframed
        self._store.add(counts)

    def _mark_tail(self, generation: Generation, data: bytes) -> None:
        data = data[-FINGERPRINTED:]
        generation.tail = fingerprint(data, self._store.key)
        generation.tail_size = len(data)

    def _grow_head(self, stream: Stream, generation: Generation) -> None:
        stream.go_to(0)
        head = stream.read_whole(FINGERPRINTED)
        generation.head = fingerprint(head, self._store.key)
        generation.head_size = len(head)
        if generation.begins is None:
            generation.begins = first_minute(head, self._clock(None))


def first_minute(data: bytes, clock: Clock) -> int | None:
    """Return the minute of the first line of some bytes that has one."""
    return _minute(data.split(b"\n", _LINES_ASKED), clock)


def _minute(lines: Iterable[bytes], clock: Clock) -> int | None:
    for line in lines:
        record = frame.parse(line)
        if record and (minute := clock.minute(record.stamp, record.zone)) is not None:
            return minute
    return None


def _begin_of_line(stream: Stream, offset: int, stop: int) -> int | None:
    """Return where the first line begins at or behind an offset, None if none does before stop."""
    stream.go_to(offset - 1)
    while offset < stop:
        data = stream.read(min(LONGEST, stop - offset))
        if not data:
            break
        cut = data.find(b"\n")
        if cut >= 0:
            return offset + cut
        offset += len(data)
    return None
