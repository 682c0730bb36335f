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
        offset = offset.after(written + off, now - every, now, written)
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
        offset = offset.after(NOON - 300 + 60 * n, now - 5, now, now)

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
        offset = offset.after(int(now - lag), now - 5, now, now)
        assert offset.proven == 0


@pytest.mark.parametrize("lag", [2, 8, 14, 16, 20])
def test_a_constant_delay_shorter_than_zones_differ_by_proves_nothing(lag):
    assert after(0, delays=[lag], times=30).proven == 0


def test_runs_that_are_far_apart_prove_nothing():
    assert after(-300, every=360, times=30).proven == 0


def test_what_no_run_of_ours_has_seen_coming_proves_nothing():
    offset = UNKNOWN
    for n in range(9):
        offset = offset.after(NOON - 300 + n, None, NOON + n, NOON + n)

    assert offset.proven == 0


@pytest.mark.parametrize("off", [30, 60, 345, 840])
@pytest.mark.parametrize("late", [-1, 0, 1])
def test_stamps_of_the_future_prove_a_zone_from_the_first(off, late):
    assert UNKNOWN.after(NOON - 3 + off + late, None, NOON, NOON - 3).proven == off


@pytest.mark.parametrize("off", [11, 20, 53, 60 * 24, 60 * 24 * 60])
def test_others_of_the_future_are_told_of_and_prove_none(off):
    offset = UNKNOWN.after(NOON + off, None, NOON, NOON)

    assert (offset.proven, offset.ahead(0)) == (0, off)
    assert offset.ahead(off) == 0  # its time has come


@pytest.mark.parametrize("off", [-300, 0, 3, 10])
def test_stamps_of_the_past_are_not(off):
    offset = UNKNOWN.after(NOON + off, None, NOON, NOON)

    assert (offset.proven, offset.ahead(0)) == (0, 0)


@pytest.mark.parametrize("off", [-300, 0, 3])
def test_a_file_whose_time_was_set_proves_nothing(off):
    assert UNKNOWN.after(NOON + off, None, NOON, NOON + off - 300).proven == 0


@pytest.mark.parametrize(("off", "seems"), [(-300, -300), (-301, -300), (-30, -30), (-292, 0),
                                            (-15, 0), (0, 0), (-26 * 60, 0), (300, 0)])  # fmt: skip
def test_what_is_behind_the_file_s_own_time_by_quarters_seems_to_be_in_another_zone(off, seems):
    assert UNKNOWN.seems(NOON + off, NOON) == seems


def test_what_one_of_our_runs_has_seen_when_it_was_new_does_not():
    offset = UNKNOWN.after(NOON, None, NOON + 1, NOON)

    assert offset.seems(NOON, NOON + 300) == 0


def test_what_was_proven_ends_when_stamps_are_right_again():
    offset = after(-300)
    now = NOON + 20

    assert offset.after(now, now - 5, now, now).proven == 0
