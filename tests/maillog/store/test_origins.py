"""Numbers of all origins stand side by side in one row; each origin's own come out again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from check_postfix.maillog.counts.counts import Counts
from check_postfix.maillog.counts.families import MANY
from check_postfix.maillog.counts.senders import MESSAGES
from check_postfix.maillog.errors import DamagedStore
from check_postfix.maillog.events.event import Event
from check_postfix.maillog.store import contents, daily_most, damage, key_quota
from check_postfix.maillog.store.logs import Log
from check_postfix.maillog.store.store import Store
from tests.support import effort

DAY = 24 * 60
FIRST = 20_000 * DAY
TABLES = ("total", "quarter", "keyed", "quarter_key", "daily_most", "tried")
ANN = "by_account\tann"


@pytest.fixture
def store() -> Iterator[Store]:
    with Store(None, 5) as opened:
        yield opened


def failed(client: str, account: bytes = b"ann") -> Event:
    return Event("auth_failed", client=client, account=account)


def add(store: Store, *rows: tuple[int, int, Event, int]) -> None:
    """Add events, each with its minute, its origin, and how often it came."""
    counts = Counts(store.key)
    for minute, origin, event, times in rows:
        counts.add(FIRST + minute, origin, event, times)
    with store.transaction():
        store.ledger.add(counts)


def rows(store: Store) -> dict[str, int]:
    """Return how many rows each table has, if any."""
    numbers = {
        table: store.db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES
    }
    return {table: number for table, number in numbers.items() if number}


def clients(store: Store, *origins: int) -> dict[str, int]:
    keys = store.answers.keys("auth_failed", FIRST, FIRST + DAY, origins)
    return {client: number for (client, *_), number in keys}


def test_a_minute_of_many_hosts_is_one_row_of_each_table(store: Store) -> None:
    for origins in (range(1, 100), range(50, 200)):
        add(store, *((7, origin, failed(f"192.0.2.{origin}"), origin) for origin in origins))

    assert rows(store) == {"total": 1, "keyed": 1, "tried": 1}
    assert store.db.execute("SELECT size FROM keyed").fetchone() == (199,)
    assert contents.of(store).totals.number == 1
    assert store.answers.totals(FIRST, FIRST + 60, [2]) == {"auth_failed": 2}
    assert store.answers.totals(FIRST, FIRST + 60, [2, 60]) == {"auth_failed": 2 + 2 * 60}
    assert clients(store, 3, 60) == {"192.0.2.3": 3, "192.0.2.60": 120}


def test_one_number_is_not_taken_for_another_that_begins_like_it(store: Store) -> None:
    add(store, *((0, origin, failed(f"192.0.2.{origin}"), 1) for origin in (1, 11, 12, 112)))

    assert clients(store, 1) == {"192.0.2.1": 1}
    assert clients(store, 12) == {"192.0.2.12": 1}
    assert not store.answers.totals(FIRST, FIRST + 60, [2])
    assert store.answers.silence_around(FIRST, FIRST + 60, 60, [2]) is None


def test_what_came_newest_tells_of_which_origin_it_is(store: Store) -> None:
    add(store, (0, 12, failed("192.0.2.1"), 1), (70, 3, failed("192.0.2.2"), 2))

    found = store.answers.keys_newest_first("auth_failed", FIRST, FIRST + DAY, [3, 12])

    assert [(minute - FIRST, origin, key[0], n) for minute, origin, key, n in found] == [
        (70, 3, "192.0.2.2", 2), (0, 12, "192.0.2.1", 1),
    ]  # fmt: skip


Said = tuple[int, int, int]


@settings(max_examples=effort.examples(60), deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 150), st.integers(1, 12), st.integers(0, 3))),
        max_size=4,
    ),
    st.frozensets(st.integers(1, 13)),
    st.tuples(st.integers(0, 150), st.integers(0, 150)).map(sorted),
)
def test_any_origins_have_what_was_counted_of_them(
    pieces: list[list[Said]], origins: frozenset[int], span: list[int]
) -> None:
    start, end = span
    said = [one for piece in pieces for one in piece if start <= one[0] < end and one[1] in origins]

    with Store(None, 5) as store:
        for piece in pieces:
            add(store, *((at, origin, failed(f"192.0.2.{n}"), 1) for at, origin, n in piece))

        asked = FIRST + start, FIRST + end, origins
        assert store.answers.totals(*asked) == ({"auth_failed": len(said)} if said else {})
        assert store.answers.by_minute(["auth_failed"], *asked) == Counter(
            FIRST + at for at, *_ in said
        )
        assert {key[0]: n for key, n in store.answers.keys("auth_failed", *asked)} == Counter(
            f"192.0.2.{n}" for *_, n in said
        )
        damage.read_everything(store)


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store with room for few keys."""
    monkeypatch.setattr(key_quota, "KEYS_PER_HOUR", 10)
    monkeypatch.setattr(key_quota, "KEYS_PER_MINUTE", 2)


@pytest.mark.usefixtures("narrow")
def test_of_too_many_keys_of_many_hosts_each_hosts_sum_is_exact(store: Store) -> None:
    origins = range(1, 31)
    events = [(origin, f"192.0.{origin}.{n}") for origin in origins for n in range(5)]

    add(store, *((0, origin, failed(client), 1) for origin, client in events))

    assert [sum(clients(store, origin).values()) for origin in origins] == [5] * 30
    assert sum(client != MANY for client in clients(store, *origins)) == 12


@pytest.mark.usefixtures("narrow")
def test_of_too_many_recipients_of_many_hosts_each_hosts_sum_is_exact(store: Store) -> None:
    """Their keys have nothing but what strangers choose."""
    counts = Counts(store.key)
    for origin in range(1, 31):
        for n in range(5):
            counts.recipients(FIRST)[origin] += [b"a%d@example.com" % n] * 2

    with store.transaction():
        store.ledger.add(counts)

    for origin in range(1, 31):
        keys = store.answers.keys("by_recipient", FIRST, FIRST + 1, [origin])
        assert sum(number for _, number in keys) == 10


@pytest.fixture
def logs(store: Store) -> tuple[Log, Log]:
    """Two logs, whose origins have the numbers 1 and 2; the first one also has 3."""
    with store.transaction():
        one, other = store.logs.add("/a"), store.logs.add("/b")
        for log, host in ((one, b"mx1"), (other, b"mx2"), (one, b"mx3")):
            store.ledger.origin(log, host, b"postfix")
    return one, other


def add_some_of_all(store: Store) -> None:
    """Add something of each origin to each table."""
    for origin in (1, 2, 3):
        for minute in (0, 2 * DAY):
            add(store, (minute, origin, failed(f"192.0.2.{origin}"), origin))
            counts = Counts(store.key)
            counts.add_counters(FIRST + minute, origin, ("sent",), origin)
            counts.add_of_sender(FIRST + minute, origin, ANN, MESSAGES, origin, "203.0.113.7")
            with store.transaction():
                store.ledger.add(counts)
    add(store, (9, 1, failed("192.0.2.1"), 1))
    with store.transaction():
        store.tables.daily_most.settle()


def test_what_was_counted_of_one_log_is_dropped_and_all_of_others_stays(
    store: Store, logs: tuple[Log, Log]
) -> None:
    add_some_of_all(store)
    assert rows(store).keys() == set(TABLES)

    with store.transaction():
        store.forgetting.counts_of(logs[0])

    start, end = FIRST, FIRST + 3 * DAY
    assert rows(store) == {
        "total": 2, "quarter": 2, "keyed": 4, "quarter_key": 1, "daily_most": 1, "tried": 2,
    }  # fmt: skip
    for origins in ([1, 2, 3], [2]):
        assert store.answers.totals(start, end, origins) == {"auth_failed": 4, "sent": 4}
        assert store.answers.keys("auth_failed", start, end, origins)[0][1] == 4
        assert [n for _, n in store.answers.tried(start, end, origins)] == [4]
        assert sum(store.answers.quarters("sent", start // 15, end // 15, origins).values()) == 4
    with store.readable():
        first = daily_most.day_of(FIRST)
        most = store.tables.daily_most.of_days("by_account", first, first, {"1", "2", "3"}, True)
    assert list(most[1].values()) == [2]
    assert store.db.execute("SELECT DISTINCT size FROM keyed").fetchall() == [(1,)]
    damage.read_everything(store)


def test_what_was_counted_of_all_is_dropped_whole(store: Store, logs: tuple[Log, Log]) -> None:
    add_some_of_all(store)

    with store.transaction():
        for log in logs:
            store.forgetting.counts_of(log)

    assert rows(store) == {}
    damage.read_everything(store)


def test_a_text_that_cannot_be_read_is_damage_to_who_drops_of_it(
    store: Store, logs: tuple[Log, Log]
) -> None:
    add_some_of_all(store)
    store.db.execute("UPDATE keyed SET keys='1 2' || char(10) || 'x'")

    with pytest.raises(DamagedStore, match="has counts that cannot be read"), store.transaction():
        store.forgetting.counts_of(logs[1])


def hosts(store: Store, log: Log) -> list[str]:
    return [host for _, host, _, _ in store.origins.of(log)]


@pytest.mark.parametrize("kept", ["totals", "keys"])
def test_an_origin_stays_as_long_as_anything_that_was_counted_of_it(
    store: Store, logs: tuple[Log, Log], kept: str
) -> None:
    """Of none of these the newest line of a daemon is known."""
    add(store, (100, 1, failed("192.0.2.1"), 1), (5 * DAY, 3, failed("192.0.2.3"), 1))

    def forget(minute: int) -> None:
        far = FIRST + 9 * DAY
        oldest = (FIRST + minute, far) if kept == "totals" else (far, FIRST + minute)
        with store.transaction():
            store.forgetting.older(*oldest)

    forget(100)
    assert hosts(store, logs[0]) == ["mx1", "mx3"]
    forget(DAY)
    assert hosts(store, logs[0]) == ["mx3"]
    assert hosts(store, logs[1]) == []


def test_an_origin_whose_counts_were_dropped_does_not_stay_for_them(
    store: Store, logs: tuple[Log, Log]
) -> None:
    add(store, (5 * DAY, 1, failed("192.0.2.1"), 1))

    with store.transaction():
        store.forgetting.counts_of(logs[0])
        store.forgetting.older(FIRST, FIRST)

    assert hosts(store, logs[0]) == []
