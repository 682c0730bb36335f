"""Blocks of whole lines, whatever the bytes of a log are."""

from __future__ import annotations

import io
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from check_postfix.maillog.source import lines


def found_in(data: bytes, start: int = 0) -> list[tuple[list[bytes], int]]:
    """Return the (lines, end) of each block."""
    return [
        (block.split(b"\n")[1:], end) for block, end in lines.blocks(io.BytesIO(data).read, start)
    ]


def test_each_line_has_a_newline_in_front_and_the_last_one_none_behind() -> None:
    assert list(lines.blocks(io.BytesIO(b"one\ntwo\n").read, 100)) == [(b"\none\ntwo", 108)]


def test_an_unfinished_last_line_waits() -> None:
    assert found_in(b"one\ntw") == [([b"one"], 4)]


def test_nothing_but_an_unfinished_line_is_no_block() -> None:
    assert found_in(b"tw") == []


def test_an_empty_log_has_no_block() -> None:
    assert found_in(b"") == []


def test_an_empty_line_is_a_line() -> None:
    assert found_in(b"\n\n") == [([b"", b""], 2)]


@pytest.mark.parametrize("mark", ["\u2028", "\x0b", "\x0c", "\x1c", "\x85"])
def test_only_a_newline_ends_a_line(mark: str) -> None:
    text = f"a{mark}b".encode()

    assert found_in(text + b"\n") == [([text], len(text) + 1)]


def test_a_carriage_return_stays_with_its_line() -> None:
    assert found_in(b"one\r\n") == [([b"one\r"], 5)]


def test_an_overlong_line_is_passed_over_in_bounded_memory() -> None:
    long = b"x" * (10 * lines.LONGEST)
    data = b"before\n" + long + b"\nafter\n"
    tracemalloc.start()

    blocks = found_in(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert [line for block, _ in blocks for line in block] == [b"before", b"after"]
    assert blocks[-1][1] == len(data)
    assert peak < 4 * lines.LONGEST


def test_an_overlong_line_at_the_end_still_moves_the_end_behind_it() -> None:
    data = b"x" * (2 * lines.LONGEST) + b"\n"

    assert list(lines.blocks(io.BytesIO(data).read, 0)) == [(b"", len(data))]


@pytest.mark.parametrize("size", [10, lines.BLOCK - 1, lines.BLOCK, 3 * lines.LONGEST])
def test_nul_bytes_in_front_of_a_line_do_not_hide_it(size: int) -> None:
    data = b"before\n" + b"\0" * size + b"line\nafter\n"

    found = [line.lstrip(b"\0") for block, _ in found_in(data) for line in block]

    assert found == [b"before", b"line", b"after"]


@given(
    data=st.lists(st.sampled_from([b"\n", b"a", b"bc", b"\0", b"\r", b"\xff"])).map(b"".join),
    chunks=st.lists(st.integers(1, 5), min_size=1),
    start=st.integers(0, 1000),
)
def test_blocks_hold_all_whole_lines_however_the_bytes_arrive(
    data: bytes, chunks: list[int], start: int
) -> None:
    origin = io.BytesIO(data)
    turn = iter(range(10**9))

    def read(_: int) -> bytes:
        return origin.read(chunks[next(turn) % len(chunks)])

    found = list(lines.blocks(read, start))

    whole = data[: data.rfind(b"\n") + 1]
    # of a run of NUL bytes only the last few need be there
    told = [line for block, _ in found for line in block.split(b"\n")[1:]]
    assert [line.lstrip(b"\0") for line in told] == [
        line.lstrip(b"\0") for line in whole.split(b"\n")[:-1]
    ]
    assert (found[-1][1] if found else start) == start + len(whole)
    for block, end in found:
        tail = block[1:] + b"\n"
        if not tail.startswith(b"\0"):
            assert data[: end - start].endswith(tail)


@given(st.lists(st.sampled_from([b"\n", b"\r", b"a", b"\0"])).map(b"".join))
def test_a_block_has_as_many_lines_as_newlines(block: bytes) -> None:
    assert lines.number(block) == block.count(b"\n")
