"""Several processes read a log: the state file is told the same, whatever becomes of them."""

from __future__ import annotations

import errno
import gzip
import multiprocessing
import os
import random
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from check_postfix import workers
from check_postfix.maillog.ingest import ingest, parts, piece, several
from check_postfix.maillog.ingest.ingest import Ingest
from check_postfix.maillog.source import ahead, lines
from check_postfix.maillog.source.stream import Stream
from check_postfix.maillog.store.store import Store
from check_postfix.maillog.store.watched import watch
from check_postfix.maillog.syntax.timestamps import Timestamps
from check_postfix.plugin import values
from tests.bench import shapes
from tests.maillog.ingest.test_rotation import EXTENSIONS
from tests.support import corpus, effort, logbook, stored
from tests.support.long_log import WRITTEN, repeated_hour, scattered

pytestmark = pytest.mark.usefixtures("utc")
BLOCK = 8_000
BERLIN = "Europe/Berlin"


# Queue IDs of the corpus come in orders in which no server writes them, and what is known of such a
# message depends on where its log is cut, into pieces or parts.
_OTHERS = [
    entry.line + b"\n"
    for entry in corpus.entries()
    if not re.search(rb": (?!NOQUEUE)[0-9A-Za-z]{6,}: ", entry.line)
]


def mixed(path: Path, shape: str, size: int = 1_500_000) -> Path:
    """Write a log of a shape, with lines of other frames and of none, and with repeats."""
    now = time.time()
    lines = list(shapes.SHAPES[shape]().log(size, now - 86_400, now - 1))
    return scattered(path, lines, _OTHERS, 200)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    """Let a log of some kilobytes be cut, and leave a hole."""
    with small(monkeypatch):
        yield


def small(monkeypatch: pytest.MonkeyPatch, block: int = BLOCK, part: int = 2):
    monkeypatch.setattr(lines, "BLOCK", block)
    monkeypatch.setattr(parts, "BLOCK", block)
    monkeypatch.setattr(parts, "PART_BYTES", part * block)
    monkeypatch.setattr(piece, "PIECE_BYTES", 24 * block)
    monkeypatch.setattr(piece, "_WORTH_SEVERAL_BYTES", 0)
    for module, name in (
        (piece, "_CLOSING_SECONDS"), (piece, "_CLOSING_TOGETHER_SECONDS"),
        (ingest, "_BATCH_SECONDS"),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, 1000)
    return pytest.MonkeyPatch.context()


def read(
    store: Path, log: Path, jobs: int, now: float | None = None, zone=None, watched=()
) -> None:
    """Read a log to its end, addresses that somebody asks for among it."""
    now = time.time() if now is None else now
    with Store(str(store), 60) as opened:
        watch(opened, list(watched), 0)
        Ingest(
            opened, str(log), zone, now, now, 0, time.monotonic() + 1000, jobs=jobs, named=None
        ).run()


def twice(log: Path, **how: object) -> dict[str, int]:
    """Return what differs between what one process and three have told the state file."""
    now = time.time()
    one, three = stored.twins(log.parent, ["one.state", "three.state"])
    for path, jobs in ((one, 1), (three, 3)):
        read(path, log, jobs, **{"now": now, **how})
    return stored.differences(one, three)


@pytest.fixture
def taken(monkeypatch) -> list[int]:
    """Where the parts begin that other processes have read."""
    starts: list[int] = []
    whole = several.Several.take

    def take(self, start, *more):
        end = whole(self, start, *more)
        if end is not None:
            starts.append(start)
        return end

    monkeypatch.setattr(several.Several, "take", take)
    return starts


@pytest.mark.heavy
@pytest.mark.parametrize("shape", shapes.SHAPES)
def test_any_number_of_processes_tells_the_store_the_same(tmp_path, shape, taken):
    log = mixed(tmp_path / "mail.log", shape)
    data = log.read_bytes()
    first, second = (data.index(b"\n", len(data) * part // 4) + 1 for part in (1, 2))
    (tmp_path / "mail.log.2.gz").write_bytes(gzip.compress(data[:first], 1))
    (tmp_path / "mail.log.1").write_bytes(data[first:second])
    log.write_bytes(data[second:])
    os.utime(tmp_path / "mail.log.1", (time.time() - 40_000,) * 2)

    assert not twice(log, watched=["user1@d1.example.net", "a@b.example"])
    assert len(taken) > 40


def test_a_log_without_a_hole_is_told_alike(tmp_path, taken, monkeypatch):
    monkeypatch.setattr(piece, "PIECE_BYTES", 1 << 30)
    log = mixed(tmp_path / "mail.log", "an ordinary day")

    assert not twice(log)
    assert len(taken) > 50


@pytest.fixture
def compressed(tmp_path, monkeypatch) -> Path:
    """A live log, and an archive of it of which little is kept unpacked."""
    monkeypatch.setattr(piece, "LONGEST_PART", 10 * BLOCK)
    monkeypatch.setattr(ahead, "_CHUNK_BYTES", 5_000)
    log = mixed(tmp_path / "mail.log", "an ordinary day")
    data = log.read_bytes()
    cut = data.index(b"\n", len(data) * 9 // 10) + 1
    (tmp_path / "mail.log.1.gz").write_bytes(gzip.compress(data[:cut], 1))
    log.write_bytes(data[cut:])
    return log


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_an_archive_is_told_alike(compressed, taken, extension):
    archive = compressed.with_name("mail.log.1.gz")
    data = gzip.decompress(archive.read_bytes())
    archive.unlink()
    archive.with_suffix(extension).write_bytes(logbook.compressed(data, extension))

    assert not twice(compressed)
    assert len(taken) > 30  # of the live log 5 to 9


def test_an_archive_of_several_members_is_told_alike(compressed, taken):
    archive = compressed.with_name("mail.log.1.gz")
    data = gzip.decompress(archive.read_bytes())
    members = (data[at : at + 33_333] for at in range(0, len(data), 33_333))
    archive.write_bytes(b"".join(map(gzip.compress, members)))

    assert not twice(compressed)
    assert len(taken) > 30  # of the live log 5 to 9


def test_where_an_archive_cannot_be_cut_for_long_one_process_goes_on(compressed, taken):
    archive = compressed.with_name("mail.log.1.gz")
    data = gzip.decompress(archive.read_bytes())
    middle = data.index(b"\n", len(data) // 2) + 1
    tells_nothing = (b"x" * 5_000 + b"\n") * (2 * piece.LONGEST_PART // 5_000)
    archive.write_bytes(gzip.compress(data[:middle] + tells_nothing + data[middle:], 1))

    assert not twice(compressed)
    assert 15 < len(taken) < 60


def test_where_an_archive_is_unpacked_nowhere_one_process_reads_it(compressed, taken, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ahead.os, "posix_fallocate", full)

    assert not twice(compressed)
    assert len(taken) < 15  # those of the live log


def test_an_archive_is_read_by_as_many_as_one_unpacks_for(compressed, monkeypatch):
    readers: list[tuple[bool, int]] = []
    whole = several.Several.__init__

    def begin(self, jobs, parts, read_at, *more):
        readers.append((isinstance(getattr(read_at, "__self__", None), ahead.Ahead), jobs))
        whole(self, jobs, parts, read_at, *more)

    monkeypatch.setattr(several.Several, "__init__", begin)

    read(compressed.with_name("state"), compressed, 6)

    assert set(readers) == {(False, 6), (True, 4)}


@pytest.mark.parametrize("where", [0.01, 0.5, 0.99])
def test_of_an_archive_that_is_damaged_nothing_counts_however_many_read_it(compressed, where):
    archive = compressed.with_name("mail.log.1.gz")
    data = bytearray(archive.read_bytes())
    at = int(len(data) * where)
    data[at : at + 20] = b"\0" * 20
    archive.write_bytes(data)

    assert not twice(compressed)
    assert not multiprocessing.active_children()


def test_what_was_read_before_is_gone_on_with(tmp_path, taken):
    log = mixed(tmp_path / "mail.log", "an ordinary day")
    data = log.read_bytes()
    one, three = stored.twins(tmp_path, ["one.state", "three.state"])
    now = time.time()
    for part in (0.2, 0.5, 1):
        log.write_bytes(data[: int(len(data) * part)])  # mostly in the middle of a line
        taken.clear()
        for path, jobs in ((one, 1), (three, 3)):
            read(path, log, jobs, now)
        assert taken

        assert not stored.differences(one, three)


@settings(max_examples=effort.examples(60), deadline=None)
@given(
    seed=st.integers(0, 10**6),
    shape=st.sampled_from(sorted(shapes.SHAPES)),
    block=st.integers(5_000, 20_000),
    part=st.integers(1, 4),
    jobs=st.integers(2, 4),
    strange=st.integers(0, 200),
)
def test_wherever_it_is_cut_it_is_told_alike(
    tmp_path_factory, seed, shape, block, part, jobs, strange
):
    directory = tmp_path_factory.mktemp("cut")
    chance = random.Random(seed)
    workload = shapes.SHAPES[shape](seed=seed)
    now = 1_790_000_000
    written = list(workload.log(150_000, now - 3600, now - 1))
    for other in chance.choices(_OTHERS, k=strange):
        written.insert(chance.randrange(len(written)), other)
    for _ in range(strange // 20):
        written.insert(chance.randrange(len(written)), b"no frame postfix/smtp\n")
        written.insert(chance.randrange(len(written)), b"x" * chance.randrange(30_000) + b"\n")
    log = directory / "mail.log"
    log.write_bytes(b"".join(written))
    one, several_ = stored.twins(directory, ["one", "several"])

    with pytest.MonkeyPatch.context() as patch:
        small(patch, block, part)
        patch.setattr(parts, "LONGEST_LINE", 4096)
        for path, number in ((one, 1), (several_, jobs)):
            read(path, log, number, now)

    assert not stored.differences(one, several_)


def test_in_the_hour_that_is_repeated_several_tell_the_same(tmp_path, taken, monkeypatch):
    monkeypatch.setattr(piece, "PIECE_BYTES", 1 << 30)
    log = repeated_hour(tmp_path / "mail.log", [(1, 600), (2, 600), (2, 600), (3, 600)])

    assert not twice(log, now=WRITTEN, zone=ZoneInfo(BERLIN))
    data = log.read_bytes()
    before = [data[:start].splitlines()[-1] for start in taken if start]
    assert before
    assert not [line for line in before if line.startswith(b"Oct 25 02")]


@pytest.mark.parametrize("killed", [0, 1, 2, 5])
def test_what_a_killed_process_had_to_read_is_read_all_the_same(compressed, monkeypatch, killed):
    here, whole = os.getpid(), several.Several._read
    number = iter(range(1_000_000))

    def read_part(self, part) -> Iterator[object]:
        for told in whole(self, part):
            if os.getpid() != here and next(number) == killed:
                os.kill(os.getpid(), signal.SIGKILL)
            yield told

    monkeypatch.setattr(several.Several, "_read", read_part)

    assert not twice(compressed)
    assert not multiprocessing.active_children()


def test_where_no_process_can_be_started_one_reads(tmp_path, monkeypatch):
    log = mixed(tmp_path / "mail.log", "an ordinary day")

    def refused(_):
        raise BlockingIOError

    monkeypatch.setattr(multiprocessing.get_context("fork").Process, "start", refused)

    assert not twice(log)


def test_where_answers_can_be_laid_down_nowhere_one_reads(tmp_path, monkeypatch):
    log = mixed(tmp_path / "mail.log", "an ordinary day")

    def refused(**_: object):
        raise PermissionError

    monkeypatch.setattr(workers.tempfile, "TemporaryFile", refused)

    assert not twice(log)


def test_hosts_beyond_those_that_are_kept_apart_are_counted_together(tmp_path, monkeypatch, taken):
    from check_postfix.maillog.store import ledger

    monkeypatch.setattr(ledger, "MOST_ORIGINS", 20)
    log = tmp_path / "mail.log"
    now = time.time()
    workload = shapes.SHAPES["200 hosts"]()
    log.write_bytes(b"".join(workload.log(500_000, now - 3600, now - 1)))

    found = twice(log)

    # Of such hosts others of those who got little mail are told apart.
    assert found.keys() <= {"keyed", "quarter_key"}
    assert taken


def test_a_containers_log_is_not_cut(tmp_path, taken):
    log = tmp_path / "mail.log"
    line = (
        b"2026-11-24T16:%02d:26.123456789Z stdout F Nov 24 16:43:26 mx1 postfix/smtp[7]: 4A0B1C2D:"
        b" to=<a@b.example>, relay=none, delay=1, delays=0/0/0/1, dsn=4.4.1, status=deferred (x)\n"
    )
    log.write_bytes(b"".join(line % (number % 60) for number in range(500)))

    assert not twice(log)
    assert taken == [0]


def test_a_log_that_is_cut_short_meanwhile_is_left_as_it_was(tmp_path):
    log = mixed(tmp_path / "mail.log", "an ordinary day")
    one, three = stored.twins(tmp_path, ["one.state", "three.state"])
    before = stored.everything(one)
    whole, data = several.Several.take, log.read_bytes()

    def take(self, start, *more):
        log.write_bytes(b"another\n" + data[:1000])
        return whole(self, start, *more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(several.Several, "take", take)
        patch.setattr(ingest, "RENAME_RETRIES", 1)
        with pytest.raises(
            Exception, match="is renamed all the time; see what the log rotation is doing"
        ):
            read(three, log, 3)
    assert stored.everything(three) == before
    assert not multiprocessing.active_children()

    log.write_bytes(data)
    now = time.time()
    read(one, log, 1, now)
    read(three, log, 3, now)
    assert not stored.differences(one, three)


def test_where_time_is_up_what_is_read_counts_and_the_rest_follows(tmp_path, monkeypatch, taken):
    log = mixed(tmp_path / "mail.log", "an ordinary day")
    one, three = stored.twins(tmp_path, ["one.state", "three.state"])
    monkeypatch.setattr(piece, "PIECE_BYTES", 1 << 30)
    now = time.time()
    with Store(str(three), 60) as opened:
        clock = iter(range(10_000))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(piece.time, "monotonic", lambda: next(clock))
            Ingest(opened, str(log), None, now, now, 0, 12, jobs=3).run()
    assert 0 < len(taken) < 50

    for path, jobs in ((one, 1), (three, 3)):
        read(path, log, jobs, now)

    assert stored.differences(one, three).keys() <= {"keyed", "quarter_key", "tried"}


def test_parts_are_cut_behind_lines_and_have_the_blocks_of_the_whole(tmp_path):
    log = mixed(tmp_path / "mail.log", "an ordinary day")
    data = log.read_bytes()
    with Stream(str(log)) as stream:
        timestamps = Timestamps(values.zone("UTC"), int(time.time()) // 60)
        cut = list(
            parts.Cuts(0, timestamps).parts(stream.read_at, parts.up_to(len(data)), b"", None)
        )
        by_part = []
        for part in cut:
            handed = several.Several.__new__(several.Several)
            handed._read_at = stream.read_at
            reading = several.Several._reading(handed, part)
            by_part += [block for block, _ in lines.blocks(reading, part.start)]
        stream.go_to(0)
        whole = [block for block, _ in lines.blocks(stream.read, 0)]

    assert len(cut) > 50
    assert by_part == whole
    for part in cut[1:]:
        assert part.before.endswith(b"\n")
        assert data[: part.start].endswith(part.before)
        assert part.minute is not None
