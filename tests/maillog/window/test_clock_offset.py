"""What the stamps of a log prove of the zone that they are in."""

from __future__ import annotations

import random

import pytest

from check_postfix.maillog.window.clock_offset import UNKNOWN

NOON = 29_600_000


def after(off, delays=(), every=5, times=3):
    """Return what appends say of which the stamps are so many minutes off.

    off:    of each append, in minutes
    delays: of each append's newest line on its way to us, in turn
    every:  how often our runs come
    """
    offset = UNKNOWN
    for n in range(times):
        now = NOON + (n + 1) * every
        late = delays[n % len(delays)] if delays else 0
        written = now - (n * 2) % every - late
        offset = offset.after(written + off, now - every, now)
    return offset


@pytest.mark.parametrize("off", [-300, 60, -60, 330, -570, 345, -720, 30])
@pytest.mark.parametrize("every", [1, 5, 10])
def test_three_appends_between_our_runs_prove_a_zone(off, every):
    assert after(off, every=every).proven == off


@pytest.mark.parametrize("times", [0, 1, 2])
def test_fewer_prove_nothing(times):
    assert after(-300, times=times).proven == 0


@pytest.mark.parametrize("off", [0, 1, -1])
def test_stamps_that_are_right_prove_nothing(off):
    assert after(off, times=50).proven == 0


def test_lines_that_come_in_one_batch_after_an_outage_prove_nothing():
    offset = UNKNOWN
    for n in range(3):  # a relay sends what it has kept for five hours, faster than it came
        now = NOON + 5 * n
        offset = offset.after(NOON - 300 + 60 * n, now - 5, now)

    assert offset.proven == 0


@pytest.mark.parametrize("seed", range(100))
def test_a_queue_on_the_way_that_fills_and_empties_proves_nothing(seed):
    chance = random.Random(seed)
    offset, lag, speed = UNKNOWN, 0.0, 0.0
    for n in range(300):
        now = NOON + 5 * n
        if lag == 0 and chance.random() < 0.1:
            lag = chance.randrange(10, 700)  # nothing has come for so long
            speed = chance.choice([3, 5, 10, 60])  # times as fast as it was logged
        lag = max(0, lag - 5 * (speed - 1))
        offset = offset.after(int(now - lag), now - 5, now)
        assert offset.proven == 0


@pytest.mark.parametrize("lag", [2, 8, 14, 16, 20])
def test_a_constant_delay_shorter_than_zones_differ_by_proves_nothing(lag):
    assert after(0, delays=[lag], times=30).proven == 0


def test_runs_that_are_far_apart_prove_nothing():
    assert after(-300, every=360, times=30).proven == 0


def test_what_no_run_of_ours_has_seen_coming_proves_nothing():
    offset = UNKNOWN
    for n in range(9):
        offset = offset.after(NOON - 300 + n, None, NOON + n)

    assert offset.proven == 0


def test_stamps_of_the_future_are_told_of_from_the_first():
    offset = UNKNOWN.after(NOON + 60, None, NOON)

    assert (offset.proven, offset.ahead) == (0, 60)


@pytest.mark.parametrize("off", [-300, 0, 3])
def test_others_are_not(off):
    assert UNKNOWN.after(NOON + off, None, NOON).ahead == 0


def test_what_was_proven_ends_when_stamps_are_right_again():
    offset = after(-300)
    now = NOON + 20

    assert offset.after(now, now - 5, now).proven == 0
