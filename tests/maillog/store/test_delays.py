"""The table of how long deliveries took: minutes, then quarters of an hour, whatever the order."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from check_postfix.maillog.counts import cells, delays, histogram
from check_postfix.maillog.counts.counts import Counts
from check_postfix.maillog.store import damage
from check_postfix.maillog.store.store import Store

FIRST = 29_538_720
TIMES = st.sampled_from(
    [b"0.5, delays=0.1/0/0.2/0.2", b"2, delays=1/1/0/0", b"9.9, delays=0/9.9/0/0"]
)


def _add(store: Store, told: list[tuple[int, int, bytes]], keys_since: int = 0) -> None:
    """Count deliveries, (minute, origin, times), in one transaction."""
    counts = Counts(store.key, 0, keys_since)
    for minute, origin, times in told:
        counts.delays.add_quick(minute, [(origin, times)])
    with store.transaction():
        store.ledger.add(counts)


def _spans(path: str) -> list[tuple[int, int]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute("SELECT first, minutes FROM delay ORDER BY first").fetchall()


def _number(found: dict[int, dict[int, int]]) -> int:
    return sum(found.get(histogram.WHOLE, {}).values())


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(1, 3), TIMES), min_size=1), st.data())
def test_parts_in_any_order_come_to_the_same(tmp_path_factory, told, data):
    told = [(FIRST + minute, origin, times) for minute, origin, times in told]
    cut = data.draw(st.integers(0, len(told)))
    since = FIRST + data.draw(st.integers(0, 100))
    directory = tmp_path_factory.mktemp("state")
    with Store(str(directory / "whole"), 5) as whole, Store(str(directory / "parts"), 5) as parts:
        _add(whole, told)
        _add(parts, told[cut:], since)
        _add(parts, told[:cut], since)
        with whole.transaction():
            whole.forgetting.older(0, since)
        with parts.transaction():
            parts.forgetting.older(0, since)

        for origins in ([1], [1, 2, 3]):
            found = parts.answers.delays_of(FIRST, FIRST + 120, origins)
            assert found == whole.answers.delays_of(FIRST, FIRST + 120, origins)
            assert _number(found) == sum(origin in origins for _, origin, _ in told)
        damage.read_everything(parts)


def test_minutes_without_keys_become_quarters_of_an_hour(tmp_path: Path):
    state = str(tmp_path / "state")
    with Store(state, 5) as store:
        _add(store, [(FIRST + minute, 1, b"1, delays=1/0/0/0") for minute in range(40)])
        with store.transaction():
            store.forgetting.older(0, FIRST + 31)

    assert _spans(state) == [
        (FIRST, 15), (FIRST + 15, 15), *((FIRST + minute, 1) for minute in range(30, 40)),
    ]  # fmt: skip


def test_archives_that_are_older_than_keys_are_counted_by_quarters_at_once(tmp_path: Path):
    state = str(tmp_path / "state")
    with Store(state, 5) as store:
        _add(store, [(FIRST + minute, 1, b"1, delays=1/0/0/0") for minute in range(40)], FIRST + 30)
        found = store.answers.delays_of(FIRST, FIRST + 40, [1])

    assert _spans(state)[:3] == [(FIRST, 15), (FIRST + 15, 15), (FIRST + 30, 1)]
    assert _number(found) == 40


def test_of_a_quarter_all_counts_where_the_window_begins_in_it(tmp_path: Path):
    with Store(str(tmp_path / "state"), 5) as store:
        _add(store, [(FIRST + minute, 1, b"1, delays=1/0/0/0") for minute in range(30)], FIRST + 60)

        assert _number(store.answers.delays_of(FIRST + 20, FIRST + 30, [1])) == 15


def test_what_is_older_than_sums_is_deleted(tmp_path: Path):
    state = str(tmp_path / "state")
    with Store(state, 5) as store:
        _add(store, [(FIRST + minute, 1, b"1, delays=1/0/0/0") for minute in range(60)])
        with store.transaction():
            store.forgetting.older(FIRST + 45, FIRST + 60)

    assert _spans(state) == [(FIRST + 45, 15)]


def test_a_log_that_is_counted_anew_takes_its_own_deliveries_along(tmp_path: Path):
    with Store(str(tmp_path / "state"), 5) as store:
        with store.transaction():
            logs = store.logs.add("/a"), store.logs.add("/b")
            origins = [store.ledger.origin(log, b"mx1", b"postfix") for log in logs]
        _add(store, [(FIRST, origin, b"1, delays=1/0/0/0") for origin in origins])
        with store.transaction():
            store.forgetting.counts_of(logs[0])

        found = [_number(store.answers.delays_of(FIRST, FIRST + 1, [origin])) for origin in origins]
        assert found == [0, 1]
        damage.read_everything(store)


def test_odd_times_are_left_out_and_take_no_others_along():
    counted = delays.Delays()

    counted.add_quick(FIRST, [(1, b"1, delays=1/0/0/0"), (1, b"1.2.3, delays=1/0/0/0")])

    found = counted.found[FIRST, 1]
    assert sorted(cells.split(cell)[1] for cell in found.elements()) == [*range(histogram.LATE)]
