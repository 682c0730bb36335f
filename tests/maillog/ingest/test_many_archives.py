"""A run costs what is new, however many archives there are."""

from __future__ import annotations

import os

import pytest

from check_postfix.maillog.ingest import ingest
from check_postfix.maillog.source import archives
from check_postfix.maillog.source.stream import Stream
from tests.maillog.conftest import Place, once
from tests.support import logbook
from tests.support.logbook import FIRST


@pytest.fixture
def settled(place: Place, tmp_path: os.PathLike[str], monkeypatch: pytest.MonkeyPatch) -> Place:
    """Return a place whose directory counts as unchanged once its files were listed."""
    monkeypatch.setattr(archives, "_RESTLESS_NS", -(10**18))
    directory = os.path.join(tmp_path, "log")
    os.mkdir(directory)
    place.log = os.path.join(directory, "mail.log")
    return place


def many(place: Place, number: int) -> None:
    """Make so many archives, of one line each."""
    for minute in range(number):
        data = logbook.compressed(logbook.line(FIRST + minute), ".gz")
        place.write_bytes(data, to=f"-{20260301 + minute}.gz")
        seconds = (FIRST + minute) * 60
        os.utime(f"{place.log}-{20260301 + minute}.gz", (seconds, seconds))
    place.write(number)


def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect from now on what is listed, and opened."""
    found: list[str] = []
    list_directory, open_stream = os.listdir, Stream.__init__

    def listed(path: str) -> list[str]:
        found.append(path)
        return list_directory(path)

    def opened(self: Stream, path: str, *more: float) -> None:
        found.append(path)
        open_stream(self, path, *more)

    monkeypatch.setattr(os, "listdir", listed)
    monkeypatch.setattr(Stream, "__init__", opened)
    return found


def with_many_read(settled: Place) -> None:
    """Let 200 generations be read, and a line be new."""
    many(settled, 200)
    settled.run(at=201)
    settled.write(201)


def test_a_run_with_new_lines_opens_the_live_log_only_and_lists_nothing(
    settled: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_many_read(settled)
    found = looked_at(monkeypatch)

    settled.run(at=202)

    assert set(found) == {settled.log}
    assert settled.counted() == once(*range(202))


def test_a_new_archive_is_the_only_one_that_is_opened(
    settled: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_many_read(settled)
    settled.rename(".1")
    settled.write(202)
    found = looked_at(monkeypatch)

    settled.run(at=203)

    assert {path for path in found if "mail.log" in path} == {settled.log, settled.log + ".1"}
    assert settled.counted() == once(*range(203))


def test_late_lines_of_an_archive_are_seen_though_no_file_has_another_name(
    settled: Place,
) -> None:
    settled.write(0)
    settled.rename(".1")
    settled.write(3)
    settled.run()
    settled.write(1, 2, to=".1")
    coverage = settled.run()

    assert (settled.counted(), settled.gaps(coverage)) == (once(0, 1, 2, 3), [])


def test_a_log_cut_where_no_file_has_another_name_leaves_a_gap(settled: Place) -> None:
    settled.write(0, 1, 2)
    settled.run()
    os.truncate(settled.log, 0)
    settled.write(10)

    coverage = settled.run()

    assert settled.gaps(coverage) == [(2, 10)]


def test_an_archive_that_vanishes_is_noticed(settled: Place) -> None:
    many(settled, 3)
    settled.run()
    os.remove(f"{settled.log}-20260302.gz")
    settled.write(4)

    coverage = settled.run()

    assert settled.counted() == once(*range(5))
    assert settled.gaps(coverage) == []


@pytest.mark.heavy
def test_archives_that_there_was_no_time_for_are_read_by_the_next_runs(settled: Place) -> None:
    many(settled, 60)
    read = []

    for _ in range(200):
        coverage = settled.run(at=61, seconds=-1)
        read.append(len(settled.counted()))
        if coverage.complete:
            break

    # A run finds lines, or that there are no more of them in a file.
    assert all(later > before for before, later in zip(read, read[2:], strict=False))
    assert settled.counted() == once(*range(61))
    assert coverage.start == FIRST


def test_files_that_nobody_has_looked_into_yet_count_as_unread_up_to_their_last_change(
    settled: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "_LOOKING", 0)
    many(settled, 60)

    coverage = settled.run(at=61, seconds=-1)

    assert not coverage.complete
    assert coverage.start is not None
    assert coverage.start > FIRST + 30


def test_renamed_archives_are_not_read_again(
    settled: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(settled, 10)
    settled.run()
    for minute in range(10):
        settled.rename(f".{10 - minute}.gz", f"-{20260301 + minute}.gz")
    read = {}
    whole = Stream.ends_at

    def ends_at(self: Stream, offset: int) -> bool:
        read[self.path] = offset
        return whole(self, offset)

    monkeypatch.setattr(Stream, "ends_at", ends_at)

    coverage = settled.run()

    assert read == {}
    assert settled.counted() == once(*range(11))
    assert (coverage.complete, settled.gaps(coverage)) == (True, [])
