"""Tallies, messages under way and percentiles are exact, whatever fits into memory."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from check_postfix.command.report import percentile
from check_postfix.command.report.tally import LONGEST_NAME, MAX, SUM, Shelf
from check_postfix.command.report.underway import Underway

from .reading import book_of, counters

NAMES = st.sampled_from([b"a", b"b", b"c@example.com", b"d", b"e" * 400, b"f\xff", b""])


@settings(deadline=None)
@given(
    steps=st.lists(st.tuples(NAMES, st.integers(1, 9), st.integers(0, 99), st.booleans())),
    most=st.integers(0, 4),
)
def test_a_tally_that_is_spilled_at_any_time_tells_what_one_in_memory_does(steps, most):
    expected: dict[bytes, list[int]] = {}
    with Shelf(2) as shelf:
        tally = shelf.tally(SUM, SUM, MAX)
        for name, number, largest, is_spilled in steps:
            tally.add(name, number, 1, largest)
            row = expected.setdefault(name[:LONGEST_NAME], [0, 0, 0])
            row[0] += number
            row[1] += 1
            row[2] = max(row[2], largest)
            if is_spilled:
                tally.spill()
            shelf.tidy()
        tally.finish()
        ordered = sorted(expected.items(), key=lambda item: (-item[1][0], -item[1][2], item[0]))

        assert len(tally) == len(expected)
        assert dict(tally.items()) == expected
        assert tally.top(0, most, 2) == ordered[:most]
        assert tally.having(2) == sum(row[2] > 0 for row in expected.values())
        assert all(tally.has(name) for name in expected)
        assert not tally.has(b"nobody")


@pytest.mark.parametrize("most", [0, 1, 7, 5_000])
@pytest.mark.parametrize("is_spilled", [False, True])
def test_the_first_of_very_many_are_the_first(most, is_spilled):
    numbers = {b"name%d" % n: n * 7919 % 1_009 for n in range(20_000)}
    with Shelf() as shelf:
        count = shelf.count()
        for name, number in numbers.items():
            count.add(name, number)
        if is_spilled:
            count.spill()
        count.finish()
        positive = [(name, number) for name, number in numbers.items() if number]
        ordered = sorted(positive, key=lambda item: (-item[1], item[0]))

        assert count.top(0, most) == [(name, [n]) for name, n in ordered[:most]]
        assert sorted(count.first(most)) == sorted(ordered[:most])
        assert count.having(0) == len(positive)


@settings(deadline=None)
@given(steps=st.lists(st.tuples(NAMES, st.integers(1, 3), st.booleans())))
def test_a_count_that_is_spilled_at_any_time_tells_what_one_in_memory_does(steps):
    expected: Counter[bytes] = Counter()
    with Shelf(2) as shelf:
        count = shelf.count()
        for name, number, is_spilled in steps:
            expected[name[:LONGEST_NAME]] += number
            if number == 1:
                count.note(name)
            else:
                count.add(name, number)
            if is_spilled:
                shelf.tidy()
        count.finish()
        ordered = sorted(expected.items(), key=lambda item: (-item[1], item[0]))

        assert dict(count.items()) == {name: [number] for name, number in expected.items()}
        assert count.top(0, 3) == [(name, [number]) for name, number in ordered[:3]]
        assert count.having(0) == len(count) == len(expected)


@settings(deadline=None)
@given(
    steps=st.lists(st.tuples(NAMES, st.integers(0, 3), st.integers(0, 10**19), st.booleans())),
    most=st.integers(0, 4),
)
def test_sizes_that_are_spilled_at_any_time_tell_what_those_in_memory_do(steps, most):
    expected: dict[bytes, list[int]] = {}
    with Shelf(2) as shelf:
        sizes = shelf.sizes()
        for name, number, size, is_spilled in steps:
            sizes.add(name, number, size)
            row = expected.setdefault(name[:LONGEST_NAME], [0, 0])
            row[0] += number
            row[1] += size
            if is_spilled:
                sizes.spill()
            shelf.tidy()
        sizes.finish()

        assert len(sizes) == len(expected)
        assert dict(sizes.items()) == {
            name: list(map(float, row)) for name, row in expected.items()
        }
        for column in (0, 1):
            having = [(name, row) for name, row in expected.items() if row[column]]
            for then in (0, 1):
                ordered = sorted(
                    having, key=lambda item: (-item[1][column], -item[1][then], item[0])
                )
                found = [name for name, _ in sizes.top(column, most, then)]
                assert found == [name for name, _ in ordered[:most]]
            assert sizes.having(column) == len(having)


@settings(deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["begin", "take up", "size", "end"]), st.integers(0, 8)),
        max_size=60,
    )
)
def test_messages_that_do_not_fit_into_memory_are_remembered(steps):
    with Shelf() as shelf, Shelf() as other:
        small, large = Underway(shelf, most=1), Underway(other)
        for number, (what, message) in enumerate(steps):
            key = b"0 %d" % message
            if what == "begin":
                for underway in (small, large):
                    underway.begin(key, (b"client%d" % number, b"account"))
            elif what == "take up":
                assert small.take_up(key, number) == large.take_up(key, number)
            elif what == "size":
                assert small.size(key) == large.size(key)
            else:
                small.end(key)
                large.end(key)
            small.tidy()


def test_a_report_in_the_least_memory_has_the_same_numbers():
    lines = [
        line
        for number in range(400)
        for line in (
            b"2026-11-24T16:00:01+00:00 mx1 postfix/smtpd[7]: 4%05dAB: client=c%d.example.net"
            b"[198.51.100.%d]" % (number, number % 90, number % 200),
            b"2026-11-24T16:00:01+00:00 mx1 postfix/qmgr[7]: 4%05dAB: from=<u%d@example.net>,"
            b" size=%d, nrcpt=1 (queue active)" % (number, number % 70, number),
        )
    ] + [
        b"2026-11-24T16:00:09+00:00 mx1 postfix/smtp[7]: 4%05dAB: to=<r%d@d%d.example>, relay="
        b"mx.example.com[192.0.2.25]:25, delay=%d.1, delays=0.1/0/%d/1, dsn=2.0.0, status=sent"
        b" (250 Ok)" % (number, number % 150, number % 60, number, number)
        for number in range(400)
    ]
    least, usual = book_of(lines, most_names=20, most_messages=5, block=50), book_of(lines)

    with least.shelf:
        assert counters(usual)["bytes_delivered"] == sum(range(400))
        assert least.shelf.is_used
        assert not usual.shelf.is_used
        assert counters(least) == counters(usual)
        for spilled, kept in zip(least.tallies(), usual.tallies(), strict=True):
            assert _rows(spilled) == _rows(kept)


def test_a_name_that_is_too_long_is_cut_wherever_it_is_counted():
    front = b"2026-11-24T16:00:01+00:00 mx1 postfix/"
    long, address = b"a" * 400, b"1" * 400
    for local, domain in ((long, b"@Example.net"), (b"a", b"@" + long + b"E.net"), (long, b"")):
        user = local + domain
        book = book_of(
            [
                front + b"smtpd[7]: 4BCDF0AB: client=" + long + b"[" + address + b"],"
                b" sasl_method=PLAIN, sasl_username=" + long,
                front + b"qmgr[7]: 4BCDF0AB: from=<" + user + b">, size=7, nrcpt=1 (queue active)",
                front + b"smtp[7]: 4BCDF0AB: to=<" + user + b">, relay=mx[192.0.2.1]:25, delay=1,"
                b" delays=1/0/0/0, dsn=2.0.0, status=sent (250 Ok)",
            ]
        )

        expected = (local + domain.lower())[:LONGEST_NAME]
        whole = domain.lower().removeprefix(b"@")[:LONGEST_NAME]
        assert dict(book.senders.items()) == {expected: [1, 7]}
        assert dict(book.recipients.items()) == {expected: [1, 7]}
        assert [name for name, _ in book.domains.items()] == [whole or expected]
        # Without one, the client's name stands for it.
        assert dict(book.sending_domains.items()) == {whole or long[:LONGEST_NAME]: [1, 7]}
        assert dict(book.clients.items()) == {address[:LONGEST_NAME]: [1, 7]}
        assert dict(book.accounts.items()) == {long[:LONGEST_NAME]: [1, 7]}


def _rows(tally):
    return {name: [round(number, 6) for number in row] for name, row in tally.items()}


@given(
    numbers=st.lists(st.integers(0, 30), max_size=200),
    percents=st.lists(st.integers(1, 100), unique=True).map(sorted),
)
def test_a_percentile_is_the_number_at_its_rank(numbers, percents):
    ranked = sorted(numbers)

    found = percentile.of(Counter(numbers).items(), percents)

    ranks = [math.ceil(percent * len(ranked) / 100) for percent in percents]
    assert found == [ranked[rank - 1] for rank in ranks if ranked]
