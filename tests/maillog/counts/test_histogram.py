"""Histograms of seconds: percentiles of any sum of them are near the exact ones."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from check_postfix.maillog.counts import delays, histogram

# As Postfix writes them (util/format_tv.c), up to the five days of maximal_queue_lifetime
SECONDS = st.one_of(
    st.just(0.0),
    st.floats(1e-6, 432_000, allow_nan=False),
    st.integers(1, 432_000).map(float),
    st.floats(1e-6, 99).map(lambda seconds: float(f"{seconds:.2g}")),
)
PERCENT = st.sampled_from([1, 50, 90, 95, 99, 100])


def _of(seconds: list[float]) -> dict[int, int]:
    counted: dict[int, int] = {}
    for one in seconds:
        histogram.add(counted, {delays.bucket(one): 1})
    return counted


@given(st.lists(SECONDS, min_size=1), PERCENT)
def test_a_percentile_is_within_two_percent_of_the_exact_one(seconds, percent):
    exact = sorted(seconds)[math.ceil(len(seconds) * percent / 100) - 1]

    shown = histogram.percentile(_of(seconds), percent)

    assert shown is not None
    assert abs(shown - exact) <= 0.02 * shown


@given(SECONDS, SECONDS)
def test_longer_is_in_no_earlier_bucket(one, other):
    shorter, longer = sorted((one, other))

    assert delays.bucket(shorter) <= delays.bucket(longer)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, 0), (0.01, 0.01), (0.5, 0.5), (1, 1), (2.5, 2.5), (9.9, 9.9), (10, 10), (60, 60),
        (300, 300), (4000, 4000), (432_000, 430_000), (1e9, 1_000_000),
    ],
)  # fmt: skip
def test_round_times_are_shown_as_they_are(seconds, shown):
    assert histogram.seconds(delays.bucket(seconds)) == shown


def test_slow_begins_with_the_bucket_of_slow():
    assert delays.bucket(histogram.SLOW) == histogram.SLOW_BUCKET
    assert delays.bucket(9.999_999) == histogram.SLOW_BUCKET - 1
