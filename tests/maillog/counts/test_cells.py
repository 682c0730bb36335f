"""Cells: as bytes they are what they were, and parts come to the whole."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from check_postfix.maillog.counts import cells, histogram

ORIGINS = st.integers(1, 2**29 - 1)
WHERE = st.tuples(ORIGINS, st.integers(0, histogram.LATE), st.integers(0, histogram.MOST))


def _cell(origin: int, place: int, bucket: int) -> int:
    return cells.first(origin, place) + bucket


@given(WHERE)
def test_a_cell_tells_origin_place_and_bucket(where):
    assert cells.split(_cell(*where)) == where


@given(st.lists(st.dictionaries(WHERE, st.integers(1, 1000))))
def test_parts_packed_and_merged_are_the_whole(parts):
    whole = Counter[int]()
    for part in parts:
        whole.update({_cell(*where): number for where, number in part.items()})

    data = cells.merged(
        *(cells.packed({_cell(*where): n for where, n in part.items()}) for part in parts)
    )

    assert cells.unpacked(data) == whole


def test_a_number_beyond_all_reason_is_kept_as_the_largest():
    assert cells.unpacked(cells.packed({_cell(1, 0, 3): 10**12})) == {_cell(1, 0, 3): 2**32 - 1}


@pytest.mark.parametrize("data", [b"x", cells.packed({_cell(1, 0, 3): 4})[:-1], bytes(8)])
def test_bytes_that_are_none_are_refused(data):
    with pytest.raises(ValueError, match="not histograms"):
        cells.unpacked(data)


@given(st.dictionaries(WHERE, st.integers(1, 1000)))
def test_cells_of_origins_with_other_numbers_are_added_up_where_these_are_the_same(numbers):
    found = Counter({_cell(1 + origin % 3, *rest): n for (origin, *rest), n in numbers.items()})

    other = cells.renumbered(found, [0, 9, 4, 9])

    expected = Counter[int]()
    for cell, number in found.items():
        origin, *rest = cells.split(cell)
        expected[_cell({1: 9, 2: 4, 3: 9}[origin], *rest)] += number
    assert other == expected
    assert cells.renumbered(found, range(4)) is found
