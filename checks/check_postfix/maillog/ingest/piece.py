"""Reading: one piece of a generation, from its bytes into counts."""

from __future__ import annotations

import time
from math import inf

from check_postfix.maillog.counts.counts import MESSAGES, tally
from check_postfix.maillog.counts.messages import Messages, Sums
from check_postfix.maillog.events.scanner import Scan
from check_postfix.maillog.source.generation import (
    FINGERPRINTED,
    Generation,
    Replaced,
    fingerprints,
)
from check_postfix.maillog.source.line_counts import LineCounts
from check_postfix.maillog.source.lines import LONGEST, blocks, number
from check_postfix.maillog.syntax import frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from check_postfix.maillog.counts.counts import Counts
    from check_postfix.maillog.events.event import Event
    from check_postfix.maillog.events.scanner import Line, Saying
    from check_postfix.maillog.ingest.segments import Segments
    from check_postfix.maillog.source.stream import Stream
    from check_postfix.maillog.store.store import Log, Store
    from check_postfix.maillog.syntax.timestamps import Timestamps

# More new bytes than this at a time leave a hole, whose end is read first.
PIECE_BYTES = 64 * 1024 * 1024
# The hole closes by this part of a piece at a time: little enough for a slow
# machine between two looks at the time.
_PARTS = 8
# Additions that may wait in memory for the store.
_ADDITIONS = 20_000
# Enough before a place to hold the longest line that Postfix writes, whatever the
# frame: what a line says can depend on the one before it.
_BEFORE = 4096
# What happens to nearly every message, all at once.
_LIFE = ["received", "active", "sent", "removed"]
# So many different ones are remembered at a time.
_LIVES = 8_000
# Lines at either end of a block that are asked for their time.
_LINES_ASKED = 20


class PieceReader:
    """Reads pieces of the generations of one log into the store; inside a transaction only.

    segments:  of this log
    timestamps:    makes the clock of a piece from the minute of the line before it
    counts:   makes what a piece is counted in
    deadline: time.monotonic() at which to stop, at the end of a block
    """

    def __init__(
        self,
        store: Store,
        log: Log,
        segments: Segments,
        timestamps: Callable[[int | None], Timestamps],
        counts: Callable[[], Counts],
        deadline: float,
    ) -> None:
        self._store = store
        self._log = log
        self._segments = segments
        self._timestamps = timestamps
        self._counts = counts
        self._deadline = deadline
        self._origins: dict[tuple[bytes, bytes], int] = {}

    def piece(self, stream: Stream, generation: Generation, live: bool, now: int) -> bool:
        """Read a piece: what is new at the end, and as much of the hole as there is time for.

        live:    whether this is the live log's own file
        now:     minutes since 1970
        Returns: whether all of this file is read
        Raises:  Replaced, LogError, StoreError
        """
        self._verify(stream, generation)
        whole = self._piece(stream, generation, live, now)
        if not stream.compressed:
            # Cut and written anew while it was read, it would have been gone on
            # with in the middle of the next generation.
            self._verify(stream, generation)
        return whole

    def _verify(self, stream: Stream, generation: Generation) -> None:
        """See that the file holds this generation, and learn more of its head."""
        data = stream.read_head(FINGERPRINTED)
        head = fingerprints(data, self._store.key)
        if not generation.likeness(head):
            raise Replaced
        generation.head = max(generation.head, head, key=len)
        if generation.first_minute is None:
            generation.first_minute = first_minute(data, self._timestamps(None))

    def _piece(self, stream: Stream, generation: Generation, live: bool, now: int) -> bool:
        if stream.compressed and generation.hole:
            at_end = self._fill_hole(stream, generation)
            if generation.hole:
                return at_end
        if generation.end and stream.ends_at(generation.end):
            return True
        before = _approach(stream, generation.end, self._deadline)
        reached = len(before) == min(generation.end, _BEFORE)
        if not reached or not generation.has_tail(before, self._store.key):
            if live:
                self._skip_changed(stream, generation, now)
            return True
        if not stream.compressed and not generation.hole:
            before = self._leave_hole(stream, generation) or before
        at_end = self._read_on(stream, generation, before, now)
        while generation.hole and at_end and time.monotonic() < self._deadline:
            self._shrink_hole(stream, generation)
        return at_end and not generation.hole

    def _skip_changed(self, stream: Stream, generation: Generation, now: int) -> None:
        """Go on behind a log that was cut or edited: what of it is counted, nobody can tell."""
        lost = generation.first_minute if generation.hole else generation.last
        if lost is not None:
            self._store.add_gap(self._log, lost, now)
        size = stream.status().st_size
        start = max(0, size - LONGEST)
        stream.go_to(start)
        data = stream.read_whole(size - start)
        whole = data[: data.rfind(b"\n") + 1]
        generation.end = start + len(whole)
        if generation.hole:
            sums = Sums()
            self._segments.close_hole(generation, sums)
            counts = self._counts()
            counts.add_sums(sums)
            self._store.add(counts)
        generation.hole_start = generation.hole_end = 0
        generation.since = generation.first_minute
        generation.mark_tail(whole, self._store.key)

    def _leave_hole(self, stream: Stream, generation: Generation) -> bytes:
        """Let the reading go on near the end of the file, if that is far, and the rest wait.

        Returns: the bytes before the place where it goes on, nothing if that is as before
        """
        size = stream.status().st_size
        if size - generation.end <= PIECE_BYTES:
            return b""
        stop = _start_of_line(stream, size - PIECE_BYTES, size)
        if stop is None:
            stream.go_to(generation.end)
            return b""
        before = _approach(stream, stop)
        generation.hole_start = generation.end
        generation.hole_end = generation.end = stop
        generation.since = None
        self._segments.leave_hole(generation)
        generation.mark_tail(before, self._store.key)
        return before

    def _read_on(self, stream: Stream, generation: Generation, before: bytes, now: int) -> bool:
        """Read from the stream's place, the generation's end; tell whether it came to the end.

        before: the bytes before that place
        """
        timestamps = self._timestamps(generation.last)
        block = None
        at_end = True
        counting = _Counting(self, generation, timestamps, before)
        for block, end in blocks(stream.read, generation.end):
            if generation.since is None:
                generation.since = _minute(block[1:].split(b"\n", _LINES_ASKED), timestamps)
            counting.add(block)
            generation.end = end
            if time.monotonic() > self._deadline:
                at_end = False
                break
        counting.finish(self._segments.at_end)
        if block is not None:
            # the newline in front of a block need not be in the file
            tail = block[max(1, len(block) - FINGERPRINTED) :] + b"\n"
            generation.mark_tail(tail, self._store.key)
            last = _minute(reversed(block.rsplit(b"\n", _LINES_ASKED)), timestamps)
            if last is not None:
                # A host whose clock runs ahead does not know the future.
                generation.last = max(generation.last or 0, min(last, now))
        return at_end

    def _shrink_hole(self, stream: Stream, generation: Generation) -> None:
        """Read the last part of the hole."""
        stop = generation.hole_end
        start = generation.hole_start
        size = PIECE_BYTES // _PARTS
        while stop - size > start:
            line_start = _start_of_line(stream, stop - size, stop)
            if line_start is not None:
                start = line_start
                break
            size *= 2
        before = _approach(stream, start)
        timestamps = self._timestamps(None)
        since = None
        counting = _Counting(self, generation, timestamps, before)
        for block, _ in blocks(_up_to(stream, stop - start), start):
            if since is None:
                since = _minute(block[1:].split(b"\n", _LINES_ASKED), timestamps)
            counting.add(block)
        generation.hole_end = start
        counting.finish(self._segments.behind_hole)
        if not generation.hole:
            since = generation.first_minute
        if since is not None:
            generation.since = since

    def _fill_hole(self, stream: Stream, generation: Generation) -> bool:
        """Read the first part of the hole, as much as there is time for.

        Returns: whether there is no more of it in this stream
        """
        before = _approach(stream, generation.hole_start, self._deadline)
        at_end = True
        counting = _Counting(self, generation, self._timestamps(None), before)
        for block, end in blocks(_up_to(stream, generation.hole), generation.hole_start):
            counting.add(block)
            generation.hole_start = end
            if time.monotonic() > self._deadline:
                at_end = False
                break
        counting.finish(self._segments.before_hole)
        if not generation.hole:
            generation.since = generation.first_minute
        return at_end

    def share(self, saying: Saying) -> _Share:
        """Return what becomes of a saying that tells of an event."""
        where = saying.host, saying.instance
        stream = self._origins.get(where)
        if stream is None:
            stream = self._origins[where] = self._store.origin(self._log, *where)
        assert saying.event is not None
        return _Share(stream, saying.event)

    def new_counts(self) -> Counts:
        """Return what to count in."""
        return self._counts()

    def keep(self, counts: Counts) -> None:
        """Hand counts over to the store."""
        self._store.add(counts)


class _Share:
    """What becomes of a saying.

    stream: the number of its stream
    event:  its own; kind: of that
    tally:  what it adds to
    """

    __slots__ = ("event", "kind", "stream", "tally")

    def __init__(self, stream: int, event: Event) -> None:
        self.stream = stream
        self.event = event
        self.kind = event.kind
        self.tally = tally(event)


class _Life:
    """What four lines tell of one message.

    stream:   whose they are
    is_usual: whether it was taken in, taken up, sent and removed, as nearly every one is
    is_submitted: whether its client had logged in
    """

    __slots__ = ("is_submitted", "is_usual", "stream")

    def __init__(self, sayings: tuple[Saying, Saying, Saying, Saying]) -> None:
        first, _, third, _ = sayings
        shares = [saying.share for saying in sayings]
        self.stream = first.share.stream
        self.is_usual = (
            [share.kind for share in shares] == _LIFE
            and all(share.stream == self.stream for share in shares)
            and third.times == 1
        )
        self.is_submitted = first.event is not None and "submission" in first.event.also


class _Counting:
    """Counts one piece of a generation.

    before: the bytes before the piece, _BEFORE of them or as many as there are
    """

    def __init__(
        self, reading: PieceReader, generation: Generation, timestamps: Timestamps, before: bytes
    ) -> None:
        self._reading = reading
        self._generation = generation
        begins_a_line = len(before) < _BEFORE
        # Not with a method of its own: nobody would free the two, which is done without the
        # collector.
        self._scan = Scan(timestamps, b"\n" + before if begins_a_line else before, reading.share)
        self._counts = reading.new_counts()
        self._lines = self._events = 0
        self._sums = Sums()
        self._messages = Messages(self._sums)
        self._lives: dict[tuple[Saying, ...], _Life] = {}

    def add(self, block: bytes) -> None:
        """Count a block of lines."""
        counts = self._counts
        told = self._scan.block(block)
        events = 0
        for minute, said in told.said.items():
            for saying, lines in said.items():
                times = lines * saying.times
                events += times
                share = saying.share
                counts.add_tally(minute, share.stream, share.tally, times)
        for minute, saying, account in told.accounts:
            events += saying.times
            share = saying.share
            counts.add_tally(minute, share.stream, share.tally, saying.times, account)
        self._tell(told.lives)
        self._lines += number(block)
        self._events += events
        if counts.additions > _ADDITIONS:
            counts.add_sums(self._sums)
            self._reading.keep(counts)
            self._counts = self._reading.new_counts()

    def _tell(self, lives: dict[bytes, list[Line]]) -> None:
        """Take in what the lines of a block tell of messages, of each by itself."""
        messages = self._messages
        known = self._lives
        for queue_id, lines in lives.items():
            if len(lines) == len(_LIFE):
                (
                    (begun, first, _, _), (active, second, size, recipients),
                    (sent, third, _, _), (_, last, _, _),
                ) = lines  # fmt: skip
                sayings = first, second, third, last
                life = known.get(sayings)
                if life is None:
                    life = known[sayings] = _Life(sayings)
                if life.is_usual and messages.lived(
                    (life.stream, queue_id), begun, life.is_submitted,
                    active, size, recipients, sent,
                ):  # fmt: skip
                    continue
            for minute, saying, size, recipients in lines:
                share, times = saying.share, saying.times
                stream, event = share.stream, share.event
                messages.tell(minute, stream, event, times, queue_id, size, recipients)
                if share.kind in MESSAGES:
                    self._counts.add_message(minute, stream, share.kind, times, queue_id)
        messages.forget_some()
        if len(known) > _LIVES:
            known.clear()

    def finish(self, join: Callable[[Generation, Messages, Sums], None]) -> None:
        """Keep what was counted.

        join: brings what messages wait for together with the rest of the log
        """
        join(self._generation, self._messages, self._sums)
        self._counts.add_sums(self._sums)
        self._reading.keep(self._counts)
        scan = self._scan
        self._generation.line_counts += LineCounts(
            self._lines, self._events, scan.matched, scan.foreign, scan.unparsed
        )


def first_minute(data: bytes, timestamps: Timestamps) -> int | None:
    """Return the minute of the first line of some bytes that has one."""
    return _minute(data.split(b"\n", _LINES_ASKED), timestamps)


def _minute(lines: Iterable[bytes], timestamps: Timestamps) -> int | None:
    for line in lines:
        record = frame.parse(line)
        if record and (minute := timestamps.minute(record.stamp, record.zone)) is not None:
            return minute
    return None


def _up_to(stream: Stream, left: int) -> Callable[[int], bytes]:
    """Return a `read` that ends after so many bytes."""

    def read(size: int) -> bytes:
        nonlocal left
        data = stream.read(min(size, left))
        left -= len(data)
        return data

    return read


def _approach(stream: Stream, offset: int, deadline: float = inf) -> bytes:
    """Go to an offset; return the bytes before it."""
    start = max(0, offset - _BEFORE)
    stream.go_to(start, deadline)
    return stream.read_whole(offset - start)


def _start_of_line(stream: Stream, offset: int, stop: int) -> int | None:
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
