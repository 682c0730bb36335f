"""The files of a log: how old they are, and who may read them."""

from __future__ import annotations

import os
import stat

from check_postfix.maillog.window.aged_file import AgedFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from check_postfix.maillog.store.store import Store


def files(store: Store, logs: Sequence[str], now: int) -> list[AgedFile]:
    """Return the files of some logs that are still there.

    logs: their names in the store; the journal has no files
    now:  minutes since 1970
    """
    found: dict[str, AgedFile] = {}
    for log in filter(None, map(store.logs.of, logs)):
        for seen in store.seen(log).all():
            if not seen.path:
                continue
            try:
                status = os.stat(seen.path)
            except OSError:  # rotated away, or nobody but root can see it
                continue
            generation = store.generations.of(log, seen.generation) if seen.generation else None
            last = generation.last if generation else None
            found[seen.path] = AgedFile(
                seen.path,
                stat.S_IMODE(status.st_mode),
                min(now, int(status.st_mtime) // 60 if last is None else last),
                bool(generation and generation.live),
            )
    return sorted(found.values(), key=lambda file: (file.last, file.path))
