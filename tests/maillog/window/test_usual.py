"""What is usual, by histories written by hand; each verdict is argued beside it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from check_postfix.maillog.window.usual import (
    DAYS,
    LASTING_MORE,
    LESS,
    MORE,
    NOTHING,
    QUARTERS,
    UNJUDGED,
    WITHIN,
    Range,
    Recent,
    Usual,
    Verdict,
    bar,
    judge,
    rare,
)

Day = list[int | None]
MORNING = 40  # the quarter-hour at 10:00
NIGHT = 8


def office(busy: int, quiet: int = 0) -> Day:
    """Return a working day: busy from 8 to 18."""
    return [busy if 32 <= quarter < 72 else quiet for quarter in range(QUARTERS)]


def month(day: Callable[[int], Sequence[int | None]]) -> list[Sequence[int | None]]:
    """Return 28 days; `day` gets how many days ago each was, 28 first.

    Today is of the same weekday as 7, 14, 21 and 28 days ago.
    """
    return [day(ago) for ago in range(DAYS, 0, -1)]


def weekend(ago: int) -> bool:
    """Tell whether a day was one of a weekend, today being a Wednesday."""
    return (2 - ago) % 7 >= 5


def verdict(
    days: list[Sequence[int | None]],
    *lately: int | None,
    at: int = MORNING,
    moved: Sequence[int] = (),
) -> Verdict:
    """Judge what has come in the last spans of 15 minutes, the last one first."""
    usual = Usual(days, moved).at(at)
    known = [n for n in lately if n is not None]
    silence = 0 if not known or known[0] else 15 * len(lately)
    padded = [*lately, *[round(usual.level or 0)] * (16 - len(lately))]
    return judge(Recent(padded, silence), usual)


def state(found: Verdict) -> int:
    """Return what the default thresholds of check_postfix_volume make of it."""
    if not 0.1 <= found.factor <= 10 or found.silence > 4:
        return 2
    return int(not 0.3 <= found.factor <= 3 or found.silence > 2.5)


def test_1_a_host_that_is_always_the_same() -> None:
    days = month(lambda _: [100] * QUARTERS)

    # Chance alone makes 100 +- 30 of 100; three times as much is none, and a stop isn't either.
    assert [state(verdict(days, n)) for n in (70, 100, 140, 400, 1100)] == [0, 0, 0, 1, 2]
    assert [verdict(days, n).how for n in (140, 400, 20)] == [WITHIN, MORE, LESS]
    assert state(verdict(days, 20)) == 1
    assert state(verdict(days, 0)) == 2


def test_2_an_office_that_is_empty_at_weekends() -> None:
    days = month(lambda ago: [0] * QUARTERS if weekend(ago) else office(100))

    # Of any day, 8 of 28 had nothing. But working days never did: next to nothing on one is worth
    # a look within 15 minutes, and may be a holiday, so it is no more than that.
    assert state(verdict(days, 0)) == 1
    assert verdict(days, 0).how == LESS
    # Little mail is what a bridging day looks like.
    assert state(verdict(days, 30)) == 0
    # At night nobody writes there.
    assert state(verdict(days, *[0] * 16, at=NIGHT)) == 0


def test_3_a_saturday_of_that_office() -> None:
    # Today is a Saturday: weekdays are one further on.
    days = month(lambda ago: [0] * QUARTERS if (5 - ago) % 7 >= 5 else office(100))

    # Nothing is usual, so nothing is too few. As much as on a working day is told: it is many
    # times what any Saturday had.
    assert state(verdict(days, *[0] * 16)) == 0
    assert state(verdict(days, 100)) > 0


def test_4_a_new_host() -> None:
    unread: Day = [None] * QUARTERS
    days = month(lambda ago: unread if ago > 3 else [100] * QUARTERS)

    # Three days tell nothing of weekends.
    assert verdict(days, 100_000).how == UNJUDGED
    assert state(verdict(days, 0)) == 0
    assert Usual(days).at(MORNING).days == 3


def test_5_a_host_of_seven_days() -> None:
    unread: Day = [None] * QUARTERS
    days = month(lambda ago: unread if ago > 7 else [100] * QUARTERS)

    # One of each weekday: the level is that of all days together.
    assert [state(verdict(days, n)) for n in (0, 100, 500)] == [2, 0, 1]


def test_6_a_day_that_was_hardly_read_is_not_known() -> None:
    hardly: Day = [100, *[None] * 95]
    days = month(lambda ago: hardly if ago > 6 else [100] * QUARTERS)

    assert Usual(days).at(MORNING).days == 6
    assert verdict(days, 1000).how == UNJUDGED


def test_7_a_time_of_day_that_was_never_read_has_no_level_of_0() -> None:
    day: Day = [None if 32 <= quarter < 48 else 100 for quarter in range(QUARTERS)]
    days = month(lambda _: day)

    # 0 would make ordinary traffic CRITICAL.
    assert verdict(days, 100).how == UNJUDGED
    assert verdict(days, 100, at=NIGHT).how == WITHIN


def test_8_holes_of_some_days_do_no_harm() -> None:
    hole: Day = [None if quarter < 60 else 100 for quarter in range(QUARTERS)]
    days = month(lambda ago: hole if ago in (3, 4, 14) else [100] * QUARTERS)

    # Neither hours that count as empty, nor spans across the hole.
    assert [state(verdict(days, n)) for n in (0, 100, 500)] == [2, 0, 1]


def test_9_an_hour_that_the_clock_left_out_or_had_twice() -> None:
    left_out: Day = [None if 8 <= quarter < 12 else 40 for quarter in range(QUARTERS)]
    days = month(lambda ago: left_out if ago == 2 else [40] * QUARTERS)

    # history.py makes one that is not there unknown, and of one that is there twice takes the
    # first, so neither is an empty hour nor a double one.
    assert [state(verdict(days, n, at=9)) for n in (0, 40, 400)] == [2, 0, 1]
    assert Usual(days).at(9).silence == 15


def test_10_a_dormant_host_wakes() -> None:
    days = month(lambda ago: [100] * QUARTERS if ago > 26 else [0] * QUARTERS)

    # It has been read, and 26 days were empty: that is known, so a flood is one.
    assert state(verdict(days, 200)) == 2
    # Two busy days of 28 are no reason to miss anything now.
    assert state(verdict(days, *[0] * 16)) == 0


@pytest.mark.parametrize("ago", [1, 2, 5, 20])
def test_11_an_attack_of_two_days_does_not_become_usual(ago: int) -> None:
    days = month(lambda n: [4000 if n in (ago, ago + 1) else 100] * QUARTERS)

    # Once 24 days are known, 3 of them may have been worse; these are 2.
    assert state(verdict(days, 2000)) == 2
    assert Usual(days).at(MORNING).high < 200


def test_12_with_fewer_days_known_an_attack_of_two_days_becomes_usual() -> None:
    unread: Day = [None] * QUARTERS
    days = month(lambda n: unread if n > 10 else [4000 if n in (2, 3) else 100] * QUARTERS)

    # Nobody knows yet whether that is what Mondays are like. The range in the line says so.
    assert state(verdict(days, 2000)) == 0
    assert [rare(known) for known in (7, 13, 14, 23, 24, 28)] == [1, 1, 2, 2, 3, 3]


def test_13_28_empty_days_and_a_handful() -> None:
    days = month(lambda _: [0] * QUARTERS)

    # Six of something where none was is chance; sixty in 15 minutes is not.
    assert [state(verdict(days, n)) for n in (6, 11, 28, 60, 200)] == [0, 0, 0, 1, 2]
    # What has never come cannot stop.
    assert state(verdict(days, *[0] * 16)) == 0


def test_14_a_newsletter_each_week_is_usual_and_ten_of_it_are_not() -> None:
    def at_any_hour(ago: int) -> Day:
        hours: Day = [50] * QUARTERS
        if ago in (4, 9, 17, 23):
            hours[ago + 20 : ago + 22] = [1500, 1500]
        return hours

    def on_this_weekday(ago: int) -> Day:
        hours: Day = [50] * QUARTERS
        if ago % 7 == 0:
            hours[MORNING : MORNING + 2] = [1500, 1500]
        return hours

    # Whether it comes at any hour of any day, or at one: it strays, or it is the level.
    for day in (at_any_hour, on_this_weekday):
        assert state(verdict(month(day), 1600)) == 0
        assert state(verdict(month(day), 40_000)) > 0
    # At its own time it is missed. But it may come a little later, so not within the hour.
    assert state(verdict(month(on_this_weekday), 50)) == 0


def test_15_a_restart_of_half_an_hour_is_seen_on_a_busy_host_and_forgotten() -> None:
    def day(ago: int) -> Day:
        return [0 if ago == 1 and quarter in (40, 41) else 1000 for quarter in range(QUARTERS)]

    # One silence of 28 days, at this very time, does not hide the next one.
    assert Usual(month(day)).at(41).lows[1] == 1000
    assert state(verdict(month(day), 0, 0, at=41)) == 2


def test_16_what_was_not_read_is_never_too_few() -> None:
    days = month(lambda _: [7] * QUARTERS)
    usual = Usual(days).at(MORNING)

    # An hour tells here: 28 are usual at least. With a part of it unread, no longer span is asked
    # instead, for that would mix what is judged now with what was hours ago.
    assert usual.telling == 4
    assert verdict(days, 0, 0, 0, 0).how == LESS
    assert verdict(days, 0, None, 0, 0).how == WITHIN
    assert verdict(days, None, 0, 0, 0).how == UNJUDGED


def test_17_steep_mornings_are_no_alarm_when_they_come_a_little_later() -> None:
    days = month(lambda _: [0] * 32 + [400] * 64)

    # At 8:07 as at 7:53: both ends know the quarter-hour beside them.
    assert state(verdict(days, 10, 0, 0, 0, at=32)) == 0
    assert state(verdict(days, 400, at=31)) == 0


def test_18_too_much_for_an_hour_is_told_though_each_quarter_may_be_a_burst() -> None:
    chance = random.Random(5)

    def day(_: int) -> Day:
        hours: Day = [20] * QUARTERS
        for at in chance.sample(range(QUARTERS), 3):
            hours[at] = 300  # bursts are short
        return hours

    days = month(day)

    assert verdict(days, 280).how == WITHIN
    found = verdict(days, 280, 200, 150, 220)
    assert (found.how, found.number, found.quarters) == (LASTING_MORE, 150, 4)


def test_19_a_stop_on_a_small_host_shows_after_hours_and_it_says_so() -> None:
    chance = random.Random(7)
    days = month(lambda _: [int(chance.random() < 0.1) for _ in range(QUARTERS)])
    usual = Usual(days).at(MORNING)

    # 10 a day: no 4 hours have enough, so that only the longest silences tell.
    assert usual.telling is None
    assert usual.silence is not None
    assert 3 * 60 < usual.silence < 24 * 60
    assert usual.stop_shows == int(2.5 * usual.silence)


def test_20_a_factor_of_nothing_is_one_of_what_may_be() -> None:
    found = verdict(month(lambda _: [0] * QUARTERS), 60)

    assert found.usual == pytest.approx(found.limit / 3)
    assert found.factor == pytest.approx(60 / found.usual)


@pytest.mark.parametrize(("forward", "at"), [(4, 12), (-4, 4)])
def test_21_a_batch_by_utc_comes_at_another_time_when_the_clock_was_moved(
    forward: int, at: int
) -> None:
    def day(_: int) -> Day:
        return [2000 if quarter == 8 else 50 for quarter in range(QUARTERS)]

    days = month(day)
    moved = [forward] * (DAYS - 3) + [0] * 3

    # It runs as ever, an hour later or earlier by the clock on the wall.
    assert state(verdict(days, 2000, at=at)) == 2
    assert state(verdict(days, 2000, at=at, moved=moved)) == 0
    # One that follows the clock is as usual, and hours without a batch are held to as little.
    assert state(verdict(days, 2000, at=8, moved=moved)) == 0
    assert state(verdict(days, 2000, at=MORNING, moved=moved)) == 2


def test_22_a_good_day_of_busy_hours_is_no_reason_for_a_wide_night() -> None:
    def day(ago: int) -> Day:
        good = 2 if ago in (2, 10, 18, 27) else 1
        return [60 if quarter < 32 else 360 * good for quarter in range(QUARTERS)]

    # Six times as busy as the night, four days were twice as good. No night was.
    assert state(verdict(month(day), 300, at=NIGHT)) == 1
    assert state(verdict(month(day), 720, at=MORNING)) == 0


def test_23_where_the_morning_rises_a_number_is_many_times_what_comes_then() -> None:
    def day(_: int) -> Day:
        return [*[40] * MORNING, 60, *[100] * (QUARTERS - MORNING - 1)]

    # Up to what the quarter-hour beside it has is usual. But 240 is four times 60.
    found = verdict(month(day), 240)
    assert (state(found), round(found.usual)) == (1, 63)
    assert state(verdict(month(day), 120)) == 0


@pytest.mark.parametrize(
    ("quarters", "how"),
    [
        ([100, 0, 0, 0], WITHIN),
        ([101, 0, 0, 0], MORE),
        ([50, 50, 50, 50], WITHIN),
        ([51, 51, 51, 51], LASTING_MORE),
        ([15, 15, None, None], WITHIN),
        ([15, 14, None, None], LESS),
    ],
)
def test_what_is_usual_at_most_or_at_least_is_usual(quarters: list[int | None], how: str) -> None:
    usual = Range(28, 20.0, 100.0, 50.0, {2: 30}, None, None)

    assert judge(Recent(quarters, 0), usual).how == how


@pytest.mark.parametrize(("number", "how"), [(5, WITHIN), (4, LESS)])
def test_of_days_of_a_kind_a_part_of_what_is_usual_is_usual(number: int, how: str) -> None:
    usual = Range(28, 20.0, 100.0, 50.0, {}, (1, round(5 / NOTHING)), None)

    assert judge(Recent([number, None, None, None], 0), usual).how == how


@pytest.mark.parametrize(("unread", "is_known"), [(47, True), (48, False)])
def test_a_day_is_known_of_which_more_than_half_was_read(unread: int, is_known: bool) -> None:
    day = [None] * unread + [1] * (QUARTERS - unread)

    assert (Usual([day] * DAYS).at(MORNING).days == DAYS) is is_known


def test_the_bar_is_beyond_what_was_worse_on_some_days_only() -> None:
    # As for the senders of an account: one number a day.
    assert bar([10, 3, 2, 2, 1], 3) == pytest.approx((1.2 * 2) ** 2)
    assert bar([], 1) == pytest.approx((1.2 * 1.5) ** 2)
    assert bar([10, 3], 1, level=4) == pytest.approx((4 + 12) ** 2)


@given(st.randoms(use_true_random=True), st.integers(0, QUARTERS - 1))
def test_whatever_the_history_a_verdict_is_sound(chance: random.Random, at: int) -> None:
    most = chance.choice([1, 5, 100, 10**9])
    unread = chance.choice([0, 0.01, 0.3])

    def number() -> int | None:
        return None if chance.random() < unread else int(most * chance.random() ** 4)

    days = month(lambda _: [number() for _ in range(QUARTERS)])
    usual: Range = Usual(days).at(at)
    found = judge(Recent([number() for _ in range(16)], chance.randrange(5000)), usual)

    assert found.factor >= 0
    assert found.silence >= 0
    assert found.how not in (WITHIN, UNJUDGED) or found.factor == 1
    assert found.how != LESS or found.factor < 1
    assert found.how != MORE or found.factor > 1
    if usual.is_known:
        assert usual.level is not None
        assert usual.level <= usual.high
