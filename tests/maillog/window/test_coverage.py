"""Of which time the log was read."""

from __future__ import annotations

import pytest

from check_postfix.maillog.source.line_counts import LineCounts
from check_postfix.maillog.window.coverage import Coverage, Unread


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
def test_minutes_between_start_and_end_are_included(start, end, included):
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


@pytest.mark.parametrize(
    ("first", "last", "included"),
    [(100, 119, True), (100, 120, False), (139, 150, False), (140, 150, True)],
)
def test_minutes_of_which_a_file_cannot_be_read_are_not_included(first, last, included):
    unread = Unread("/var/log/mail.log.1", "cannot read it", first, last)
    coverage = Coverage(start=0, end=1000, unread=[unread])

    assert coverage.includes(120, 140) is included
    assert coverage.unread_in(120, 140) == ([] if included else [unread])


def test_a_log_without_a_line_includes_nothing():
    assert not Coverage(start=None, end=1000).includes(1, 2)


def test_older_lines_still_to_be_read_do_not_matter():
    assert Coverage(start=100, end=200, complete=False).includes(100, 200)


def merged(*parts, oldest=0):
    return Coverage.merged(
        [Coverage(**{"start": 100, "end": 200, **part}) for part in parts], oldest
    )


def test_several_logs_cover_what_each_of_them_covers():
    together = merged(
        {"start": 100, "end": 200, "last": 190}, {"start": 150, "end": 180, "last": 170}
    )

    assert (together.start, together.end, together.last) == (150, 180, 190)


def test_a_log_without_a_line_leaves_nothing_covered():
    together = merged({"start": None, "last": None}, {"last": 170})

    assert (together.start, together.last) == (None, 170)
    assert merged({"start": None}).last is None


def test_what_is_no_longer_kept_is_not_covered():
    assert merged({"start": 100}, oldest=120).start == 120


def test_as_long_as_one_log_has_older_lines_unread_the_whole_is_not_complete():
    assert merged({}, {}).complete
    assert not merged({}, {"complete": False}).complete


def test_of_several_logs_lines_are_added_up_and_gaps_and_notes_put_together():
    counted = LineCounts(lines=10, events=5, matched=4, foreign=3, unparsed=2)

    together = merged(
        {"line_counts": counted, "gaps": [(150, 160)], "notes": ["a"]},
        {"line_counts": counted, "gaps": [(110, 120)], "notes": ["b"]},
    )

    assert together.line_counts == LineCounts(20, 10, 8, 6, 4)
    assert (together.gaps, together.notes) == ([(110, 120), (150, 160)], ["a", "b"])


@pytest.mark.parametrize(("begins", "start"), [(49, 49), (50, 20), (80, 20)])
def test_of_logs_under_one_pattern_one_that_began_later_leaves_nothing_out(begins, start):
    """One that was there when the pattern was first read may have begun long before its lines."""
    counted = LineCounts(lines=1, events=1, matched=1)
    parts = [
        Coverage(start=20, end=100, line_counts=counted),
        Coverage(start=begins, end=100, line_counts=counted),
    ]

    assert Coverage.of_several(parts, known=50, absence="").start == start


@pytest.mark.parametrize(
    ("gaps", "read"),
    [
        ([], 10),
        ([(99, 99)], 10),
        ([(100, 100)], 9),
        ([(109, 110)], 9),
        ([(110, 115)], 10),
        ([(95, 101), (102, 102)], 7),
        ([(101, 105), (103, 104)], 5),
    ],
)
def test_minutes_of_which_no_line_is_missing_are_counted(gaps, read):
    assert Coverage(start=0, end=1000, gaps=gaps).read_of(100, 110) == read
