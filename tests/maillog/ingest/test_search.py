"""The search for a generation under other names: what it costs, and when it takes place."""

from __future__ import annotations

import os

import pytest

from check_postfix.maillog.ingest import search
from tests.maillog.conftest import Place, once
from tests.support import logbook

NO_TIME = -1


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of files that are opened."""
    names: list[str] = []
    plain = os.open

    def noted(path: str, *arguments: int, **more: int) -> int:
        names.append(os.path.basename(path))
        return plain(path, *arguments, **more)

    monkeypatch.setattr(os, "open", noted)
    return names


def others(place: Place, number: int) -> None:
    """Write files of other programs beside the log."""
    for each in range(number):
        place.write_bytes(b"%d another program says something\n" % each * 20, to=f"-other-{each}x")


def rotated(place: Place) -> None:
    """Let a line be read, one more be written, and the log go to a name of its own."""
    place.write(0)
    place.run()
    place.write(1)
    place.rename(".old")
    place.write(2)


def test_no_more_than_so_many_files_are_looked_into(place: Place, opened: list[str]) -> None:
    others(place, 2 * search.MOST_LOOKS)
    place.write(0)
    place.run()
    os.remove(place.log)
    place.write(2)
    opened.clear()

    coverage = place.run()

    assert place.gaps(coverage) == [(0, 2)]
    looked_into = [name for name in opened if "other" in name]
    assert len(looked_into) == len(set(looked_into))
    assert 0.9 * search.MOST_LOOKS < len(looked_into) <= search.MOST_LOOKS


def test_the_state_file_is_never_opened_but_by_sqlite(place: Place, opened: list[str]) -> None:
    rotated(place)
    opened.clear()

    place.run()

    # Whoever closes it again would give up the locks that SQLite holds.
    assert "state.sqlite" not in opened


def test_a_renamed_file_is_looked_into_first(place: Place, opened: list[str]) -> None:
    others(place, 3)
    rotated(place)
    os.utime(place.log + ".old", (0, 0))  # older than all others
    opened.clear()

    assert place.gaps(place.run()) == []
    assert place.counted() == once(0, 1, 2)
    assert next(name for name in opened if name != "mail.log") == "mail.log.old"


def test_what_is_lost_is_searched_for_once(place: Place, opened: list[str]) -> None:
    others(place, 3)
    place.write(0)
    place.run()
    os.remove(place.log)
    place.write(2)
    place.run()
    opened.clear()
    place.write(3)

    place.run()

    assert not [name for name in opened if "other" in name]


def test_a_rotation_to_a_usual_name_needs_no_search(place: Place, opened: list[str]) -> None:
    others(place, 3)
    place.write(0)
    place.run()
    place.write(1)
    place.rename(".1")
    place.write(2)

    assert place.gaps(place.run()) == []
    assert not [name for name in opened if "other" in name]


def test_without_time_for_the_search_nothing_is_lost_yet(place: Place) -> None:
    others(place, 2 * search.LEAST_LOOKS)
    place.write(0)
    place.run()
    place.write(1)
    place.compress("", ".gz")
    os.rename(place.log + ".gz", place.log + ".old.gz")
    os.utime(place.log + ".old.gz", (0, 0))  # not among the first
    place.write(2)

    coverage = place.run(seconds=NO_TIME)
    assert place.gaps(coverage) == []
    assert not coverage.complete

    coverage = place.run()
    assert place.gaps(coverage) == []
    assert coverage.complete
    assert place.counted() == once(0, 1, 2)


def test_a_file_that_cannot_be_read_is_passed_over(place: Place) -> None:
    rotated(place)
    with place.failing(".old"):
        assert place.gaps(place.run()) == [(0, 2)]
    assert place.counted() == once(0, 2)


def test_a_file_that_vanishes_while_the_directory_is_listed_hides_no_other(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    others(place, 5)
    rotated(place)
    plain = search.LogFile

    def gone(path: str, status: os.stat_result) -> search.LogFile:
        if "other" in path:
            raise FileNotFoundError(path)
        return plain(path, status)

    monkeypatch.setattr(search, "LogFile", gone)

    assert place.gaps(place.run()) == []
    assert place.counted() == once(0, 1, 2)


def test_what_a_damaged_archive_might_hold_is_searched_for_too(place: Place) -> None:
    place.write(0)
    place.run()
    place.write_bytes(b"no gzip", to=".5.gz")
    place.write(1)
    place.rename(".old")
    place.write(2)

    assert place.gaps(place.run()) == []
    assert place.counted() == once(0, 1, 2)


def test_what_nothing_is_counted_of_is_not_searched_for(place: Place) -> None:
    place.write_bytes(logbook.line(logbook.FIRST)[:60])
    place.run()
    place.rename(".old")
    place.write(2)

    place.run()

    assert place.counted() == once(2)


def test_a_big_generation_with_a_hole_is_read_on_under_a_name_of_its_own(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    from check_postfix.maillog.ingest import piece
    from check_postfix.maillog.source import lines

    monkeypatch.setattr(lines, "BLOCK", 500)
    monkeypatch.setattr(piece, "PIECE_BYTES", 2000)
    place.write(*range(60))
    place.run(seconds=NO_TIME)
    assert 0 < len(place.counted()) < 60
    place.rename(".old")
    place.write(60)

    place.run()
    assert place.gaps(place.run()) == []
    assert place.counted() == once(*range(61))
