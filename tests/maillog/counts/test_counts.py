"""Counts that another process hands over: they are added up where two origins are one here."""

from __future__ import annotations

import pickle

from check_postfix.maillog.counts.counts import Counts
from check_postfix.maillog.events import sender


def counted(origin: int, minute: int) -> Counts:
    counts = Counts(b"k" * 32)
    counts.add_counters(minute, origin, ("sent",), 2)
    counts.add_key(minute, origin, "sent", "a.example\tb.example", 3)
    counts.add_delivery(minute, origin, b"4A", b"12.5, delays=12/0/0/0.5", "whom", 1)
    counts.recipients(minute)[origin] += [b"ann@a.example>"] * 2
    counts.add_login(minute, origin, sender.of_account(b"ann"), "192.0.2.7", "imap")
    return counts


def test_what_is_handed_over_is_what_was_counted_there():
    there, here = counted(1, 900), Counts(b"k" * 32)

    here.take_in(pickle.loads(pickle.dumps(there.told())), [0, 1])

    assert here.told() == there.told()


def test_numbers_of_two_origins_that_are_one_here_are_added_up():
    there, here = counted(1, 900), Counts(b"k" * 32)
    for more in (counted(2, 900), counted(3, 870)):
        there.take_in(more.told(), range(10))

    here.take_in(there.told(), [0, 8, 8, 7])

    assert here.totals == {900: {"8\tsent": 4}, 870: {"7\tsent": 2}}
    assert here.keyed["sent", 15] == {900: {"8\ta.example\tb.example": 6}}
    assert here.keyed["sent", 14] == {870: {"7\ta.example\tb.example": 3}}
    assert here.newest == {8: 900, 7: 870}
    assert {
        (*where, name.partition("\t")[0]): number
        for where, numbers in here.quarter_keys.items()
        for name, number in numbers.items()
    } == {("by_recipient", 60, "8"): 4, ("by_recipient", 58, "7"): 2}
    assert sum(here.delays.found[900, 1].values()) == 2
    assert {where[2]: place.first for where, place in here.places.found.items()} == {8: 900, 7: 870}


def test_of_a_place_that_two_tell_of_the_first_login_and_the_last_day_are_kept():
    here = Counts(b"k" * 32)
    for minute in (1000, 900, 1100):
        here.take_in(counted(1, minute).told(), [0, 1])
        here.totals, here.keyed, here.quarter_keys = {}, {}, {}

    (place,) = here.places.found.values()
    assert (place.first, place.last) == (900, 1100)
