"""What a window usually comes to."""

from __future__ import annotations

import time
from datetime import datetime

import pytest
from dateutil import tz
from hypothesis import given
from hypothesis import strategies as st

from check_postfix.maillog.window.coverage import Coverage
from check_postfix.maillog.window.usual import usual

BERLIN = tz.gettz("Europe/Berlin")
NOW = int(datetime(2026, 11, 24, 16, 0, tzinfo=BERLIN).timestamp()) // 60
DAY = 1440


def minute(year, month, day, hour, minutes=0, fold=0):
    return (
        int(datetime(year, month, day, hour, minutes, tzinfo=BERLIN, fold=fold).timestamp()) // 60
    )


def covered(start, gaps=()):
    return Coverage(start=start, end=NOW + 1, gaps=gaps)


def counted_at(start, end, coverage, numbers, length=15):
    """Return what is usual where the window that starts at a minute came to its number, or 0."""
    asked = []

    def count(first, last):
        assert last - first == length
        asked.append(first)
        return numbers.get(first, 0)

    return usual(start, end, BERLIN, coverage, count), asked


def of_days(*numbers, start=NOW - 15, gaps=(), history=None):
    """Return what is usual where the days before came to these numbers, yesterday first."""
    days = {start - (i + 1) * DAY: n for i, n in enumerate(numbers)}
    history = len(numbers) if history is None else history
    return counted_at(start, start + 15, covered(start - history * DAY, gaps), days)[0]


def test_usual_is_the_median_of_the_same_time_on_earlier_days():
    found = of_days(10, 30, 1000)

    assert (found.level, found.basis) == (30, "3 days")


def test_of_an_even_number_of_days_the_median_lies_in_the_middle():
    found = of_days(10, 20, 31, 1000)

    assert (found.level, found.basis) == (25.5, "4 days")


def test_two_days_are_too_few_so_the_preceding_hours_count():
    found = of_days(10, 30)

    assert (found.level, found.basis) == (0, "last 24 h")


def test_not_more_than_28_days_count():
    found = of_days(*range(1, 61))

    assert (found.level, found.basis) == (14.5, "28 days")


def test_a_day_with_a_gap_at_that_time_does_not_count():
    lost = NOW - 2 * DAY - 7
    found = of_days(10, 500, 20, 30, gaps=[(lost, lost + 1)])

    assert (found.level, found.basis) == (20, "3 days")


def test_a_gap_at_another_time_of_day_does_no_harm():
    lost = NOW - 2 * DAY + 60
    found = of_days(10, 20, 30, gaps=[(lost, lost + 1)])

    assert (found.level, found.basis) == (20, "3 days")


def test_a_day_whose_window_was_read_in_part_does_not_count():
    start = NOW - 15
    days = {start - (i + 1) * DAY: 10 for i in range(3)}

    found, _ = counted_at(start, NOW, covered(start - 3 * DAY + 1), days)

    assert found.basis == "last 24 h"


def test_without_days_the_preceding_windows_count():
    start = NOW - 15
    numbers = {start - 15: 7, start - 30: 9, start - 45: 11, start - 60: 100}

    found, asked = counted_at(start, NOW, covered(start - 60), numbers)

    assert asked == [start - 15, start - 30, start - 45, start - 60]
    assert (found.level, found.basis) == (10, "last 1 h")


def test_preceding_time_that_is_no_whole_hours_is_told_in_minutes():
    found, asked = counted_at(NOW - 15, NOW, covered(NOW - 15 - 105), {})

    assert len(asked) == 7
    assert found.basis == "last 105 min"


def test_preceding_windows_reach_back_24_hours():
    found, asked = counted_at(NOW - 15, NOW, covered(NOW - 40 * 60), {})

    assert (min(asked), len(asked)) == (NOW - 15 - DAY, 97)  # a day back once for each way
    assert found.basis == "last 24 h"


def test_with_three_preceding_windows_nothing_is_usual():
    found, _ = counted_at(NOW - 15, NOW, covered(NOW - 15 - 59), {})

    assert (found.level, found.basis) == (None, "usual not known yet")


def test_of_a_log_that_never_was_read_nothing_is_usual():
    found, asked = counted_at(NOW - 15, NOW, covered(None), {})

    assert (found.level, asked) == (None, [])


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        # summer time ends on 2026-10-25
        (
            (2026, 10, 26, 16),
            [(2026, 10, 25, 16), (2026, 10, 24, 16), (2026, 10, 23, 16)],
        ),
        # and begins on 2026-03-29
        (
            (2026, 3, 30, 16),
            [(2026, 3, 29, 16), (2026, 3, 28, 16), (2026, 3, 27, 16)],
        ),
    ],
)
def test_the_time_of_day_is_the_clocks_on_the_wall(now, expected):
    start = minute(*now)

    _, asked = counted_at(start, start + 15, covered(start - 3 * DAY - 60), {})

    assert asked[:3] == [minute(*time) for time in expected]


def test_the_clock_on_the_wall_makes_a_day_of_25_hours():
    start = minute(2026, 10, 26, 1)

    _, asked = counted_at(start, start + 15, covered(start - 4 * DAY), {})

    assert start - asked[0] == 25 * 60
    assert asked[0] - asked[1] == 24 * 60


@pytest.mark.parametrize(
    "now", [(2026, 3, 30, 2, 30), (2026, 10, 26, 2, 30), (2026, 10, 25, 2, 30, 1)]
)
def test_a_time_that_a_day_lacks_or_has_twice_still_counts(now):
    start = minute(*now)

    found, asked = counted_at(start, start + 15, covered(start - 10 * DAY), {})

    assert found.basis in ("9 days", "10 days")
    assert len(set(asked)) == len(asked)
    assert all(abs(start - then - (i + 1) * DAY) <= 60 for i, then in enumerate(asked))


def test_in_the_machines_zone_the_time_of_day_counts_too(monkeypatch):
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    try:
        start = minute(2026, 10, 26, 16)
        asked = []
        usual(start, start + 15, None, covered(start - 4 * DAY), lambda *s: asked.append(s[0]) or 0)
    finally:
        monkeypatch.undo()
        time.tzset()

    assert asked[:2] == [minute(2026, 10, 25, 16), minute(2026, 10, 24, 16)]


def test_a_window_of_days_is_not_compared_with_a_part_of_itself():
    start = NOW - 2 * DAY

    found, asked = counted_at(start, NOW, covered(start - 10 * DAY), {}, length=2 * DAY)

    assert asked[0] == start - 2 * DAY
    assert found.basis == "9 days"


@given(
    st.integers(1, 3 * DAY),
    st.integers(0, 40 * DAY),
    st.lists(st.tuples(st.integers(0, 40 * DAY), st.integers(0, 600)), max_size=4),
)
def test_only_windows_that_were_read_whole_and_lie_before_are_ever_counted(length, history, gaps):
    start = NOW - length
    lost = [(NOW - back - long, NOW - back) for back, long in gaps]
    coverage = covered(start - history, lost)

    def count(first, last):
        assert last - first == length
        assert start - history <= first
        assert last <= start
        assert not any(a < last and first <= b for a, b in lost)
        return first

    found = usual(start, NOW, BERLIN, coverage, count)

    assert found.level is None or start - 40 * DAY < found.level < start
