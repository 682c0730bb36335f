"""Several logs under one pattern: they come and go, and are read and judged like one."""

from __future__ import annotations

import os
import time

from check_postfix.common import named_logs
from check_postfix.maillog.ingest.progress import Progress
from check_postfix.maillog.source import whereabouts
from check_postfix.maillog.window.coverage import Coverage, Unread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from check_postfix.common.named_logs import NamedLog
    from check_postfix.maillog.store.store import Store

    class ReadLog(Protocol):
        """Brings the store up to one log."""

        def __call__(
            self, store: Store, path: str, share: float = 1, may_be_gone: bool = False
        ) -> Coverage:
            """Read; see opened_store.py."""


def read(
    store: Store,
    named: NamedLog,
    now: int,
    oldest: int,
    deadline: float,
    read_log: ReadLog,
    archives: Sequence[str],
) -> Coverage:
    """Bring the store up to the logs that a pattern finds; add those that are gone to it.

    What is counted of a log that is gone still belongs to the window, and what nobody had read of
    it is lost.

    now:    minutes since 1970
    oldest: the oldest minute that is kept
    deadline: time.monotonic() after which no further log is begun; the next run goes on there
    archives: directories that --archives names
    Raises: LogError, StoreError
    """
    assert named.wildcards is not None
    known = store.logs.of(named.name)
    if known is None:
        with store.transaction():
            known = store.logs.of(named.name) or store.logs.add(named.name)
            known.read, known.backlog = now, 0
            store.logs.save(known)
    gone = [name for name in _gone(store, named) if not _is_forgotten(store, name, oldest)]
    since = max((log.read or 0 for log in map(store.logs.of, gone) if log), default=0)
    parts = [
        read_log(store, path, 1 / (len(named.paths) - number))
        if time.monotonic() < deadline
        else _not_looked_at(store, path, now)
        for number, path in enumerate(named.paths)
    ]
    for name in gone:
        log = store.logs.of(name)
        if log and not os.path.lexists(name) and (log.backlog or store.generations.unsettled(log)):
            part = read_log(store, name, may_be_gone=True)
            if store.logs.of(name):  # else it is too old, and forgotten
                parts.append(part)
        elif log:
            parts.append(Progress(store, name, now).coverage(log))
    if not parts:
        raise named.wildcards.absence()
    absence = (
        f"{named.name}: each of the {len(parts)} files is empty; send a test mail; if they stay"
        " empty, see where mail is logged now and name that with --log"
    )
    coverage = Coverage.of_several(parts, known.read or now, absence)
    if not named.paths and not any(_is_rotated(name, archives) for name in gone):
        why = (
            f"{named.name}: none of the {len(parts)} logs that it has found is there any more; see"
            " where mail is logged now, and name that with --log"
        )
        coverage.unread = [*coverage.unread, Unread("", why, since, now)]
    named.paths.extend(gone)
    return coverage


def _is_rotated(name: str, archives: Sequence[str]) -> bool:
    """Tell whether the next line will make a log again that was rotated with nocreate."""
    return bool(whereabouts.of(name, archives).older())


def _not_looked_at(store: Store, path: str, now: int) -> Coverage:
    """Return what is covered of a log that there was no time for."""
    log = store.logs.of(path)
    if log is None:
        return Coverage(end=now + 1, complete=False)
    coverage = Progress(store, path, now).coverage(log)
    coverage.end = min(coverage.end, (log.read or 0) + 1)
    return coverage


def _gone(store: Store, named: NamedLog) -> list[str]:
    """Return the logs that the pattern found once, and finds no more."""
    assert named.wildcards is not None
    return [
        name
        for name in store.logs.names()
        if name not in named.paths
        and named.wildcards.has_made(name)
        and not named_logs.is_pattern(name)
    ]


def _is_forgotten(store: Store, name: str, oldest: int) -> bool:
    """Forget a log that nothing is kept of any more; tell whether it is forgotten."""
    log = store.logs.of(name)
    if log is None:
        return True
    last, _ = store.logs.read_so_far(log)
    if os.path.exists(name) or log.backlog or (last or 0) >= oldest:
        return False
    if store.generations.unsettled(log):
        return False
    with store.transaction():
        store.forgetting.log(log)
    return True
