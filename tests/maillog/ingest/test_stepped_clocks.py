"""Clocks that step, disagree or change to summer time: every line still counts once."""

from __future__ import annotations

import os
import time
from collections import Counter
from datetime import UTC, datetime, tzinfo

import pytest
from dateutil import tz

from check_postfix.maillog.ingest.ingest import Ingest
from check_postfix.maillog.store.store import Store
from check_postfix.maillog.window.coverage import Coverage
from tests.maillog.conftest import Place
from tests.support import logbook

BERLIN = tz.gettz("Europe/Berlin")
DAY = logbook.DAY
STAMPS = {
    "without a year": "%b %e %H:%M:00",
    "with an offset": "%Y-%m-%dT%H:%M:00%:z",
}


def stamped(minute: int, form: str, zone: tzinfo = UTC, host: str = "mx1") -> bytes:
    """Return a line of this minute, as the clock of its host writes that."""
    local = datetime.fromtimestamp(minute * 60, zone)
    offset = local.strftime("%z")
    stamp = local.strftime(form.replace("%:z", offset[:3] + ":" + offset[3:]))
    text = f"{stamp} {host} postfix/smtpd[7]: {minute:010X}: client=c.example[192.0.2.7]\n"
    return text.encode()


def run(place: Place, now: int, zone: tzinfo = UTC) -> Coverage:
    """Ingest as a check does that runs in this minute since 1970."""
    os.utime(place.log, (now * 60, now * 60))
    with Store(place.store, 5) as store:
        return Ingest(
            store, place.log, zone, now * 60, now * 60, now - 15, time.monotonic() + 60
        ).run()


@pytest.mark.parametrize("form", STAMPS.values(), ids=STAMPS.keys())
@pytest.mark.parametrize("step", [DAY, -DAY, 60, -60, 5, -5])
def test_a_clock_that_steps_and_steps_back_loses_and_doubles_nothing(
    place: Place, step: int, form: str
) -> None:
    now = logbook.FIRST + 3 * DAY
    stepped = now + 7 + step
    minutes = [
        *range(now - 3, now + 1),  # read
        *range(now + 1, now + 7),  # unread when the clock steps
        *range(stepped, stepped + 4),
        *range(now + 12, now + 15),  # right again
    ]
    for first, last, at in ((0, 4, now), (4, 14, stepped + 4), (14, 17, now + 15)):
        place.write_bytes(b"".join(stamped(minute, form) for minute in minutes[first:last]))
        coverage = run(place, at)

    assert logbook.counted(place.store) == Counter(minutes)
    assert list(coverage.gaps) == []


@pytest.mark.parametrize("form", STAMPS.values(), ids=STAMPS.keys())
def test_the_clocks_of_five_hosts_in_one_file_may_all_differ(place: Place, form: str) -> None:
    now = logbook.FIRST + 3 * DAY
    ahead = {"mx1": 0, "mx2": -30, "mx3": 7, "mx4": -5, "mx5": 55}
    minutes = []
    for minute in range(now - 20, now):
        for host, difference in ahead.items():
            minutes.append(minute + difference)
            place.write_bytes(stamped(minutes[-1], form, host=host))
        if minute % 7 == 0:
            run(place, minute)

    coverage = run(place, now)

    assert logbook.counted(place.store) == Counter(minutes)
    assert coverage.last is not None
    assert coverage.last <= now


def test_lines_out_of_order_by_minutes_count_in_their_own_minutes(place: Place) -> None:
    now = logbook.FIRST + DAY
    minutes = [now + minute for minute in (-9, -3, -8, -8, -1, -7, -2, -9, -1)]
    for minute in minutes:
        place.write_bytes(stamped(minute, STAMPS["without a year"]))
        run(place, now)

    assert logbook.counted(place.store) == Counter(minutes)


@pytest.mark.parametrize(
    "noon", ["2026-12-31T23:50", "2028-02-28T23:50", "2028-02-29T23:50", "2027-02-28T23:50"]
)
def test_the_turn_of_a_year_and_a_29_february_cost_no_line(place: Place, noon: str) -> None:
    start = int(datetime.fromisoformat(noon).replace(tzinfo=UTC).timestamp()) // 60
    for minute in range(start, start + 20):
        place.write_bytes(stamped(minute, STAMPS["without a year"]))
        if minute % 3 == 0:
            run(place, minute)

    run(place, start + 20)

    assert logbook.counted(place.store) == dict.fromkeys(range(start, start + 20), 1)


@pytest.mark.parametrize("form", STAMPS.values(), ids=STAMPS.keys())
@pytest.mark.parametrize("change", ["2026-03-29T01:00", "2026-10-25T01:00"])
@pytest.mark.parametrize("every", [3, 50, 1000])
def test_summer_time_begins_and_ends_without_a_line_lost_or_doubled(
    place: Place, change: str, form: str, every: int
) -> None:
    start = int(datetime.fromisoformat(change).replace(tzinfo=UTC).timestamp()) // 60 - 75
    for minute in range(start, start + 150):
        place.write_bytes(stamped(minute, form, BERLIN))
        if minute % every == 0:
            run(place, minute, BERLIN)

    run(place, start + 150, BERLIN)

    assert logbook.counted(place.store) == dict.fromkeys(range(start, start + 150), 1)


def test_a_gap_in_the_future_of_a_clock_that_is_behind_is_shown_when_its_time_has_come(
    place: Place,
) -> None:
    now = logbook.FIRST + DAY
    form = STAMPS["with an offset"]
    place.write_bytes(stamped(now, form))
    run(place, now)
    os.remove(place.log)
    place.write_bytes(stamped(now + 3, form))

    behind = run(place, now - 60)
    place.write_bytes(stamped(now + 4, form))
    right = run(place, now + 5)

    assert list(behind.gaps) == []
    assert list(right.gaps) == [(now, now + 3)]
