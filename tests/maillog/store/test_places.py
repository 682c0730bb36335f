"""Where accounts have logged in from: the first and the last time, in whatever order it is read."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import pytest

from check_postfix.maillog.counts import network
from check_postfix.maillog.counts.counts import Counts
from check_postfix.maillog.counts.senders import MESSAGES
from check_postfix.maillog.events.event import Event
from check_postfix.maillog.store import places, retention
from check_postfix.maillog.store.places import Login
from check_postfix.maillog.store.store import Store

DAY = 24 * 60
FIRST = 20_000 * DAY


@pytest.fixture
def store() -> Iterator[Store]:
    with Store(None, 5) as opened:
        yield opened


def counts(store: Store, *logins: tuple[int, str, bytes], keys_since: int = 0) -> Counts:
    found = Counts(store.key, keys_since=keys_since)
    for minute, client, account in logins:
        found.add(FIRST + minute, 1, Event("auth_succeeded", client=client, service="imap",
                                           account=account), 1)  # fmt: skip
    return found


def add(store: Store, *logins: tuple[int, str, bytes], keys_since: int = 0) -> None:
    with store.transaction():
        store.ledger.add(counts(store, *logins, keys_since=keys_since))


def near(store: Store, client: str) -> list[Login]:
    pseudonym = Counts(store.key).places.network
    return store.answers.logins_from(pseudonym(network.around(client).encode()))


def ann(store: Store, first: int, **other: str) -> Login:
    usual = {"service": "imap", "name": "ann@example.com", "client": "203.0.113.5"}
    pseudonym = Counts(store.key).pseudonym(b"ann@example.com")
    return Login(pseudonym, FIRST + first, **usual | other)


def rows(store: Store) -> list[tuple[object, ...]]:
    return store.db.execute("SELECT first, last, name, client FROM place").fetchall()


NAME = b"Ann@example.com"


def test_the_first_login_is_told_whatever_comes_first() -> None:
    logins = [(5, "203.0.113.5", NAME), (9, "203.0.113.6", NAME), (2 * DAY, "203.0.113.7", NAME)]
    for order in permutations(logins):
        with Store(None, 5) as store:
            for one in order:
                add(store, one)

            assert near(store, "203.0.113.200") == [ann(store, 5)]
            assert near(store, "203.0.114.5") == []
            assert [row[1] for row in rows(store)] == [FIRST // DAY + 2]


def test_several_in_one_piece_are_the_same() -> None:
    for order in permutations([(5, "203.0.113.5", NAME), (9, "203.0.113.6", NAME)]):
        with Store(None, 5) as store:
            add(store, *order)

            assert near(store, "203.0.113.5") == [ann(store, 5)]


def test_mail_that_an_account_hands_in_is_a_login(store: Store) -> None:
    handed_in = Counts(store.key)
    handed_in.add_of_sender(FIRST, 1, "by_account\tann@example.com", MESSAGES, 1, "203.0.113.5")
    handed_in.add_of_sender(FIRST, 1, "by_client\t203.0.113.9", MESSAGES, 1, "203.0.113.9")
    with store.transaction():
        store.ledger.add(handed_in)

    assert near(store, "203.0.113.5") == [ann(store, 0, service="smtp")]


def test_a_failed_login_and_a_sender_of_the_same_name_have_the_same_pseudonym(
    store: Store,
) -> None:
    add(store, (0, "203.0.113.5", NAME))

    assert near(store, "203.0.113.5")[0].account == Counts(store.key).pseudonym(NAME)


@pytest.mark.parametrize("client", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "unknown", ""])
def test_this_machine_is_no_place(store: Store, client: str) -> None:
    add(store, (0, client, NAME))

    assert rows(store) == []


def test_nobody_is_no_account(store: Store) -> None:
    add(store, (0, "203.0.113.5", b""))

    assert rows(store) == []


def test_only_who_is_new_has_a_name_and_only_as_long_as_keys_are_kept(store: Store) -> None:
    add(store, (0, "203.0.113.5", NAME), (50, "203.0.113.6", b"bob"), keys_since=FIRST + 50)
    assert sorted(row[2] for row in rows(store)) == ["", "bob"]
    assert retention.is_overdue(store, FIRST, FIRST + 120)

    with store.transaction():
        store.forgetting.older(FIRST, FIRST + 120)

    assert {row[2:] for row in rows(store)} == {("", "")}
    assert not retention.is_overdue(store, FIRST, FIRST + 120)


def test_who_is_not_seen_for_as_long_as_sums_are_kept_is_forgotten(store: Store) -> None:
    add(store, (0, "203.0.113.5", NAME), (0, "203.0.113.6", b"bob"))
    add(store, (9 * DAY, "203.0.113.6", b"bob"))

    with store.transaction():
        store.forgetting.older(FIRST + 5 * DAY, FIRST + 5 * DAY)

    assert [row[0] for row in rows(store)] == [FIRST]


def test_of_too_many_the_last_seen_are_kept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "MOST_KEPT", 10)
    for day in range(15):
        add(store, (day * DAY, f"203.0.{day}.5", NAME))

    with store.transaction():
        store.forgetting.older(FIRST - DAY, FIRST - DAY)

    assert sorted(row[0] for row in rows(store)) == [FIRST + day * DAY for day in range(5, 15)]


def test_a_place_that_is_known_changes_nothing(store: Store) -> None:
    add(store, (0, "203.0.113.5", NAME))

    with store.transaction():
        before = store.db.total_changes
        store.tables.places.add(counts(store, (40, "203.0.113.9", NAME)).places.found)

        assert store.db.total_changes == before
