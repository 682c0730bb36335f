"""What came in each quarter of an hour, as the store keeps it."""

from __future__ import annotations

import pytest

from check_postfix.maillog.counts.counts import Counts
from check_postfix.maillog.counts.series import SERIES
from check_postfix.maillog.errors import DamagedStore
from check_postfix.maillog.store.store import Store
from check_postfix.rejects import REJECTED
from tests.maillog.store.test_checksum import silently

QUARTER = 2_000_000
START = QUARTER * 15


@pytest.fixture
def state(tmp_path):
    return str(tmp_path / "state")


def add(state, *counted):
    """Count some (minute after START, origin, counter, number)."""
    counts = Counts(b"")
    for minute, origin, counter, number in counted:
        counts.add_counters(START + minute, origin, (counter,), number)
    with Store(state, 60) as store, store.transaction():
        store.ledger.add(counts)


def of(state, series, origins=(1, 2), first=QUARTER - 3000, last=QUARTER + 3000):
    with Store(state, 60) as store:
        return store.answers.quarters(series, first, last, origins)


def test_minutes_are_added_up_by_quarters_whichever_is_read_first(state):
    add(state, (31, 1, "received", 4), (15, 1, "received", 1))
    add(state, (14, 1, "received", 2), (0, 1, "received", 1), (29, 1, "received", 5))

    assert of(state, "received") == {QUARTER: 3, QUARTER + 1: 6, QUARTER + 2: 4}


def test_all_ways_to_refuse_are_one_series(state):
    assert SERIES["rejected"] == REJECTED
    add(state, *((n, 1, counter, 1) for n, counter in enumerate(REJECTED)))

    assert of(state, "rejected") == {QUARTER: len(REJECTED)}


def test_what_belongs_to_no_series_is_not_kept(state):
    add(state, (0, 1, "accepted", 4))

    assert [of(state, series) for series in SERIES] == [{}] * len(SERIES)


def test_origins_are_told_apart(state):
    add(state, (0, 1, "sent", 1), (0, 2, "sent", 20), (0, 12, "sent", 300), (20, 12, "sent", 7))

    assert of(state, "sent") == {QUARTER: 21}
    assert of(state, "sent", [12]) == {QUARTER: 300, QUARTER + 1: 7}
    with Store(state, 60) as store:
        assert store.answers.origins_of("sent", QUARTER, QUARTER + 1) == {1, 2, 12}
        assert store.answers.quarters_since(QUARTER - 100, QUARTER + 9, [12]) == QUARTER
        assert store.answers.quarters_since(QUARTER - 100, QUARTER + 9, [3]) == QUARTER + 9
        assert store.answers.by_minute(["sent"], START, START + 30, [1, 12]) == {
            START: 301, START + 20: 7,
        }  # fmt: skip


def test_quarters_that_begin_before_what_is_kept_are_forgotten(state):
    add(state, (0, 1, "sent", 1), (15, 1, "sent", 2), (30, 1, "sent", 3))

    with Store(state, 60) as store, store.transaction():
        store.forgetting.older(START + 16, START)

    assert of(state, "sent") == {QUARTER + 2: 3}


def test_with_a_log_what_came_of_it_is_forgotten(state):
    with Store(state, 60) as store, store.transaction():
        one, other = store.logs.add("/var/log/one"), store.logs.add("/var/log/other")
        first, second = (
            store.ledger.origin(one, b"mx1", b""),
            store.ledger.origin(other, b"mx2", b""),
        )
    add(state, (0, first, "sent", 1), (0, second, "sent", 20), (15, first, "sent", 2))

    with Store(state, 60) as store, store.transaction():
        store.forgetting.counts_of(one)

    assert of(state, "sent", [first, second]) == {QUARTER: 20}


@pytest.mark.parametrize(
    "damage",
    [
        f"UPDATE quarter SET numbers=replace(numbers, '4', '5') WHERE quarter={QUARTER}",
        f"DELETE FROM quarter WHERE quarter={QUARTER}",
        f"UPDATE quarter SET quarter={QUARTER + 1} WHERE quarter={QUARTER}",
    ],
)
def test_a_row_that_is_not_as_it_was_written_is_damage(state, damage):
    add(state, (0, 1, "received", 4))
    silently(state, damage)

    with pytest.raises(DamagedStore, match="has other rows in its table quarter"):
        of(state, "received")
