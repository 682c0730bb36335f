"""What single senders had at most on the days before."""

from __future__ import annotations

import pytest

from check_postfix.maillog.window.daily_most import DailyMost


def daily_most(days=28, minutes=15):
    return DailyMost(days, {"a": 40, "b": 3}, 2, minutes, str.lower)


@pytest.mark.parametrize(("days", "is_known"), [(0, False), (6, False), (7, True), (28, True)])
def test_a_week_of_days_makes_it_known(days, is_known):
    assert daily_most(days).is_known is is_known


def test_before_that_it_says_how_many_there_are():
    assert daily_most(3).lack == "usual not known yet (3 of 7 days)"


@pytest.mark.parametrize(("name", "most"), [("A", 40), ("b", 3), ("nobody kept apart", 2)])
def test_each_has_its_own_and_all_others_the_same(name, most):
    assert daily_most().of(name) == most


@pytest.mark.parametrize(("minutes", "most"), [(1, 40), (15, 40), (22, 59), (60, 160)])
def test_more_is_usual_in_a_longer_window(minutes, most):
    assert daily_most(minutes=minutes).of("a") == most
    assert daily_most(minutes=minutes).busiest == most


def test_where_nobody_sent_anything_the_busiest_sent_nothing():
    assert DailyMost(28, {}, 0, 15, str).busiest == 0
