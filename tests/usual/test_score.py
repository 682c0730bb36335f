"""The promises about the usual level, on few months; score.py tells of many."""

from __future__ import annotations

import pytest

from tests.usual.months import SHAPES, SIZES, TEST, Month
from tests.usual.score import score

# A month's alarms without cause may be as many at any size; CRITICAL ones among them.
ALARMS, CRITICAL = 1.2, 0.6


def test_the_same_seed_makes_the_same_month() -> None:
    assert Month(300, "office", 1).counts == Month(300, "office", 1).counts
    assert Month(300, "office", 1).counts != Month(300, "office", 2).counts


def by_chance(a_month: float, months: float) -> float:
    """Return how many a month so few months may show, where that many are true."""
    return a_month + 2 * (a_month / months) ** 0.5


@pytest.mark.heavy
@pytest.mark.parametrize("size", SIZES)
def test_it_is_calm_and_finds_what_can_be_told(size: int) -> None:
    scores = [score(size, shape, seed) for seed in (1, 2) for shape in SHAPES]
    months = len(scores) * TEST / 30

    spikes = [found for one in scores for found in one.spikes]
    stops = [found for one in scores for found in one.stops]
    assert sum(one.alarms for one in scores) / len(scores) <= by_chance(ALARMS, months)
    assert sum(one.critical for one in scores) / len(scores) <= by_chance(CRITICAL, months)
    if size >= 50_000:
        assert sum(spikes) >= 0.85 * len(spikes) > 0
        assert sum(stops) >= 0.95 * len(stops) > 0
