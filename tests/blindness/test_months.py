"""No check cries wolf: ordinary servers give no UNKNOWN and no alarm, nor do the logs of others.

A few days of what `python -m tests.blindness.months` replays for a whole month.
"""

from __future__ import annotations

import pytest

from tests.support.material import SHARED
from tests.support.server import DAY, MINUTE, UNKNOWN

from . import months

# From Friday morning over the weekend on which summer time ends
FRIDAY = months.START + 18 * DAY


def test_a_small_server_and_its_weekend_give_no_unknown_and_no_alarm(tmp_path):
    replay = months.small(tmp_path, FRIDAY, days=4)

    seen = replay.run(FRIDAY, FRIDAY + 4 * DAY, 20 * MINUTE)

    assert replay.not_ok() == {}
    assert sum(seen.values()) == 4 * 4 * 72


def test_a_machine_that_only_sends_and_is_silent_at_weekends_gives_no_unknown(tmp_path):
    replay = months.satellite(tmp_path, FRIDAY, days=4)

    replay.run(FRIDAY, FRIDAY + 4 * DAY, 30 * MINUTE)

    assert replay.not_ok() == {}


def test_a_big_server_gives_no_unknown_and_no_alarm(tmp_path):
    replay = months.large(tmp_path, months.START, days=2, messages=4000)

    replay.run(months.START, months.START + 2 * DAY, 30 * MINUTE)

    assert replay.not_ok() == {}


@pytest.mark.skipif(not SHARED.exists(), reason="the logs of other projects are not there")
@pytest.mark.parametrize("name", months.BULK)
def test_the_big_logs_of_others_give_no_unknown(name, tmp_path):
    replay = months.replayed(SHARED / name, tmp_path, every=120 * MINUTE)

    assert [said.text for said in replay.seen if said.exit_code == UNKNOWN] == []
