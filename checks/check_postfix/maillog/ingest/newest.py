"""The newest line of each origin: by it a host or instance is known to have fallen silent."""

from __future__ import annotations

from check_postfix.maillog.events.recogniser import is_of_daemon
from check_postfix.maillog.syntax import frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from check_postfix.maillog.store.store import Log, Store
    from check_postfix.maillog.syntax.timestamps import Timestamps

    Names = tuple[bytes, bytes]

# Of a piece, so many blocks at its end are looked through; some 20,000 lines.
BLOCKS = 16

_DOVECOT = b"dovecot"


def save(
    store: Store,
    log: Log,
    events: dict[Names, int],
    blocks: Sequence[bytes],
    timestamps: Timestamps,
    latest: int,
) -> None:
    """Keep the minute of the newest line of each origin in a piece; inside a transaction only.

    In a night without mail a server still says who connects to it, so any line of its daemons
    will do; if the last blocks have none, the newest event is near enough.

    events: (host, instance) -> minute of the newest event
    blocks: the last of the piece
    latest: the newest minute that there can be: a host whose clock runs ahead does not know
            the future
    """
    newest = {names: min(minute, latest) for names, minute in events.items()}
    for _, host, instance, _ in store.origins(log):
        names = host.encode(), instance.encode()
        minute = _newest_in(blocks, names, timestamps)
        if minute is not None:
            newest[names] = max(newest.get(names, 0), min(minute, latest))
    store.save_newest(log, newest)


def _newest_in(blocks: Sequence[bytes], names: Names, timestamps: Timestamps) -> int | None:
    mark = _mark(*names)
    for block in reversed(blocks):
        start = len(block)
        while (found := block.rfind(mark, 0, start)) >= 0:
            start = block.rfind(b"\n", 0, found) + 1
            end = block.find(b"\n", found)
            line = block[start : len(block) if end < 0 else end]
            minute = _minute(line, names, timestamps)
            if minute is not None:
                return minute
    return None


def _mark(host: bytes, instance: bytes) -> bytes:
    """Return what stands in each line of an origin; a stranger can write it elsewhere, too."""
    tag = instance if instance == _DOVECOT else instance + b"/"
    return b" %s %s" % (host, tag) if host else b" " + tag


def _minute(line: bytes, names: Names, timestamps: Timestamps) -> int | None:
    """Return the minute of a line if a daemon of this origin has written it."""
    record = frame.parse(line)
    if record is None or (record.host, record.instance) != names or not is_of_daemon(record):
        return None
    return timestamps.minute(record.stamp, record.zone)
