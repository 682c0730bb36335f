"""A piece of a generation: read from its file into the store, in one transaction."""

from __future__ import annotations

import time
from collections import deque
from contextlib import ExitStack, contextmanager

from check_postfix.maillog.counts.message_sums import Sums
from check_postfix.maillog.events.scanner import Scan
from check_postfix.maillog.ingest import daemon_clocks, newest
from check_postfix.maillog.ingest.minutes import (
    first_minute,
    last_minute,
    minute_before,
    minute_of,
)
from check_postfix.maillog.ingest.offsets import BYTES_BEFORE, approach, at_most, start_of_line
from check_postfix.maillog.ingest.parts import LONGEST_PART, Cuts, up_to
from check_postfix.maillog.ingest.piece_counts import PieceCounts
from check_postfix.maillog.source.generation import (
    FINGERPRINTED,
    FIRST_LINES,
    Generation,
    Replaced,
    fingerprints,
)
from check_postfix.maillog.source.lines import LONGEST, blocks
from check_postfix.maillog.source.stream import NEVER
from check_postfix.maillog.syntax.timestamps import Timestamps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import tzinfo

    from check_postfix.maillog.counts.counts import Counts
    from check_postfix.maillog.ingest.parts import Part
    from check_postfix.maillog.ingest.segments import Segments
    from check_postfix.maillog.ingest.several import Several
    from check_postfix.maillog.source.ahead import Ahead
    from check_postfix.maillog.source.stream import Stream
    from check_postfix.maillog.store.logs import Log
    from check_postfix.maillog.store.store import Store

# More new bytes than this at a time leave a hole, whose end is read first.
PIECE_BYTES = 64 * 1024 * 1024
# The hole closes by this much at a time. A slow machine reads so much between two looks at
# the time.
_HOLE_STEP_PARTS = 8  # of a piece
# A transaction in which a hole closes takes about so many seconds; and one for which processes are
# started.
_CLOSING_SECONDS = 0.5
_CLOSING_TOGETHER_SECONDS = 2
# Of less than this, one process has read the most before others have begun.
_WORTH_SEVERAL_BYTES = 16 << 20
# A log is at least so many times smaller when it is compressed; and one process unpacks it about as
# fast as so many others count.
_COMPRESSED = 5
_MOST_JOBS_OF_COMPRESSED = 4


class PieceReader:
    """Reads a piece of a generation of one log into the store; inside a transaction only.

    segments: of this log
    zone:     of stamps without an offset; None for the machine's
    latest:   the newest minute that a stamp without a year can mean
    counts:   returns what to count in
    deadline: time.monotonic() at which to stop, at the end of a block
    jobs:     how many processes may read
    """

    def __init__(
        self,
        store: Store,
        log: Log,
        segments: Segments,
        zone: tzinfo | None,
        latest: int,
        counts: Callable[[], Counts],
        deadline: float,
        jobs: int,
    ) -> None:
        self._store = store
        self._log = log
        self._segments = segments
        self._zone = zone
        self._latest = latest
        self._new_counts = counts
        self._counts = counts()
        self._deadline = deadline
        self._jobs = jobs
        self._several: Several | None = None
        self._is_late = False  # whether there was no time for all of a piece
        self._now = 0
        # minute of the line before a piece that begins where a hole ends
        self._before: int | None = None
        # whether what is new at the end was read to the end of the file
        self.is_at_end = False
        # whether the last piece went on at the offset up to which the generation is counted
        self.goes_on = False
        # the stamp of the last line that was read at the end, as it is
        self.newest: int | None = None
        self._made: list[Timestamps] = []

    def has_local_stamps(self) -> bool:
        """Tell whether any stamp was read by the zone."""
        return any(timestamps.is_local for timestamps in self._made)

    def read(self, stream: Stream, generation: Generation, live: bool, now: int) -> bool:
        """Read a piece: what is new at the end, and as much of the hole as there is time for.

        live:    whether this is the live log's own file
        now:     minutes since 1970
        Returns: whether all of this file is read
        Raises:  Replaced, LogError, StoreError
        """
        self._now = now
        self._verify(stream, generation)
        if not generation.end and stream.blank:
            # What a log that was cut short under its writer begins with: it can be of any size.
            generation.end = generation.hole_start = generation.hole_end = stream.blank
        whole = self._read(stream, generation, live, now)
        if not stream.compressed:
            # If it was cut and written anew meanwhile, the middle of the next generation
            # may have been read as this one's.
            self._verify(stream, generation)
        return whole

    def _verify(self, stream: Stream, generation: Generation) -> None:
        """See that the file holds this generation, and learn more of its head."""
        is_short = generation.end - stream.blank < FIRST_LINES
        data = stream.read_head(FIRST_LINES if is_short else FINGERPRINTED)
        head = fingerprints(data[:FINGERPRINTED], self._store.key)
        if not generation.likeness(head):
            raise Replaced
        generation.head = max(generation.head, head, key=len)
        if is_short or generation.first_minute is None:
            # Only what follows tells whether the first line's clock was right.
            first = first_minute(data, self._timestamps(), self._now)
            if generation.since == generation.first_minute and generation.since is not None:
                generation.since = first
            generation.first_minute = first

    def _timestamps(self, previous: int | None = None) -> Timestamps:
        self._made.append(Timestamps(self._zone, self._latest, previous))
        return self._made[-1]

    def _read(self, stream: Stream, generation: Generation, live: bool, now: int) -> bool:
        if stream.compressed and generation.hole:
            at_end = self._fill_hole(stream, generation)
            if generation.hole:
                return at_end
        if generation.end and stream.ends_at(generation.end):
            self.goes_on = True
            return True
        before = approach(stream, generation.end)
        reached = len(before) == min(generation.end, BYTES_BEFORE)
        if not reached or not generation.has_tail(before, self._store.key):
            if live:
                self._skip_changed(stream, generation, now)
            return True
        self.goes_on = True
        if not stream.compressed and not generation.hole:
            before = self._leave_hole(stream, generation) or before
        with self._together(stream, generation, before) as read:
            at_end = self._read_on(stream, read, generation, before, now)
            end = min(self._deadline, time.monotonic() + _CLOSING_SECONDS)
            while (
                generation.hole
                and at_end
                and (time.monotonic() < end or (self._several and self._several.has_begun))
            ):
                self._shrink_hole(stream, generation)
        return at_end and not generation.hole

    @contextmanager
    def _together(
        self, stream: Stream, generation: Generation, before: bytes
    ) -> Iterator[Callable[[int], bytes]]:
        """Have several processes read with this one, where that is worth it.

        Yields: what reads on from the generation's end, where the stream stands
        """
        # The blocks of a compressed log are whole ones, as those of another.
        read = stream.read_whole if stream.compressed else stream.read
        size = stream.status().st_size
        left = size * _COMPRESSED if stream.compressed else size - generation.end + generation.hole
        if self._jobs < 2 or left < _WORTH_SEVERAL_BYTES:
            yield read
            return
        jobs = self._jobs
        previous = self._minute_behind(generation)
        with ExitStack() as opened:
            if stream.compressed:
                jobs = min(jobs, _MOST_JOBS_OF_COMPRESSED)
                ahead = _ahead(stream, generation.end, jobs)
                if ahead is None:
                    yield read
                    return
                opened.enter_context(ahead)
                read, read_at = ahead.read, ahead.read_at
                cuts = Cuts(generation.end, self._timestamps())
                parts = cuts.parts(read_at, ahead.end_before, before, previous, LONGEST_PART)
            else:
                read_at = stream.read_at
                hole = generation.hole_start, generation.hole_end
                parts = self._parts(stream, generation.end, size, before, previous, *hole)
            self._several = opened.enter_context(self._readers(jobs, parts, read_at))
            try:
                yield read
            finally:
                self._several = None

    def _readers(
        self, jobs: int, parts: Iterator[Part], read_at: Callable[[int, int], bytes]
    ) -> Several:
        """Return the processes that read some parts."""
        # Who reads alone loads none of this.
        from check_postfix.maillog.ingest.several import Several

        return Several(
            jobs, parts, read_at, self._timestamps, self._new_counts, self._store, self._log
        )

    def _parts(
        self,
        stream: Stream,
        start: int,
        stop: int,
        before: bytes,
        previous: int | None,
        hole_start: int,
        hole_end: int,
    ) -> Iterator[Part]:
        """Yield the parts of what is new at the end, and then of a hole, as time allows.

        They are those of the pieces that will be read: of a hole the last one first.
        """
        cuts = Cuts(start, self._timestamps())
        yield from cuts.parts(stream.read_at, up_to(stop), before, previous)
        end = min(self._deadline, time.monotonic() + _CLOSING_TOGETHER_SECONDS)
        while hole_end > hole_start and time.monotonic() < end:
            with stream.elsewhere():
                start = _start_of_last(stream, hole_start, hole_end)
                previous = self._minute_before(stream, start)
                before = approach(stream, start)
            cuts = Cuts(start, self._timestamps())
            yield from cuts.parts(stream.read_at, up_to(hole_end), before, previous)
            hole_end = start

    def _counted(
        self,
        read: Callable[[int], bytes],
        start: int,
        counts: PieceCounts,
        timestamps: Timestamps,
        deadline: float,
    ) -> Iterator[tuple[bytes, int]]:
        """Count a piece, and yield its blocks with their ends.

        deadline: time.monotonic() at which to stop
        """
        self._is_late = False
        cuts = Cuts(start, self._timestamps())
        several = self._several
        if several:
            several.begin(start)
        at = counted_to = start
        for block, end in blocks(read, start):
            if end > counted_to:
                if at > start and time.monotonic() > deadline:
                    self._is_late = True
                    return
                taken = several.take(at, counts, timestamps) if several else None
                counted_to = taken or end
                if taken is None:
                    counts.add(block)
                    minute = cuts.minute_at(end, block)
                    if minute is not None:
                        counts.end_part(minute)
            at = end
            yield block, end

    def _skip_changed(self, stream: Stream, generation: Generation, now: int) -> None:
        """Go on after the end of a log that was cut or edited.

        Nobody can tell how much of it is counted.
        """
        lost = generation.first_minute if generation.hole else generation.last
        if lost is not None:
            self._store.gaps.add(self._log, lost, now)
        size = stream.status().st_size
        start = max(0, size - LONGEST)
        stream.go_to(start)
        data = stream.read_whole(size - start)
        whole = data[: data.rfind(b"\n") + 1]
        generation.end = start + len(whole)
        if generation.hole:
            sums = Sums()
            self._segments.close_hole(generation, sums)
            self._counts.add_sums(sums)
            self._store.ledger.add(self._counts)
            self._counts.clear()
        generation.hole_start = generation.hole_end = 0
        generation.since = generation.first_minute
        generation.mark_tail(whole, self._store.key)

    def _leave_hole(self, stream: Stream, generation: Generation) -> bytes:
        """Go on near the end of the file if much is new; the rest waits as a hole.

        Returns: the bytes before the offset where it goes on, nothing if there is no hole
        """
        size = stream.status().st_size
        if size - generation.end <= PIECE_BYTES:
            return b""
        stop = start_of_line(stream, size - PIECE_BYTES, size)
        if stop is None:
            stream.go_to(generation.end)
            return b""
        self._before = self._minute_before(stream, stop)
        before = approach(stream, stop)
        generation.hole_start = generation.end
        generation.hole_end = generation.end = stop
        generation.since = None
        self._segments.leave_hole(generation)
        generation.mark_tail(before, self._store.key)
        return before

    def _minute_behind(self, generation: Generation) -> int | None:
        """Return the minute of the line before the generation's end, as far as it is known."""
        return generation.last if self._before is None else self._before

    def _read_on(
        self,
        stream: Stream,
        read: Callable[[int], bytes],
        generation: Generation,
        before: bytes,
        now: int,
    ) -> bool:
        """Read on from the generation's end.

        read:    reads on from there
        before:  the bytes before that
        Returns: whether it came to the end of the stream
        """
        previous = self._minute_behind(generation)
        self._before = None
        timestamps = self._timestamps(previous)
        block = None
        tail = before
        counts = self._piece_counts(timestamps, before)
        last_blocks: deque[bytes] = deque(maxlen=newest.BLOCKS)
        for block, end in self._counted(read, generation.end, counts, timestamps, self._deadline):
            if generation.since is None:
                generation.since = first_minute(
                    block[1 : 1 + FIRST_LINES], self._timestamps(previous), now
                )
            last_blocks.append(block)
            is_next = end - generation.end == len(block)  # nothing was passed over
            if not is_next or len(block) > FINGERPRINTED:
                tail = b""
            # the newline before a block need not be in the file
            tail += block[max(1, len(block) - FINGERPRINTED) :] + b"\n"
            tail = tail[-FINGERPRINTED:]
            generation.end = end
        self.is_at_end = at_end = not self._is_late
        self._segments.at_end(generation, counts.messages, counts.sums)
        if block is not None and generation.live and timestamps.is_local:
            written = min(now, int(stream.status().st_mtime) // 60)
            counts.add_off(daemon_clocks.off(block, self._timestamps(previous), written))
        # Who has just written to the live log has not written of hours ago.
        written = int(stream.status().st_mtime) // 60
        counts.finish(generation, min(written, now) if generation.live and at_end else 0)
        # Our own clock may just now be behind.
        present = max(now, written)
        latest = min(present, self._latest)  # an old archive knows of nothing later
        if block is not None:
            generation.mark_tail(tail, self._store.key)
            last = last_minute(block, timestamps)
            self.newest = last
            if last is not None:
                # A host whose clock runs ahead does not know the future.
                generation.last = max(generation.last or 0, min(last, now))
        newest.save(self._store, self._log, counts.newest, last_blocks, timestamps, latest, present)
        return at_end

    def _shrink_hole(self, stream: Stream, generation: Generation) -> None:
        """Read the last part of the hole."""
        stop = generation.hole_end
        start = _start_of_last(stream, generation.hole_start, stop)
        previous = self._minute_before(stream, start)
        before = approach(stream, start)
        timestamps = self._timestamps(previous)
        since = None
        counts = self._piece_counts(timestamps, before)
        read = at_most(stream, stop - start)
        for block, _ in self._counted(read, start, counts, timestamps, NEVER):
            if since is None:
                since = first_minute(
                    block[1 : 1 + FIRST_LINES], self._timestamps(previous), self._now
                )
        generation.hole_end = start
        self._segments.after_hole(generation, counts.messages, counts.sums)
        counts.finish(generation)
        if not generation.hole:
            since = generation.first_minute
        if since is not None:
            generation.since = since

    def _minute_before(self, stream: Stream, offset: int) -> int | None:
        """Return the minute of the line before an offset of a plain file, as far as it is known."""
        return minute_before(stream, offset, self._timestamps(), self._deadline)

    def _fill_hole(self, stream: Stream, generation: Generation) -> bool:
        """Read the first part of the hole, as much as there is time for.

        Returns: whether there is no more of it in this stream
        """
        before = approach(stream, generation.hole_start)
        timestamps = self._timestamps()
        for line in before.split(b"\n"):
            minute_of(line, timestamps)
        counts = self._piece_counts(timestamps, before)
        read = at_most(stream, generation.hole)
        start = generation.hole_start
        for _, end in self._counted(read, start, counts, timestamps, self._deadline):
            generation.hole_start = end
        self._segments.before_hole(generation, counts.messages, counts.sums)
        counts.finish(generation)
        if not generation.hole:
            generation.since = generation.first_minute
        return not self._is_late

    def _piece_counts(self, timestamps: Timestamps, before: bytes) -> PieceCounts:
        """Return what counts a piece.

        before: the bytes before it, BYTES_BEFORE of them or as many as there are
        """
        if len(before) < BYTES_BEFORE:  # it begins with a whole line
            before = b"\n" + before
        scan = Scan(timestamps, before, self._counts.watched)
        return PieceCounts(self._store.ledger, self._log, scan, self._counts)


def _ahead(stream: Stream, start: int, jobs: int) -> Ahead | None:
    """Return what unpacks a compressed log for several processes, None if there is no room."""
    from check_postfix.maillog.source.ahead import Ahead
    from check_postfix.workers import most_begun

    try:
        return Ahead(stream, start, (most_begun(jobs) + 1) * LONGEST_PART)
    except OSError:
        return None


def _start_of_last(stream: Stream, start: int, stop: int) -> int:
    """Return where what is read begins of a hole, at its end."""
    size = PIECE_BYTES // _HOLE_STEP_PARTS
    while stop - size > start:
        line_start = start_of_line(stream, stop - size, stop)
        if line_start is not None:
            return line_start
        size *= 2
    return start
