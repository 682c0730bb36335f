"""Addresses that are asked for by name, and since when."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from check_postfix.maillog.counts.counts import Counts
from check_postfix.maillog.counts.families import WATCHED
from check_postfix.maillog.counts.message_sums import Sums
from check_postfix.maillog.counts.messages import Messages
from check_postfix.maillog.counts.series import SERIES, of_watched, watched_in
from check_postfix.maillog.store import damage, watched
from check_postfix.maillog.store.pending import Boundary, Segment
from check_postfix.maillog.store.store import Store

NOW = 29_000_000
DAY = 1440
LIST = "list@example.com"


@pytest.fixture
def store() -> Iterator[Store]:
    with Store(None, 5) as opened:
        yield opened


def test_in_a_new_store_an_address_is_known_from_the_start_of_the_log(store: Store) -> None:
    watched.watch(store, [LIST], NOW)

    assert watched.addresses(store) == {LIST.encode()}
    assert watched.since(store, LIST) == 0
    assert watched.since(store, "ann@example.com") is None


def test_where_a_log_was_read_already_it_is_known_from_now_on(store: Store) -> None:
    with store.transaction():
        store.logs.add("/var/log/mail.log")

    watched.watch(store, [LIST], NOW)
    watched.watch(store, [LIST], NOW + 3 * DAY)

    assert watched.since(store, LIST) == NOW


def test_what_another_run_reads_just_then_is_known_from_now_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = str(tmp_path / "state")
    with Store(state, 5) as store, Store(state, 5) as other:
        begin = store.transaction

        @contextmanager
        def late() -> Iterator[None]:
            with other.transaction():
                other.logs.add("/var/log/mail.log")
            with begin():
                yield

        monkeypatch.setattr(store, "transaction", late)
        watched.watch(store, [LIST], NOW)

        assert watched.since(store, LIST) == NOW


def test_an_address_that_nobody_asks_for_any_more_is_forgotten(store: Store) -> None:
    watched.watch(store, [LIST, "ann@example.com"], NOW)
    watched.watch(store, [LIST], NOW + 20 * DAY)

    with store.transaction():
        store.forgetting.older(NOW + 5 * DAY, NOW + 18 * DAY)

    assert watched.addresses(store) == {LIST.encode()}


def test_to_ask_again_soon_writes_nothing(store: Store) -> None:
    watched.watch(store, [LIST], NOW)
    changes = store.db.total_changes

    watched.watch(store, [LIST], NOW + 5)

    assert store.db.total_changes == changes


def count(store: Store, *counted: tuple[int, str, int], origin: int = 1) -> None:
    """Count messages of some minutes after NOW for addresses."""
    sums = Sums()
    for minute, address, number in counted:
        sums.watched[NOW + minute, origin, address] += number
    counts = Counts(store.key, NOW - 30 * DAY, NOW - 2 * DAY)
    counts.add_sums(sums)
    with store.transaction():
        store.ledger.add(counts)


def quarters(store: Store, address: str = LIST, origins: tuple[int, ...] = (1,)) -> dict[int, int]:
    first = NOW // 15
    found = store.answers.quarters(of_watched(address), first - 40 * 96, first + 40 * 96, origins)
    return {quarter - first: number for quarter, number in found.items()}


def test_what_each_address_got_is_kept_by_minutes_as_long_as_keys_and_by_quarters_beyond(
    store: Store,
) -> None:
    count(store, (0, LIST, 2), (1, "ann@x", 1), (5 - 9 * DAY, LIST, 4), (-40 * DAY, LIST, 8))
    count(store, (9, LIST, 3), (10, LIST, 1), (3, LIST, 7), origin=2)

    assert quarters(store) == {0: 2, -9 * 96: 4}
    assert quarters(store, origins=(1, 2)) == {0: 12, 1: 1, -9 * 96: 4}
    assert quarters(store, "ann@x") == {0: 1}
    assert store.answers.keys(WATCHED, NOW, NOW + 9, [1]) == [((LIST,), 2), (("ann@x",), 1)]
    assert store.answers.keys(WATCHED, NOW - 10 * DAY, NOW - 5 * DAY, [1]) == []
    damage.read_everything(store)


def test_what_is_taken_back_makes_a_number_less_and_never_less_than_none(store: Store) -> None:
    count(store, (0, LIST, 2), (20, LIST, 1))
    count(store, (0, LIST, -1), (20, LIST, -1))

    assert quarters(store) == {0: 1, 1: 0}


def test_numbers_of_an_address_are_forgotten_like_sums_and_with_the_address(store: Store) -> None:
    other = "ann@example.com"
    watched.watch(store, [LIST, other], NOW - 25 * DAY)
    watched.watch(store, [other], NOW)
    for address in (LIST, other):
        count(store, (-20 * DAY, address, 1), (0, address, 1))
    wait_for(store, LIST, other)

    with store.transaction():
        store.forgetting.older(NOW - 26 * DAY, NOW - 2 * DAY)
    assert (quarters(store), quarters(store, other)) == ({0: 1, -20 * 96: 1},) * 2

    with store.transaction():
        store.forgetting.older(NOW - 19 * DAY, NOW - 2 * DAY)
    assert (quarters(store), quarters(store, other)) == ({}, {0: 1})
    waits = store.db.execute("SELECT DISTINCT sender FROM pending WHERE sender<>''").fetchall()
    assert waits == [(other,)]
    damage.read_everything(store)


def wait_for(store: Store, *addresses: str) -> None:
    """Let a message wait that is tried for some addresses."""
    sums = Sums()
    piece = Messages(sums, frozenset(address.encode() for address in addresses))
    for address in addresses:
        piece._watch((1, b"A"), NOW, (b"", address.encode(), b""))
    with store.transaction():
        boundaries = Boundary(1, 1, 0), Boundary(1, 1, 3)
        store.pending.append(Segment(*boundaries), piece, NOW, sums)


def test_no_series_of_counters_is_taken_for_an_address() -> None:
    assert watched_in(of_watched(LIST)) == LIST
    assert not any(series.startswith(of_watched("").rstrip()) for series in SERIES)
    assert [watched_in(series) for series in SERIES] == [None] * len(SERIES)
