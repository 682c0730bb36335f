"""The promise: each line that stands in a log file is counted once, whatever happens to the files.

A state machine does to a real directory what writers, log rotations, administrators and
crashes do to one, and runs the ingest in between. What was counted is compared,
minute by minute, with the lines that stand in the files.

What it has found became plain examples in test_rotation.py. The long form:

    EXACTLY_ONCE=5000 PYTHONPATH=checks python -m pytest tests/maillog/ingest/test_exactly_once.py
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from check_postfix.maillog.errors import DamagedStore
from check_postfix.maillog.ingest import piece as reading
from check_postfix.maillog.source import lines
from check_postfix.maillog.source.generation import FINGERPRINTED
from check_postfix.maillog.store.damage import set_aside
from check_postfix.maillog.store.forgetting import Forgetting
from check_postfix.maillog.store.generations import GenerationsTable
from check_postfix.maillog.store.ledger import Ledger
from check_postfix.maillog.store.logs import LogsTable
from check_postfix.maillog.store.store import Store
from check_postfix.maillog.window.coverage import Coverage
from tests.support import effort, logbook

PLAIN_PIECE = reading.PIECE_BYTES
PLAIN_BLOCK = lines.BLOCK
# In memory where that is possible: every ingest syncs.
_WHERE = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
# Where archives are moved: the log's own, a usual one, one that is named.
_DIRECTORIES = ["", "old", "elsewhere"]
_EXTENSIONS = [".gz", ".xz", ".bz2"] + ([".zst"] if shutil.which("zstd") else [])


class Machine(RuleBasedStateMachine):
    """A log directory and everybody who has a hand in it."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.mkdtemp(prefix="exactly-once-", dir=_WHERE)
        self.log = os.path.join(self.directory, "mail.log")
        self.name = self.log  # of the log, as --log names it
        self.store = os.path.join(self.directory, "state.sqlite")
        self.elsewhere = os.path.join(self.directory, "elsewhere")
        for name in _DIRECTORIES:
            os.makedirs(os.path.join(self.directory, name), exist_ok=True)
        self.random = random.Random(0)
        self.minute = logbook.FIRST
        self.ahead = 0  # by which the clock of the runs is ahead of the log's, in minutes
        self.rest = b""  # of a line that is written in part
        self.torn: set[int] = set()  # generations that end in a part whose rest is elsewhere
        self.stamp = 0  # dateext
        self.archives: list[str] = []  # newest first, each a whole file
        self.own = os.path.join(self.directory, "mail.old")  # to which some rotate
        self.half: tuple[str, bytes] | None = None  # being compressed: the file, its last bytes
        self.counted: set[int] = set()
        # Which generation each file holds, and what a run can know of that.
        self.generation = 0
        self.holds: dict[str, int] = {}
        self.was_live: int | None = None
        self.read_up_to = 0  # of the live log
        self.is_trimmed = False  # since a run has looked at it: it has another beginning then
        self.was_dated = False  # whether a line of it told the time
        self.unread: set[int] = set()  # seen by a run, and not known to be read to the end
        # Generations of which a run does not know enough to tell when a loss was: no line
        # told the time, or something was written to them after their renaming, when the next one
        # may have begun.
        self.vague: set[int] = set()
        self.written_late: set[int] = set()
        self.renamed: set[int] = set()  # generations whose files may still be written to
        self.lost_some = False  # whether there may be any gap at all
        self.lines: dict[int, int] = {}  # minute -> its generation
        self.mails = logbook.Mails(self.random)
        # All that was ever written, while that is what a log without losses would hold.
        self.history: bytes | None = b""

    def teardown(self) -> None:
        reading.PIECE_BYTES = PLAIN_PIECE
        shutil.rmtree(self.directory)

    @initialize(dateext=st.booleans(), dated=st.sampled_from([False, False, True]))
    def start(self, dateext: bool, dated: bool = False) -> None:
        self.dateext = dateext
        self.dated = dated
        self.day = date(2026, 3, 1)
        if dated:
            self.name = os.path.join(self.directory, "mail-%Y-%m-%d.log")
            self.log = self.day.strftime(self.name)
        self.write(3, 0)

    # -- what writers do

    def _append(self, path: str, data: bytes) -> None:
        logbook.write(path, data)
        is_log = not path.endswith(tuple(_EXTENSIONS))
        if data and is_log and self.history is not None:
            self.history = self.history + data if path == self.log else None

    def _lines(self, number: int, size: int, path: str) -> bytes:
        data = b""
        for _ in range(number):
            if self.holds[path] not in self.torn:
                self.lines[self.minute] = self.holds[path]
            self.torn.discard(self.holds[path])
            data += logbook.line(self.minute, size) + self.mails.lines(self.minute)
            self.mails.start(self.minute)
            self.minute += 1
        return data

    def _lines_that_leave_no_trace(self, number: int) -> bytes:
        self.history = None
        data = self._lines(number, 0, self.log)
        for minute in range(self.minute - number, self.minute):
            self.lines.pop(minute, None)
        return data

    def _living(self) -> str:
        if not os.path.exists(self.log):
            self._append(self.log, b"")
        if self.log not in self.holds:
            self.generation += 1
            self.holds[self.log] = self.generation
        return self.log

    @rule(number=st.integers(1, 30), size=st.sampled_from([0, 0, 0, 400, 3000]))
    def write(self, number: int, size: int) -> None:
        path = self._living()
        self._finish(path)
        self._append(path, self._lines(number, size, path))

    @rule(ends=st.sampled_from([b"\r\n", b"\0\0\0", b"garbage\n", b"\n\n", b"\xff\xfe \xc3\n"]))
    def write_strange_bytes(self, ends: bytes) -> None:
        self._finish(self._living())
        self._append(self.log, ends)

    @precondition(lambda self: not self.rest)
    @rule(cut=st.integers(1, 60))
    def write_part_of_a_line(self, cut: int) -> None:
        data = self._lines(1, 0, self._living())
        self._append(self.log, data[:cut])
        self.rest = data[cut:]
        is_whole = self.lines.pop(self.minute - 1, None) is not None
        self.part = self.minute - 1, self.holds[self.log], is_whole

    def _finish(self, path: str) -> None:
        if self.rest:
            self._append(path, self.rest)
            self.rest = b""
            minute, generation, is_whole = self.part
            if generation == self.holds[path]:
                if is_whole:
                    self.lines[minute] = generation
            else:  # no file has the whole of it, and what comes next is no line either
                self.torn.add(generation)
                self.history = None

    @precondition(lambda self: self.rest)
    @rule()
    def finish_the_line(self) -> None:
        self._finish(self._living())

    def _plain(self) -> list[str]:
        return [path for path in self.archives if not path.endswith(tuple(_EXTENSIONS))]

    def _usual(self, paths: list[str]) -> list[str]:
        return [path for path in paths if path != self.own]

    def _writable(self) -> list[str]:
        renamed = [path for path in self._plain() if self.holds[path] in self.renamed]
        return [] if self.half else renamed

    @precondition(_writable)
    @rule(number=st.integers(0, 3))
    def write_late_into_the_renamed_file(self, number: int) -> None:
        path = self._writable()[0]
        self._finish(path)
        self._append(path, self._lines(number, 0, path))
        self.written_late.add(self.holds[path])
        self.vague.add(self.holds[path])

    # -- what rotations do

    def _name(self) -> str:
        if self.dateext:
            self.stamp += 1
            return f"{self.log}-{20260300 + self.stamp}"
        # shift: .2.gz to .3.gz, .1 to .2
        for path in reversed([path for path in self.archives if path != self.own]):
            log, _, rest = path.rpartition("mail.log.")
            number, dot, extension = rest.partition(".")
            self._rename(path, f"{log}mail.log.{int(number) + 1}{dot}{extension}")
        return self.log + ".1"

    def _rename(self, old: str, new: str) -> None:
        os.rename(old, new)
        self.holds[new] = self.holds.pop(old)
        if old in self.archives:
            self.archives[self.archives.index(old)] = new

    def _may_go_on(self) -> bool:
        return os.path.exists(self.log) and self.half is None and len(self.archives) < 6

    def _may_rotate(self) -> bool:
        return not self.dated and self._may_go_on()

    @precondition(lambda self: self.dated and self._may_go_on())
    @rule(days=st.integers(1, 3), late=st.booleans())
    def go_on_in_the_file_of_another_day(self, days: int, late: bool) -> None:
        self._living()
        if not late:
            self._finish(self.log)
        if self.rest:  # which goes on in another file
            self.history = None
        self.renamed = {self.holds[self.log]}
        self.archives.insert(0, self.log)
        self.day += timedelta(days)
        self.log = self.day.strftime(self.name)
        self._living()

    def _is_known_live(self) -> bool:
        """Tell whether a run has counted a line of the live log, so that it can be known again."""
        generation = self.holds.get(self.log)
        lines = {minute for minute, of in self.lines.items() if of == generation}
        return generation is not None and bool(lines & self.counted) and not self.is_trimmed

    @precondition(lambda self: self._may_rotate() and self._is_known_live())
    @rule(late=st.booleans())
    def rotate_to_a_name_of_its_own(self, late: bool) -> None:
        if not late:
            self._finish(self.log)
        if self.rest:
            self.history = None
        if self.own in self.archives:  # which is written over
            if self.unread or not self.counted >= logbook.in_place([self.own]):
                self.history = None
            self._remove(self.own)
        self.renamed = {self.holds[self.log]}
        self._rename(self.log, self.own)
        self.archives.insert(0, self.own)
        self._living()

    @precondition(_may_rotate)
    @rule(create=st.booleans(), late=st.booleans())
    def rotate_by_renaming(self, create: bool, late: bool) -> None:
        self._living()
        if not late:
            self._finish(self.log)
        if self.rest:  # which goes on in another file
            self.history = None
        new = self._name()
        self.renamed = {self.holds[self.log]}
        self._rename(self.log, new)
        self.archives.insert(0, new)
        if create:
            self._living()

    @precondition(_may_rotate)
    @rule(extension=st.sampled_from(_EXTENSIONS))
    def rotate_and_compress_at_once(self, extension: str) -> None:
        self.rotate_by_renaming(create=True, late=False)
        self._compress(self.archives[0], extension)
        self._remove(self.archives[0])

    @precondition(_may_rotate)
    @rule(between=st.integers(0, 2))
    def rotate_by_copying(self, between: int) -> None:
        self._living()
        new = self._name()
        shutil.copyfile(self.log, new)
        self.holds[new] = self.holds[self.log]
        self.archives.insert(0, new)
        if between:
            self._append(self.log, self._lines_that_leave_no_trace(between))
        os.truncate(self.log, 0)
        del self.holds[self.log]
        self._living()

    @precondition(_may_rotate)
    @rule(between=st.integers(1, 2), seen=st.booleans())
    def rotate_by_copying_with_a_run_in_the_middle(self, between: int, seen: bool) -> None:
        self._living()
        new = self._name()
        shutil.copyfile(self.log, new)
        self.holds[new] = self.holds[self.log]
        self.archives.insert(0, new)
        if self.rest:  # the copy has the line only in part
            self._finish(self.log)
            self.lines.pop(self.part[0], None)
        self._append(self.log, self._lines_that_leave_no_trace(between))
        if seen:
            self.run_ingest()
            if self.was_live is not None:
                self.lost_some = True  # the copy ends before what was read
        os.truncate(self.log, 0)
        del self.holds[self.log]
        self._living()

    def _whole(self) -> list[str]:
        return [] if self.half else self._usual(self._plain())

    @precondition(_whole)
    @rule(data=st.data(), extension=st.sampled_from(_EXTENSIONS), keep=st.booleans())
    def compress(self, data: st.DataObject, extension: str, keep: bool) -> None:
        path = data.draw(st.sampled_from(self._whole()))
        if path + extension in self.archives:
            return
        self._compress(path, extension)
        if not keep:
            self._remove(path)

    def _compress(self, path: str, extension: str) -> None:
        with open(path, "rb") as file:
            logbook.write(path + extension, logbook.compressed(file.read(), extension), "wb")
        self.holds[path + extension] = self.holds[path]
        self.archives.insert(self.archives.index(path) + 1, path + extension)

    @precondition(_whole)
    @rule(data=st.data(), extension=st.sampled_from(_EXTENSIONS), part=st.floats(0.02, 0.98))
    def begin_to_compress(self, data: st.DataObject, extension: str, part: float) -> None:
        path = data.draw(st.sampled_from(self._whole()))
        if path + extension in self.archives:
            return
        with open(path, "rb") as file:
            whole = logbook.compressed(file.read(), extension)
        cut = int(len(whole) * part)
        logbook.write(path + extension, whole[:cut], "wb")
        self.half = path + extension, whole[cut:]

    @precondition(lambda self: self.half)
    @rule(keep=st.booleans())
    def finish_compressing(self, keep: bool) -> None:
        path, rest = self.half
        self.half = None
        self._append(path, rest)
        plain = os.path.splitext(path)[0]
        self.holds[path] = self.holds[plain]
        self.archives.insert(self.archives.index(plain) + 1, path)
        if not keep:
            self._remove(plain)

    # -- what administrators do

    def _remove(self, path: str) -> None:
        os.remove(path)
        self.archives.remove(path)
        del self.holds[path]

    @precondition(lambda self: self.archives and not self.half)
    @rule()
    def delete_the_oldest_archive(self) -> None:
        if self.unread or not self.counted >= logbook.in_place(self.archives):
            self.history = None
        self._remove(self.archives[-1])

    @precondition(lambda self: self._usual(self.archives) and not self.half)
    @rule(data=st.data(), where=st.sampled_from(_DIRECTORIES))
    def move_an_archive(self, data: st.DataObject, where: str) -> None:
        path = data.draw(st.sampled_from(self._usual(self.archives)))
        new = os.path.join(self.directory, where, os.path.basename(path))
        if new not in self.archives:
            self._rename(path, new)

    # Of a log with dates in its names, the file of the day before would be the live one then.
    @precondition(lambda self: os.path.exists(self.log) and not self.dated)
    @rule()
    def delete_the_live_log(self) -> None:
        self.history = None
        os.remove(self.log)
        self.holds.pop(self.log, None)
        self.rest = b""

    @precondition(lambda self: os.path.exists(self.log))
    @rule(number=st.integers(0, 40), in_place=st.booleans())
    def truncate_the_live_log(self, number: int, in_place: bool) -> None:
        self.history = None
        self._living()
        size = os.path.getsize(self.log)
        os.truncate(self.log, 0)
        if in_place:  # by a writer that goes on where it was
            os.truncate(self.log, size)
        del self.holds[self.log]
        self.write(number, 0)

    def _spare(self) -> int:
        """Return how many bytes at the beginning of the live log nobody would miss."""
        is_read = self.was_live is not None and self.was_live == self.holds.get(self.log)
        if self.unread or not is_read or not os.path.exists(self.log):
            return 0
        # What was read last is known by its last bytes; the last line may be unfinished. They
        # tell nothing where they are all of one line.
        with open(self.log, "rb") as file:
            is_told = b"\n" in file.read(self.read_up_to).rpartition(b"\n")[0][-FINGERPRINTED + 1 :]
        if not is_told:
            return 0
        return self.read_up_to - FINGERPRINTED - 800

    @precondition(lambda self: self._spare() > 0)
    @rule(part=st.floats(0.1, 1), in_place=st.booleans())
    def trim_the_live_log(self, part: float, in_place: bool) -> None:
        with open(self.log, "rb") as file:
            whole = file.read()
        start = whole.find(b"\n", int(self._spare() * part)) + 1
        if not 0 < start <= self._spare():  # the NUL bytes of a truncation have no line in them
            return
        if in_place:
            logbook.write(self.log, whole[start:], "r+b")
            os.truncate(self.log, len(whole) - start)
        else:
            os.remove(self.log)
            logbook.write(self.log, whole[start:])
        self.read_up_to -= start
        self.is_trimmed = True

    @precondition(lambda self: self.archives)
    @rule(seconds=st.sampled_from([0, 1, 1_772_000_000]), every=st.booleans())
    def touch(self, seconds: int, every: bool) -> None:
        paths = [*self.archives, self.log] if every else self.archives[:1]
        for path in paths:
            if os.path.exists(path):
                now = seconds if every else os.path.getmtime(path) - seconds
                os.utime(path, (now, now))

    @rule(ahead=st.sampled_from([0, 1, 60, 720]))
    def step_the_clock(self, ahead: int) -> None:
        # One that is behind is tested in test_stepped_clocks.py: it shows no gap in
        # its own future before that has come.
        self.ahead = ahead

    # -- what befalls the store

    @precondition(lambda self: os.path.exists(self.store))
    @rule(how=st.sampled_from(["deleted", "garbled", "cut"]))
    def lose_the_store(self, how: str) -> None:
        self.history = None
        if self.own in self.archives:  # which is known to nobody then
            self._remove(self.own)
        if how == "deleted":
            os.remove(self.store)
        elif how == "garbled":
            with open(self.store, "r+b") as file:
                file.write(self.random.randbytes(200))
        else:
            os.truncate(self.store, os.path.getsize(self.store) // 2)
        if how != "deleted":
            try:
                self._ingest(60)
            except DamagedStore:
                assert set_aside(self.store) is not None
            else:
                raise AssertionError("damage was not noticed")
        self.counted = set()
        self.was_live = None
        self.unread = set()
        self.lost_some = False
        # What was cut off after it was counted is known to nobody then.
        in_place = self._in_place()
        self.lines = {minute: of for minute, of in self.lines.items() if minute in in_place}

    # -- the runs

    def _ingest(self, seconds: float) -> Coverage:
        # Without any file that is called like the log there is none, which is said.
        if not os.path.exists(self.log) and not self._usual(self.archives):
            self._living()
        return logbook.ingest(
            self.store, self.name, self.minute + self.ahead, seconds, archives=[self.elsewhere]
        )  # fmt: skip

    def _in_place(self) -> set[int]:
        paths = [*self.archives]
        if os.path.exists(self.log):
            paths.append(self.log)
        return logbook.in_place(paths)

    def _note_losses(self) -> None:
        """See what a run must notice now."""
        present = set(self.holds.values())
        self.must_gap = self.was_live is not None and self.was_live not in present
        self.gone = self.unread - present
        if self.must_gap or self.gone:
            self.lost_some = True
        self.gone -= self.vague
        if self.half:  # which may hold what is gone, as far as a run can know
            self.must_gap = False
            self.gone = set()

    def _check(self, coverage: Coverage, complete: bool) -> None:
        numbers = logbook.counted(self.store)
        now = set(numbers)
        in_place = self._in_place()
        assert set(numbers.values()) <= {1}, "counted twice"
        assert self.counted <= now, "no longer counted"
        assert now <= self.counted | in_place, "counted what is not there"
        if complete:
            assert coverage.complete
            assert now == self.counted | in_place, "not counted"
        if complete and self.history is not None:
            found = logbook.counted_together(self.store)
            assert found == logbook.joined(self.history), "not brought together"
        if not self.lost_some:
            assert coverage.gaps == []
        if self.must_gap:
            assert coverage.gaps
        if self.must_gap and self.was_dated and self.was_live not in self.vague:
            self.gone.add(self.was_live)
        for minute, generation in self.lines.items():
            is_lost = generation in self.gone and minute not in now
            if is_lost and not self._seems_to_end(generation):
                assert any(first <= minute <= last for first, last in coverage.gaps)
        self.counted = now
        known = {
            generation
            for path, generation in self.holds.items()
            if len((logbook.content(path) or b"").lstrip(b"\0")) >= 32
        }
        self.was_live = self.holds.get(self.log)
        if self.was_live not in known:
            self.was_live = None
        dated = {generation for path, generation in self.holds.items() if logbook.in_place([path])}
        self.was_dated = self.was_live in dated
        self.unread = set() if complete else known
        self.read_up_to = os.path.getsize(self.log) if self.was_live is not None else 0
        self.vague = (known - dated) | self.written_late
        self.is_trimmed = self.is_trimmed and not complete

    def _seems_to_end(self, generation: int) -> bool:
        """Tell whether a generation ends too early for whoever looks at the others' begins.

        One whose first lines were written late seems to be newer than it is.
        """
        begins: dict[int, int] = {}
        for minute, of in sorted(self.lines.items()):
            begins.setdefault(of, minute)
        late = self.written_late & set(self.holds.values()) & begins.keys()
        return any(begins[other] > begins[generation] for other in late)

    @rule()
    def run_ingest(self) -> None:
        self._note_losses()
        self._check(self._ingest(60), complete=True)

    @rule(piece=st.sampled_from([2000, 3000, 5000]), block=st.sampled_from([500, 1500]))
    def run_ingest_in_small_pieces(self, piece: int, block: int) -> None:
        reading.PIECE_BYTES, lines.BLOCK = piece, block
        self.run_ingest()
        reading.PIECE_BYTES, lines.BLOCK = PLAIN_PIECE, PLAIN_BLOCK

    @rule(piece=st.sampled_from([2000, 3000, 5000]), block=st.sampled_from([500, 1500]))
    def run_ingest_without_time(self, piece: int, block: int) -> None:
        reading.PIECE_BYTES, lines.BLOCK = piece, block
        self._note_losses()
        self._check(self._ingest(-1), complete=False)
        reading.PIECE_BYTES, lines.BLOCK = PLAIN_PIECE, PLAIN_BLOCK

    @rule(
        where=st.sampled_from(
            [
                (Ledger, "add"),
                (GenerationsTable, "save"),
                (Store, "seen"),
                (LogsTable, "save"),
                (Forgetting, "older"),
            ]
        ),
        after=st.integers(0, 3),
        piece=st.sampled_from([2000, PLAIN_PIECE]),
    )
    def kill_a_run(self, where: tuple[type, str], after: int, piece: int) -> None:
        reading.PIECE_BYTES = piece
        before = self.was_live
        pid = os.fork()
        if not pid:
            left = after

            def deadly(*arguments: object) -> object:
                nonlocal left
                left -= 1
                if left < 0:
                    os._exit(0)
                return whole(*arguments)

            try:
                whole = getattr(*where)
                setattr(*where, deadly)
                self._ingest(60)
            finally:
                os._exit(0)
        os.waitpid(pid, 0)
        reading.PIECE_BYTES = PLAIN_PIECE
        # Nobody knows how far it came; the next run must go on from there.
        self.was_live = before
        self._note_losses()
        self._check(self._ingest(60), complete=True)

    @invariant()
    def nothing_is_left_behind(self) -> None:
        assert not os.path.exists(self.store + "-wal")


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=int(os.environ.get("EXACTLY_ONCE", effort.examples(100))),
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    # the same ones each time, unless a number is asked for
    derandomize="EXACTLY_ONCE" not in os.environ,
)


class _First:
    """Draws the first of what there is to choose from."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def draw(self, _: object) -> str:
        return self._machine.archives[0]


def test_a_gap_goes_on_beyond_an_older_file_that_begins_in_the_same_minute() -> None:
    # Found by the machine: the first minutes of a log that was cut were no gap.
    machine = Machine()
    try:
        machine.start(dateext=False)
        machine.rotate_by_renaming(create=False, late=False)
        machine.write_part_of_a_line(cut=55)
        machine.rotate_by_renaming(create=False, late=True)
        machine.delete_the_oldest_archive()
        machine.move_an_archive(data=_First(machine), where="elsewhere")
        machine.write(number=4, size=400)
        machine.write(number=12, size=400)
        machine.run_ingest_without_time(block=1500, piece=5000)
        machine.move_an_archive(data=_First(machine), where="old")
        machine.truncate_the_live_log(in_place=False, number=12)
        machine.write_late_into_the_renamed_file(number=2)
        machine.write(number=14, size=400)
        machine.run_ingest_in_small_pieces(block=500, piece=3000)
    finally:
        machine.teardown()


def test_a_gap_of_a_dated_log_does_not_end_where_an_older_day_begins() -> None:
    # Found by the machine: without today's file, yesterday's is the live one again.
    machine = Machine()
    try:
        machine.start(dateext=False, dated=True)
        machine.go_on_in_the_file_of_another_day(days=1, late=False)
        machine.write(number=1, size=0)
        machine.run_ingest()
        machine.write(number=15, size=0)
        machine.delete_the_live_log()
        machine.run_ingest()
    finally:
        machine.teardown()


@pytest.mark.parametrize("dated", [False, True])
def test_a_loss_is_told_though_lines_were_written_late_and_the_next_file_had_begun(dated) -> None:
    # Found by the machine. How long the gap is nobody can know: the next file begins before it.
    machine = Machine()
    try:
        machine.start(dateext=False, dated=dated)
        machine.run_ingest()
        if dated:
            machine.go_on_in_the_file_of_another_day(days=1, late=False)
        else:
            machine.rotate_by_renaming(create=True, late=False)
        machine.write(number=1, size=0)
        machine.write_late_into_the_renamed_file(number=3)
        machine.delete_the_oldest_archive()
        machine.run_ingest()
    finally:
        machine.teardown()


def test_a_loss_of_late_lines_that_a_run_had_no_time_for_is_told() -> None:
    # Found by the machine, as the one before.
    machine = Machine()
    try:
        machine.start(dateext=False, dated=True)
        machine.go_on_in_the_file_of_another_day(days=1, late=False)
        machine.truncate_the_live_log(in_place=False, number=1)
        machine.write_late_into_the_renamed_file(number=1)
        machine.run_ingest_without_time(block=500, piece=2000)
        machine.delete_the_oldest_archive()
        machine.run_ingest_in_small_pieces(block=500, piece=2000)
    finally:
        machine.teardown()


def test_a_loss_is_told_though_lines_written_late_make_an_older_file_seem_newer() -> None:
    # Found by the machine. The gap ends where the older file, which was empty, seems to begin.
    machine = Machine()
    try:
        machine.start(dateext=False)
        machine.delete_the_live_log()
        machine.run_ingest()
        machine.rotate_by_renaming(create=False, late=False)
        machine.write(number=1, size=0)
        machine.write_late_into_the_renamed_file(number=1)
        machine.run_ingest()
        machine.write(number=1, size=0)
        machine.delete_the_live_log()
        machine.run_ingest()
    finally:
        machine.teardown()
