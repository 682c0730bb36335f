"""Ranges as the Monitoring Plugins guidelines define them, and how they are shown."""

from __future__ import annotations

import re
from argparse import Namespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from check_postfix.plugin.threshold import Threshold, number, parse_range, shown


@pytest.mark.parametrize(
    ("written", "inside", "outside"),
    [
        ("10", [0, 10, 5.5], [10.1, 11, -1]),
        ("10:", [10, 10**12], [9.9, 0]),
        ("~:10", [-5, 10], [10.1]),
        ("10:20", [10, 20], [9.9, 20.1]),
        ("@10:20", [9.9, 20.1], [10, 20]),
        ("@10", [10.1, -1], [0, 10]),
        ("~:", [-1, 0, 10**12], []),
        ("0", [0], [0.1, -0.1]),
        ("-5:5", [-5, 5], [-6, 6]),
        ("1.5:2.5", [1.5, 2.5], [1.4, 2.6]),
    ],
)
def test_a_range_has_both_its_ends_inside(written, inside, outside):
    limits = parse_range(written, "")

    assert all(value in limits for value in inside)
    assert not any(value in limits for value in outside)


@pytest.mark.parametrize(
    ("written", "uom", "plain"),
    [
        ("10%", "%", "10"),
        ("5%:10%", "%", "5:10"),
        ("@5:10%", "%", "@5:10"),
        ("90s", "s", "90"),
        ("15m", "s", "900"),
        ("2h:4d", "s", "7200:345600"),
        ("1.5h", "s", "5400"),
        ("@~:90", "s", "@~:90"),
    ],
)
def test_percentages_and_ages_may_carry_their_unit(written, uom, plain):
    assert parse_range(written, uom) == parse_range(plain, "")


@pytest.mark.parametrize(
    ("written", "uom"),
    [
        ("", ""), ("@", ""), ("~", ""), (":", ""), (":10", ""), ("10:20:30", ""), ("ten", ""),
        ("10,5", ""), ("1e3", ""), ("inf", ""), ("nan", ""), ("10 ", ""), ("10\n", ""), ("--5", ""),
        ("٣", ""), ("10%", ""), ("10s", ""), ("1%0", "%"), ("%10", "%"), ("10%%", "%"),
        ("1h30m", "s"), ("h", "s"), ("10w", "s"), ("10%", "s"), ("9" * 13, ""), ("10;20", ""),
    ],
)  # fmt: skip
def test_what_is_no_range_is_refused_with_examples(written, uom):
    with pytest.raises(ValueError, match="not a range"):
        parse_range(written, uom)


@pytest.mark.parametrize(("written", "uom"), [("20:10", ""), ("2h:1h", "s"), ("5:-5", "")])
def test_a_range_that_starts_after_its_end_is_refused(written, uom):
    with pytest.raises(ValueError, match="a range that starts after its end"):
        parse_range(written, uom)


@pytest.mark.parametrize(
    ("written", "perfdata"),
    [
        ("10", "10"),
        ("0:10", "10"),
        ("~:10", "10"),
        ("10:", "10:"),
        ("10:20", "10:20"),
        ("@10:20", "@10:20"),
        ("@10", "@0:10"),
        ("@~:10", "@~:10"),
        ("~:", ""),
        ("0:", ""),
        ("-5:5", "-5:5"),
        ("10.50", "10.5"),
        ("999999999999:", "999999999999:"),
        ("0.000001:", "0.000001:"),
    ],
)
def test_a_range_is_shown_as_a_plain_number_where_that_means_the_same(written, perfdata):
    assert shown(parse_range(written, ""), 0) == perfdata


def test_of_what_can_be_negative_the_open_end_is_shown():
    assert shown(parse_range("~:10", ""), None) == "~:10"
    assert shown(parse_range("10", ""), None) == "10"


def test_no_range_is_shown_as_nothing():
    assert shown(None, 0) == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (10**12, "1000000000000"),
        (1e12, "1000000000000"),
        (5.0, "5"),
        (33.3, "33.3"),
        (0.1 + 0.2, "0.3"),
        (1e-7, "0"),
        (-2.5, "-2.5"),
        (100, "100"),
    ],
)
def test_a_number_has_no_exponent_and_no_needless_fraction(value, text):
    assert number(value) == text


_ENDS = st.integers(-(10**12) + 1, 10**12 - 1) | st.decimals(-(10**6), 10**6, places=3)


@given(st.booleans(), st.none() | _ENDS, st.none() | _ENDS, st.integers(-(10**6), 10**6))
def test_what_is_shown_is_read_back_as_the_same_range(inverted, start, end, value):
    first = "~" if start is None else f"{start:f}" if not isinstance(start, int) else start
    last = "" if end is None else f"{end:f}" if not isinstance(end, int) else end
    if start is not None and end is not None and start > end:
        first, last = last, first
    limits = parse_range(f"{'@' * inverted}{first}:{last}", "")

    again = parse_range(shown(limits, None) or "0:", "")

    assert (value in again) == (value in limits)


@given(st.text(max_size=12) | st.text("0123456789.:~@-%smhd", max_size=12))
def test_whatever_is_written_is_a_range_or_a_value_error(written):
    for uom in ("", "%", "s"):
        try:
            limits = parse_range(written, uom)
        except ValueError:
            continue
        assert re.fullmatch(r"@?[-~:0-9.]*", shown(limits, 0))


def test_the_main_threshold_has_the_short_flags():
    threshold = Threshold("size", "the size", warning="5", critical="10")

    assert (threshold.warning.flag, threshold.warning.short) == ("--warning", "-w")
    assert (threshold.critical.flag, threshold.critical.short) == ("--critical", "-c")
    assert threshold.critical.help_with_default == (
        "CRITICAL if the size is outside this range (default: 10)"
    )


def test_a_further_threshold_is_told_apart_by_its_suffix():
    threshold = Threshold("age", "the age", suffix="age", uom="s")

    assert (threshold.warning.flag, threshold.warning.short) == ("--warning-age", "")
    assert threshold.critical.name == "critical_age"
    assert threshold.warning.help_with_default == "WARNING if the age is outside this range"
    assert 3601 not in threshold.warning.parse("1h")


@pytest.mark.parametrize(
    ("warning", "critical", "said"),
    [
        ("10", "25", ""),
        ("10", "10", ""),
        ("10:", "5:", ""),
        ("10:20", "5:25", ""),
        ("25", "10", "-c 10 alerts before -w 25"),
        ("5:", "10:", "-c 10: alerts before -w 5:"),
        ("10:20", "15:25", "-c 15:25 alerts before -w 10:20"),
        ("@10:20", "5", ""),  # who writes this knows what they want
    ],
)
def test_a_warning_that_begins_where_it_is_critical_already_is_odd(warning, critical, said):
    threshold = Threshold("one", "one")
    given = Namespace(warning=parse_range(warning, ""), critical=parse_range(critical, ""))

    assert threshold.oddity(given) == said


def test_a_threshold_that_was_not_given_is_not_odd():
    assert Threshold("one", "one").oddity(Namespace(warning=None, critical=None)) == ""
