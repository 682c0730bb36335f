"""How long mail is stuck in active, by what earlier polls found there: the edges of each time."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from check_postfix.mailqueue import sightings
from check_postfix.mailqueue.errors import SightingsError

NOW = 1795536000


@pytest.fixture
def polled(tmp_path):
    """Return what polls a queue with one message in active, and tells what is stuck."""

    def poll(now: int, arrival: int | None = None, asked: str = "mx1"):
        on_its_way = {} if arrival is None else {("", "4A00000001"): ("active", arrival)}
        listing = SimpleNamespace(now=now, on_its_way=on_its_way, complete=True, queues={})
        return sightings.compared(str(tmp_path / "state"), asked, listing)

    return poll


@pytest.mark.parametrize(("seconds", "oldest"), [(299, 0), (300, 300)])
def test_two_polls_prove_it_that_are_five_minutes_apart(polled, seconds, oldest):
    polled(NOW, NOW)

    assert polled(NOW + seconds, NOW).oldest == oldest


@pytest.mark.parametrize(("arrival", "oldest"), [(NOW - 1, 300), (NOW, 400), (NOW + 50, 350)])
def test_what_came_since_the_poll_before_is_there_since_it_came(polled, arrival, oldest):
    polled(NOW)
    polled(NOW + 100, arrival)

    assert polled(NOW + 400, arrival).oldest == oldest


@pytest.mark.parametrize(("ahead", "is_first"), [(60, False), (61, True)])
def test_a_poll_of_a_time_that_is_still_to_come_proves_nothing(polled, ahead, is_first):
    polled(NOW + ahead)

    assert polled(NOW).is_first is is_first


@pytest.mark.parametrize(("hours", "is_first"), [(48, True), (47, False)])
def test_what_is_not_asked_for_any_more_is_forgotten_after_two_days(polled, hours, is_first):
    polled(NOW, asked="mx2")
    polled(NOW + hours * 3600, asked="mx1")

    assert polled(NOW + hours * 3600, asked="mx2").is_first is is_first


def refusal(state) -> str:
    listing = SimpleNamespace(now=NOW, on_its_way={}, complete=True, queues={})
    with pytest.raises(SightingsError) as raised:
        sightings.compared(str(state), "mx1", listing)
    return str(raised.value)


@pytest.mark.parametrize("kind", ["fifo", "second name"])
def test_what_is_no_file_of_one_name_is_refused(tmp_path, kind):
    state = tmp_path / "state"
    if kind == "fifo":
        os.mkfifo(state)
    else:
        (tmp_path / "other").touch()
        os.link(tmp_path / "other", state)

    assert refusal(state) == (
        f"{state}: is not a regular file of one name; remove it, or choose another with --state"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_somebody_who_has_not_the_directory_is_refused(tmp_path):
    state = tmp_path / "state"
    state.touch()
    os.chown(state, 65534, -1)

    assert refusal(state) == (
        f"{state}: belongs to somebody else; remove it, or choose another with --state"
    )
