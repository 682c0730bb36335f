"""Addresses that are asked for by name, and since when."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from check_postfix.maillog.store import watched
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
