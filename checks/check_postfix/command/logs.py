"""The logs that a command reads: every file of each, oldest first, the journal, standard input.

Files are read where they lie, and as often as it takes. What cannot be read twice, the journal
and standard input, is first written to a nameless temporary file.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, contextmanager
from time import monotonic, time

from check_postfix.command import users
from check_postfix.command.line import Line, of_record
from check_postfix.command.rounds import Rounds, Settled
from check_postfix.maillog.errors import LogError
from check_postfix.maillog.source import journalctl, lines, whereabouts
from check_postfix.maillog.source.logfile import LogFile
from check_postfix.maillog.source.stream import NEVER
from check_postfix.maillog.syntax import entry, frame
from check_postfix.maillog.syntax.timestamps import Timestamps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import tzinfo
    from typing import IO

    from check_postfix.common.named_logs import NamedLog
    from check_postfix.maillog.source.export import Fields

# What --log says to mean standard input.
STANDARD_INPUT = "-"

# Read at a time; a longer line is taken in parts.
BLOCK_BYTES = 1 << 20
# For how long a journal is read, at most. In seconds.
_JOURNAL_SECONDS = 86400
# Two files that begin with the same bytes hold the same lines: no two lines of a log are alike
# for so long.
_HEAD_BYTES = 16 * 1024
# No file is so long.
_FAR = 1 << 62


class Rotated(Exception):
    """A file was rotated while it was read: another one has its name now."""


# Lines at the end of a block, of which one should be understood
_LOOKED_AT = 100


class File:
    """A file of a log.

    number: its place in the order of reading
    name:   what it is called when something is said of it
    size:   in bytes, on disk
    modified: time of its last change, in seconds
    is_compressed: whether it can be read from its beginning only
    is_on_disk: whether it is a file of a log; not the journal, nor standard input
    """

    def __init__(
        self, number: int, file: LogFile, zone: tzinfo | None, spool: IO[bytes] | None = None
    ) -> None:
        self.number = number
        self.name = file.path
        self.size = file.size
        self.modified = file.modified
        self.is_compressed = file.compressed and spool is None
        self.is_on_disk = spool is None
        self._file = file
        self._spool = spool
        self.timestamps = Timestamps(zone, int(file.modified) // 60)
        self._rounds = Rounds(self.timestamps)

    def blocks(self, start: int = 0, end: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Yield where a block of whole lines begins, in uncompressed bytes, and the block.

        The blocks of a part are those that the whole file has there.

        start, end: where a line begins, in bytes; a compressed file is read whole

        Raises: LogError; Rotated
        """
        with self._part(start, end, BLOCK_BYTES) as read_some:
            rest = b""
            while data := read_some(BLOCK_BYTES):
                data = rest + data
                cut = data.rfind(b"\n") + 1 or (len(data) if len(data) > BLOCK_BYTES else 0)
                rest = data[cut:]
                if cut:
                    yield start, self._begun(block := data[:cut])
                    self._rounds.end(block)
                    start += cut
            if rest:
                yield start, self._begun(rest)

    def _begun(self, block: bytes) -> bytes:
        self._rounds.begin()
        return block

    def scanned(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield blocks as the scanner reads them: whole lines, each with a newline before it.

        A last line without a newline is one, too. The blocks of a part are those that the whole
        file has there.

        start, end: where a line begins, in bytes; a compressed file is read whole

        Raises: LogError; Rotated
        """
        with self._part(start, end, lines.BLOCK) as read_some:
            last = b"\n"

            def read(size: int) -> bytes:
                nonlocal last
                data = read_some(size)
                if not data and last != b"\n":
                    data = b"\n"
                last = data[-1:] or last
                return data

            for block, _ in lines.blocks(read, 0):
                yield block

    @contextmanager
    def _part(self, start: int, end: int | None, block: int) -> Iterator[Callable[[int], bytes]]:
        """Read from one line to another; whoever begins with the first begins its stamps anew."""
        if not start:
            self.timestamps.restart()
        with self._opened(start) as read_some:
            # The first block is as much longer as it begins before it would.
            more, left = -start % block, (end or _FAR) - start

            def read(size: int) -> bytes:
                nonlocal more, left
                data = read_some(min(size + more, left))
                more, left = 0, left - len(data)
                return data

            yield read

    def near(self, offset: int, size: int) -> bytes:
        """Return so many bytes of a file that is not compressed, from an offset on.

        Raises: LogError; Rotated
        """
        with self._opened(offset) as read_some:
            return read_some(size)

    @contextmanager
    def _opened(self, start: int = 0) -> Iterator[Callable[[int], bytes]]:
        if self._spool is not None:
            yield _reader(self._spool.fileno(), start)
            return
        try:
            with self._file.open(NEVER) as stream:
                if LogFile(self.name, stream.status()).inode != self._file.inode:
                    raise Rotated
                if start:
                    stream.go_to(start)
                yield stream.read
        except FileNotFoundError:
            raise Rotated from None

    def line(self, block: bytes, start: int, at: int) -> Line | None:
        """Return the line of a block in which an offset lies; None if it cannot be understood.

        block: the one that `blocks` has yielded last
        start: where it begins
        at:    an offset in the block
        """
        begin = block.rfind(b"\n", 0, at) + 1
        end = block.find(b"\n", at)
        raw = block[begin : end if end >= 0 else len(block)]
        record = frame.parse(raw)
        if record is None:
            return None
        settled = Settled(self._rounds.minute(block, begin, record))
        return of_record(record, raw, (self.number, start + begin), settled)

    def last_line(self, block: bytes, start: int) -> Line | None:
        """Return the last line of a block that can be understood; None if the last ones cannot.

        block: the one that `blocks` has yielded last
        start: where it begins
        """
        end = len(block)
        for _ in range(_LOOKED_AT):
            end = block.rfind(b"\n", 0, end - 1) + 1 if end else 0
            if line := self.line(block, start, end):
                return line
        return None

    def head(self) -> bytes:
        """Return how the file begins.

        Raises: LogError; Rotated
        """
        with self._opened() as read_some:
            data = b""
            while len(data) < _HEAD_BYTES and (more := read_some(_HEAD_BYTES - len(data))):
                data += more
        return data


class Logs:
    """Everything that is read. Use it as a context manager.

    files: in the order of time, as far as that is known; those of one log follow each other
    notes: what could not be read, and why
    empty: paths of files without a byte, which are none of these
    """

    def __init__(
        self,
        named: Sequence[NamedLog],
        archives: Sequence[str],
        zone: tzinfo | None,
        since: float,
        matches: Sequence[str] = (),
        has_input: bool = False,
    ) -> None:
        """Look which files there are.

        named:     the logs
        archives:  directories of archives besides the usual ones
        zone:      of stamps without one
        since:     seconds since 1970; of the journal, nothing older is needed
        matches:   journalctl's, that choose what of the journal is read
        has_input: whether standard input is read as well
        Raises:    LogError
        """
        self._zone = zone
        self._spools = ExitStack()
        self.files: list[File] = []
        self.notes: list[str] = []
        self.empty: list[str] = []
        with self._spools:  # closed at once if one of the logs cannot be read
            if has_input:
                self._add_spool("standard input", sys.stdin.buffer)
            for log in named:
                if log.is_journal:
                    self._add_journal(since, matches)
                else:
                    for path in log.paths:
                        self._add_log(path, archives)
            self._spools = self._spools.pop_all()

    def __enter__(self) -> Logs:
        return self

    def __exit__(self, *_: object) -> None:
        self._spools.close()

    def _add_log(self, path: str, archives: Sequence[str]) -> None:
        where = whereabouts.of(path, archives)
        live, older = where.live(), where.older()
        if live is None and not older:
            raise where.absence()
        found: dict[bytes, LogFile] = {}
        for file in [*reversed(older), *([live] if live else [])]:
            try:
                head = File(0, file, self._zone).head()
            except LogError as error:
                self.notes.append(users.for_a_person(str(error)))
                continue
            if not head:
                self.empty.append(file.path)
            else:
                # A copy is being compressed just now, or was left beside its original: the
                # plain one is whole.
                same = [known for known in found if _is_same(known, head)]
                if file.compressed and any(not found[known].compressed for known in same):
                    continue
                for known in same:
                    del found[known]
                found[head] = file
        for file in found.values():
            self.files.append(File(len(self.files), file, self._zone))

    def _add_spool(self, name: str, source: IO[bytes]) -> None:
        spool = self._spool()
        while data := source.read(BLOCK_BYTES):
            spool.write(data)
        self._add_spooled(name, spool)

    def _spool(self) -> IO[bytes]:
        # Most runs read files only, and need none of what this loads.
        import tempfile

        return self._spools.enter_context(tempfile.TemporaryFile())

    def _add_spooled(self, name: str, spool: IO[bytes]) -> None:
        spool.flush()
        status = os.fstat(spool.fileno())
        file = LogFile(name, status)
        file.modified = time()
        self.files.append(File(len(self.files), file, self._zone, spool))

    def _add_journal(self, since: float, matches: Sequence[str]) -> None:
        journalctl.see_that_all_is_readable()
        spool = self._spool()
        bounds = [f"--since=@{int(since)}"] if since > 0 else []
        with journalctl.Journalctl(
            [*bounds, *entry.choice(matches)], monotonic() + _JOURNAL_SECONDS
        ) as journal:
            for fields in journal.entries():
                spool.write(_as_line(fields))
            self.notes += journal.notes()
        self._add_spooled("the journal", spool)


def _reader(file: int, at: int) -> Callable[[int], bytes]:
    """Return what reads on in an open file, wherever others read in it."""

    def read(size: int) -> bytes:
        nonlocal at
        data = os.pread(file, size, at)
        at += len(data)
        return data

    return read


def _is_same(head: bytes, other: bytes) -> bool:
    """Tell whether two files that begin so hold the same lines."""
    return head.startswith(other) or other.startswith(head)


def _as_line(fields: Fields) -> bytes:
    """Return a journal's entry as syslog would write it."""
    from datetime import UTC, datetime

    microseconds = int(fields.get(b"__REALTIME_TIMESTAMP", b"0"))
    stamp = datetime.fromtimestamp(microseconds / 1_000_000, UTC).isoformat(timespec="microseconds")
    process = fields.get(b"SYSLOG_PID") or fields.get(b"_PID", b"0")
    said = fields.get(b"MESSAGE", b"").replace(b"\n", b" ")
    tag = fields.get(b"SYSLOG_IDENTIFIER", b"?")
    return b"%b %b %b[%b]: %b\n" % (
        stamp.encode(),
        fields.get(b"_HOSTNAME", b"-"),
        tag,
        process,
        said,
    )
