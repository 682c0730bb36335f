"""A log that is trimmed from its top: what is left of it is not counted again, nor is it lost."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from check_postfix.maillog.ingest import piece
from check_postfix.maillog.source import lines
from tests.maillog.conftest import Place, once
from tests.support import logbook


def trim(place: Place, left: int, in_place: bool = True, of: str = "") -> None:
    """Leave so many lines of the log, in the same file or in a new one."""
    path = Path(place.log + of)
    rest = b"".join(path.read_bytes().splitlines(keepends=True)[-left:])
    if in_place:
        with path.open("r+b") as file:
            file.write(rest)
            file.truncate()
    else:
        other = path.with_name("some")
        other.write_bytes(rest)
        other.rename(path)


def read_with_a_hole(place: Place) -> dict[int, int]:
    """Let the end of a log of 200 lines be read, and return what is counted then."""
    place.write(*range(200))
    place.run(at=300, seconds=-1)
    while 199 not in place.counted():
        place.run(at=300, seconds=-1)
    there = place.counted()
    assert 20 < len(there) < 190
    return there


@pytest.mark.parametrize("in_place", [True, False], ids=["in place", "new file"])
@pytest.mark.parametrize("between", [0, 1, 12])
def test_what_is_left_is_not_counted_again_and_what_was_cut_is_no_loss(
    between: int, in_place: bool, place: Place
) -> None:
    place.write(*range(100))
    place.run()
    place.write(*range(100, 100 + between))
    trim(place, 40, in_place)
    place.write(200)

    assert place.gaps(place.run(at=300)) == []
    assert place.counted() == once(*range(100 + between), 200)


def test_a_new_log_whose_first_line_ends_like_the_last_one_is_no_rest_of_it(place: Place) -> None:
    # A stranger's server can give the same long answer again and again.
    place.write(*range(100))
    place.write(100, size=3000)
    place.run()
    os.remove(place.log)
    place.write(101, size=3000)
    place.write(102)

    place.run()

    assert place.counted() == once(*range(103))


def test_a_log_is_trimmed_again_and_again(place: Place) -> None:
    for day in range(5):
        place.write(*range(day * 100, day * 100 + 100))
        place.run(at=500)
        trim(place, 30)
        assert place.gaps(place.run(at=500)) == []
    assert place.counted() == once(*range(500))


def test_a_trimmed_log_is_followed_through_a_rotation(place: Place) -> None:
    place.write(*range(100))
    place.run()
    trim(place, 40)
    place.write(100)
    place.rename(".1")
    place.write(101)

    assert place.gaps(place.run()) == []
    assert place.counted() == once(*range(102))


@pytest.mark.parametrize("copy", [".1", ".bak"])
def test_a_whole_copy_beside_a_trimmed_log_is_not_counted_again(copy: str, place: Place) -> None:
    place.write(*range(100))
    place.run()
    place.write(*range(100, 110))
    shutil.copyfile(place.log, place.log + copy)
    trim(place, 40)
    place.write(110)

    assert place.gaps(place.run()) == []
    place.write(111)
    assert place.gaps(place.run()) == []
    assert place.counted() == once(*range(112))


def test_a_log_trimmed_to_what_no_run_has_seen_has_a_gap(place: Place) -> None:
    place.write(*range(100))
    place.run()
    place.write(*range(100, 150))
    trim(place, 30)

    assert place.gaps(place.run(at=200)) == [(99, 120)]
    assert place.counted() == once(*range(100), *range(120, 150))


def test_coverage_goes_on_from_where_the_whole_log_began(place: Place) -> None:
    place.write(*range(100))
    place.run()
    trim(place, 30)

    assert place.run().start == logbook.FIRST


def test_a_log_is_trimmed_while_there_is_a_hole_in_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "BLOCK", 500)
    monkeypatch.setattr(piece, "PIECE_BYTES", 4000)
    read_with_a_hole(place)
    trim(place, 190)

    gaps = place.gaps(place.run(at=300))
    assert place.counted() == once(*range(10, 200))
    assert gaps == [(0, 10)]


def test_a_log_is_trimmed_down_to_what_lies_behind_the_hole(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "BLOCK", 500)
    monkeypatch.setattr(piece, "PIECE_BYTES", 4000)
    there = read_with_a_hole(place)
    trim(place, 20)
    place.write(200)

    assert len(place.gaps(place.run(at=300))) == 1
    assert place.counted() == there | once(200)


def test_a_run_that_comes_while_a_log_is_being_written_anew_changes_nothing(place: Place) -> None:
    place.write(*range(100))
    place.run()
    rest = b"".join(Path(place.log).read_bytes().splitlines(keepends=True)[-40:])
    os.truncate(place.log, 0)
    assert place.gaps(place.run(at=150)) == [(99, 150)]
    place.write_bytes(rest)
    place.write(100)

    assert place.gaps(place.run(at=150)) == []
    assert place.counted() == once(*range(101))


def test_archives_that_are_new_are_not_searched(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    from check_postfix.maillog.ingest import trimmed

    monkeypatch.setattr(trimmed, "counted_up_to", None)
    for number, name in enumerate((".3", ".2", ".1", "")):
        place.write(*range(number * 50, number * 50 + 50), to=name)

    assert place.gaps(place.run(at=300)) == []
    place.write(*range(200, 250), to=".4")
    place.run(at=300)
    assert place.counted() == once(*range(250))


def test_a_new_log_is_searched_only_where_its_times_overlap(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    from check_postfix.maillog.ingest import trimmed

    monkeypatch.setattr(trimmed, "counted_up_to", None)
    place.write(*range(100))
    place.run()
    place.rename(".1")
    place.write(110)

    assert place.gaps(place.run(at=150)) == []
    assert place.counted() == once(*range(100), 110)


def test_a_log_too_big_to_be_searched_in_time_is_not_counted_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    from check_postfix.maillog.errors import LogError
    from check_postfix.maillog.ingest import trimmed

    monkeypatch.setattr(trimmed, "_CHUNK_BYTES", 1000)
    place.write(*range(100))
    place.run()
    trim(place, 40)

    with pytest.raises(LogError) as raised:
        place.run(seconds=-1)
    assert str(raised.value) == (
        f"{place.log}: begins anew, and is too big to be searched within the timeout for what is"
        " counted; run once with a longer --timeout"
    )
    assert place.gaps(place.run()) == []
    assert place.counted() == once(*range(100))


def test_a_line_written_between_reading_and_writing_back_is_gone_without_a_word(
    place: Place,
) -> None:
    # Nobody can know that; whoever trims a log like this loses it.
    place.write(*range(100))
    place.run()
    rest = b"".join(Path(place.log).read_bytes().splitlines(keepends=True)[-40:])
    place.write(100)
    os.truncate(place.log, 0)
    place.write_bytes(rest)
    place.write(101)

    place.run(at=150)
    assert place.counted() == once(*range(100), 101)
