"""The age table, against the rules of qshape."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from check_postfix.mailqueue import listing as of_listing
from check_postfix.mailqueue.age import Row, render, table
from check_postfix.mailqueue.listing import QUEUES, Listing, QueuedMessage, domain

NOON = 1_795_600_800
MINUTE = 60


def a_message(queue_id, *recipients, age=0, queue="active", forced_expire=False):
    return QueuedMessage(queue, queue_id, NOON - age, 100, forced_expire, recipients)


def in_bucket(number):
    return tuple(int(place == number) for place in range(10))


@pytest.mark.parametrize(
    ("minutes", "bucket"),
    [(5, 1), (10, 2), (20, 3), (40, 4), (80, 5), (160, 6), (320, 7), (640, 8), (1280, 9)],
)
def test_a_bucket_starts_at_its_minute_and_ends_one_second_before_the_next(minutes, bucket):
    before = Listing([a_message("A1", "a@b.test", age=minutes * MINUTE - 1)], NOON)
    there = Listing([a_message("A1", "a@b.test", age=minutes * MINUTE)], NOON)

    assert table(before)[0].counts == in_bucket(bucket - 1)
    assert table(there)[0].counts == in_bucket(bucket)


def test_the_last_bucket_has_no_end_and_the_first_takes_what_comes_from_the_future():
    old = Listing([a_message("A1", "a@b.test", age=10 * 365 * 86400)], NOON)
    early = Listing([a_message("A1", "a@b.test", age=-3600)], NOON)

    assert table(old)[0].counts == in_bucket(9)
    assert table(early)[0].counts == in_bucket(0)


def test_recipients_are_counted_and_not_messages():
    listing = Listing(
        [a_message("A1", "a@one.test", "b@one.test", "c@two.test"), a_message("A2", "d@two.test")],
        NOON,
    )

    assert table(listing) == [
        Row("TOTAL", 4, (4, 0, 0, 0, 0, 0, 0, 0, 0, 0)),
        Row("one.test", 2, (2, 0, 0, 0, 0, 0, 0, 0, 0, 0)),
        Row("two.test", 2, (2, 0, 0, 0, 0, 0, 0, 0, 0, 0)),
    ]


def test_incoming_and_active_are_looked_at_unless_others_are_named():
    listing = Listing([a_message(queue, f"a@{queue}.test", queue=queue) for queue in QUEUES], NOON)

    assert [row.domain for row in table(listing)] == ["TOTAL", "active.test", "incoming.test"]
    assert [row.domain for row in table(listing, ("hold",))] == ["TOTAL", "hold.test"]


def test_messages_forced_to_expire_are_left_out():
    listing = Listing([a_message("A1", "a@b.test", forced_expire=True)], NOON)

    assert table(listing) == [Row("TOTAL", 0, (0,) * 10)]


def test_most_recipients_come_first_then_shorter_names_then_the_alphabet():
    listing = Listing(
        [a_message("A1", "1@bb.test", "2@a.test", "3@aa.test", "4@many.example", "5@many.example")],
        NOON,
    )

    assert [row.domain for row in table(listing)] == [
        "TOTAL",
        "many.example",
        "a.test",
        "aa.test",
        "bb.test",
    ]


def test_the_total_is_first_even_before_a_shorter_name_with_all_the_mail():
    listing = Listing([a_message("A1", "a@b.c")], NOON)

    assert [row.domain for row in table(listing)] == ["TOTAL", "b.c"]


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("ann@example.net", "example.net"),
        ("Ann@Example.NET", "example.net"),
        ('"a@b"@example.net', "example.net"),
        ("ann", "ann"),
        ("", "MAILER-DAEMON"),
        ("MAILER-DAEMON", "mailer-daemon"),
        ("ann@", ""),
        ("ann@.example.net.", "example.net"),
        ("ann@example..net", "example.net"),
        ("ann@a...b", "a..b"),
        ("ann@..a..", "a"),
        ("ann@.", "."),
        ("ann@...", "."),
        ("ann@[192.0.2.1]", "[192.0.2.1]"),
        # qshape sees bytes, whose capitals are the ASCII ones.
        ("ann@\u00c4pfel.test", "\u00c4pfel.test"),
    ],
)
def test_the_name_that_an_address_is_counted_under(address, name):
    assert domain(address) == name


def test_the_table_is_printed_as_qshape_prints_it():
    rows = [
        Row("TOTAL", 1235, (1001, 0, 0, 4, 0, 0, 0, 0, 30, 200)),
        Row("example.net", 1004, (1000, 0, 0, 4, 0, 0, 0, 0, 0, 0)),
        Row("example.org", 230, (0, 0, 0, 0, 0, 0, 0, 0, 30, 200)),
        Row(f"{'a' * 300}.example", 1, (1, 0, 0, 0, 0, 0, 0, 0, 0, 0)),
    ]

    # Printed by qshape of Postfix 3.7.11 for such a queue.
    assert render(rows, 10) == [
        "                                       T    5 10 20 40 80 160 320 640 1280 1280+",
        "                              TOTAL 1235 1001  0  0  4  0   0   0   0   30   200",
        "                        example.net 1004 1000  0  0  4  0   0   0   0    0     0",
        "                        example.org  230    0  0  0  0  0   0   0   0   30   200",
        "+aaaaaaaaaaaaaaaaaaaaaaaaaa.example    1    1  0  0  0  0   0   0   0    0     0",
    ]


def test_rows_beyond_the_limit_are_numbered():
    rows = [
        Row("TOTAL", 3, (3, 0, 0, 0, 0, 0, 0, 0, 0, 0)),
        *(Row(f"{name}.test", 1, (1, 0, 0, 0, 0, 0, 0, 0, 0, 0)) for name in "abc"),
    ]

    assert [line.split() for line in render(rows, 1)] == [
        ["T", "5", "10", "20", "40", "80", "160", "320", "640", "1280", "1280+"],
        ["TOTAL", "3", "3", "0", "0", "0", "0", "0", "0", "0", "0", "0"],
        ["a.test", "1", "1", "0", "0", "0", "0", "0", "0", "0", "0", "0"],
        ["2", "more"],
    ]


def test_domains_beyond_the_most_that_are_kept_apart_share_a_row(monkeypatch):
    monkeypatch.setattr(of_listing, "MOST_DOMAINS", 2)
    listing = Listing(
        [a_message(f"A{n}", f"x@{name}.test") for n, name in enumerate("abacd")], NOON
    )

    assert [(row.domain, row.total) for row in table(listing)] == [
        ("TOTAL", 5),
        ("a.test", 2),
        ("others", 2),
        ("b.test", 1),
    ]


def test_an_empty_queue_has_a_total_of_nothing():
    assert render(table(Listing([], NOON)), 10) == [
        "                                         T  5 10 20 40 80 160 320 640 1280 1280+",
        "                                  TOTAL  0  0  0  0  0  0   0   0   0    0     0",
    ]


MESSAGES = st.lists(
    st.builds(
        a_message,
        st.from_regex(r"[0-9A-F]{6}", fullmatch=True),
        st.sampled_from(["a@one.test", "b@TWO.test", "c@two.test.", "d", ""]),
        st.sampled_from(["e@one.test", "f@three.test"]),
        age=st.integers(-100, 200_000),
        queue=st.sampled_from(QUEUES),
        forced_expire=st.booleans(),
    )
)


@given(MESSAGES, st.sets(st.sampled_from(QUEUES)))
def test_the_total_is_the_sum_of_the_rows_and_each_row_the_sum_of_its_buckets(messages, queues):
    listing = Listing(messages, NOON)

    total, *rows = table(listing, queues)

    met = {}
    for message in messages:
        met.setdefault(message.queue_id, message)
    waiting = [one for one in met.values() if one.queue in queues and not one.forced_expire]
    assert total.total == sum(len(message.recipients) for message in waiting)
    assert total.counts == tuple(
        sum(row.counts[bucket] for row in rows) for bucket in range(len(total.counts))
    )
    assert all(row.total == sum(row.counts) for row in (total, *rows))


@given(st.integers(0, 10**12), st.text(max_size=300))
def test_a_line_is_bounded_whatever_the_counts_and_names_are(count, name):
    rows = [Row("TOTAL", count, (count,) * 10), Row(name, count, (count,) * 10)]

    lines = render(rows, 10)

    assert {len(line) for line in lines} == {max(80, 18 + sum(map(int, widths(count))))}


def widths(count):
    heads = ("T", "5", "10", "20", "40", "80", "160", "320", "640", "1280", "1280+")
    longest = (max(len(head), len(str(count))) for head in heads)
    return [width + 1 if width > 2 else 3 for width in longest]
