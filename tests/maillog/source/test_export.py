"""The export format, however it is cut into pieces."""

from __future__ import annotations

import itertools
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from check_postfix.maillog.source import export


def read(*pieces: bytes) -> list[dict[bytes, bytes]]:
    """Return the entries of a stream that comes in these pieces."""
    coming = iter(pieces)
    return list(export.entries(lambda: next(coming, b"")))


def binary(name: bytes, value: bytes) -> bytes:
    return name + b"\n" + len(value).to_bytes(8, "little") + value + b"\n"


def test_fields_of_text_are_name_and_value():
    assert read(b"MESSAGE=a=b\n_PID=\n\nMESSAGE=c\n\n") == [
        {b"MESSAGE": b"a=b", b"_PID": b""},
        {b"MESSAGE": b"c"},
    ]


def test_a_binary_field_may_hold_newlines_and_what_looks_like_fields():
    value = b"one\n\nMESSAGE=two\n\xff\xc2\x85"

    assert read(b"_PID=1\n" + binary(b"MESSAGE", value) + b"_UID=0\n\n_PID=2\n\n") == [
        {b"_PID": b"1", b"MESSAGE": value, b"_UID": b"0"},
        {b"_PID": b"2"},
    ]


def test_nothing_is_no_entry():
    assert read() == []


@pytest.mark.parametrize("stream", [b"MESSAGE=a\n\n", binary(b"MESSAGE", b"a\n\nb") + b"\n"])
def test_a_stream_that_ends_within_an_entry_is_told(stream):
    assert len(read(stream)) == 1
    for size in range(1, len(stream)):
        with pytest.raises(export.EndsEarly):
            read(stream[:size])


@pytest.mark.parametrize("form", [binary, lambda name, value: name + b"=" + value + b"\n"])
def test_a_field_that_is_too_long_is_passed_over(form):
    big = b"x" * (2 * export.LONGEST)
    stream = b"_PID=1\n" + form(b"MESSAGE", big) + b"_UID=0\n\n_PID=2\n\n"
    pieces = [stream[at : at + 1000] for at in range(0, len(stream), 1000)]

    assert read(*pieces) == [{b"_PID": b"1", b"_UID": b"0"}, {b"_PID": b"2"}]


@pytest.mark.parametrize("start", [b"MESSAGE=", b"MESSAGE\n" + (50_000_000).to_bytes(8, "little")])
def test_a_field_of_any_size_costs_no_memory(start):
    def pieces():
        yield b"_PID=1\n" + start
        for _ in range(500):
            yield b"x" * 100_000
        yield b"\n\n"

    tracemalloc.start()
    try:
        coming = pieces()
        found = list(export.entries(lambda: next(coming, b"")))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert found == [{b"_PID": b"1"}]
    assert peak < 2_000_000


NAMES = st.text("ABC_0", min_size=1, max_size=5).map(str.encode)
VALUES = st.one_of(
    st.binary(max_size=40),
    st.lists(st.sampled_from([b"\n", b"=", b"A=b\n", b"\n\n", b"x", b"\0"]), max_size=8).map(
        b"".join
    ),
)


@given(
    st.lists(st.dictionaries(NAMES, st.tuples(VALUES, st.booleans()), min_size=1), max_size=5),
    st.data(),
)
def test_every_stream_gives_its_entries_wherever_it_is_cut(entries, data):
    stream = b""
    for entry in entries:
        for name, (value, as_text) in entry.items():
            plain = as_text and b"\n" not in value
            stream += name + b"=" + value + b"\n" if plain else binary(name, value)
        stream += b"\n"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    places = [0, *cuts, len(stream)]
    pieces = [stream[a:b] for a, b in itertools.pairwise(places)]

    found = read(*filter(None, pieces))

    assert found == [{name: value for name, (value, _) in entry.items()} for entry in entries]


@given(st.binary(max_size=200))
def test_whatever_comes_is_entries_or_ends_early(stream):
    try:
        for entry in read(stream):
            assert all(isinstance(value, bytes) for value in entry.values())
    except export.EndsEarly:
        pass
