"""The survey: which file holds which generation.

Names, inodes and times of change only say where to look and what need not be
looked at again; what a file is, its content decides.

A file is looked at again if it may have changed: all of them when one in their directories has
got another name, and otherwise those that are still to be read and the newest ones.
"""

from __future__ import annotations

import os
from time import monotonic

from check_postfix.maillog.errors import LogError
from check_postfix.maillog.ingest import rotation
from check_postfix.maillog.source.generation import (
    FINGERPRINTED,
    FIRST_LINES,
    Generation,
    Replaced,
    fingerprints,
)
from check_postfix.maillog.source.logfile import LogFile, inode_at
from check_postfix.maillog.source.refusal import UnreadableNow
from check_postfix.maillog.store.seen import SeenFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from check_postfix.maillog.ingest.progress import Files, Progress
    from check_postfix.maillog.source.stream import Stream
    from check_postfix.maillog.store.logs import Log
    from check_postfix.maillog.store.store import Store

# So many files are looked into however little time there is.
LEAST_LOOKS = 20
# The newest files that may be written to under a name that they have had before.
_WATCHED = 64


class Survey:
    """What the files of a log are, as of now; inside a transaction only.

    progress: of the log
    now:      minutes since 1970
    deadline: time.monotonic() at which to stop looking into files
    first_minute: tells the minute of the first line of a file that begins so, None if it has none

    `unread` holds (file, generation) of what is to be read now, the newest last; `held` the files
    of each generation by its number; `unlooked` the files that there was no time to look into;
    `current` the generation of the live log; `is_all` whether all files of the log were listed.
    """

    def __init__(
        self,
        store: Store,
        log: Log,
        progress: Progress,
        now: int,
        deadline: float,
        first_minute: Callable[[LogFile, bytes], int | None],
    ) -> None:
        self._store = store
        self._log = log
        self._seen = store.seen(log)
        self._progress = progress
        self._now = now
        self._deadline = deadline
        self._first_minute = first_minute
        self._generations: dict[int, Generation] = {}
        self._looks = 0
        self._newest: set[str] = set()  # signatures
        # What files begin with that were looked into by this survey, by their generation.
        self._heads: dict[int, bytes] = {}
        self._renamed: dict[str, SeenFile] = {}
        self.unread: list[tuple[LogFile, Generation]] = []
        self.held: dict[int, list[LogFile]] = {}
        self.unlooked: list[LogFile] = []
        self.hidden: list[SeenFile] = []
        self.current: Generation | None = None
        self.is_all = False
        self._gone: set[str] = set()  # inodes
        # Whether there was no time to search for all that is in none of the files.
        self.is_search_open = False

    def live(self, file: LogFile) -> Generation | None:
        """Look at the live log alone."""
        row = self._seen.of(file.signature)
        if row and not row.unread:
            return None
        generation = self.generation(row.generation) if row and row.generation else None
        if generation is None:
            file, generation = self._look_into(file)
            self._keep(file, generation, is_unread=generation is not None)
        if generation is None:
            return None
        self.current = generation
        self.move(generation, rotation.IS_LIVE)
        return generation

    def everything(self, files: Files) -> None:
        """Look at all files that may have changed."""
        self.is_all = files.are_all
        rows = {row.signature: row for row in files.rows}
        there = {file.signature for file in files.files}
        gone = rows.keys() - there
        self._gone = {rows[signature].inode for signature in gone}
        self._renamed = {_bytes(rows[signature]): rows[signature] for signature in gone}
        new = []
        by_change = sorted(files.files, key=lambda file: file.modified, reverse=True)
        self._newest = {file.signature for file in by_change[:_WATCHED]}
        for file in files.files:
            row = rows.get(file.signature)
            if row is None or row.is_due(self._now, self._deadline - monotonic()):
                new.append(file)
            else:
                self._take(file, row)
        for file in new:
            if self._has_time(file):
                self._look_at(file, rows.get(file.signature))
            else:
                self.unlooked.append(file)
        self._seen.drop(gone)
        self._sort()

    def search(self, generations: Sequence[Generation]) -> None:
        """Look for generations that none of these files holds under other names beside the log."""
        # Nearly no rotation makes that necessary.
        from check_postfix.maillog.ingest import search

        # Whoever closes an open database gives up the locks of this process on it.
        state = inode_at(self._store.path)

        def is_known(file: LogFile) -> bool:
            return file.inode == state or self._progress.has_name(file.path)

        try:
            for file, generation in search.found(
                generations,
                self._progress.own_directories(),
                is_known,
                self._gone,
                self._store.key,
                self._deadline,
            ):
                self._hold(file, self._keep(file, generation, is_unread=True), generation)
        except search.UnfinishedSearchError:
            self.is_search_open = True
        self._sort()

    def _sort(self) -> None:
        self.unread.sort(
            key=lambda pair: (
                self._is_live(pair[0]),
                pair[1].first_minute or 0,
                # one generation in two files: the plain one is quicker to read
                not pair[0].compressed,
            )
        )

    def _is_live(self, file: LogFile | SeenFile) -> bool:
        return file.path == self._progress.live_path

    def _has_time(self, file: LogFile) -> bool:
        return self._is_live(file) or self._looks < LEAST_LOOKS or monotonic() < self._deadline

    def _take(self, file: LogFile, row: SeenFile) -> None:
        """Take a file for what it was before."""
        if row.path != file.path or row.watched != self._is_watched(row):
            row.path = file.path
            self._put(row)
        generation = self.generation(row.generation) if row.generation else None
        self._hold(file, row, generation)

    def _is_watched(self, row: SeenFile) -> bool:
        return row.signature in self._newest or self._is_live(row) or bool(row.unread or row.note)

    def _put(self, row: SeenFile) -> None:
        row.watched = self._is_watched(row)
        self._seen.put(row)

    def _hold(self, file: LogFile, row: SeenFile, generation: Generation | None) -> None:
        if generation is None:
            if row.note:
                self.hidden.append(row)
            return
        self.held.setdefault(generation.id, []).append(file)
        if self._is_live(file):
            self.current = generation
        if not row.rests:
            self.unread.append((file, generation))

    def _look_at(self, file: LogFile, row: SeenFile | None) -> None:
        """Look into a file that is new, or could not be read before."""
        self._looks += 1
        try:
            opened, generation = self._look_into(file)
        except LogError as error:
            if self._is_live(file):
                raise
            before = self._renamed.get(_bytes(file))
            if before and before.rests and not before.note and isinstance(error, UnreadableNow):
                # It cannot be read any more, but was, and nobody has written to it.
                row = SeenFile(file.signature, file.path, before.generation)
                self._put(row)
            else:
                row = self.refuse(file, error, row)
            known = self.generation(row.generation) if row.generation else None
            self._hold(file, row, known)
            return
        is_read = generation is None or self._was_read(opened, generation)
        kept = self._keep(opened, generation, is_unread=not is_read)
        self._hold(opened, kept, generation)

    def _was_read(self, file: LogFile, generation: Generation) -> bool:
        """Tell whether a compressed file is one that was read, under another name.

        A plain one may have been written to.
        """
        row = self._renamed.get(_bytes(file))
        return bool(
            row
            and file.compressed
            and row.path.endswith(os.path.splitext(file.path)[1])
            and row.generation == generation.id
            and not row.unread
            and not row.note
        )

    def _keep(self, file: LogFile, generation: Generation | None, is_unread: bool) -> SeenFile:
        number = 0
        if generation:
            if not generation.id:
                found = rotation.IS_LIVE if self._is_live(file) else rotation.IS_OLD
                self.move(generation, found)
                self._generations[generation.id] = generation
            number = generation.id
        row = SeenFile(file.signature, file.path, number, unread=is_unread)
        self._put(row)
        return row

    def refuse(self, file: LogFile, error: LogError, row: SeenFile | None = None) -> SeenFile:
        """Keep that a file cannot be read: for ever if that is because of what is in it."""
        row = row or self._seen.of(file.signature) or SeenFile(file.signature, file.path)
        row.note = str(error)
        row.tries = row.tries if isinstance(error, UnreadableNow) else 0
        if isinstance(error, UnreadableNow):
            row.put_off(self._now, self._deadline - monotonic())
        self._put(row)
        return row

    def read(self, file: LogFile, generation: Generation, is_whole: bool) -> None:
        """Keep how far a file was read."""
        row = self._seen.of(file.signature) or SeenFile(file.signature, file.path)
        row.generation, row.unread = generation.id, not is_whole
        row.note, row.tries, row.next_try = "", 0, 0
        self._put(row)

    def generation(self, number: int) -> Generation | None:
        """Return the generation of this number, the same object each time."""
        if number not in self._generations:
            found = self._store.generations.of(self._log, number)
            if not found:
                return None
            self._generations[number] = found
        return self._generations[number]

    def move(self, generation: Generation, moved_by: str) -> str:
        """Move a generation along an edge of rotation.py's table, and keep where it is then."""
        before = rotation.state(generation)
        after = rotation.move(generation, moved_by)
        if after != before:
            self._store.generations.save(self._log, generation)
        return after

    def unsettled(self) -> list[Generation]:
        """Return the generations of which more may be found."""
        unsettled = self._store.generations.unsettled(self._log)
        found = [self.generation(stored.id) for stored in unsettled]
        # What was lost while there was a hole in it has that for ever.
        return [held for held in found if held and rotation.state(held) != rotation.OLD_READ]

    def files_of(self, generation: Generation) -> list[LogFile] | list[SeenFile]:
        """Return the files that hold a generation."""
        files = self.held.get(generation.id, [])
        return files or ([] if self.is_all else self._seen.holding(generation.id))

    def is_all_unread(self, generation: Generation) -> bool:
        """Tell whether there is more to be read in each file that holds a generation."""
        unread = {file.path for file, held in self.unread if held is generation}
        return all(file.path in unread for file in self.files_of(generation))

    def may_be_hidden(self, generation: Generation) -> bool:
        """Tell whether a generation may be in a file that nobody could look into."""
        last = max(generation.last or 0, generation.first_minute or 0)
        return (
            self.is_search_open
            or any(row.modified >= last for row in self.hidden)
            or any(file.modified // 60 >= last for file in self.unlooked)
        )

    def _look_into(self, file: LogFile) -> tuple[LogFile, Generation | None]:
        """Return the file as it was opened, and its generation, None if it has no line yet."""
        with file.open(self._deadline) as stream:
            opened = LogFile(file.path, stream.status())
            data = stream.read_head(FIRST_LINES)
            if opened.inode != file.inode:
                raise Replaced
            head = fingerprints(data[:FINGERPRINTED], self._store.key)
            if not head:
                return opened, None
            generation = self._known(data, stream.blank, head)
            if not generation:
                if not self._is_live(file) and not self._progress.has_name(file.path):
                    return opened, None  # A name of its own is taken for what is known only.
                first_minute = self._first_minute(opened, data)
                generation = self._trimmed(file, stream, head, first_minute) or Generation(
                    head=head, first_minute=first_minute
                )
        self._heads.setdefault(id(generation), data[:FINGERPRINTED])
        return opened, generation

    def _trimmed(
        self, file: LogFile, stream: Stream, head: bytes, first_minute: int | None
    ) -> Generation | None:
        """Return the generation that a file holds without its beginning, if there is one."""
        for known in self._store.generations.newest(self._log):
            generation = self.generation(known.id)
            # What another file holds as a whole is nowhere else, but perhaps in the live log.
            is_elsewhere = known.id in self.held and not self._is_live(file)
            if not generation or not generation.tail_size or is_elsewhere:
                continue
            # Nearly no log is trimmed.
            from check_postfix.maillog.ingest import trimmed

            if not trimmed.may_be_left(generation, first_minute):
                continue
            end = trimmed.counted_up_to(stream, generation, self._store.key, self._deadline)
            if end is not None:
                trimmed.go_on(self._store, self._log, generation, head, end, first_minute)
                return generation
        return None

    def _known(self, data: bytes, blank: int, head: bytes) -> Generation | None:
        """Return the generation that a file holds which begins so, if it is known."""
        like = self._store.generations.like(self._log, head)
        known = [self.generation(stored.id) for stored in like]
        candidates = [
            generation
            for generation in known
            if generation and generation.likeness(head) and self._may_hold(generation, data, blank)
        ]
        return max(candidates, key=lambda known: known.likeness(head), default=None)

    def _may_hold(self, generation: Generation, data: bytes, blank: int) -> bool:
        """Tell whether a file that begins so may hold a generation with such a fingerprint.

        Fingerprints of heads are of certain sizes, so those of short files say little. What is
        counted of a short generation is compared as a whole.
        """
        counted = generation.end - blank
        if 0 < counted <= min(len(data), FINGERPRINTED):
            tail = (b"\0" * min(blank, FINGERPRINTED) + data[:counted])[-generation.tail_size :]
            return generation.has_tail(tail, self._store.key)
        if len(data) >= FINGERPRINTED:
            return True
        other = self._heads.get(id(generation))
        if other is None:
            other = self._head_of(generation)
        common = min(len(data), len(other))
        return data[:common] == other[:common]

    def _head_of(self, generation: Generation) -> bytes:
        """Return how a file begins that holds a generation, nothing if none can be read."""
        for row in self._seen.holding(generation.id):
            try:
                with LogFile(row.path, os.stat(row.path)).open(self._deadline) as stream:
                    data = stream.read_head(FINGERPRINTED)
            except (LogError, OSError):
                continue
            if generation.likeness(fingerprints(data, self._store.key)):
                self._heads[id(generation)] = data
                return data
        return b""


def _bytes(file: LogFile | SeenFile) -> str:
    """Return what tells that a file's bytes are the same, unless somebody takes great care."""
    return file.signature.rsplit(":", 2)[0]
