"""Messages for watched addresses: each counts once, when it is first tried for one."""

from __future__ import annotations

import pickle
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from check_postfix.maillog.counts import messages, sights
from check_postfix.maillog.counts.message_sums import Sums
from check_postfix.maillog.counts.messages import Messages, said
from check_postfix.maillog.counts.messages_told import heard, tell
from check_postfix.maillog.counts.sights import LONGEST_MINUTES
from check_postfix.maillog.events.event import Event
from check_postfix.maillog.store.pending import Boundary, Segment
from check_postfix.maillog.store.store import Store
from tests.maillog.counts.drawn import alternating
from tests.maillog.store.joined import told_in
from tests.support import effort

LIST, ANN, OTHER = "list@example.com", "ann@example.com", "x@example.net"
WATCHED = frozenset({LIST.encode(), ANN.encode()})
# Kind, queue ID, minute, recipient, and whom it was for before aliases
Line = tuple[str, bytes, int, str, str]
# (minute, origin, address) -> messages
Numbers = Counter[tuple[int, int, str]]


def read(lines: list[Line], sums: Sums) -> Messages:
    """Read a piece of log."""
    piece = Messages(sums, WATCHED)
    piece.add(
        (
            said(1, Event(kind), 1), queue_id, minute, 300, 3, b"",
            (b"", f"{recipient}>".encode(), f"{before}>".encode()), "by_client\t203.0.113.7", b"",
        )
        for kind, queue_id, minute, recipient, before in lines
    )  # fmt: skip
    return piece


def line(kind: str, minute: int = 7, to: str = "", before: str = "", id: bytes = b"A1") -> Line:
    return kind, id, minute, to, before


def counted(*lines: Line) -> Numbers:
    sums = Sums()
    read(list(lines), sums)
    return +sums.watched


BEGUN = [line("received"), line("active")]


def test_a_message_for_a_list_counts_once_however_many_it_is_for():
    members = [line("sent", minute, f"{minute}@example.net", LIST) for minute in range(7, 40)]

    assert counted(*BEGUN, *members, line("removed", 40)) == {(7, 1, LIST): 1}


def test_a_retry_is_no_other_message():
    first = [*BEGUN, line("deferred", 8, OTHER, LIST)]
    again = [line("active", 20), line("deferred", 20, OTHER, LIST)]
    later = [line("active", 900), line("bounced", 901, OTHER, LIST), line("removed", 901)]

    assert counted(*first, *again, *later) == {(8, 1, LIST): 1}


def test_a_message_for_two_counts_for_each():
    to_both = line("sent", 8, ANN, LIST), line("sent", 9, OTHER, LIST)

    assert counted(*BEGUN, *to_both) == {(8, 1, LIST): 1, (8, 1, ANN): 1}


def test_an_address_is_the_same_however_it_is_written_and_no_part_of_one_is_it():
    upper = line("sent", 8, OTHER, LIST.upper())
    part = line("sent", 8, f"x{ANN}")

    assert counted(*BEGUN, upper, part) == {(8, 1, LIST): 1}


def test_a_queue_id_that_is_used_again_is_another_message():
    one = [*BEGUN, line("sent", 8, ANN), line("removed", 8)]
    other = [line("received", 9), line("active", 9), line("sent", 9, ANN)]

    assert counted(*one, *other) == {(8, 1, ANN): 1, (9, 1, ANN): 1}


def test_what_is_tried_again_after_a_day_counts_again():
    then = 8 + LONGEST_MINUTES
    tried = [line("deferred", minute, ANN) for minute in (8, then, then + LONGEST_MINUTES + 1)]

    assert counted(*tried) == {(8, 1, ANN): 1, (then + LONGEST_MINUTES + 1, 1, ANN): 1}


def test_nothing_is_remembered_of_a_message_that_has_left_the_queue():
    piece = read([*BEGUN, line("sent", 8, ANN), line("removed", 8)], Sums())

    assert (piece.sights.first, piece.sights.last) == ({}, {})


def test_only_of_a_message_that_may_have_begun_before_the_piece_its_first_try_is_remembered():
    piece = read([line("sent", 8, ANN), line("removed", 8)], Sums())

    assert piece.sights.first == {(1, b"A1"): {ANN: 8}}
    assert piece.sights.last == {}


def test_of_too_many_the_first_and_the_last_are_remembered(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sights, "MOST_FIRST", 3)
    monkeypatch.setattr(sights, "MOST_LAST", 5)
    piece = read([line("deferred", 8, ANN, id=b"%d" % n) for n in range(6)], Sums())

    piece.forget_some()

    assert [where[1] for where in piece.sights.first] == [b"0", b"1", b"2"]
    assert [where[1] for where in piece.sights.last] == [b"3", b"4", b"5"]


# -- the same in pieces


@st.composite
def histories(draw: st.DrawFn, queue_id: bytes) -> tuple[list[Line], Numbers]:
    """Draw what becomes of messages that have one queue ID, one after the other; and its sums."""
    lines: list[Line] = []
    sums: Numbers = Counter()
    minute = draw(st.integers(0, 5))

    def say(kind: str, to: str = "", before: str = "") -> None:
        nonlocal minute
        steps = [0, 0, 0, 1, 2, -1, 30, LONGEST_MINUTES, LONGEST_MINUTES + 3]
        minute += draw(st.sampled_from(steps))
        lines.append((kind, queue_id, minute, to, before))

    for _ in range(draw(st.integers(1, 2))):
        last: dict[str, int] = {}
        if draw(st.booleans()):
            say("received")
        left = draw(st.lists(st.sampled_from([LIST, LIST, ANN, OTHER]), min_size=1, max_size=4))
        while left:
            say("active")
            again = []
            for address in left:
                how = draw(st.sampled_from(["sent", "deferred", "deferred", "bounced"]))
                to = (OTHER, address) if draw(st.booleans()) else (address, "")
                say(how, *to)
                if address != OTHER:
                    if address not in last or minute - last[address] > LONGEST_MINUTES:
                        sums[minute, 1, address] += 1
                    last[address] = minute
                if how == "deferred":
                    again.append(address)
            left = again
        say("removed")
    return lines, sums


@st.composite
def logs(draw: st.DrawFn) -> tuple[list[Line], Numbers]:
    """Draw a log in which the lines of several messages alternate; and its sums."""
    sums: Numbers = Counter()
    rests = []
    for number in range(draw(st.integers(1, 3))):
        lines, more = draw(histories(b"A%d" % number))
        rests.append(lines)
        sums.update(more)
    return alternating(draw, rests), sums


@settings(max_examples=effort.examples(300), deadline=None)
@given(logs())
def test_read_in_one_go_each_message_counts_once(log):
    lines, expected = log

    assert counted(*lines) == expected


def pieces_of(data: st.DataObject, lines: list[Line], sums: Sums) -> list[Messages]:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(lines)), max_size=5)))
    spans = zip([0, *cuts], [*cuts, len(lines)], strict=True)
    return [read(lines[start:end], sums) for start, end in spans]


@settings(max_examples=effort.examples(600), deadline=None)
@given(logs(), st.data())
def test_read_in_pieces_in_any_order_by_any_process_each_message_counts_once(log, data):
    lines, expected = log
    sums = Sums()
    pieces = pieces_of(data, lines, sums)

    while len(pieces) > 1:
        number = data.draw(st.integers(0, len(pieces) - 2))
        later = pieces.pop(number + 1)
        if data.draw(st.booleans()):
            pieces[number].followed_by(later)
        else:  # it was read by another process
            told = pickle.loads(pickle.dumps(tell(later)))
            pieces[number].followed_by(heard(told, range(10), sums))

    assert +sums.watched == expected
    assert not any(number < 0 for number in sums.watched.values())


@settings(max_examples=effort.examples(300), deadline=None)
@given(logs(), st.data())
def test_kept_in_the_store_between_pieces_in_any_order_each_message_counts_once(log, data):
    lines, expected = log
    sums = Sums()
    with Store(None, 5) as store:
        told_in(data, pieces_of(data, lines, sums), sums, store)

    assert +sums.watched == expected


def test_what_waits_is_found_by_later_lines_in_the_store():
    sums = Sums()
    segment = Segment(Boundary(1, 1, 0), Boundary(1, 1, 3))
    with Store(None, 5) as store, store.transaction():
        for minute, lines in enumerate(
            [
                [*BEGUN, line("deferred", 8, ANN)],
                [line("active", 20), line("deferred", 20, ANN)],
                [line("active", 99), line("sent", 99, ANN), line("removed", 99)],
            ]
        ):
            store.pending.append(segment, read(lines, sums), minute, sums)
        left = store.db.execute("SELECT what FROM pending WHERE what LIKE '%try%'").fetchall()

    assert +sums.watched == {(8, 1, ANN): 1}
    assert left == []


assert messages.LONGEST_PENDING_MINUTES == LONGEST_MINUTES
