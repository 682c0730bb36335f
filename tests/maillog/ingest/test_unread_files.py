"""Files that are there and cannot be read: they are tried again, and told of until they are read.

Only what is in a file proves that it never can be read.
"""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from check_postfix.maillog.source import stream
from tests.maillog.conftest import Place, once
from tests.support.logbook import FIRST

ERRORS = [
    errno.ESTALE, errno.EIO, errno.ENFILE, errno.EMFILE, errno.ENOMEM, errno.EACCES, errno.EPERM,
    errno.ENXIO, errno.ELOOP, errno.EAGAIN,
]  # fmt: skip


def touch(place: Place, name: str, minute: int) -> None:
    """Let a copy of the log be changed last in a minute."""
    os.utime(place.log + name, ((FIRST + minute) * 60,) * 2)


def two_generations(place: Place, extension: str = "") -> None:
    place.write(*range(20))
    place.rename(".1")
    touch(place, ".1", 20)
    if extension:
        place.compress(".1", extension)
        touch(place, ".1" + extension, 20)
    place.write(20)


@pytest.mark.parametrize("read", [False, True], ids=["open", "read"])
@pytest.mark.parametrize("extension", ["", ".gz", ".xz", ".bz2"])
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: errno.errorcode[error])
def test_an_error_of_the_system_is_told_and_leaves_the_next_run_right(
    place: Place, error: int, extension: str, read: bool
) -> None:
    two_generations(place, extension)

    with place.failing(".1" + extension, error, read):
        failed = place.run(at=21)
    between = place.counted()
    right = place.run(at=22)

    assert between == once(20)
    assert [(file.path, file.last - FIRST) for file in failed.unread] == [
        (place.log + ".1" + extension, 20)
    ]
    assert failed.notes == [file.why for file in failed.unread]
    assert place.gaps(failed) == place.gaps(right) == []
    assert (right.unread, right.notes) == ([], [])
    assert place.counted() == once(*range(21))


def test_an_archive_is_tried_again_after_pauses_that_grow(place: Place) -> None:
    two_generations(place)
    tried = []

    for minute in range(21, 60):
        with place.failing(".1", errno.EIO) as opened:
            place.run(at=minute)
        if opened:
            tried.append(minute - 21)

    assert tried == [0, 1, 3, 7, 15, 31]


def test_an_archive_is_tried_at_once_by_a_run_that_has_more_time(place: Place) -> None:
    two_generations(place)
    with place.failing(".1"):
        for minute in (21, 22):
            place.run(at=minute, seconds=1)

    place.run(at=23, seconds=60)

    assert place.counted() == once(*range(21))


@pytest.mark.skipif(not shutil.which("zstd"), reason="no zstd")
def test_without_the_program_zstd_an_archive_waits_for_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_generations(place, ".zst")
    with monkeypatch.context() as patch:
        patch.setenv("PATH", "/nonexistent")
        patch.setattr(stream, "_ZSTD_PLACES", ())
        coverage = place.run(at=21)

    place.run(at=22)

    assert coverage.notes == [
        f"cannot read {place.log}.1.zst: the program zstd is missing; install the package zstd"
    ]
    assert place.counted() == once(*range(21))


@pytest.mark.skipif(not shutil.which("zstd"), reason="no zstd")
@pytest.mark.parametrize("search", [".", "", ":/nonexistent", "bin"])
def test_no_program_zstd_of_the_working_directory_is_run(
    search: str, place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    two_generations(place, ".zst")
    planted = [tmp_path / "zstd", tmp_path / "bin" / "zstd"]
    for program in planted:
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\ntouch {tmp_path}/was_run\n")
        program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", search)

    place.run(at=21)

    assert not (tmp_path / "was_run").exists()
    assert place.counted() == once(*range(21))


def test_too_little_memory_for_an_archive_says_nothing_of_what_is_in_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_generations(place, ".xz")

    class Poor:
        def read(self, _: int) -> bytes:
            raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(
            stream.Stream,
            "_uncompressed",
            lambda self: Poor() if self.path.endswith(".xz") else self._disk,
        )
        coverage = place.run(at=21)
    place.run(at=22)

    assert coverage.notes == [
        f"cannot read {place.log}.1.xz: not enough memory; give the check more memory"
    ]
    assert place.counted() == once(*range(21))


def test_an_unread_file_stands_in_the_way_of_what_it_may_hold_only(place: Place) -> None:
    place.write(0, 1)
    place.rename(".2")
    place.write(10, 11)
    place.rename(".1")
    touch(place, ".1", 19)
    touch(place, ".2", 9)
    place.write(20)

    with place.failing(".1"):
        coverage = place.run(at=30)

    assert [(file.first - FIRST, file.last - FIRST) for file in coverage.unread] == [(1, 19)]
    assert coverage.unread_in(FIRST + 20, FIRST + 31) == []
    assert coverage.includes(FIRST + 20, FIRST + 31)
    assert not coverage.includes(FIRST + 19, FIRST + 31)


def test_a_lost_generation_that_turns_up_again_is_read_and_its_gap_closes(place: Place) -> None:
    place.write(0)
    place.run()
    place.write(1)
    place.rename(".1")
    where = place.move(".1", "elsewhere")
    place.write(2)
    lost = place.run()

    found = place.run(archives=[where])

    assert place.gaps(lost) == [(0, 2)]
    assert place.gaps(found) == []
    assert place.counted() == once(0, 1, 2)


def test_a_copy_that_ends_too_early_does_not_close_the_gap(place: Place) -> None:
    place.write(0, 1)
    place.write(0, to=".1")
    place.run()
    place.write(2)
    os.remove(place.log)
    place.write(3)
    place.run()
    place.compress(".1", ".gz")

    coverage = place.run()

    assert place.gaps(coverage) == [(1, 3)]


def test_a_damaged_archive_of_last_week_hides_no_loss_of_today(place: Place) -> None:
    place.write_bytes(b"plain text\n" * 100, to=".9.gz")
    touch(place, ".9.gz", -9000)
    place.write(0)
    place.run()
    os.remove(place.log)
    place.write(20)

    coverage = place.run()

    assert place.gaps(coverage) == [(0, 20)]
