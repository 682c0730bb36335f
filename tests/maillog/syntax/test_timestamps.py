"""From a stamp to a minute: years, zones, daylight saving, and what is no date."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from dateutil import tz

from check_postfix.maillog.syntax.timestamps import Timestamps


def minutes(text: str) -> int:
    """Return the minutes since 1970 of a UTC time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) // 60


def read(stamp: str, now: str, utc_offset: str = "") -> str | None:
    """Return the UTC time that a clock of UTC makes of a stamp, as it reads now."""
    minute = Timestamps(UTC, minutes(now)).minute(stamp.encode(), utc_offset.encode())
    return None if minute is None else datetime.fromtimestamp(minute * 60, UTC).isoformat()[:16]


@pytest.mark.parametrize(
    ("stamp", "now", "meant"),
    [
        ("Nov 24 10:00", "2026-11-24T10:01", "2026-11-24T10:00"),
        ("Dec 31 23:59", "2027-01-01T00:01", "2026-12-31T23:59"),
        ("Jan  1 00:00", "2027-01-01T00:01", "2027-01-01T00:00"),
        # a clock that runs ahead at the turn of the year
        ("Jan  1 00:00", "2026-12-31T23:58", "2027-01-01T00:00"),
        ("Nov 25 09:59", "2026-11-24T10:00", "2026-11-25T09:59"),
        ("Nov 25 10:01", "2026-11-24T10:00", "2025-11-25T10:01"),
        ("Feb 29 12:00", "2024-03-01T00:00", "2024-02-29T12:00"),
        ("Feb 29 12:00", "2026-03-01T00:00", "2024-02-29T12:00"),
        ("Feb 29 12:00", "2103-03-01T00:00", "2096-02-29T12:00"),
        ("Mar 01 12:00", "2026-03-01T13:00", "2026-03-01T12:00"),
        ("Mar 1 12:00", "2026-03-01T13:00", "2026-03-01T12:00"),
        ("2019 Mar  1 12:00", "2026-03-01T13:00", "2019-03-01T12:00"),
    ],
)
def test_a_stamp_without_a_year_means_the_newest_that_is_not_in_the_future(
    stamp: str, now: str, meant: str
) -> None:
    assert read(stamp, now) == meant


@pytest.mark.parametrize(
    ("stamp", "utc_offset", "meant"),
    [
        ("2026-11-24T10:00", "", "2026-11-24T10:00"),
        ("2026-11-24 10:00", "", "2026-11-24T10:00"),
        ("2026-11-24T10:00", "Z", "2026-11-24T10:00"),
        ("2026-11-24T10:00", "+01:00", "2026-11-24T09:00"),
        ("2026-11-24T10:00", "-0330", "2026-11-24T13:30"),
        ("2026-11-24T00:10", "+05:45", "2026-11-23T18:25"),
        # a year is believed, even one in the future
        ("2031-01-01T00:00", "Z", "2031-01-01T00:00"),
    ],
)
def test_a_stamp_with_an_offset_needs_no_zone(stamp: str, utc_offset: str, meant: str) -> None:
    assert read(stamp, "2026-11-24T12:00", utc_offset) == meant


@pytest.mark.parametrize(
    ("stamp", "utc_offset"),
    [
        ("Foo 24 10:00", ""),
        ("Nov 31 10:00", ""),
        ("Feb 30 10:00", ""),
        ("Nov  0 10:00", ""),
        ("Nov 24 24:00", ""),
        ("Nov 24 10:60", ""),
        ("2026-13-24T10:00", ""),
        ("2026-02-29T10:00", "Z"),
        ("0000-01-01T10:00", "Z"),
        ("2026-11-24T10:00", "+24:00"),
        ("2026-11-24T10:00", "+99:99"),
    ],
)
def test_what_is_no_date_is_none(stamp: str, utc_offset: str) -> None:
    assert read(stamp, "2026-11-24T12:00", utc_offset) is None


# One clock goes back at 01:00 UTC on 2026-10-25 (Berlin), the other at 06:00 UTC
# on 2026-11-01 (New York); both go forward in March.
BACK = [
    ("Europe/Berlin", "Oct 25", "2026-10-25T00:00", 2),
    ("America/New_York", "Nov  1", "2026-11-01T05:00", 1),
]
FORWARD = [
    ("Europe/Berlin", "Mar 29", "2026-03-29T00:59", 1),
    ("America/New_York", "Mar  8", "2026-03-08T06:59", 1),
]


# The same zones for a machine without a zone database, such as a small container.
RULES = {
    "Europe/Berlin": "CET-1CEST,M3.5.0,M10.5.0/3",
    "America/New_York": "EST5EDT,M3.2.0,M11.1.0",
}


@pytest.fixture(params=["machine", "dateutil"])
def clock_of(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Timestamps]]:
    """Return a function from the name of a zone to a clock, by each of the two ways to have one."""

    def timestamps(name: str, previous: int | None = None) -> Timestamps:
        if request.param == "machine":
            monkeypatch.setenv("TZ", RULES[name])
            time.tzset()
            return Timestamps(None, minutes("2026-12-01T00:00"), previous)
        return Timestamps(tz.gettz(name), minutes("2026-12-01T00:00"), previous)

    yield timestamps
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(("zone", "day", "first", "hour"), BACK)
def test_the_hour_that_comes_twice_is_told_apart_by_the_order_of_lines(
    clock_of: Callable[..., Timestamps], zone: str, day: str, first: str, hour: int
) -> None:
    timestamps = clock_of(zone)
    stamps = [f"{day} {hour:02}:{minute:02}" for minute in (0, 30, 59, 0, 30, 59)]
    stamps.append(f"{day} {hour + 1:02}:00")

    read = [timestamps.minute(stamp.encode(), b"") for stamp in stamps]

    assert read == [minutes(first) + passed for passed in (0, 30, 59, 60, 90, 119, 120)]


@pytest.mark.parametrize(("zone", "day", "first", "hour"), BACK)
def test_lines_out_of_order_by_a_few_minutes_stay_in_the_first_round(
    clock_of: Callable[..., Timestamps], zone: str, day: str, first: str, hour: int
) -> None:
    timestamps = clock_of(zone)

    read = [
        timestamps.minute(f"{day} {hour:02}:{minute:02}".encode(), b"")
        for minute in (30, 26, 31, 27)
    ]

    assert read == [minutes(first) + passed for passed in (30, 26, 31, 27)]


@pytest.mark.parametrize(("zone", "day", "before", "hour"), FORWARD)
def test_the_hour_that_is_left_out_takes_no_time(
    clock_of: Callable[..., Timestamps], zone: str, day: str, before: str, hour: int
) -> None:
    timestamps = clock_of(zone)

    read = [
        timestamps.minute(stamp.encode(), b"")
        for stamp in (f"{day} {hour:02}:59", f"{day} {hour + 2:02}:00")
    ]

    assert read == [minutes(before), minutes(before) + 1]


@pytest.mark.parametrize(("zone", "day", "first", "hour"), BACK)
def test_a_second_round_is_kept_when_reading_goes_on_later(
    clock_of: Callable[..., Timestamps], zone: str, day: str, first: str, hour: int
) -> None:
    later = clock_of(zone, previous=minutes(first) + 70)

    assert later.minute(f"{day} {hour:02}:20".encode(), b"") == minutes(first) + 80


@pytest.mark.parametrize(
    ("zone", "then"),
    [
        ("Europe/Berlin", "2026-03-29T10:00"),
        ("Europe/Berlin", "2026-10-25T11:00"),
        # by half an hour
        ("Australia/Lord_Howe", "2026-04-05T01:30"),
        ("Australia/Lord_Howe", "2026-10-04T01:30"),
        # a day was left out
        ("Pacific/Apia", "2011-12-30T22:00"),
        ("Asia/Kathmandu", "2026-06-01T06:15"),
    ],
)
def test_each_minute_around_a_change_is_told_from_what_clocks_on_the_wall_show(
    zone: str, then: str
) -> None:
    there = tz.gettz(zone)
    around = range(minutes(then) - 2000, minutes(then) + 2000)
    shown = [datetime.fromtimestamp(minute * 60, there).isoformat()[:16] for minute in around]
    timestamps = Timestamps(there, minutes("2026-12-01T00:00"))

    read = [timestamps.minute(stamp.encode(), b"") for stamp in shown]

    assert read == list(around)


def test_in_the_hour_from_which_on_a_stamp_is_last_years_each_minute_has_its_year() -> None:
    timestamps = Timestamps(UTC, minutes("2026-11-24T10:30"))

    read = [timestamps.minute(f"Nov 25 10:{minute}".encode(), b"") for minute in (29, 30, 31, 59)]

    assert read == [
        minutes(meant)
        for meant in (
            "2026-11-25T10:29", "2026-11-25T10:30", "2025-11-25T10:31", "2025-11-25T10:59",
        )
    ]  # fmt: skip


def test_an_hour_has_no_minute_60() -> None:
    timestamps = Timestamps(UTC, minutes("2026-12-01T00:00"))

    read = [timestamps.minute(b"Nov 24 10:" + minute, b"") for minute in (b"59", b"60", b"99")]

    assert read == [minutes("2026-11-24T10:59"), None, None]


def test_a_line_before_another_is_of_the_last_round_that_it_can_be_and_changes_nothing() -> None:
    berlin = tz.gettz("Europe/Berlin")
    first, second = minutes("2026-10-25T00:28"), minutes("2026-10-25T01:28")
    timestamps = Timestamps(berlin, second + 600)
    assert timestamps.minute(b"Oct 25 02:28", b"") == first

    def before(stamp: bytes, following: int | None) -> int | None:
        return Timestamps(berlin, second + 600, following).minute_before(stamp, b"")

    assert timestamps.minute_before(b"Oct 25 02:16", b"") == first - 12
    assert before(b"Oct 25 02:16", first) == first - 12
    assert before(b"Oct 25 02:28", first) == first
    assert before(b"Oct 25 02:28", second) == second
    assert before(b"Oct 25 02:50", second) == first + 22
    assert before(b"Oct 25 02:50", first - 60) == first + 22
    assert before(b"Oct 25 02:50", None) == first + 22
    assert before(b"Oct 32 02:50", first) is None
    assert timestamps.minute(b"Oct 25 02:29", b"") == first + 1
