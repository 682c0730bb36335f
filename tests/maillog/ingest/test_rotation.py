"""What becomes of each line when files are renamed, copied, cut, compressed and deleted."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable

import pytest

from check_postfix.maillog.ingest import piece, survey
from check_postfix.maillog.ingest.progress import Progress
from check_postfix.maillog.source import archives, lines, stream
from check_postfix.maillog.source.stream import Stream
from check_postfix.maillog.store.store import Store
from tests.maillog.conftest import Place, once
from tests.support.logbook import FIRST

EXTENSIONS = [
    ".gz",
    ".xz",
    ".bz2",
    pytest.param(".zst", marks=pytest.mark.skipif(not shutil.which("zstd"), reason="no zstd")),
]
NAMES = [".1", "-20260301", ".20260301-093012", "-20260301T0930", "_20260301", ".0"]


@pytest.mark.parametrize("name", NAMES)
def test_what_was_written_before_the_renaming_is_read_from_the_renamed_file(
    place: Place, name: str
) -> None:
    place.write(0, 1)
    place.run()
    place.write(2)
    place.rename(name)
    place.write(3)

    coverage = place.run()

    assert place.counted() == once(0, 1, 2, 3)
    assert place.gaps(coverage) == []


def test_an_extension_kept_at_the_end_is_a_rotation_name_too(place: Place) -> None:
    place.write(0)
    place.run()
    place.write(1)
    os.rename(place.log, place.log.replace("mail.log", "mail-20260301.log"))
    place.write(2)

    coverage = place.run()

    assert place.counted() == once(0, 1, 2)
    assert place.gaps(coverage) == []


@pytest.mark.parametrize("directory", archives.USUAL_ARCHIVES)
def test_what_was_moved_to_a_usual_directory_is_read_there(place: Place, directory: str) -> None:
    place.write(0)
    place.run()
    place.write(1)
    place.rename(".1")
    place.move(".1", directory)
    place.write(2)

    coverage = place.run()

    assert place.counted() == once(0, 1, 2)
    assert place.gaps(coverage) == []


def test_what_was_moved_to_a_directory_that_is_named_is_read_there(place: Place) -> None:
    place.write(0)
    place.run()
    place.write(1)
    place.rename("-20260301")
    where = place.move("-20260301", "of/last/week")
    place.write(2)

    coverage = place.run(archives=[where])

    assert place.counted() == once(0, 1, 2)
    assert place.gaps(coverage) == []


def test_what_was_moved_out_of_sight_before_it_was_read_is_a_gap(place: Place) -> None:
    place.write(0)
    place.run()
    place.write(1)
    place.rename(".1")
    place.move(".1", "elsewhere")
    place.write(2)

    coverage = place.run()

    assert place.counted() == once(0, 2)
    assert place.gaps(coverage) == [(0, 2)]


def test_a_generation_read_before_it_was_moved_is_not_counted_again(place: Place) -> None:
    place.write(0)
    place.rename(".1")
    place.write(1)
    place.run()
    place.compress(".1", ".gz")
    where = place.move(".1.gz", "elsewhere")

    coverage = place.run(archives=[where])

    assert place.counted() == once(0, 1)
    assert place.gaps(coverage) == []


def test_a_usual_directory_that_is_no_directory_is_passed_over(place: Place) -> None:
    place.write(0)
    with open(os.path.join(os.path.dirname(place.log), "old"), "wb"):
        pass

    place.run()

    assert place.counted() == once(0)


@pytest.mark.parametrize("name", ["mail.log", "mx1.log"])
def test_a_log_that_is_a_link_is_followed_through_the_rotation_of_what_it_leads_to(
    place: Place, name: str
) -> None:
    data = os.path.join(os.path.dirname(place.log), "data")
    os.mkdir(data)
    real = os.path.join(data, name)
    os.symlink(real, place.log)
    place.write(0)
    place.run()
    place.write(1)
    os.rename(real, real + ".1")
    place.write(2)

    coverage = place.run()

    assert place.counted() == once(0, 1, 2)
    assert place.gaps(coverage) == []


@pytest.mark.parametrize(
    "other",
    [
        "mail.err", "mail.info", "mail.log.swp", "mail.logger", "mail.log.1~", "xmail.log.1",
        "mail.log.", "mail.log-", "mail.log.T1", "mail.log.1.old", "mail.log.1.gz.gz", "mail.1",
        "mail-1.err", "mail.log1", "mail.gz",
    ],
)  # fmt: skip
def test_a_file_of_another_name_is_no_archive(place: Place, other: str) -> None:
    place.write(0)
    shutil.copyfile(place.log, os.path.join(os.path.dirname(place.log), other))
    with open(os.path.join(os.path.dirname(place.log), other), "ab") as file:
        file.write(b"x" * 100)
    place.write(1)

    place.run()

    assert place.counted() == once(0, 1)


def test_a_rotation_without_a_new_file_is_waited_out(place: Place) -> None:
    place.write(0)
    place.run()
    place.write(1)
    place.rename(".1")

    in_between = place.run()
    place.write(2)
    coverage = place.run()

    assert place.gaps(in_between) == place.gaps(coverage) == []
    assert place.counted() == once(0, 1, 2)


def test_several_rotations_between_two_runs_lose_nothing(place: Place) -> None:
    place.write(0)
    place.run()
    for number in range(1, 6):
        place.write(number)
        for old in range(number - 1, 0, -1):
            place.rename(f".{old + 1}", f".{old}")
        place.rename(".1")
    place.write(6)

    coverage = place.run()

    assert place.counted() == once(*range(7))
    assert place.gaps(coverage) == []


def test_a_log_copied_and_cut_is_followed_into_the_copy_and_into_the_cut_file(
    place: Place,
) -> None:
    place.write(0, 1)
    place.run()
    place.write(2)
    shutil.copyfile(place.log, place.log + ".1")
    os.truncate(place.log, 0)
    place.write(3)

    coverage = place.run()

    assert place.counted() == once(0, 1, 2, 3)
    assert place.gaps(coverage) == []


def test_a_run_between_copying_and_cutting_counts_nothing_twice(place: Place) -> None:
    place.write(0)
    shutil.copyfile(place.log, place.log + ".1")
    place.write(1)

    place.run()

    assert place.counted() == once(0, 1)


def test_a_copy_that_ends_before_what_was_read_tells_of_a_gap(place: Place) -> None:
    place.write(0)
    shutil.copyfile(place.log, place.log + ".1")
    place.write(1)
    place.run()
    place.write(2)  # nobody has read it, and it is not in the copy
    os.truncate(place.log, 0)
    place.write(3)

    coverage = place.run()

    assert place.counted() == once(0, 1, 3)
    assert place.gaps(coverage) == [(1, 3)]


def test_a_cut_log_that_has_grown_past_the_old_end_is_read_from_its_beginning(
    place: Place,
) -> None:
    place.write(0, 1, 2)
    place.run()
    os.truncate(place.log, 0)
    place.write(*range(10, 30))

    coverage = place.run()

    assert place.counted() == once(0, 1, 2, *range(10, 30))
    assert place.gaps(coverage) == [(2, 10)]


def test_nul_bytes_left_by_cutting_under_a_writer_hide_no_line(place: Place) -> None:
    place.write(*range(30))
    size = os.path.getsize(place.log)
    place.run()
    shutil.copyfile(place.log, place.log + ".1")
    for again in (30, 40):  # two such generations begin alike
        os.truncate(place.log, 0)
        os.truncate(place.log, size)
        place.write(again, again + 1)
        shutil.copyfile(place.log, f"{place.log}-{again}")

    coverage = place.run()

    assert place.counted() == once(*range(30), 30, 31, 40, 41)
    assert place.gaps(coverage) == []


def test_a_deleted_log_leaves_a_gap_even_if_nothing_new_is_there(place: Place) -> None:
    place.write(0)
    place.rename(".1")
    place.write(1)
    place.run()
    os.remove(place.log)

    coverage = place.run(at=50)

    assert place.gaps(coverage) == [(1, 50)]


def test_a_gap_ends_where_the_next_file_begins(place: Place) -> None:
    place.write(0)
    place.run()
    os.remove(place.log)
    place.write(20)
    place.rename(".1")
    place.write(30)

    coverage = place.run()

    assert place.gaps(coverage) == [(0, 20)]
    assert place.counted() == once(0, 20, 30)


def test_an_archive_deleted_before_it_was_read_is_a_gap(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(piece, "PIECE_BYTES", 2000)
    place.write(*range(60))
    place.rename(".1")
    place.write(60)
    place.run(seconds=-1)
    os.remove(place.log + ".1")

    coverage = place.run()

    assert place.counted() == once(60)
    assert place.gaps(coverage) == [(0, 60)]


def test_a_renamed_file_deleted_before_its_last_lines_were_read_is_a_gap(place: Place) -> None:
    place.write(0)
    place.run()
    place.write(1)
    place.rename(".1")
    place.write(2)
    place.run(seconds=-1)
    os.remove(place.log + ".1")

    coverage = place.run()

    assert place.counted() == once(0, 2)
    assert place.gaps(coverage) == [(0, 2)]


def test_an_archive_deleted_after_it_was_read_is_no_gap(place: Place) -> None:
    place.write(0)
    place.rename(".1")
    place.write(1)
    place.run()
    os.remove(place.log + ".1")

    coverage = place.run()

    assert place.gaps(coverage) == []


def test_late_lines_in_the_renamed_file_are_counted(place: Place) -> None:
    place.write(0)
    place.run()
    place.rename(".1")
    place.write(2)
    place.run()
    place.write(1, to=".1")

    place.run()

    assert place.counted() == once(0, 1, 2)


def test_a_line_begun_before_the_renaming_and_finished_after_it_is_counted(place: Place) -> None:
    place.write(0)
    place.write_bytes(b"2026-03-01T00:01:00+00:00 mx1 postfix/smtpd[9]: 0123456789: cli")
    place.run()
    place.rename(".1")
    place.write(2)
    place.run()
    place.write_bytes(b"ent=c.example[192.0.2.7]\n", to=".1")

    place.run()

    assert place.counted() == once(0, 1, 2)


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_an_archive_that_turns_up_compressed_is_the_same_generation(
    place: Place, extension: str
) -> None:
    place.write(*range(20))
    place.run()
    place.rename(".1")
    place.write(20)
    place.run()
    place.compress(".1", extension)

    coverage = place.run()

    assert place.counted() == once(*range(21))
    assert place.gaps(coverage) == []


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_an_archive_compressed_before_its_last_lines_were_read_is_read_on(
    place: Place, extension: str
) -> None:
    place.write(*range(20))
    place.run()
    place.write(20)
    place.rename(".1")
    place.compress(".1", extension)
    place.write(21)

    coverage = place.run()

    assert place.counted() == once(*range(22))
    assert place.gaps(coverage) == []


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_a_generation_that_is_there_plain_and_compressed_is_counted_once(
    place: Place, extension: str
) -> None:
    place.write(*range(20))
    place.rename(".1")
    place.compress(".1", extension, keep=True)
    place.write(20)

    place.run()

    assert place.counted() == once(*range(21))


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_a_half_written_compressed_file_counts_for_nothing_until_it_is_whole(
    place: Place, extension: str
) -> None:
    place.write(*range(400))
    place.rename(".1")
    place.compress(".1", extension, keep=True, part=0.6)
    os.rename(place.log + ".1", place.log + ".hidden")
    place.write(400)
    half = place.run(at=500)
    while_half = place.counted()
    os.rename(place.log + ".hidden", place.log + ".1")
    place.compress(".1", extension)

    whole = place.run(at=500)

    assert half.notes == [
        f"{place.log}.1{extension}: ends too early; if nobody is writing it, restore it from a"
        " backup, or remove it"
    ]
    assert while_half == once(400)
    assert whole.notes == []
    assert place.counted() == once(*range(401))


def test_a_hole_left_in_a_log_is_filled_from_its_compressed_copy(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(piece, "PIECE_BYTES", 2000)
    place.write(*range(60))
    place.run(seconds=-1)
    before = place.counted()
    place.rename(".1")
    place.compress(".1", ".gz")
    place.write(60)

    coverage = place.run()

    assert 0 < len(before) < 60
    assert 59 in before
    assert place.counted() == once(*range(61))
    assert coverage.complete
    assert place.gaps(coverage) == []


def test_a_big_log_is_read_from_its_end_when_there_is_no_time(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(piece, "PIECE_BYTES", 2000)
    place.write(*range(200))

    coverage = place.run(at=199, seconds=-1)

    counted = place.counted()
    assert counted == once(*range(min(counted), 200))
    assert min(counted) > 0
    assert coverage.start == FIRST + min(counted)
    assert not coverage.complete


def test_a_big_log_that_is_quiet_is_read_up_to_now_though_its_beginning_waits(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(piece, "PIECE_BYTES", 2000)
    place.write(*range(200))

    for at in (203, 204):
        coverage = place.run(at=at, seconds=-1)

        assert coverage.end == FIRST + at + 1
        assert not coverage.complete


def test_the_end_that_is_read_is_that_of_this_very_generation(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(piece, "PIECE_BYTES", 2000)
    place.write(*range(200))
    place.run(at=203, seconds=-1)

    with Store(place.store, 60) as store:
        progress = Progress(store, place.log, FIRST + 205)
        log = progress.log()
        assert log is not None
        (live,) = store.generations.unsettled(log)
        for read, end in ((None, 200), (live.id + 1, 200), (live.id, 206)):
            progress.end_read_of = read
            assert progress.coverage(log).end == FIRST + end


def test_a_big_log_whose_end_there_was_no_time_for_is_not_read_up_to_now(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(piece, "PIECE_BYTES", 8000)
    monkeypatch.setattr(lines, "BLOCK", 1000)
    place.write(*range(200))

    coverage = place.run(at=203, seconds=-1)

    assert FIRST < coverage.end < FIRST + 200


def test_a_compressed_archive_known_to_its_end_is_not_decompressed_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write(*range(2000))
    place.run(at=3000)
    place.rename(".1")
    place.compress(".1", ".gz")
    place.write(2000)
    read = _bytes_read(monkeypatch)

    place.run(at=3000)

    assert place.counted() == once(*range(2001))
    assert read[place.log + ".1.gz"] <= 32 * 1024


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_a_compressed_archive_is_decompressed_at_most_once(
    place: Place, extension: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write(*range(20))
    place.rename(".1")
    place.compress(".1", extension)
    place.write(20)
    place.run()
    read = _bytes_read(monkeypatch)

    place.write(21)
    place.run()

    assert place.log + ".1" + extension not in read


def test_an_archive_too_big_for_the_timeout_is_told_of_and_not_tried_over_and_over(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write(*range(3000))
    place.rename(".1")
    place.compress(".1", ".gz")
    place.write(3000)
    for _ in range(3):
        place.run(at=3001, seconds=-1)
    before = place.counted()
    late = itertools.count(10**9, 10**6)
    monkeypatch.setattr(stream, "monotonic", lambda: next(late))

    coverage = place.run(at=3001)
    read = _bytes_read(monkeypatch)
    place.run(at=3001)

    assert 1 < len(before) < 3001
    assert place.counted() == before
    assert coverage.notes == [
        f"{place.log}.1.gz: is too big to be read within the timeout; uncompress it,"
        " or run once with a longer --timeout"
    ]
    assert read == {}


def test_a_damaged_archive_is_told_of_and_not_read_over_and_over(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write(*range(5000), size=200)
    place.rename(".1")
    place.compress(".1", ".gz")
    with open(place.log + ".1.gz", "r+b") as file:
        file.seek(os.path.getsize(place.log + ".1.gz") // 2)
        file.write(b"\xff" * 64)
    place.write(5000)

    first = place.run(at=5100)
    read = _bytes_read(monkeypatch)
    place.write(5001)
    second = place.run(at=5100)

    assert place.counted() == once(5000, 5001)
    assert first.notes == second.notes
    assert [note.split(": damaged (")[0] for note in first.notes] == [place.log + ".1.gz"]
    assert first.notes[0].endswith("); restore it from a backup, or remove it")
    assert place.log + ".1.gz" not in read


def test_equal_or_backward_times_of_change_change_nothing(place: Place) -> None:
    for name in ("-20260301", "-20260302", "-20260303"):
        place.write(int(name[-1]))
        place.rename(name)
        os.utime(place.log + name, (0, 0))
    place.write(4)
    os.utime(place.log, (0, 0))

    place.run()

    assert place.counted() == once(1, 2, 3, 4)


def test_generations_that_begin_with_the_same_line_are_told_apart(place: Place) -> None:
    place.write(0)
    place.run()
    place.write(1, 2)
    place.run()
    place.rename(".1")
    place.write(0, 3)

    coverage = place.run()

    assert place.counted() == {0: 2, 1: 1, 2: 1, 3: 1}
    assert place.gaps(coverage) == []


def test_a_new_file_on_the_inode_of_the_old_one_is_a_new_generation(place: Place) -> None:
    place.write(0)
    place.run()
    inode = os.stat(place.log).st_ino
    shutil.copyfile(place.log, place.log + ".1")
    os.truncate(place.log, 0)
    place.write(1)

    place.run()

    assert os.stat(place.log).st_ino == inode
    assert place.counted() == once(0, 1)


def test_a_log_edited_before_its_end_is_gone_on_with_behind_the_edit(place: Place) -> None:
    place.write(*range(30))
    place.run()
    with open(place.log, "r+b") as file:
        file.seek(-50, os.SEEK_END)
        file.write(b"#")
    place.write(30)
    coverage = place.run()
    place.write(31)

    place.run()

    # What came with the edit cannot be told from what was counted before.
    assert place.counted() == once(*range(30), 31)
    assert place.gaps(coverage) == [(29, 100)]


def test_a_log_cut_back_to_an_earlier_line_is_gone_on_with_from_there(place: Place) -> None:
    place.write(*range(30))
    place.run()
    os.truncate(place.log, os.path.getsize(place.log) // 2)
    coverage = place.run()
    place.write_bytes(b"\n")
    place.write(30)

    place.run()

    assert place.counted() == once(*range(31))
    assert place.gaps(coverage) == [(29, 100)]


def test_a_rotation_between_listing_and_opening_is_seen_as_what_it_is(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write(0)
    place.run()
    place.write(1)

    def rotate() -> None:
        place.rename(".1")
        place.write(2)

    _once_before(monkeypatch, survey.LogFile, "open", rotate)
    coverage = place.run()

    assert place.counted() == once(0, 1, 2)
    assert place.gaps(coverage) == []


def test_a_rotation_between_recognising_and_reading_is_seen_as_what_it_is(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write(0, 1)

    def rotate() -> None:
        place.rename(".1")
        place.write(2)

    _once_before(monkeypatch, piece.PieceReader, "__init__", rotate)
    coverage = place.run()

    assert place.counted() == once(0, 1, 2)
    assert place.gaps(coverage) == []


def test_a_clock_that_runs_years_ahead_makes_no_gap_of_the_future(place: Place) -> None:
    place.write(0, 1_000_000)
    place.run(at=50)
    os.remove(place.log)
    place.write(60)

    coverage = place.run()

    assert place.gaps(coverage) == [(50, 60)]
    assert coverage.last == FIRST + 60


@pytest.mark.parametrize("size", [0, 95, 600])
def test_a_log_cut_while_it_is_read_is_not_read_on_in_its_successor(
    place: Place, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    place.write(0)
    place.run()
    place.write(1)
    whole = Stream.read
    blocks = 0

    def read(self: Stream, most: int) -> bytes:
        nonlocal blocks
        blocks += most == lines.BLOCK
        if blocks == 2:  # all of it was read, which only this next reading shows
            blocks += 1
            place.write(2)
            shutil.copyfile(place.log, place.log + ".1")
            os.truncate(place.log, 0)
            place.write(*range(3, 9), size=size)
        return whole(self, most)

    monkeypatch.setattr(Stream, "read", read)
    place.run()
    coverage = place.run()

    assert place.counted() == once(*range(9))
    assert place.gaps(coverage) == []


def test_what_was_lost_while_there_was_a_hole_in_it_is_lost_once(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Found by the machine of test_exactly_once.py.
    monkeypatch.setattr(piece, "PIECE_BYTES", 2000)
    place.write(*range(60))
    place.run(seconds=-1)
    os.remove(place.log)
    place.write(60)
    place.run()
    place.write(61)

    coverage = place.run()

    assert place.gaps(coverage) == [(0, 60)]
    assert coverage.complete


def test_a_year_old_archive_is_not_taken_for_this_years(place: Place) -> None:
    place.write_bytes(
        b"Feb 28 23:00:00 mx1 postfix/smtpd[9]: 0123456789: client=c.example[192.0.2.7]\n", ".9"
    )
    a_year_ago = (FIRST - 365 * 24 * 60) * 60
    os.utime(place.log + ".9", (a_year_ago, a_year_ago))
    place.write(0)

    place.run()

    assert place.counted() == once(0)


def _bytes_read(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Count from now on how many uncompressed bytes of which path are read."""
    counts: dict[str, int] = {}
    whole = Stream.read

    def read(self: Stream, size: int) -> bytes:
        data = whole(self, size)
        counts[self.path] = counts.get(self.path, 0) + len(data)
        return data

    monkeypatch.setattr(Stream, "read", read)
    return counts


def _once_before(
    monkeypatch: pytest.MonkeyPatch, owner: type, name: str, act: Callable[[], None]
) -> None:
    """Let something happen just before a method is called for the first time."""
    whole = getattr(owner, name)

    def then(*arguments: object) -> object:
        monkeypatch.setattr(owner, name, whole)
        act()
        return whole(*arguments)

    monkeypatch.setattr(owner, name, then)
