"""What single senders had at most on a day: the same in whatever order a log is read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from check_postfix.maillog.counts.counts import Counts
from check_postfix.maillog.counts.senders import MESSAGES
from check_postfix.maillog.counts.series import FLOODED
from check_postfix.maillog.store import daily_most
from check_postfix.maillog.store.quarters import DAY as QUARTERS
from check_postfix.maillog.store.store import Store
from tests.support import effort

DAY = 24 * 60
FIRST = 20_000 * DAY
ANN, BOB = "by_account\tann", "by_account\tbob"


@pytest.fixture
def store() -> Iterator[Store]:
    with Store(None, 5) as opened:
        yield opened


def add(store: Store, minute: int, number: int, by: str = ANN, origin: int = 1) -> None:
    counts = Counts(store.key)
    counts.add_of_sender(FIRST + minute, origin, by, MESSAGES, number, "203.0.113.7")
    with store.transaction():
        store.ledger.add(counts)


def add_for(store: Store, minute: int, name: str, number: int, origin: int = 1) -> None:
    """Add messages for a recipient."""
    counts = Counts(store.key)
    counts.recipients(FIRST + minute)[origin] += [name.encode()] * number
    with store.transaction():
        store.ledger.add(counts)


def flooded(store: Store, origins: tuple[int, ...] = (1,)) -> dict[int, int]:
    """Return quarter-hour of the days -> what the busiest recipient got."""
    first = FIRST // 15
    found = store.answers.quarters(FLOODED, first, first + 3 * QUARTERS, origins)
    return {quarter - first: number for quarter, number in found.items()}


def forget(store: Store) -> None:
    with store.transaction():
        store.forgetting.older(FIRST - DAY, FIRST - DAY)


def most(store: Store, name: str = "ann", days: int = 3, origins: tuple[int, ...] = (1,)) -> int:
    first = daily_most.day_of(FIRST)
    known, numbers, rest = store.answers.most_of_days(
        "by_account", first, first + days - 1, origins
    )
    assert known <= days
    return numbers.get(Counts(store.key).pseudonym_by_the_day(name.encode()), rest)


def rows(store: Store, table: str) -> int:
    number: int = store.db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    return number


def test_it_is_that_of_the_busiest_quarter_of_an_hour(store: Store) -> None:
    for minute, number in [(0, 5), (14, 4), (15, 8), (700, 3)]:
        add(store, minute, number)

    assert most(store) == 9
    assert most(store, "bob") == 0


def test_a_day_is_settled_when_an_hour_of_the_next_is_there(store: Store) -> None:
    add(store, 10, 5)
    add(store, DAY + 59, 1)
    forget(store)
    assert rows(store, "daily_most") == 0

    add(store, DAY + 61, 1)
    forget(store)

    assert (rows(store, "daily_most"), rows(store, "quarter_key")) == (1, 2)
    assert most(store) == 5


def test_while_something_is_to_be_read_nothing_is_settled_nor_compared(store: Store) -> None:
    with store.transaction():
        log = store.logs.add("/var/log/mail.log")
    add(store, 10, 5)
    add(store, 2 * DAY, 1)

    forget(store)
    assert rows(store, "daily_most") == 0
    assert most(store) == 0

    log.backlog = 0
    with store.transaction():
        store.logs.save(log)
    forget(store)
    assert most(store) == 5


def test_what_comes_later_for_a_settled_day_makes_a_most_of_its_own(store: Store) -> None:
    add(store, 10, 5)
    add(store, 2 * DAY, 1)
    forget(store)
    add(store, 300, 4)
    add(store, 600, 7, BOB)
    forget(store)

    assert most(store) == 5
    assert most(store, "bob") == 7


def test_of_several_origins_it_is_no_less_than_that_of_all(store: Store) -> None:
    add(store, 10, 5, origin=1)
    add(store, 12, 3, origin=2)

    assert most(store, origins=(1,)) == 5
    assert most(store, origins=(1, 2)) == 8


def test_of_too_many_the_largest_are_kept_and_the_others_had_no_more(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daily_most, "MOST_KEPT", 10)
    for number in range(30):
        add(store, 10, 100 + number, f"by_account\ta{number}")
    add(store, 2 * DAY, 1)
    forget(store)

    assert most(store, "a29") == 129
    assert most(store, "a0") == 120
    assert all(
        len(keys.split("\n")) <= 11
        for table in ("daily_most", "quarter_key")
        for (keys,) in store.db.execute(f"SELECT keys FROM {table}")
    )


def test_so_many_of_each_origin_are_kept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daily_most, "MOST_KEPT", 10)
    for number in range(12):
        for origin in (1, 2):
            add(store, 10, 100 * origin + number, f"by_account\ta{number}", origin)
    add(store, 10, 1, ANN, origin=3)

    assert [most(store, "a11", origins=(origin,)) for origin in (1, 2)] == [111, 211]
    assert [most(store, "a0", origins=(origin,)) for origin in (1, 2)] == [102, 202]
    assert most(store, origins=(3,)) == 1
    assert most(store, "a0", origins=(3,)) == 0


def test_of_too_many_of_all_origins_the_largest_are_kept_and_the_busiest_of_each(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daily_most, "MOST_KEPT", 10)
    monkeypatch.setattr(daily_most, "MOST_OF_ALL", 12)
    for origin in range(1, 6):
        for number in range(6):
            add(store, 10, 10 * origin + number, f"by_account\ta{number}", origin)
    add(store, 2 * DAY, 1)
    for _ in range(2):  # as it waits, and settled
        assert most(store, "a5", origins=(5,)) == 55
        assert most(store, "a4", origins=(5,)) == 54
        assert most(store, "a5", origins=(1,)) == 15
        # Whoever is not there had no more than the twelfth of all.
        assert most(store, "a4", origins=(1,)) == 40
        # Of an origin that has none, none is left out.
        assert most(store, "a4", origins=(9,)) == 0
        forget(store)


def test_what_is_too_old_is_forgotten(store: Store) -> None:
    add(store, 10, 5)
    add(store, 2 * DAY, 1)
    forget(store)

    with store.transaction():
        store.forgetting.older(FIRST + 3 * DAY, FIRST + 3 * DAY)

    assert (rows(store, "daily_most"), rows(store, "quarter_key")) == (0, 0)


def test_of_recipients_only_what_the_busiest_got_is_kept_when_a_day_is_settled(
    store: Store,
) -> None:
    for minute, name, number in [(0, "ann", 5), (14, "ann", 3), (14, "bob", 6), (700, "bob", 2)]:
        add_for(store, minute, name, number)
    expected = {0: 8, 46: 2}
    assert flooded(store) == expected

    add_for(store, 2 * DAY, "ann", 1)
    forget(store)

    assert flooded(store) == expected | {2 * QUARTERS: 1}
    assert (rows(store, "daily_most"), rows(store, "quarter_key")) == (0, 1)


def test_what_comes_later_for_recipients_of_a_settled_day_counts_if_it_is_more(
    store: Store,
) -> None:
    add_for(store, 0, "ann", 5)
    add_for(store, 20, "ann", 5)
    add_for(store, 2 * DAY, "ann", 1)
    forget(store)

    add_for(store, 5, "bob", 4)
    add_for(store, 25, "bob", 7)
    assert (flooded(store)[0], flooded(store)[1]) == (5, 7)

    forget(store)
    assert (flooded(store)[0], flooded(store)[1]) == (5, 7)


def test_of_several_origins_the_busiest_of_each_are_added_up(store: Store) -> None:
    add_for(store, 0, "ann", 5)
    add_for(store, 0, "ann", 4, origin=2)
    add_for(store, DAY + 400, "ann", 1)
    assert (flooded(store, (1,))[0], flooded(store, (1, 2))[0]) == (5, 9)

    forget(store)

    assert (flooded(store, (1,))[0], flooded(store, (1, 2))[0]) == (5, 9)


def test_a_day_is_known_on_which_somebody_got_something(store: Store) -> None:
    add_for(store, 0, "ann", 5)
    add_for(store, DAY, "ann", 5)
    add_for(store, 2 * DAY, "ann", 5)
    forget(store)

    first = daily_most.day_of(FIRST)
    assert store.answers.most_of_days("by_account", first, first + 2, (1,)) == (3, {}, 0)


@settings(max_examples=effort.examples(60), deadline=None)
@given(st.data())
def test_pieces_read_in_any_order_make_the_same_most(data: st.DataObject) -> None:
    said = data.draw(
        st.lists(
            st.tuples(st.integers(0, 2 * DAY - 1), st.sampled_from([ANN, BOB])),
            min_size=1,
            max_size=40,
        )
    )
    sums: dict[tuple[str, int], int] = {}
    for minute, by in said:
        sums[by, minute // 15] = sums.get((by, minute // 15), 0) + 1
    expected = {
        by: max((n for (of, _), n in sums.items() if of == by), default=0) for by in (ANN, BOB)
    }

    with Store(None, 5) as store:
        with store.transaction():
            log = store.logs.add("/var/log/mail.log")
        for minute, by in data.draw(st.permutations(said)):
            add(store, minute, 1, by)
            if data.draw(st.booleans()):
                forget(store)
        log.backlog = 0
        with store.transaction():
            store.logs.save(log)
        add(store, 3 * DAY, 1, "by_account\tcarol")
        forget(store)

        assert {by: most(store, by.partition("\t")[2]) for by in (ANN, BOB)} == expected
        assert QUARTERS * 15 == DAY
