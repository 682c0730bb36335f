"""Which logs are read: what --log, --journal and --journal-match name, as of now."""

from __future__ import annotations

import os
import time

from check_postfix.common.log_options import LOG
from check_postfix.maillog.errors import LogError
from check_postfix.maillog.source import archives, whereabouts
from check_postfix.maillog.source.logfile import inode_at
from check_postfix.maillog.store.logs import journal_name
from check_postfix.plugin import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence

    from check_postfix.maillog.source.logfile import Inode
    from check_postfix.maillog.source.name_pattern import NamePattern
    from check_postfix.maillog.store.store import Store

# What may be spent on looking whether a file is one that was read under another name
_LOOKING_SECONDS = 1.0
# Without one of these a path is no pattern.
_SIGNS = "*?[%"


class NamedLog:
    """What one option names.

    name:      as output says it: a path, a pattern, or the journal's name in the store
    paths:     of the logs that this is now; one, or any number where it has wildcards
    wildcards: the pattern of these, None if it has none
    """

    __slots__ = ("name", "paths", "wildcards")

    def __init__(self, name: str, paths: list[str], wildcards: NamePattern | None) -> None:
        self.name = name
        self.paths = paths
        self.wildcards = wildcards

    @property
    def is_journal(self) -> bool:
        """Whether it is the journal, or a part of it."""
        return not self.name.startswith("/")


def journal(matches: Sequence[str] | None) -> NamedLog:
    """Return the journal, or the part of it that these matches choose: they are its name."""
    name = journal_name(matches or ())
    return NamedLog(name, [name], None)


def of(options: Namespace, store: Store) -> tuple[list[NamedLog], list[str]]:
    """Return what the options name, the journal last; and what is left out of that, in sentences.

    Raises: LogError; UsageError if a log would be read twice
    """
    wants_journal = options.journal or options.journal_match
    if not options.log:
        return [journal(options.journal_match) if wants_journal else _usual()], []
    logs = [_named(written) for written in dict.fromkeys(map(os.path.abspath, options.log))]
    notes: list[str] = []
    if len(logs) > 1 or logs[0].wildcards:
        logs, notes = _each_once(logs, options.archives, store)
    return [*logs, *([journal(options.journal_match)] if wants_journal else [])], notes


def refusals(logs: Sequence[NamedLog]) -> list[str]:
    """Return why the wildcards of some logs may have found too little, one reason for each."""
    return [
        str(log.wildcards.refused[0]) for log in logs if log.wildcards and log.wildcards.refused
    ]


def _usual() -> NamedLog:
    """Return the log to read when none is named.

    Raises: LogError
    """
    try:
        path = archives.usual_log()
    except LogError:
        from check_postfix.maillog.source import journalctl

        if not journalctl.has_journal():
            raise
        return journal(None)
    return NamedLog(path, [path], None)


def _named(path: str) -> NamedLog:
    """Return what a path or pattern stands for now.

    Raises: LogError, UsageError
    """
    if not any(sign in path for sign in _SIGNS):
        return NamedLog(path, [path], None)
    # Compiles expressions, and most runs have a plain name.
    from check_postfix.maillog.source import name_pattern

    has_wildcards = name_pattern.has_wildcards(path)
    if not has_wildcards and not name_pattern.is_dated(path):
        return NamedLog(path, [path], None)
    try:
        pattern = name_pattern.NamePattern(path)
    except ValueError as error:
        raise LOG.fault(path, error) from None
    if not has_wildcards:
        return NamedLog(pattern.written, [pattern.written], None)
    return NamedLog(pattern.written, [], pattern)


def _each_once(
    logs: Sequence[NamedLog], named: Sequence[str], store: Store
) -> tuple[list[NamedLog], list[str]]:
    """Return the logs without files that another one of them has, and what is left out."""
    taken = _generations([log.name for log in logs if not log.wildcards], named)
    notes: list[str] = []
    found = []
    there: set[str] = set()
    for log in logs:
        paths = log.paths
        read: dict[Inode, str] = {}
        if log.wildcards:
            paths, read = _found_by(log.wildcards, store), _files_read(log.wildcards, store)
        kept = []
        for path in paths:
            if path in there:
                continue
            is_file = log.wildcards or _is_alone(path)
            holder = _holder(path, taken, read, store) if is_file else path
            if holder == path:
                kept.append(path)
                there.add(path)
            else:
                notes.append(f"{path} is the same file as {holder}, and read once")
        if kept or log.wildcards:
            found.append(NamedLog(log.name, kept, log.wildcards))
    return found, notes


def _generations(paths: Sequence[str], named: Sequence[str]) -> dict[Inode, str]:
    """Return inode -> log, of the files that are read with one of some logs but are not it.

    Raises: UsageError if one of the logs is such a file
    """
    taken: dict[Inode, str] = {}
    # A name beside a pattern is a link to what is written to now.
    for path in sorted(paths, key=_is_alone):
        where = whereabouts.of(path, named)
        for older in where.older():
            if older.path in paths:
                raise UsageError(
                    f"{LOG.flag} {older.path}: is a rotated generation of {path} and read with it;"
                    " leave it out"
                )
            taken.setdefault(older.inode, path)
        if where.live_path != path and (live := where.live()):
            taken.setdefault(live.inode, path)
    return taken


def _holder(path: str, taken: dict[Inode, str], read: Mapping[Inode, str], store: Store) -> str:
    """Return by which name a file is read.

    taken: inode -> log, of what is read already; this file is put there
    read:  as which log each file was read in earlier runs
    """
    inode = inode_at(path)
    if inode is None:  # who reads it says why
        return path
    holder = taken.setdefault(inode, path)
    before = read.get(inode, path)
    if holder != path or before == path:
        return holder
    return before if _goes_on(store, before, path) else path


def _files_read(pattern: NamePattern, store: Store) -> dict[Inode, str]:
    """Return inode -> log of the files that were read as logs of a pattern."""
    # Few logs are named by a pattern.
    from check_postfix.maillog.store import read_files

    return {inode: name for name, inode in read_files.all_of(store) if pattern.has_made(name)}


def _goes_on(store: Store, log: str, path: str) -> bool:
    """Tell whether a file is what was read of a log, and not a new one that has got its inode."""
    # Nearly no file has another name at the next run.
    from check_postfix.maillog.ingest.search import holds
    from check_postfix.maillog.source import logfile

    known = store.logs.of(log)
    if known is None:
        return False
    try:
        file = logfile.look(path)
    except (FileNotFoundError, LogError):  # who reads it says why
        return False
    numbers = {seen.generation for seen in store.seen(known).all() if seen.generation}
    read = (store.generations.of(known, number) for number in numbers)
    deadline = time.monotonic() + _LOOKING_SECONDS
    return any(generation and holds(file, generation, store.key, deadline) for generation in read)


def is_pattern(name: str) -> bool:
    """Tell whether a log's name in the store is that of a pattern with wildcards."""
    if not any(sign in name for sign in _SIGNS):
        return False
    from check_postfix.maillog.source import name_pattern

    return name_pattern.has_wildcards(name)


def _is_alone(path: str) -> bool:
    """Tell whether this is the name of one file."""
    return not isinstance(whereabouts.of(path), whereabouts.DatedWhereabouts)


def _is_of_store(path: str, store: Store) -> bool:
    """Tell whether a file is the store's.

    Whoever opens it, and closes it again, gives up the locks of this process on it.
    """
    if store.path is None:
        return False
    own = inode_at(store.path)
    is_same = own is not None and own == inode_at(path)
    return is_same or path == f"{os.path.abspath(store.path)}-journal"


def _found_by(pattern: NamePattern, store: Store) -> list[str]:
    """Return the names of the logs that a pattern with wildcards finds; those known come first.

    Raises: LogError if there is none, and never was
    """
    live = [path for path in pattern.logs() if not _is_of_store(path, store)]
    known = set(store.logs.names())
    if not live and not any(map(pattern.has_made, known)):
        raise pattern.absence()
    return sorted(live, key=lambda name: (name not in known, os.path.islink(name), name))
