"""Of which time the log was read."""

from __future__ import annotations

import pytest

from check_postfix.maillog.window.coverage import Coverage


@pytest.mark.parametrize(
    ("start", "end", "included"),
    [
        (100, 200, True),
        (120, 180, True),
        (99, 200, False),
        (100, 201, False),
        (50, 99, False),
        (201, 300, False),
    ],
)
def test_minutes_between_begin_and_end_are_included(start, end, included):
    assert Coverage(start=100, end=200).includes(start, end) is included


@pytest.mark.parametrize(
    ("gap", "included"),
    [
        ((100, 119), True),
        ((100, 120), False),
        ((130, 131), False),
        ((110, 190), False),
        ((139, 145), False),
        ((140, 145), True),
    ],
)
def test_minutes_that_a_gap_touches_are_not_included(gap, included):
    coverage = Coverage(start=0, end=1000, gaps=[(5, 6), gap])

    assert coverage.includes(120, 140) is included


def test_a_log_without_a_line_includes_nothing():
    assert not Coverage(start=None, end=1000).includes(1, 2)


def test_what_is_still_to_be_read_behind_the_begin_does_not_matter():
    assert Coverage(start=100, end=200, complete=False).includes(100, 200)
