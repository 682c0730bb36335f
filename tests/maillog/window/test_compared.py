"""What has come lately, held against the days that are known of it."""

from __future__ import annotations

from datetime import UTC

import pytest

from check_postfix.maillog.counts.series import CONNECTED, RECEIVED, SCREENED
from check_postfix.maillog.window.compared import Counted
from check_postfix.maillog.window.coverage import Coverage
from check_postfix.maillog.window.usual import DAYS, LESS, QUARTER, QUARTERS, WITHIN
from tests.support.builders import NOON

LAST = NOON // QUARTER


class Answers:
    """Of a store: in each quarter-hour of so many days the same, and nothing in the last one."""

    def __init__(self, days: int, screened: set[int], screened_at: int) -> None:
        self._days = days
        self._screened = screened
        self._screened_at = screened_at
        self.asked: list[tuple[str, list[int]]] = []

    def quarters(self, series, first, last, origins):
        self.asked.append((series, list(origins)))
        return dict.fromkeys(range(max(first, LAST - self._days * QUARTERS), last), 40)

    def quarters_since(self, first, *_):
        return first

    def by_minute(self, *_):
        return {}

    def origins_of(self, _, first, last):
        return self._screened if first <= self._screened_at < last else set()


def compared(series, days=40, screened=(), screened_at=LAST - 1, watched_since=None):
    answers = Answers(days, set(screened), screened_at)
    counted = Counted(
        answers, [1, 2], NOON, Coverage(start=0, end=NOON), UTC, True,
        lambda _, find: find(), lambda _: watched_since,
    )  # fmt: skip
    return counted.compared(series, None), answers


@pytest.mark.parametrize(("series", "days"), [(RECEIVED, DAYS), (CONNECTED, 3)])
def test_connections_which_older_versions_did_not_count_are_known_since_the_first(series, days):
    found, _ = compared(series, days=4)

    assert found.range.days == days


@pytest.mark.parametrize(
    ("screened", "asked"),
    [
        ([], [(SCREENED, []), (CONNECTED, [1, 2])]),
        ([2], [(SCREENED, [2]), (CONNECTED, [1])]),
        ([1, 2], [(SCREENED, [1, 2]), (CONNECTED, [])]),
    ],
)
def test_of_hosts_with_postscreen_its_connections_are_looked_at(screened, asked):
    _, answers = compared(CONNECTED, screened=screened)

    assert answers.asked == asked


@pytest.mark.parametrize(("days", "is_one"), [(2, True), (2 + 1 / QUARTERS, False)])
def test_a_host_is_one_with_postscreen_for_two_days(days, is_one):
    _, answers = compared(CONNECTED, screened=[2], screened_at=LAST - int(days * QUARTERS))

    assert answers.asked == [
        (SCREENED, [2] if is_one else []),
        (CONNECTED, [1] if is_one else [1, 2]),
    ]


def test_too_few_that_are_no_trouble_are_told_of_the_last_quarter_of_an_hour():
    found, _ = compared(RECEIVED)

    assert found.verdict.how == LESS
    verdict = found.without_too_few().verdict
    assert (verdict.how, verdict.factor, verdict.number, verdict.quarters) == (WITHIN, 1, 0, 1)
