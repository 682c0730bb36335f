"""Which minutes are judged: the edges of what is kept, and of a minute."""

from __future__ import annotations

import pytest

from check_postfix.common.span import AskedSpan
from check_postfix.deferred import CHECK
from check_postfix.maillog.store.retention import USUAL
from check_postfix.plugin import UsageError
from tests.support.builders import NOON, options

pytestmark = pytest.mark.usefixtures("utc")
NOW = NOON * 60


def span(*arguments: str, seconds: float = 0) -> AskedSpan:
    return AskedSpan(options(CHECK, *arguments), NOW + seconds)


@pytest.mark.parametrize("seconds", [0, 59.9])
def test_the_minute_that_is_still_running_is_the_last(seconds):
    found = span("--window", "15m", seconds=seconds)

    assert (found.start, found.end) == (NOON - 14, NOON + 1)


@pytest.mark.parametrize(
    ("at", "end"), [("16:00:00", NOON), ("15:59:01", NOON), ("15:59", NOON - 1)]
)
def test_an_end_that_is_asked_for_is_a_whole_minute(at, end):
    found = span("--window", "15m", "--at", f"2026-11-24T{at}Z")

    assert (found.start, found.end) == (end - 15, end)


def test_what_is_still_to_come_is_not_judged():
    with pytest.raises(UsageError, match="lies in the future; leave --at out to judge now"):
        span("--at", "2026-11-24T16:00:01Z")


def test_the_oldest_minute_that_is_kept_is_the_oldest_that_is_judged():
    kept = USUAL.totals + 1  # with the one that is running

    assert span("--window", f"{kept}m").start == NOON - USUAL.totals
    assert span("--window", f"{kept + 1}m", "--no-state")
    with pytest.raises(UsageError, match="counts are kept no longer; read the log afresh with"):
        span("--window", f"{kept + 1}m")


def test_who_keeps_counts_for_longer_judges_more():
    assert span("--window", "40d", "--keep-totals", "60d").start == NOON + 1 - 40 * 1440
