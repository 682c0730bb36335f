"""The newest line of each origin: by it a host or instance is known to have fallen silent."""

from __future__ import annotations

from check_postfix.maillog.counts.families import NOBODY
from check_postfix.maillog.events.recogniser import is_of_daemon
from check_postfix.maillog.syntax import frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from check_postfix.maillog.store.logs import Log
    from check_postfix.maillog.store.store import Store
    from check_postfix.maillog.syntax.timestamps import Timestamps

    Names = tuple[bytes, bytes]

# Of a piece, so many blocks at its end are looked through; some 20,000 lines.
BLOCKS = 16

# What follows an instance in a tag, or its name in a line of RFC 5424.
_AFTER_INSTANCE = b"/:[ "


def save(
    store: Store,
    log: Log,
    events: dict[Names, int],
    blocks: Sequence[bytes],
    timestamps: Timestamps,
    latest: int,
    present: int,
) -> None:
    """Keep the minute of the newest line of each origin in a piece; inside a transaction only.

    In a night without mail a server still says who connects to it, so any line of its daemons
    will do; if the last blocks have none, the newest event is near enough.

    events: (host, instance) -> minute of the newest event
    blocks: the last of the piece
    timestamps: have read its last line
    latest: the newest minute that there can be: a host whose clock runs ahead does not know
            the future
    present: the newest minute that other pieces can have told of
    """
    newest = {names: min(minute, latest) for names, minute in events.items()}
    for _, host, instance, _ in store.origins.of(log):
        names = host.encode(), instance.encode()
        if names == NOBODY:
            continue
        minute = _newest_in(blocks, names, timestamps)
        if minute is not None:
            newest[names] = max(newest.get(names, 0), min(minute, latest))
    store.origins.save_newest(log, newest, present)


def _newest_in(blocks: Sequence[bytes], names: Names, timestamps: Timestamps) -> int | None:
    # It stands in each of its lines; a stranger can write it into another's, too.
    mark = b" ".join((b"", *filter(None, names)))
    for block in reversed(blocks):
        start = len(block)
        while (found := block.rfind(mark, 0, start)) >= 0:
            after = block[found + len(mark) : found + len(mark) + 1]
            if after not in _AFTER_INSTANCE:
                start = found
                continue
            start = block.rfind(b"\n", 0, found) + 1
            end = block.find(b"\n", found)
            line = block[start : len(block) if end < 0 else end]
            minute = _minute(line, names, timestamps)
            if minute is not None:
                return minute
    return None


def _minute(line: bytes, names: Names, timestamps: Timestamps) -> int | None:
    """Return the minute of a line if a daemon of this origin has written it."""
    record = frame.parse(line)
    if record is None or (record.host, record.instance) != names or not is_of_daemon(record):
        return None
    return timestamps.minute_before(record.stamp, record.zone)
