"""What people write after an option, and what it means."""

from __future__ import annotations

from datetime import datetime

import pytest
from dateutil import tz
from hypothesis import given
from hypothesis import strategies as st

from check_postfix.plugin import values

BERLIN = tz.gettz("Europe/Berlin")


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("90s", 90), ("15m", 900), ("2h", 7200), ("36500d", 3153600000), ("007m", 420)],
)
def test_a_duration_is_a_number_and_a_unit(written, seconds):
    assert values.duration(written) == seconds


@pytest.mark.parametrize(
    "written",
    [
        "",
        "15",
        "m",
        "0m",
        "-5m",
        "1.5h",
        "1h30m",
        "15 m",
        "15M",
        "15m ",
        "٣m",
        "15m\n",
        "5w",
        "1e3s",
    ],
)
def test_what_is_no_duration_is_refused(written):
    with pytest.raises(ValueError, match="not a duration"):
        values.duration(written)


@pytest.mark.parametrize("written", ["36501d", "999999999d", "999999999h"])
def test_a_duration_beyond_all_calendars_is_refused(written):
    with pytest.raises(ValueError, match="longer than 100 years"):
        values.duration(written)


@pytest.mark.parametrize(("written", "seconds"), [("1m", 60), ("120s", 120), ("2h", 7200)])
def test_a_window_is_whole_minutes(written, seconds):
    assert values.window(written) == seconds


def test_a_window_of_other_than_whole_minutes_is_refused():
    with pytest.raises(ValueError, match="not whole minutes"):
        values.window("90s")


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("10", 10), ("0.2", 0.2), ("10s", 10), ("1.5m", 90), ("1d", 86400), ("0.000001", 1e-6)],
)
def test_a_timeout_may_be_a_fraction_and_lack_a_unit(written, seconds):
    assert values.timeout(written) == seconds


@pytest.mark.parametrize(
    "written", ["", "0", "0.0", "-1", "1e3", "inf", "nan", ".5", "86401", "25h", "999999999d"]
)
def test_what_is_no_timeout_is_refused(written):
    with pytest.raises(ValueError, match="not a time to wait, of at most a day"):
        values.timeout(written)


@pytest.mark.parametrize(
    ("written", "number"), [("0", 0), ("20", 20), ("999999999999", 10**12 - 1)]
)
def test_a_count_is_a_whole_number(written, number):
    assert values.count(written) == number


@pytest.mark.parametrize("written", ["", "-1", "1.5", "1e3", "+1", " 1", "1_000", "²", "9" * 13])
def test_what_is_no_count_is_refused(written):
    with pytest.raises(ValueError, match="not a whole number"):
        values.count(written)


def test_text_must_not_be_empty():
    assert values.text("mx1") == "mx1"
    with pytest.raises(ValueError, match="is empty"):
        values.text("")


@pytest.mark.parametrize("written", ["Europe/Berlin", "UTC", "America/Los_Angeles"])
def test_a_zone_goes_by_its_name(written):
    assert values.zone(written).utcoffset(datetime(2026, 11, 24)) is not None


@pytest.mark.parametrize(
    "written",
    ["", "Mars/Olympus", "europe/berlin", "UTC+3", "UTC+99", "CET-1CEST", "/etc/passwd", "A" * 5000,
     "\udcff", "../../etc/passwd", "+1", "Europe"],
)  # fmt: skip
def test_what_is_no_zone_is_refused(written):
    with pytest.raises(ValueError, match="not a time zone"):
        values.zone(written)


@given(st.text(max_size=20) | st.text("0123456789smhd.", max_size=12))
def test_whatever_is_written_for_a_number_is_one_or_a_value_error(written):
    for parse in (values.count, values.duration, values.window, values.timeout):
        try:
            assert parse(written) >= 0
        except ValueError:
            continue


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (900, "15 min"),
        (3600, "1 h"),
        (3661, "1 h 1 min"),
        (86400, "1 d"),
        (90061, "1 d 1 h"),
        (86460, "1 d 1 min"),
    ],
)
def test_a_time_span_is_told_in_its_two_largest_units(seconds, words):
    assert values.span(seconds) == words


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 rejects"), (1, "1 reject"), (2, "2 rejects"), (10, "10 rejects")]
)
def test_an_amount_is_in_the_plural_unless_it_is_one(number, words):
    assert values.amount(number, "reject") == words


@pytest.mark.parametrize(
    ("written", "network"),
    [
        ("192.0.2.7", "192.0.2.7/32"),
        ("192.0.2.7/24", "192.0.2.0/24"),
        ("2001:db8::5", "2001:db8::/64"),
        ("2001:db8::/32", "2001:db8::/32"),
        # as Dovecot may write the address of a client that came by IPv4
        ("::ffff:192.0.2.7", "192.0.2.7/32"),
        ("::FFFF:192.0.2.0/120", "192.0.2.0/24"),
        ("::ffff:0:0/96", "0.0.0.0/0"),
        ("::/0", "::/0"),
    ],
)
def test_a_network_is_one_that_clients_are_kept_by(written, network):
    assert str(values.network(written)) == network
