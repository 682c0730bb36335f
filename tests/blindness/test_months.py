"""No check cries wolf: ordinary servers give no UNKNOWN and no alarm, nor do the logs of others.

A few days of what `python -m tests.blindness.months` replays for a whole month.
"""

from __future__ import annotations

import pytest

from tests.support.definitions import log_checks
from tests.support.material import SHARED
from tests.support.server import DAY, MINUTE, UNKNOWN

from . import months, outages
from .outages import minutes_to_alarm
from .replay import Replay
from .traffic import SATELLITE, SMALL, Traffic, big

pytestmark = pytest.mark.heavy

# In these other programs go on for days in which Postfix says nothing.
WITHOUT_MAIL_FOR_DAYS = ("infohtreasure-maillog-dump/maillog", "infohtreasure-maillog-dump/mailog2")
# From Friday morning over the weekend on which summer time ends
FRIDAY = months.START + 18 * DAY


def seen_and_written(
    replay: Replay, traffic: Traffic, start: float, days: int
) -> tuple[dict[str, float], dict[str, float]]:
    """Return two numbers of the last days, as the checks tell them and as they were written."""
    now = replay.now
    first = (int(now) // 60 + 1 - days * 1440) * 60
    written = {"deferred": 0.0, "auth_failures": 0.0}
    for seconds, _, text in traffic.lines(start - months.HISTORY, start + days * DAY):
        if first <= seconds <= now:
            written["deferred"] += "status=deferred" in text
            written["auth_failures"] += "auth failed, 1" in text or "authentication failed:" in text
    window = "--window", f"{days}d"
    seen = replay.says("check_postfix_deferred", *window)
    seen |= replay.says("check_postfix_auth", *window)
    return {name: seen[name].value for name in written}, written


def test_a_small_server_and_its_weekend_give_no_unknown_and_no_alarm(tmp_path):
    replay = months.small(tmp_path, FRIDAY, days=4)

    said = replay.run(FRIDAY, FRIDAY + 4 * DAY, 40 * MINUTE)

    assert replay.not_ok() == {}
    assert sum(said.values()) == len(log_checks()) * 4 * 36
    seen, written = seen_and_written(replay, Traffic(SMALL, months.BERLIN), FRIDAY, 4)
    assert seen == written


def test_a_machine_that_only_sends_and_is_silent_at_weekends_gives_no_unknown(tmp_path):
    replay = months.satellite(tmp_path, FRIDAY, days=4)

    replay.run(FRIDAY, FRIDAY + 4 * DAY, 60 * MINUTE)

    assert replay.not_ok() == {}
    seen, written = seen_and_written(replay, Traffic(SATELLITE, months.BERLIN), FRIDAY, 4)
    assert seen == written


def test_a_big_server_gives_no_unknown_and_no_alarm(tmp_path):
    replay = months.large(tmp_path, months.START, days=2, messages=4000)

    replay.run(months.START, months.START + 2 * DAY, 60 * MINUTE)

    assert replay.not_ok() == {}
    seen, written = seen_and_written(replay, Traffic(big(4000), months.BERLIN), months.START, 2)
    assert seen == written


@pytest.mark.skipif(not SHARED.exists(), reason="the logs of other projects are not there")
@pytest.mark.parametrize("name", months.BULK)
def test_the_big_logs_of_others_give_no_unknown(name, tmp_path):
    replay = months.replayed(SHARED / name, tmp_path, every=120 * MINUTE)

    unknown = [said.text for said in replay.seen if said.exit_code == UNKNOWN]
    if name in WITHOUT_MAIL_FOR_DAYS:
        unknown = [text for text in unknown if "no log line for N d" not in text]
    assert unknown == []


@pytest.mark.parametrize(
    ("messages", "trouble", "since", "within"),
    [
        ("30", "the relay refuses our login", "Mon 10:00", 8 * 60),
        ("1,000", "no DNS", "Mon 10:00", 60),
        ("10,000", "the relay refuses our login", "Mon 10:00", 15),
        ("10,000", "a provider defers 40 %, --per domain", "Mon 10:00", 30),
    ],
)
def test_real_trouble_is_told_soon_all_the_same(messages, trouble, since, within):
    onset = months.START + 7 * DAY + outages.ONSETS[since]

    size, hours = outages.SERVERS[messages]
    took = minutes_to_alarm(size, outages.TROUBLES[trouble], onset, hours=hours, every=15)

    assert took is not None
    assert took <= within
