"""The quarter-hours of the days before, by the clock on the wall."""

from __future__ import annotations

from datetime import datetime

from dateutil import tz

from check_postfix.maillog.window.coverage import Coverage, Unread
from check_postfix.maillog.window.history import History, on_the_wall, quarter_of

BERLIN = tz.gettz("Europe/Berlin")
KATHMANDU = tz.gettz("Asia/Kathmandu")


def minute(*when, zone=BERLIN):
    return int(datetime(*when, tzinfo=zone).timestamp()) // 60


def days(now, coverage=None, since=0, zone=BERLIN, **counted):
    """Return the history before a time, in which each quarter-hour came to its own number."""
    history = History(on_the_wall(now, zone), zone)
    numbers = {quarter: quarter for quarter in range(history.first - 9, history.last + 9)}
    if "numbers" in counted:
        numbers = counted["numbers"]
    return history, history.days(numbers, coverage or Coverage(0, now + 1), since)


def test_there_are_28_whole_days_and_yesterday_is_the_last():
    now = minute(2026, 7, 15, 10, 7)

    _, found = days(now)

    midnight = minute(2026, 7, 15) // 15
    assert [len(day) for day in found] == [96] * 28
    assert (found[-1][-1], found[-1][0]) == (midnight - 1, midnight - 96)
    assert found[0][0] == midnight - 28 * 96
    assert quarter_of(on_the_wall(now, BERLIN)) == 40


def test_where_nothing_came_there_is_0_and_not_nothing():
    _, found = days(minute(2026, 7, 15, 10), numbers={})

    assert found == [[0] * 96] * 28


def test_an_hour_that_the_clock_left_out_is_not_known():
    # On 29 March 2026 2:00 became 3:00.
    _, found = days(minute(2026, 3, 31, 12))

    day = found[-2]
    assert day[8:12] == [None] * 4
    midnight = minute(2026, 3, 29) // 15
    assert (day[7], day[12], day[95]) == (midnight + 7, midnight + 8, midnight + 91)
    assert found[-1][0] == midnight + 92


def test_of_an_hour_that_was_there_twice_the_first_counts():
    # On 25 October 2026 3:00 became 2:00.
    _, found = days(minute(2026, 10, 27, 12))

    day = found[-2]
    midnight = minute(2026, 10, 25) // 15
    assert day[8:12] == [midnight + 8, midnight + 9, midnight + 10, midnight + 11]
    assert (day[12], day[95]) == (midnight + 16, midnight + 99)


def test_it_is_known_since_which_days_the_clock_has_been_moved():
    def moved(*today):
        return days(minute(*today))[0].moved

    assert moved(2026, 3, 28, 12) == [0] * 28
    # On the day itself too: its night has an hour less.
    assert moved(2026, 3, 29, 12) == [4] * 28
    # What is left of the day has the new time already.
    assert moved(2026, 3, 31, 12) == [4] * 26 + [0, 0]
    assert moved(2026, 10, 27, 12) == [-4] * 26 + [0, 0]
    assert moved(2026, 4, 27, 12) == [0] * 28


def test_days_are_those_of_the_zone():
    _, found = days(minute(2026, 7, 15, 10, zone=KATHMANDU), zone=KATHMANDU)

    assert found[-1][0] == minute(2026, 7, 14, zone=KATHMANDU) // 15


def test_what_was_not_read_is_not_known():
    now = minute(2026, 7, 15, 10)
    gap = minute(2026, 7, 14, 8), minute(2026, 7, 14, 8, 20)
    unread = Unread("mail.log.1", "", minute(2026, 7, 13, 0), minute(2026, 7, 13, 23, 59))
    coverage = Coverage(minute(2026, 7, 10, 12, 1), now, gaps=[gap], unread=[unread])

    _, found = days(now, coverage)

    assert [None if n is None else "known" for n in found[-1][31:35]] == [
        "known", None, None, "known",
    ]  # fmt: skip
    assert found[-2] == [None] * 96
    assert found[-5][:49] == [None] * 49
    assert found[-5][49] is not None
    assert found[-6] == [None] * 96


def test_a_log_that_was_never_read_tells_nothing():
    _, found = days(minute(2026, 7, 15, 10), Coverage())

    assert found == [[None] * 96] * 28


def test_who_began_to_write_later_is_not_known_before():
    _, found = days(minute(2026, 7, 15, 10), since=minute(2026, 7, 13, 6) // 15)

    assert found[-2][:24] == [None] * 24
    assert found[-2][24] is not None
    assert found[-3] == [None] * 96
