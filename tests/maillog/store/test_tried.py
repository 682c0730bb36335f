"""Which clients failed at which accounts, by the hour: the same in whatever order a log is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from check_postfix.maillog.counts.counts import Counts
from check_postfix.maillog.counts.families import MANY
from check_postfix.maillog.events.event import Event
from check_postfix.maillog.store import retention, tried
from check_postfix.maillog.store.store import Store

HOUR = 60
FIRST = 20_000 * 24 * HOUR


@pytest.fixture
def store() -> Iterator[Store]:
    with Store(None, 5) as opened:
        yield opened


def add(store: Store, *failures: tuple[int, str, bytes, int], origin: int = 1) -> None:
    counts = Counts(store.key)
    for minute, client, account, number in failures:
        counts.add(FIRST + minute, origin, Event("auth_failed", client=client, account=account),
                   number)  # fmt: skip
    with store.transaction():
        store.ledger.add(counts)


def failed(store: Store, start: int, end: int, *origins: int) -> dict[tuple[str, str], int]:
    found: Counter[tuple[str, str]] = Counter()
    for pair, number in store.answers.tried(FIRST + start, FIRST + end, origins or (1,)):
        found[pair] += number
    return dict(found)


def pair(store: Store, client: str, account: bytes) -> tuple[str, str]:
    return client, Counts(store.key).pseudonym(account)


def rows(store: Store) -> int:
    number: int = store.db.execute("SELECT count(*) FROM tried").fetchone()[0]
    return number


def test_they_are_added_up_over_hours_and_accounts_are_pseudonyms(store: Store) -> None:
    add(store, (0, "192.0.2.7", b"ann", 2), (59, "192.0.2.7", b"Ann", 1))
    add(store, (200, "192.0.2.7", b"ann", 4), (200, "2001:db8::7", b"bob", 1))

    assert failed(store, 0, 240) == {
        pair(store, "192.0.2.7", b"ann"): 7, pair(store, "2001:db8::/64", b"bob"): 1,
    }  # fmt: skip
    assert rows(store) == 2


def test_a_time_begins_with_its_hour_and_ends_with_its_minute(store: Store) -> None:
    add(store, *[(minute, "192.0.2.7", b"ann", 1) for minute in (0, 59, 60, 100, 119, 120)])
    ann = pair(store, "192.0.2.7", b"ann")

    assert failed(store, 0, 120) == {ann: 5}
    assert failed(store, 59, 101) == {ann: 4}
    assert failed(store, 60, 100) == {ann: 1}


def test_those_of_other_origins_are_left_out(store: Store) -> None:
    add(store, (0, "192.0.2.7", b"ann", 1))
    add(store, (0, "192.0.2.7", b"ann", 10), origin=2)

    assert sum(failed(store, 0, 60).values()) == 1
    assert sum(failed(store, 0, 60, 1, 2).values()) == 11


def test_of_too_many_those_are_kept_that_fail_most_and_the_sum_is_exact(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tried, "MOST_KEPT", 20)
    flood = [(n % 60, f"198.51.{n // 250}.{n % 250}", b"a%d" % n, 1) for n in range(1000)]
    guesser = [(n, "192.0.2.7", b"b%d" % n, 1) for n in range(12)]
    for one in (flood[:500], guesser[:6], flood[500:], guesser[6:]):
        add(store, *one)

    found = failed(store, 0, 60)

    assert len(found) == 20
    assert sum(found.values()) == 1012
    assert found[MANY, MANY] > 900
    assert sum(client == "192.0.2.7" for client, _ in found) == 12


@pytest.mark.heavy
def test_an_attack_of_a_hundred_thousand_addresses_takes_a_small_row(store: Store) -> None:
    flood = [(n % 60, f"198.{n >> 16}.{n >> 8 & 255}.{n & 255}", b"a", 1) for n in range(100_000)]

    for start in range(0, len(flood), 20_000):
        add(store, *flood[start : start + 20_000])

    assert sum(failed(store, 0, 60).values()) == 100_000
    size = store.db.execute("SELECT sum(length(pairs)) FROM tried").fetchone()[0]
    assert size < 20_000


def test_they_are_forgotten_with_keys(store: Store) -> None:
    add(store, (0, "192.0.2.7", b"ann", 1), (60, "192.0.2.7", b"ann", 1))

    with store.transaction():
        store.forgetting.older(FIRST - 1440, FIRST + 1)

    assert rows(store) == 1
    assert not retention.is_overdue(store, FIRST - 1440, FIRST + 1)
    assert retention.is_overdue(store, FIRST - 1440, FIRST + 1440)


def test_of_many_hosts_each_has_an_equal_share_and_its_sum_is_exact(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tried, "MOST_KEPT", 20)
    monkeypatch.setattr(tried, "MOST_OF_ALL", 60)
    for start in (0, 8):
        for origin in range(1, 11):
            flood = [(n, f"198.51.{origin}.{n}", b"a", 1) for n in range(start, start + 8)]
            add(store, *flood, origin=origin)

    for origin in range(1, 11):
        found = failed(store, 0, 60, origin)
        assert sum(found.values()) == 16
        assert found[MANY, MANY] == 11
        assert len(found) == 6


def test_so_many_pairs_of_each_host_are_kept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tried, "MOST_KEPT", 20)
    for origin in (1, 2):
        add(store, *((n, f"198.51.100.{n}", b"a", 1) for n in range(30)), origin=origin)
    add(store, (0, "192.0.2.7", b"ann", 1), origin=3)

    assert [len(failed(store, 0, 60, origin)) for origin in (1, 2, 3)] == [20, 20, 1]
    assert failed(store, 0, 60, 1)[MANY, MANY] == failed(store, 0, 60, 2)[MANY, MANY] == 11
