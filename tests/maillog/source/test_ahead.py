"""What is unpacked ahead of its readers is, at each offset, what the log has there."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from check_postfix.maillog.errors import LogError
from check_postfix.maillog.source import ahead
from check_postfix.maillog.source.ahead import Ahead
from check_postfix.maillog.source.stream import Stream

DATA = os.urandom(5_000)
KEPT = 1_000


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "_CHUNK_BYTES", 70)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "mail.log.1.gz"
    path.write_bytes(gzip.compress(DATA))
    return path


def test_it_is_read_as_the_log_is_however_little_is_kept(archive: Path) -> None:
    with Stream(str(archive)) as stream, Ahead(stream, 0, KEPT) as unpacked:
        read = [unpacked.read(333) for _ in range(20)]

    assert b"".join(read) == DATA
    assert all(len(data) == 333 for data in read[: len(DATA) // 333])


def test_what_was_unpacked_last_is_read_at_any_offset(archive: Path) -> None:
    with Stream(str(archive)) as stream, Ahead(stream, 0, KEPT) as unpacked:
        while data := unpacked.read(100):
            end = unpacked._offset
            for start in range(max(0, end - KEPT + 200), end, 37):
                size = min(90, end - start)
                assert unpacked.read_at(start, size) == DATA[start : start + size]
        assert not data


def test_it_begins_where_the_stream_stands(archive: Path) -> None:
    with Stream(str(archive)) as stream:
        stream.go_to(1_234)
        with Ahead(stream, 1_234, KEPT) as unpacked:
            assert unpacked.read(10) == DATA[1_234:1_244]
            assert unpacked.read_at(1_230, 10) == DATA[1_234:1_240]


@pytest.mark.parametrize(
    ("offset", "end"), [(0, None), (4_999, None), (5_000, 5_000), (6_000, 5_000)]
)
def test_it_says_whether_it_ends_before_an_offset(
    archive: Path, offset: int, end: int | None
) -> None:
    with Stream(str(archive)) as stream, Ahead(stream, 0, 10_000) as unpacked:
        assert unpacked.end_before(offset) == end


def test_nothing_is_lost_that_was_not_read(archive: Path) -> None:
    with (
        Stream(str(archive)) as stream,
        Ahead(stream, 0, KEPT) as unpacked,
        pytest.raises(AssertionError, match="was not read in time"),
    ):
        unpacked.end_before(KEPT + 100)


def test_what_the_log_fails_with_it_fails_with(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:2_500])
    with (
        Stream(str(archive)) as stream,
        Ahead(stream, 0, 10_000) as unpacked,
        pytest.raises(LogError, match="ends too early"),
    ):
        unpacked.end_before(10_000)
