"""Read files: which files of the logs were read, and how much of them is left to be read."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from check_postfix.maillog.store.logs import Log
    from check_postfix.maillog.store.seen import SeenFile
    from check_postfix.maillog.store.store import Store


def all_of(store: Store) -> list[tuple[str, tuple[int, int]]]:
    """Return (name of a log, device and inode) of each file that holds a generation.

    Raises: DamagedStore
    """
    found = []
    with store.readable():
        for log in store.logs.all():
            for file in store.seen(log).all():
                if file.generation:
                    device, inode, *_ = map(int, file.signature.split(":"))
                    found.append((log.path, (device, inode)))
    return found


def unread(store: Store, log: Log) -> list[tuple[SeenFile, int]]:
    """Return the files of a log that are still to be read, and how much of each, in bytes.

    It is about so much: of a compressed file that was begun nobody knows.
    """
    found = []
    for file in store.seen(log).all():
        if not file.rests:
            known = store.generations.of(log, file.generation) if file.generation else None
            left = file.size
            if known and known.end:
                left = known.hole
                left += 0 if file.compressed else max(0, file.size - known.end)
            found.append((file, left))
    return found
