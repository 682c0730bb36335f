"""A log that was trimmed from its top: it begins anew, and what is counted of it ends inside.

That is what `tail -n 1000 mail.log > some; cat some > mail.log` makes. The bytes before the offset
up to which the log is counted tell where they stand now. If less than these are left of what is
counted, or if they are all of one line, nobody can tell, and what is left is taken for new lines.
"""

from __future__ import annotations

from time import monotonic

from check_postfix.maillog.source.generation import FINGERPRINTED, Generation, fingerprint
from check_postfix.maillog.source.stream import TooLong
from check_postfix.maillog.store.pending import HOLE_END, HOLE_START, Boundary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from check_postfix.maillog.source.stream import Stream
    from check_postfix.maillog.store.logs import Log
    from check_postfix.maillog.store.store import Store

_CHUNK_BYTES = 256 * 1024
# The last line counted may have no time, or be of a host whose clock is behind. In minutes.
_SLACK = 5


def may_be_left(generation: Generation, first_minute: int | None) -> bool:
    """Tell whether a file may hold the rest of a generation.

    first_minute: of the file's first line
    """
    return (
        generation.tail_size == FINGERPRINTED
        and generation.last is not None
        and first_minute is not None
        and first_minute <= generation.last + _SLACK
    )


def counted_up_to(
    stream: Stream, generation: Generation, key: bytes, deadline: float
) -> int | None:
    """Return up to which offset of a file a generation is counted, None if it is not in there.

    Raises: TooLong, LogError
    """
    size = generation.tail_size
    stream.go_to(0)
    offset = 0
    data = b""
    while more := stream.read(_CHUNK_BYTES):
        data += more
        newline = data.find(b"\n", size - 1)
        while newline >= 0:
            after = newline + 1
            tail = data[after - size : after]
            # With a whole line in it, and so a time: a stranger can have two lines end alike.
            if b"\n" in tail[:-1] and fingerprint(tail, key) == generation.tail:
                return offset + after
            newline = data.find(b"\n", after)
        # What may be the beginning of these bytes.
        passed = max(0, len(data) - size + 1)
        offset += passed
        data = data[passed:]
        if monotonic() > deadline and offset > _CHUNK_BYTES:
            raise TooLong(
                f"{stream.path}: begins anew, and is too big to be searched within the timeout for"
                " what is counted; run once with a longer --timeout"
            )
    return None


def go_on(
    store: Store,
    log: Log,
    generation: Generation,
    head: bytes,
    end: int,
    first_minute: int | None,
) -> None:
    """Let a generation be the one that begins now where its file does.

    A copy of the whole log is known by another one from now on, of which nothing is to be read:
    what it has is counted, or stands in the trimmed log as well.

    head, first_minute: of the trimmed file
    end: up to which offset of it the generation is counted
    """
    whole = Generation(
        head=generation.head,
        end=generation.end,
        tail_size=generation.tail_size,  # of no bytes that there are
        first_minute=generation.first_minute,
        since=generation.since,
        last=generation.last,
        done=True,
    )
    store.generations.save(log, whole)
    # A run that came while the log was being written anew has seen next to nothing of it.
    store.gaps.close(log, generation.id)
    cut = generation.end - end
    if generation.hole and generation.hole_start < cut:
        first = generation.first_minute if generation.first_minute is not None else first_minute
        if first is not None and first_minute is not None:
            store.gaps.add(log, min(first, first_minute), first_minute)
    if generation.hole and generation.hole_end <= cut:
        for side in (HOLE_START, HOLE_END):
            store.pending.drop(Boundary(log.id, generation.id, side))
    generation.hole_start = max(0, generation.hole_start - cut)
    generation.hole_end = max(0, generation.hole_end - cut)
    if not generation.hole:
        generation.since = first_minute
    generation.head, generation.end, generation.first_minute = head, end, first_minute
    store.generations.save(log, generation)
