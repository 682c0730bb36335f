"""A stream reads what is there as the compressing program itself does, and no more than it must."""

from __future__ import annotations

import bz2
import gzip
import os
import re
import time
from pathlib import Path

import pytest

from check_postfix.maillog.errors import LogError
from check_postfix.maillog.source import stream
from check_postfix.maillog.source.refusal import UnreadableNow
from check_postfix.maillog.source.stream import Stream, TooLong, Unfinished

TEXT = b"".join(b"line %d\n" % n for n in range(500))


def content(path: Path) -> bytes:
    with Stream(os.fspath(path)) as opened:
        return opened.read_whole(10**9)


@pytest.mark.parametrize("behind", [b"\0" * 9, b"garbage", b"\x1f", b"\0\0x", b"x" * 200_000])
def test_a_gz_is_read_to_its_end_whatever_stands_behind_it(tmp_path: Path, behind: bytes) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(TEXT) + gzip.compress(b"more\n") + behind)

    assert content(path) == TEXT + b"more\n"


def test_a_gz_whose_second_member_is_cut_is_unfinished(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(TEXT) + gzip.compress(TEXT)[:-9])

    with pytest.raises(Unfinished):
        content(path)


def test_a_gz_of_one_member_ends_where_it_says(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(TEXT))
    with Stream(os.fspath(path)) as opened:
        assert opened.ends_at(len(TEXT))
        assert not opened.ends_at(len(TEXT) - 1)


def test_the_last_of_several_members_does_not_say_how_long_a_gz_is(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(TEXT) + gzip.compress(TEXT))
    with Stream(os.fspath(path)) as opened:
        assert not opened.ends_at(len(TEXT))


def with_a_hole(directory: Path) -> Path:
    """Return a log that begins with a hole, as its writer leaves one when it is cut short."""
    path = directory / "a"
    with path.open("wb") as file:
        file.truncate(10**12)
        file.seek(10**12)
        file.write(TEXT)
    return path


def test_a_hole_in_front_of_a_log_is_passed_over_at_once(tmp_path: Path) -> None:
    path = with_a_hole(tmp_path)

    with Stream(os.fspath(path), time.monotonic() + 5) as opened:
        assert opened.read_head(1000) == TEXT[:1000]
        assert opened.blank == 10**12


def test_a_hole_is_passed_over_however_late_it_is(tmp_path: Path) -> None:
    path = with_a_hole(tmp_path)

    with Stream(os.fspath(path), 0) as opened:
        assert opened.read_head(1000) == TEXT[:1000]


def test_a_file_that_is_nothing_but_a_hole_has_no_head(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with path.open("wb") as file:
        file.truncate(10**12)

    with Stream(os.fspath(path), time.monotonic() + 5) as opened:
        assert opened.read_head(1000) == b""


def test_nul_bytes_are_passed_over_until_the_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "_LEAST_SECONDS", 0)
    path = tmp_path / "a.bz2"
    path.write_bytes(bz2.compress(b"\0" * 10**7))

    with Stream(os.fspath(path), 0) as opened, pytest.raises(TooLong):
        opened.read_head(1000)


def test_nul_bytes_that_are_no_hole_are_passed_over_until_the_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "_LEAST_SECONDS", 0)
    path = tmp_path / "a"
    path.write_bytes(b"\0" * 10**7)

    with Stream(os.fspath(path), 0) as opened, pytest.raises(TooLong) as raised:
        opened.read_head(1000)

    passed = int(re.search(r"more than (\d+)", str(raised.value))[1])
    assert 0 < passed < 10**7
    assert str(raised.value) == (
        f"{path}: begins with more than {passed} NUL bytes, which cannot be passed over within"
        " the timeout; run once with a longer --timeout"
    )


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 'zstd: a.zst : Allocation error' >&2; exit 1", "Allocation error"),
        ("kill -9 $$", "it was ended"),
    ],
)
def test_a_zstd_that_fails_and_does_not_blame_the_file_is_told_with_its_words(
    script: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "zstd"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    path = tmp_path / "a.zst"
    path.write_bytes(b"\x28\xb5\x2f\xfd" + b"x" * 100)

    with Stream(os.fspath(path)) as opened, pytest.raises(UnreadableNow) as raised:
        opened.read_head(1000)

    assert str(raised.value) == f"cannot read {path}: zstd: {said}; see what zstd -t says of it"


def test_a_bomb_is_bounded_by_its_ratio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_RATIO_FROM_BYTES", 10**6)
    path = tmp_path / "a.bz2"
    path.write_bytes(bz2.compress(b"\0" * 10**7))

    with Stream(os.fspath(path)) as opened, pytest.raises(LogError) as error:
        opened.read_head(1000)

    assert str(error.value) == (
        f"{path}: grows to more than 2000 times its size, as no log does; remove it, or"
        " uncompress it"
    )
