"""What a listing answers about the messages in it."""

from check_postfix.mailqueue.listing import Listing, Message

NOON = 1_795_600_800


def a_message(queue, queue_id, *, age=0, size=100):
    return Message(queue, queue_id, NOON - age, size, False, ("ann@example.net",))


def test_an_empty_queue_has_nothing_in_each_of_the_five_queues():
    listing = Listing([])

    assert listing.count() == 0
    assert listing.size() == 0
    assert listing.counts() == {
        "maildrop": 0,
        "active": 0,
        "incoming": 0,
        "deferred": 0,
        "hold": 0,
    }
    assert listing.oldest_age(NOON, ("incoming", "active")) == 0


def test_messages_are_counted_by_queue_and_their_sizes_added():
    listing = Listing(
        [
            a_message("active", "A1", size=10),
            a_message("deferred", "D1", size=200),
            a_message("deferred", "D2", size=3000),
            a_message("hold", "H1", size=40000),
        ]
    )

    assert listing.count() == 4
    assert listing.size() == 43210
    assert listing.counts() == {
        "maildrop": 0,
        "active": 1,
        "incoming": 0,
        "deferred": 2,
        "hold": 1,
    }


def test_a_queue_that_postfix_does_not_have_today_is_counted_under_its_own_name():
    listing = Listing([a_message("tomorrow", "A1")])

    assert listing.counts()["tomorrow"] == 1
    assert listing.count() == 1


def test_a_message_that_moved_while_postqueue_looked_counts_once_where_it_was_last():
    first, moved = a_message("active", "A1"), a_message("deferred", "A1")

    listing = Listing([first, a_message("active", "A2"), moved])

    assert listing.messages == (moved, a_message("active", "A2"))


def test_the_oldest_age_looks_at_the_chosen_queues_only():
    listing = Listing(
        [
            a_message("active", "A1", age=30),
            a_message("incoming", "I1", age=90),
            a_message("deferred", "D1", age=86400),
        ]
    )

    assert listing.oldest_age(NOON, ("incoming", "active")) == 90
    assert listing.oldest_age(NOON, ("deferred",)) == 86400
    assert listing.oldest_age(NOON, ("hold",)) == 0


def test_an_age_is_in_whole_seconds():
    listing = Listing([a_message("active", "A1", age=30)])

    assert listing.oldest_age(NOON + 0.9, ("active",)) == 30


def test_a_message_from_the_future_has_no_age():
    listing = Listing([a_message("active", "A1", age=-3600)])

    assert listing.oldest_age(NOON, ("active",)) == 0
