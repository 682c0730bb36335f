"""The search: from patterns to whole messages.

The log is read several times, each time at the speed of a search for a text: first for the
patterns, then for the queue IDs of the messages that they were found in, and for those that
these lead to or come from, until no new one turns up. So it takes no more memory for a
larger log, and finds what stands before the line that was looked for.
"""

from __future__ import annotations

import re
from collections import namedtuple
from functools import partial
from math import inf

from check_postfix.command import parts
from check_postfix.command.context import Context, Near, near
from check_postfix.command.history import Message, is_of, messages
from check_postfix.command.line import Line, read
from check_postfix.command.logs import BLOCK_BYTES, Rotated
from check_postfix.maillog.errors import LogError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, TypeVar

    from check_postfix.command.found import FoundLines
    from check_postfix.command.history import Key
    from check_postfix.command.logs import File, Logs
    from check_postfix.command.parts import FilePart
    from check_postfix.command.pattern import Pattern

    Looked = TypeVar("Looked")

# Of more messages nobody reads the histories, and their IDs would need more memory.
MOST_MESSAGES = 100_000
# From one ID to the next, so many times: filters, aliases, notifications and other servers that
# one message meets are fewer.
MOST_STEPS = 12
# So few texts are looked for one by one, which is the fastest.
_FEW = 8
# Where a queue ID stands: at the begin of a text, or where a message goes on.
_find_ids = re.compile(
    rb"(?:: |\bas |notification: |orig_queue_id=)([0-9A-Z][0-9A-Za-z]{5,63})(?=[:),\s.]|$)",
    re.MULTILINE,
).finditer
# A message is in the queue for no longer, but for one on hold: maximal_queue_lifetime is 5 days,
# and its notification may wait as long.
_LIFETIME = 30 * 86400


class Hits(namedtuple("Hits", "lines first last near")):
    """What the patterns were found in, in one block.

    lines: number of the pattern, and line
    first, last: of the block; the last one is the last that is understood
    near:  the lines around, None if nobody asks for them
    """

    __slots__ = ()

    lines: list[tuple[int, Line]]
    first: Line | None
    last: Line | None
    near: Near | None


class TooManyError(Exception):
    """More messages than can be told apart in little memory."""


class Search:
    """One search.

    logs:     what is read
    found:    where the lines are kept
    since, until: seconds since 1970; a line with a pattern is looked for between them
    progress: is told of each block: the file's name and how many bytes
    around:   lines that are kept before and after each one with a pattern
    jobs:     processes that read a long log

    goes_on: whether messages lead to more than were looked for
    first, last: times of the oldest and the newest line that were seen, in seconds
    """

    def __init__(
        self,
        logs: Logs,
        found: FoundLines,
        since: float,
        until: float,
        progress: Callable[[str, int], None],
        around: int,
        jobs: int,
    ) -> None:
        self._around = around
        self._jobs = jobs
        self._logs = logs
        self._found = found
        self._since, self._until = since, until
        self._progress = progress
        self._ids: set[bytes] = set()
        self._hosts: set[bytes] = set()
        self.goes_on = False
        self._hit_since = float("inf")
        self._unread: set[int] = set()
        self.first: float | None = None
        self.last: float | None = None

    def run(self, patterns: Sequence[Pattern]) -> None:
        """Find the lines with the patterns, and all lines of their messages.

        Raises: TooManyError; Rotated if a log was rotated meanwhile
        """
        new = self._find_patterns(patterns)
        for _ in range(MOST_STEPS):
            if not new:
                return
            self._ids |= new
            if len(self._ids) > MOST_MESSAGES:
                raise TooManyError
            new = self._find_messages(new) - self._ids
        self.goes_on = bool(new)

    def looked_at(self) -> list[File]:
        """Return the files that may have lines of that time, and could be read."""
        return [file for file in self._new_enough() if file.number not in self._unread]

    @property
    def has_unread(self) -> bool:
        """Whether a file could not be read."""
        return bool(self._unread)

    # -- reading

    def _new_enough(self) -> list[File]:
        return [file for file in self._logs.files if file.modified >= self._since]

    def _read(
        self, files: Sequence[File], look: Callable[[File, int, bytes], Looked]
    ) -> Iterator[tuple[File, Looked]]:
        """Yield what was found in each block of some files, in their order.

        look: looks through a block of a file, which begins there; maybe in another process
        """
        files = [file for file in files if file.number not in self._unread]

        def read_part(part: FilePart) -> Iterator[tuple[int, Looked | str | Rotated]]:
            file = files[part.file]
            if part.before:  # by it stamps are read that mean more than one minute
                read(part.before, (file.number, 0), file.timestamps)
            try:
                for start, block in file.blocks(part.start, part.end):
                    yield len(block), look(file, start, block)
            except LogError as error:
                yield 0, str(error)
            except Rotated as error:
                yield 0, error

        for part, (size, found) in self._answers(files, read_part):
            file = files[part.file]
            if isinstance(found, Rotated):
                raise found
            if isinstance(found, str):
                self._unread.add(file.number)
                self._logs.notes.append(found)
                continue
            self._progress(file.name, size)
            yield file, found

    def _answers(
        self, files: Sequence[File], read_part: Callable[[FilePart], Iterator[Any]]
    ) -> Iterator[tuple[FilePart, Any]]:
        if cut := parts.for_several(files, self._jobs, BLOCK_BYTES):
            # Who reads alone loads none of this.
            from check_postfix.workers import Workers

            with Workers(min(self._jobs, len(cut)), cut, read_part) as workers:
                yield from workers.answers()
            return
        for part in parts.whole(files):
            for answer in read_part(part):
                yield part, answer

    def _find_patterns(self, patterns: Sequence[Pattern]) -> set[bytes]:
        """Keep the lines with the patterns; return the IDs of messages to be looked for.

        Where a pattern is a queue ID, and any time will do, all lines of its message, and all that
        name it, are among those with the pattern: it need not be looked for again.
        """
        ids = set()
        of_id = self._whole_ids(patterns)
        naming: list[tuple[Key, dict[bytes, bytes], bytes]] = []
        contexts = {
            file.number: Context(self._around, partial(self._found.add_context, file.number))
            for file in self._logs.files
        }

        newest: dict[int, float] = {}
        for file, found in self._read(self._new_enough(), partial(self._hits, patterns)):
            # What stands around a line may stand in another block.
            if found.near:
                contexts[file.number].take(found.near)
            if first := found.first:
                self.first = first.time if self.first is None else self.first
                host = first.record.host.lower()
                self._hosts |= {host, host.split(b".")[0]}
            if found.last:
                newest[file.number] = found.last.time
            for number, line in found.lines:
                self._found.add(line)
                self._found.add_hit(number, line)
                self._hit_since = min(self._hit_since, line.time)
                if not line.queue_id:
                    continue
                ids.add(line.queue_id)
                if number in of_id:
                    message = Message((line.record.host, line.queue_id), [line])
                    if message.leads_to or message.comes_from:
                        naming.append((message.key, message.leads_to, message.comes_from))
        self.last = max(newest.values(), default=None)
        self._ids |= set(of_id.values())
        for key, leads_to, comes_from in naming:
            named = self._named(leads_to, comes_from)
            self._link(key, named)
            ids |= _led_to(key[1], named, self._ids)
        return ids - self._ids

    def _hits(self, patterns: Sequence[Pattern], file: File, start: int, block: bytes) -> Hits:
        """Return what the patterns are found in, in a block of a file, which begins there."""
        lines = []
        first = file.line(block, start, 0)
        for number, pattern in enumerate(patterns):
            for at in pattern.found(block):
                line = file.line(block, start, at)
                if line is not None and self._since <= line.time < self._until:
                    lines.append((number, line))
        hits = [line.place[1] - start for _, line in lines]
        around = near(start, block, hits, self._around) if self._around else None
        return Hits(lines, first, file.last_line(block, start), around)

    def _whole_ids(self, patterns: Sequence[Pattern]) -> dict[int, bytes]:
        """Return the patterns that are a whole queue ID, by their numbers."""
        if self._since > 0 or self._until < inf:
            return {}
        whole = {number: pattern.queue_id() for number, pattern in enumerate(patterns)}
        return {number: queue_id for number, queue_id in whole.items() if queue_id}

    def _named(self, leads_to: dict[bytes, bytes], comes_from: bytes) -> set[bytes]:
        """Return the IDs that a line names for where its message goes on, or comes from."""
        ours = {queue_id for queue_id, relay in leads_to.items() if is_of(relay, self._hosts)}
        return (ours | {comes_from}) - {b""}

    def _link(self, key: Key, named: set[bytes]) -> None:
        for queue_id in named:
            self._found.add_link(key, queue_id)

    def _find_messages(self, ids: set[bytes]) -> set[bytes]:
        """Keep all lines of these queue IDs; return the IDs that they lead to or come from."""
        find = _one_by_one if len(ids) <= _FEW else _all_at_once

        def look(file: File, start: int, block: bytes) -> list[tuple[Line, set[bytes]]]:
            found = []
            for at in find(ids, block):
                line = file.line(block, start, at)
                if line is None or not line.queue_id:
                    continue
                message = Message((line.record.host, line.queue_id), [line])
                named = self._named(message.leads_to, message.comes_from)
                if named or line.queue_id in ids:
                    found.append((line, named))
            return found

        further = set()
        oldest = self._hit_since - _LIFETIME
        files = [file for file in self._logs.files if file.modified >= oldest]
        for _, found in self._read(files, look):
            for line, named in found:
                self._link((line.record.host, line.queue_id), named)
                if line.queue_id in ids:
                    self._found.add(line)
                further |= _led_to(line.queue_id, named, ids)
        return further

    # -- what was found

    def context(self, messages: Sequence[Message]) -> list[tuple[tuple[int, int], bytes]]:
        """Return the lines that stand near those with a pattern, and are none of these messages."""
        lines = [line for message in messages for line in message.lines]
        own = {line.place for line in lines}
        near = {
            place: raw
            for line in lines
            if self._found.patterns(line)
            for place, raw in self._found.context(line.place)
            if place not in own
        }
        return sorted(near.items())

    def groups(self) -> Iterator[tuple[list[Message], set[int]]]:
        """Yield messages that lead to each other, with the numbers of the patterns in them.

        A line with a pattern that is about no message comes alone, as one without a queue ID.
        """
        told: set[tuple[int, int]] = set()
        for key, place in self._found.hits():
            if place[1:] in told:
                continue
            line = self._found.line(key, place, self._again)
            if not key[1]:
                yield [Message(key, [line])], self._found.patterns(line)
                continue
            group = self._group(key, line)
            there: set[int] = set()
            for found in (found for message in group for found in message.lines):
                if numbers := self._found.patterns(found):
                    told.add(found.place)
                    there |= numbers
            yield group, there

    def _group(self, key: Key, line: Line) -> list[Message]:
        """Return the message that a line is about, and all that it leads to and comes from."""
        first = next(m for m in self._messages(key) if line.place in {x.place for x in m.lines})
        group, open_ends = [first], [first]
        while open_ends:
            message = open_ends.pop()
            for other in self._related(message):
                if all(other.lines[0].place != known.lines[0].place for known in group):
                    group.append(other)
                    open_ends.append(other)
        return sorted(group, key=lambda message: message.first)

    def _related(self, message: Message) -> Iterator[Message]:
        for queue_id in (*message.leads_to, message.comes_from):
            for key in self._found.keys_named(queue_id) if queue_id else ():
                for other in self._messages(key):
                    if message.may_lead_to(other) or other.may_lead_to(message):
                        yield other
        for key in self._found.leading_to(message.key[1]):
            for other in self._messages(key):
                if other.may_lead_to(message):
                    yield other

    def _messages(self, key: Key) -> list[Message]:
        return list(messages(key, self._found.lines(key, self._again)))

    def _again(self, raw: bytes, place: tuple[int, int]) -> Line | None:
        return read(raw, place, self._logs.files[place[0]].timestamps)


def _led_to(queue_id: bytes, named: set[bytes], ids: set[bytes]) -> set[bytes]:
    """Return the IDs that a line leads to from one of these, in either direction.

    named: in the line, which is of this ID
    """
    if queue_id in ids:
        return named
    return {queue_id} if named & ids else set()


def _one_by_one(ids: set[bytes], block: bytes) -> Iterator[int]:
    """Yield where one of these IDs stands in a block; perhaps twice for one line."""
    for queue_id in ids:
        at = block.find(queue_id)
        while at >= 0:
            yield at
            at = block.find(queue_id, at + 1)


def _all_at_once(ids: set[bytes], block: bytes) -> Iterator[int]:
    """Likewise, of many IDs."""
    return (match.start(1) for match in _find_ids(block) if match[1] in ids)
