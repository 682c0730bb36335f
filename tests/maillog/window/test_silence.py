"""A silence is ordinary if an earlier day of its kind had as long a one at this time."""

from __future__ import annotations

from datetime import UTC

import pytest

from check_postfix.maillog.window.coverage import Coverage
from check_postfix.maillog.window.silence import Silence, is_ordinary
from tests.support.builders import NOON

# A Tuesday, 16:00
LAST, START, DAY = NOON - 60, NOON - 15, 24 * 60
MINUTES = NOON - LAST - 1


def judged(days, minutes, start=0):
    """Tell of a silence of an hour, where one day before had one of so many minutes."""

    def around(_, after, most):
        assert most == MINUTES
        if after != NOON - days * DAY:
            return None
        return after - minutes, after

    return is_ordinary(LAST, START, NOON, UTC, Coverage(start=start, end=NOON), around)


@pytest.mark.parametrize(("minutes", "is_ordinary"), [(59, True), (58, False), (600, True)])
def test_it_must_have_lasted_as_long(minutes, is_ordinary):
    assert judged(1, minutes) is is_ordinary


@pytest.mark.parametrize(
    ("days", "is_ordinary"),
    [(1, True), (2, False), (3, False), (4, True), (28, True), (29, False)],
    ids=["Monday", "Sunday", "Saturday", "Friday", "4 weeks ago", "longer ago"],
)
def test_it_must_have_been_on_a_day_of_this_kind_within_four_weeks(days, is_ordinary):
    assert judged(days, 59) is is_ordinary


@pytest.mark.parametrize(("start", "is_ordinary"), [(59, True), (58, False)])
def test_all_of_it_must_have_been_read(start, is_ordinary):
    assert judged(1, 59, start=NOON - DAY - start) is is_ordinary


@pytest.mark.parametrize(("minutes", "is_too_long"), [(60, False), (61, True)])
def test_it_is_too_long_after_the_time_that_it_may_last(minutes, is_too_long):
    assert Silence(NOON - minutes, most=60).is_too_long(NOON) is is_too_long


def test_what_is_not_silent_is_not_too_long():
    assert not Silence(None, most=60).is_too_long(NOON)
