"""Moment: what is written behind --since, --until and --day, and what it means."""

from __future__ import annotations

import re
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


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("00:10", datetime(2026, 12, 1, 0, 10, tzinfo=UTC)),
        ("2026-11-24", datetime(2026, 11, 24, tzinfo=UTC)),
        ("20261124", datetime(2026, 11, 24, tzinfo=UTC)),
        ("24 Nov 2026 16:30", datetime(2026, 11, 24, 16, 30, tzinfo=UTC)),
        ("today", datetime(2026, 12, 1, tzinfo=UTC)),
        ("yesterday", datetime(2026, 11, 30, tzinfo=UTC)),
    ],
)
def test_a_time_or_a_day_is_what_it_was(written, expected):
    assert moment.of("--since", written, None) == expected


@pytest.mark.parametrize("flag", ["--since", "--until"])
@pytest.mark.parametrize("written", ["3", "15", "1130"])
def test_a_bare_number_is_refused_with_what_may_be_meant(flag, written):
    with pytest.raises(UsageError) as refused:
        moment.of(flag, written, None)

    assert str(refused.value) == (
        f"{flag} {written}: an hour, a day or how long ago? example: {flag} 3h for three hours"
        f" ago, {flag} 03:00, or {flag} 2026-11-24"
    )


@pytest.mark.parametrize("written", ["1h30", "1h ago 5", "1h from now", "99999999d", "0h"])
def test_what_begins_like_a_duration_and_is_none_is_refused(written):
    with pytest.raises(UsageError, match=re.escape(f"--since {written}: ")):
        moment.of("--since", written, None)


def test_a_since_that_is_still_to_come_is_refused_with_what_was_understood():
    with pytest.raises(UsageError) as refused:
        moment.of("--since", "08:00", None)

    assert str(refused.value) == (
        "--since 08:00: is understood as 2026-12-01 08:00:00, which is still to come;"
        " example: --since 1h for an hour ago, or --since yesterday"
    )
    assert moment.of("--until", "08:00", None) > NOW


def test_it_is_understood_in_the_zone_that_is_named():
    berlin = ZoneInfo("Europe/Berlin")

    assert moment.of("--since", "01:10", berlin) == datetime(2026, 12, 1, 0, 10, tzinfo=UTC)
    with pytest.raises(UsageError, match="2026-12-01 02:00:00"):
        moment.of("--since", "02:00", berlin)


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
