"""Moment: what is written behind --since, --until and --day, and what it means."""

from __future__ import annotations

from argparse import Namespace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from check_postfix.command import cli, moment
from check_postfix.plugin import UsageError

pytestmark = pytest.mark.usefixtures("utc")
NOW = datetime(2026, 12, 1, 0, 15, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def quarter_past_midnight(monkeypatch):
    """Let it be that, when a duration could be a clock time that is still to come."""
    monkeypatch.setattr(moment, "_now", lambda zone: NOW.astimezone(zone))


@pytest.mark.parametrize("flag", ["--since", "--until"])
@pytest.mark.parametrize(
    ("written", "ago"),
    [
        ("1h", timedelta(hours=1)),
        ("15m", timedelta(minutes=15)),
        ("15 min", timedelta(minutes=15)),
        ("90s", timedelta(seconds=90)),
        ("1d", timedelta(days=1)),
        ("2 weeks", timedelta(weeks=2)),
        ("1h ago", timedelta(hours=1)),
        ("2 hours ago", timedelta(hours=2)),
        ("-1h", timedelta(hours=1)),
        ("1h30m", timedelta(minutes=90)),
        ("1 d 2 h", timedelta(hours=26)),
        ("1.5h", timedelta(minutes=90)),
        ("2H", timedelta(hours=2)),
        ("now", timedelta(0)),
    ],
)
def test_a_duration_means_so_long_ago(flag, written, ago):
    assert moment.of(flag, written, None) == NOW - ago


@pytest.mark.parametrize("flag", ["--since", "--until"])
@pytest.mark.parametrize(
    ("written", "cause"),
    [
        ("3", "an hour, a day or how long ago?"),
        ("last night", "'last' and 'night' are not understood"),
        ("99999999d", "neither how long ago nor a time"),
        ("2026-13-01", "not a date and time"),
    ],
)
def test_what_is_not_understood_is_named_with_three_forms_that_are(flag, written, cause):
    with pytest.raises(UsageError) as refused:
        moment.of(flag, written, None)

    assert str(refused.value) == (
        f"{flag} {written}: {cause};"
        f" examples: {flag} 1h, {flag} 'yesterday 22:00' or {flag} 2026-11-24"
    )


def test_of_a_day_the_forms_are_days():
    with pytest.raises(UsageError) as refused:
        moment.of("--day", "last week", None)

    assert str(refused.value) == (
        "--day last week: 'last' and 'week' are not understood;"
        " examples: --day yesterday, --day monday or --day 2026-11-24"
    )


@pytest.mark.parametrize("written", ["yesterday 22:00", "2026-11-24T08:00"])
def test_a_whole_day_that_has_a_time_of_day_is_refused(written):
    with pytest.raises(UsageError) as refused:
        moment.of("--day", written, None)

    assert str(refused.value) == (
        f"--day {written}: a whole day has no time of day; examples: --day yesterday, --day monday"
        " or --day 2026-11-24; or --since and --until"
    )


def test_a_day_may_be_so_many_ago():
    assert moment.of("--day", "2d", None) == NOW - timedelta(days=2)


@pytest.mark.parametrize(
    ("flag", "understood"),
    [("--since", "2026-12-01 08:00:00"), ("--day", "2026-12-02 00:00:00")],
)
def test_what_is_still_to_come_is_refused_with_what_was_understood(flag, understood):
    written = {"--since": "today 08:00", "--day": "2026-12-02"}[flag]

    with pytest.raises(UsageError) as refused:
        moment.of(flag, written, None)

    assert f"{flag} {written}: is understood as {understood}, which is still to come;" in str(
        refused.value
    )
    assert moment.of("--until", written, None) > NOW


def test_it_is_understood_in_the_zone_that_is_named():
    berlin = ZoneInfo("Europe/Berlin")

    assert moment.of("--since", "01:10", berlin) == datetime(2026, 12, 1, 0, 10, tzinfo=UTC)
    assert moment.of("--since", "02:00", berlin) == datetime(2026, 11, 30, 1, 0, tzinfo=UTC)


def between(since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    return moment.between(Namespace(since=since, until=until), None)


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        ("22:00", "23:30", ((11, 30, 22, 0), (11, 30, 23, 30))),
        ("22:00", "00:10", ((11, 30, 22, 0), (12, 1, 0, 10))),
        ("00:10", "01:00", ((12, 1, 0, 10), (12, 1, 1, 0))),
        ("yesterday", "08:00", ((11, 30, 0, 0), (11, 30, 8, 0))),
        ("friday", "monday", ((11, 27, 0, 0), (11, 30, 0, 0))),
        ("saturday 18:00", None, ((11, 28, 18, 0), None)),
    ],
)
def test_a_night_is_the_one_that_has_passed_and_ends_after_it_begins(since, until, expected):
    found = [
        None if each is None else (each.month, each.day, each.hour, each.minute)
        for each in between(since, until)
    ]

    assert tuple(found) == expected


def test_a_time_that_ends_before_it_begins_is_refused_with_what_was_understood():
    with pytest.raises(UsageError) as refused:
        between("today", "yesterday 22:00")

    assert str(refused.value) == (
        "--since is not before --until, which are understood as 2026-12-01 00:00:00 and"
        " 2026-11-30 22:00:00; exchange them"
    )


@pytest.mark.parametrize("subcommand", ["trace", "report"])
@pytest.mark.parametrize("flag", ["--since", "--until"])
def test_a_duration_may_have_a_minus(subcommand, flag):
    words = [subcommand, flag, "-1h", *(["x"] if subcommand == "trace" else [])]

    assert getattr(cli._options(words), flag[2:]) == "-1h"


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["now", "--since", "1h"], "--window"),
        (["now", "--since=1h"], "--window"),
        (["top", "--since", "1h"], "--window"),
        (["top", "--until", "1h"], "--at"),
        (["trace", "x", "--day", "yesterday"], "--since"),
        (["report", "--window", "1h"], "--since"),
    ],
)
def test_an_option_of_another_subcommand_leads_to_the_one_that_is_meant(words, meant, capsys):
    with pytest.raises(SystemExit):
        cli.main(words)

    assert f"no such option; did you mean {meant}?" in capsys.readouterr().err
