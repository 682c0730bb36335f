"""A point in time as people write it, and what it means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil import tz
from hypothesis import given
from hypothesis import strategies as st

from check_postfix.plugin import moment

BERLIN = tz.gettz("Europe/Berlin")
# A Tuesday, one in the morning
NOW = datetime(2026, 12, 1, 1, 0, 30, tzinfo=UTC)


def utc(*fields: int) -> datetime:
    return datetime(*fields, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-11-24 16:30", utc(2026, 11, 24, 15, 30)),
        ("2026-07-24 16:30", utc(2026, 7, 24, 14, 30)),
        ("2026-11-24T16:30:00Z", utc(2026, 11, 24, 16, 30)),
        ("2026-11-24 16:30 UTC", utc(2026, 11, 24, 16, 30)),
        ("2026-11-24 16:30 -0500", utc(2026, 11, 24, 21, 30)),
        ("24 Nov 2026 16:30", utc(2026, 11, 24, 15, 30)),
        ("Nov 24 2026 4:30pm", utc(2026, 11, 24, 15, 30)),
        ("24.11.2026 16:30", utc(2026, 11, 24, 15, 30)),
        ("20261124", utc(2026, 11, 23, 23)),
        ("1970-01-01T00:00Z", utc(1970, 1, 1)),
    ],
)
def test_a_moment_is_meant_in_the_given_zone_unless_it_names_one(written, expected):
    assert moment.read(written, BERLIN) == expected


def test_without_a_zone_a_moment_is_meant_in_the_machines():
    expected = datetime(2026, 11, 24, 16, 30).timestamp()

    assert moment.read("2026-11-24 16:30", None).timestamp() == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("now", NOW),
        ("today", utc(2026, 12, 1)),
        ("today 00:30", utc(2026, 12, 1, 0, 30)),
        ("today 08:00", utc(2026, 12, 1, 8)),
        ("yesterday", utc(2026, 11, 30)),
        ("yesterday 22:00", utc(2026, 11, 30, 22)),
        ("Yesterday at 10pm", utc(2026, 11, 30, 22)),
        ("22:00 yesterday", utc(2026, 11, 30, 22)),
        ("yesterday noon", utc(2026, 11, 30, 12)),
        ("yesterday 22:00 +01:00", utc(2026, 11, 30, 21)),
    ],
)
def test_a_day_has_a_word_and_may_have_a_time(written, expected):
    assert moment.read(written, UTC, NOW) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("22:00", utc(2026, 11, 30, 22)),
        ("00:30", utc(2026, 12, 1, 0, 30)),
        ("noon", utc(2026, 11, 30, 12)),
        ("midnight", utc(2026, 12, 1)),
        ("10pm", utc(2026, 11, 30, 22)),
        ("monday", utc(2026, 11, 30)),
        ("mon 08:00", utc(2026, 11, 30, 8)),
        ("Sunday 03:00", utc(2026, 11, 29, 3)),
        ("tuesday", utc(2026, 12, 1)),
        ("tue 22:00", utc(2026, 11, 24, 22)),
        ("wednesday", utc(2026, 11, 25)),
        ("24th 10:00", utc(2026, 11, 24, 10)),
        ("Nov 24 16:43:26", utc(2026, 11, 24, 16, 43, 26)),
        ("Dec 24 16:43:26", utc(2025, 12, 24, 16, 43, 26)),
        ("22:00 +01:00", utc(2026, 11, 30, 21)),
        ("23:30 -05:00", utc(2026, 11, 30, 4, 30)),
    ],
)
def test_without_a_date_the_last_one_that_has_passed_is_meant(written, expected):
    assert moment.read(written, UTC, NOW) == expected


def test_in_a_zone_whose_day_is_another_the_last_one_may_be_of_its_tomorrow():
    honolulu = ZoneInfo("Pacific/Honolulu")
    now = datetime(2026, 11, 30, 20, 0, tzinfo=honolulu)

    assert moment.read("05:00Z", honolulu, now) == utc(2026, 12, 1, 5)


@pytest.mark.parametrize(
    ("written", "after", "expected"),
    [
        # From 22:00 to 00:30, and to 08:00 that is still to come
        ("00:30", utc(2026, 11, 30, 22), utc(2026, 12, 1, 0, 30)),
        ("08:00", utc(2026, 11, 30, 22), utc(2026, 12, 1, 8)),
        # Of all that have passed since then, the last
        ("20:00", utc(2026, 11, 26, 22), utc(2026, 11, 30, 20)),
        ("monday", utc(2026, 11, 27), utc(2026, 11, 30)),
        ("friday", utc(2026, 11, 30), utc(2026, 12, 4)),
        # What has a date has one
        ("2026-11-24", utc(2026, 11, 30), utc(2026, 11, 24)),
        ("yesterday 22:00", utc(2026, 12, 1), utc(2026, 11, 30, 22)),
    ],
)
def test_the_end_of_a_time_is_after_its_begin(written, after, expected):
    assert moment.read(written, UTC, NOW, after) == expected


def test_a_time_of_day_has_passed_less_than_a_day_ago_where_the_log_comes_from():
    for where in (tz.gettz("Pacific/Kiritimati"), tz.gettz("Pacific/Pago_Pago")):
        found = moment.read("16:30", where)

        assert (found.hour, found.minute, found.second, found.microsecond) == (16, 30, 0, 0)
        assert timedelta(0) <= datetime.now(UTC) - found < timedelta(days=1, seconds=1)


@pytest.mark.parametrize(
    ("written", "cause"),
    [
        ("last night", "'last' and 'night' are not understood"),
        ("tomorrow", "'tomorrow' is not understood"),
        ("22:00 Uhr", "'Uhr' is not understood"),
        ("last monday", "'last' is not understood"),
        ("3", "an hour, a day or how long ago?"),
        ("1130", "an hour, a day or how long ago?"),
        ("yesterday 22", "what is 22? a time of day has a colon"),
        ("yesterday 2h", "what is 2h? a time of day has a colon"),
        ("yesterday 2026-11-24", "names two days"),
        ("22.30", "22.30: a time has a colon, and a date begins with the year"),
        ("01.12.2026", "can be 2026-01-12 or 2026-12-01"),
        ("10/11 22:00", "can be 2026-10-11 or 2026-11-10"),
        ("26-11-24", "can be 2024-11-26 or 2026-11-24"),
        ("november", "names a month and no day"),
        ("2026-11", "names a month and no day"),
        ("22:00-23:00", "not a date and time"),
        ("1h30", "neither how long ago nor a time"),
        ("0h", "neither how long ago nor a time"),
    ],
)
def test_what_can_be_read_in_two_ways_or_not_at_all_is_refused_by_its_words(written, cause):
    with pytest.raises(ValueError) as refused:  # noqa: PT011
        moment.read(written, UTC, NOW)

    assert refused.value.args == (cause,)


@pytest.mark.parametrize(
    "written",
    ["", " ", "2026-13-01", "2026-02-30", "25:00", "0001-01-01", "1969-12-31", "a",
     "99999999999999999999", "2026-11-24 16:00+99:99", "1e1000", "1 2 3 4 5 6 7", "\udcff"],
)  # fmt: skip
def test_what_is_no_moment_is_refused(written):
    with pytest.raises(ValueError, match=r"not a date and time|not understood"):
        moment.read(written, BERLIN)


def test_a_zone_that_is_not_known_is_refused_not_left_out():
    with pytest.raises(ValueError, match="names an unknown time zone"):
        moment.read("2026-11-24 16:30 XYZ", BERLIN)


def test_every_form_that_is_shown_is_understood():
    for form in moment.FORMS:
        assert moment.read(form.strip("'"), UTC, NOW) < NOW


@given(
    st.text(max_size=30)
    | st.text("0123456789-:/.+ TZaJpmn", max_size=25)
    | st.lists(st.sampled_from(
        ["today", "yesterday", "noon", "monday", "22:00", "24th", "Nov", "2026", "1h", "+01:00"]
    ), max_size=4).map(" ".join)
)  # fmt: skip
def test_whatever_is_written_for_a_moment_is_a_moment_or_a_value_error(written):
    try:
        found = moment.read(written, None)
    except ValueError:
        return
    assert found.timestamp() >= 0
