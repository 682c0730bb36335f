"""What a listing answers about the messages in it."""

from check_postfix.mailqueue import listing as of_listing
from check_postfix.mailqueue.listing import Listing, QueuedMessage

NOON = 1_795_600_800


def a_message(queue, queue_id, *, age=0, size=100):
    return QueuedMessage(queue, queue_id, NOON - age, size, False, ("ann@example.net",))


def test_an_empty_queue_has_nothing_in_each_of_the_five_queues():
    listing = Listing([], NOON)

    assert listing.count() == 0
    assert listing.size() == 0
    assert listing.counts() == {
        "maildrop": 0,
        "active": 0,
        "incoming": 0,
        "deferred": 0,
        "hold": 0,
    }
    assert listing.oldest_age(("incoming", "active")) == 0


def test_messages_are_counted_by_queue_and_their_sizes_added():
    listing = Listing(
        [
            a_message("active", "A1", size=10),
            a_message("deferred", "D1", size=200),
            a_message("deferred", "D2", size=3000),
            a_message("hold", "H1", size=40000),
        ],
        NOON,
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
    listing = Listing([a_message("tomorrow", "A1")], NOON)

    assert listing.counts()["tomorrow"] == 1
    assert listing.count() == 1


def test_a_message_that_moved_while_postqueue_looked_counts_once_where_it_was_first():
    first, moved = a_message("active", "A1"), a_message("deferred", "A1")

    listing = Listing([first, a_message("active", "A2"), moved], NOON)

    assert listing.counts()["active"] == 2
    assert listing.count() == 2


def test_messages_of_two_instances_may_have_one_queue_id():
    listing = Listing([a_message("active", "A1")], NOON)
    listing.take([a_message("active", "A1")], "/etc/postfix-out")

    assert listing.count() == 2
    assert listing.by_instance == {"": 1, "/etc/postfix-out": 1}


def test_very_many_queue_ids_are_each_counted_once():
    ids = [f"4XJ2Vw{n:06}" for n in range(20_000)]

    assert Listing([a_message("hold", one) for one in ids + ids], NOON).count() == 20_000


def test_the_oldest_age_looks_at_the_chosen_queues_only():
    listing = Listing(
        [
            a_message("active", "A1", age=30),
            a_message("incoming", "I1", age=90),
            a_message("deferred", "D1", age=86400),
        ],
        NOON,
    )

    assert listing.oldest_age(("incoming", "active")) == 90
    assert listing.oldest_age(("deferred",)) == 86400
    assert listing.oldest_age(("hold",)) == 0


def test_an_age_is_in_whole_seconds():
    listing = Listing([a_message("active", "A1", age=30)], NOON + 0.9)

    assert listing.oldest_age(("active",)) == 30


def test_a_message_from_the_future_has_no_age():
    listing = Listing([a_message("active", "A1", age=-3600)], NOON)

    assert listing.oldest_age(("active",)) == 0


def waiting_for(*domains, age):
    names = tuple(f"ann@{domain}" for domain in domains)
    return QueuedMessage("deferred", f"D{age}", NOON - age, 100, False, names)


def test_the_age_that_mail_for_several_domains_has_reached():
    listing = Listing(
        [
            *(waiting_for("typo.test", age=400_000 + n) for n in range(9)),
            waiting_for("a.test", age=300),
            waiting_for("b.test", "a.test", age=200),
            waiting_for("b.test", age=100),
        ],
        NOON,
    )

    ages = [listing.age_of_many("deferred", domains) for domains in (1, 2, 3, 4)]
    assert ages == [400_008, 300, 200, 0]
    assert listing.age_of_many("hold", 1) == 0


def test_one_message_to_many_domains_is_not_mail_for_many():
    listing = Listing([waiting_for("a.test", "b.test", "c.test", age=9)], NOON)

    assert [listing.age_of_many("deferred", domains) for domains in (1, 2)] == [9, 0]


def test_reasons_are_counted_without_what_is_particular():
    said = [f"connect to mx{n}.test[192.0.2.{n}]:25: Connection timed out" for n in range(3)]
    listing = Listing(
        [
            a_message("deferred", f"D{n}")._replace(reason=reason)
            for n, reason in enumerate([*said, "mail transport unavailable", ""])
        ],
        NOON,
    )

    assert listing.queues["deferred"].reasons == {
        "connect to ...: Connection timed out": 3,
        "mail transport unavailable": 1,
    }


def test_what_a_listing_keeps_is_bounded(monkeypatch):
    monkeypatch.setattr(of_listing, "MOST_DOMAINS", 5)
    monkeypatch.setattr(of_listing, "MOST_REASONS", 5)
    monkeypatch.setattr(of_listing, "MOST_ON_ITS_WAY", 5)
    messages = [
        QueuedMessage("active", f"A{n}", NOON, 1, False, (f"a@{n}.test",), f"because {'x' * n}")
        for n in range(50)
    ]

    listing = Listing(messages, NOON)

    sums = listing.queues["active"]
    assert [len(sums.domains), len(sums.reasons), len(listing.on_its_way)] == [6, 6, 5]
    assert sum(sums.reasons.values()) == sums.domains[of_listing.OTHERS].recipients + 5 == 50
