"""What several lines tell together: the same sums, whatever piece of log is read first."""

from __future__ import annotations

import pickle
from collections import Counter
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from check_postfix.maillog.counts import messages as module
from check_postfix.maillog.counts.message_sums import Sums
from check_postfix.maillog.counts.messages import LONGEST_PENDING_MINUTES, Messages, said
from check_postfix.maillog.counts.messages_told import heard, tell
from check_postfix.maillog.counts.senders import BOUNCED as OF_BOUNCED
from check_postfix.maillog.counts.senders import RECIPIENTS
from check_postfix.maillog.events.event import Event, MessageFacts
from tests.maillog.counts.drawn import alternating
from tests.support import effort

# (minute, origin, counter), or (minute, origin, what, sender) -> number
Numbers = Counter[tuple[int | str, ...]]
# An event, perhaps with how often it was said, size and recipients, sender and other queue ID
Said = Event | tuple[Event, int] | tuple[Event, int, int, int] | tuple[Any, ...]


class MessageLine(NamedTuple):
    """What a line says of a message, and how often."""

    minute: int
    origin: int
    event: Event
    times: int
    facts: MessageFacts


RECEIVED = Event("received")
SUBMITTED = Event("received", also=("submission",))
SENT, FILTERED, FORWARDED = Event("sent"), Event("filtered"), Event("forwarded")
DEFERRED, SOFTBOUNCE, BOUNCED = Event("deferred"), Event("softbounce"), Event("bounced")
CANCELLED, REMOVED, EXPIRED = Event("cancelled"), Event("removed"), Event("expired")


def active(size: int, recipients: int = 1) -> Said:
    return Event("active"), 1, size, recipients


def read(lines: list[MessageLine], sums: Sums) -> Messages:
    """Read a piece of log."""

    piece = Messages(sums)
    for one in lines:
        queue_id, size, recipients, times, by, other_id = one.facts
        what = said(one.origin, one.event, one.times)
        piece.add([(what, queue_id, one.minute, size, recipients, times, b"", by, other_id)])
    return piece


def line(said: Said, queue_id: bytes, minute: int, origin: int = 1) -> MessageLine:
    """Return a line about a message."""
    event, times, *rest = (said, 1) if isinstance(said, Event) else said
    size, recipients, sender, other_id = *rest, *(0, 0, "", b"")[len(rest) :]
    facts = MessageFacts(queue_id, size, recipients, b"", sender, other_id)
    return MessageLine(minute, origin, event, times, facts)


def lines_of(*said: Said, queue_id: bytes = b"A1", minute: int = 7) -> list[MessageLine]:
    """Return lines of one message, one after the other in one minute."""
    return [line(one, queue_id, minute) for one in said]


def counted(lines: list[MessageLine]) -> dict[str, int]:
    """Return what lines come to, without minutes and origins."""
    sums = Sums()
    read(lines, sums)
    added: Counter[str] = Counter()
    for (_, _, counter), number in sums.items():
        added[counter] += number
    return dict(added)


def test_a_message_taken_in_is_accepted_when_the_queue_manager_takes_it_up():
    assert counted(lines_of(RECEIVED, active(300, 2), SENT, SENT, REMOVED)) == {
        "accepted": 1, "bytes_received": 300, "bytes_delivered": 600,
    }  # fmt: skip


def test_of_a_client_that_has_logged_in_the_recipients_are_submitted():
    assert counted(lines_of(SUBMITTED, active(300, 50), active(300, 20))) == {
        "accepted": 1, "bytes_received": 300, "recipients_submitted": 50,
    }  # fmt: skip


def test_a_retry_is_not_accepted_again_and_its_size_is_known():
    assert counted(lines_of(RECEIVED, active(300), DEFERRED, active(300), SENT, REMOVED)) == {
        "accepted": 1, "bytes_received": 300, "bytes_delivered": 300,
    }  # fmt: skip


def test_a_notice_a_probe_and_what_an_alias_makes_were_not_taken_in():
    assert counted(lines_of(active(300), SENT, REMOVED)) == {"bytes_delivered": 300}


def test_a_message_of_which_no_size_was_read_delivers_no_bytes():
    assert counted(lines_of(RECEIVED, SENT, SENT)) == {}


def test_only_what_is_sent_delivers_bytes():
    assert counted(lines_of(RECEIVED, active(300, 4), FORWARDED, BOUNCED, SOFTBOUNCE, EXPIRED)) == {
        "accepted": 1, "bytes_received": 300,
    }  # fmt: skip


def test_what_a_filter_hands_back_delivers_bytes_of_its_own():
    assert counted(lines_of(RECEIVED, active(300), FILTERED)) == {
        "accepted": 1, "bytes_received": 300, "bytes_filtered": 300,
    }  # fmt: skip


def test_a_line_said_several_times_delivers_several_times():
    assert counted(lines_of(active(300, 3), (SENT, 3))) == {"bytes_delivered": 900}


def test_a_line_that_says_it_was_repeated_a_billion_times_fits_into_the_store():
    lines = lines_of(active(10**10 - 1), (SENT, 999_999_999))

    assert counted(lines) == {"bytes_delivered": 10**11}


def test_one_recipient_can_be_sent_to_several_mailboxes():
    assert counted(lines_of(active(300, 1), SENT, SENT, SENT, REMOVED)) == {"bytes_delivered": 900}


def test_a_queue_id_used_again_is_another_message():
    lines = lines_of(RECEIVED, active(300), REMOVED, RECEIVED, active(500), SENT, REMOVED)

    assert counted(lines) == {"accepted": 2, "bytes_received": 800, "bytes_delivered": 500}


def test_a_message_that_its_client_does_not_finish_is_aborted():
    assert counted(lines_of(RECEIVED, CANCELLED, active(300))) == {"aborted": 1}


def test_what_was_never_taken_in_is_not_aborted():
    assert counted(lines_of(active(300), CANCELLED, CANCELLED)) == {}


def test_one_queue_id_in_two_instances_stands_for_two_messages():
    first, second = lines_of(RECEIVED, active(300))

    assert counted([first, second._replace(origin=2)]) == {}


def test_nothing_waits_for_longer_than_a_day():
    first, second, third = lines_of(RECEIVED, active(300), SENT)
    late = LONGEST_PENDING_MINUTES + 1

    assert counted([first, second._replace(minute=7 + LONGEST_PENDING_MINUTES)]) == {
        "accepted": 1, "bytes_received": 300,
    }  # fmt: skip
    assert counted([first, second._replace(minute=7 + late)]) == {}
    assert counted([second, third._replace(minute=7 + late)]) == {}
    assert counted([first, *lines_of(CANCELLED, minute=7 + late)]) == {}


@pytest.mark.parametrize("event", [RECEIVED, active(300)])
def test_the_oldest_of_too_much_that_waits_are_forgotten(event, monkeypatch):
    monkeypatch.setattr(module, "MOST_RECEIVED", 10)
    monkeypatch.setattr(module, "MOST_ACTIVE", 10)
    piece = read([line for n in range(11) for line in lines_of(event, queue_id=b"%d" % n)], Sums())

    piece.forget_some()

    pending = piece.received or piece.active
    assert [where[1] for where in pending] == [b"5", b"6", b"7", b"8", b"9", b"10"]


def test_of_too_many_orphans_the_first_are_kept(monkeypatch):
    monkeypatch.setattr(module, "MOST_ORPHANS", 3)
    lines = [line for n in range(9) for line in lines_of(SENT, REMOVED, queue_id=b"%d" % n)]
    piece = read(lines, Sums())

    assert [where[1] for where in piece.orphans] == [b"0", b"1", b"2"]
    assert len(piece.ended) == 3


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ([active(300)], [SENT, REMOVED]),
        ([active(300)], [REMOVED]),
        ([active(300, 2), DEFERRED], [DEFERRED]),
        ([active(300)], [(DEFERRED, 2)]),
        ([RECEIVED], [active(300), SENT, REMOVED]),
        ([RECEIVED], [active(300), DEFERRED]),
        ([RECEIVED], [CANCELLED]),
    ],
)
def test_nothing_waits_for_a_message_that_has_ended(earlier, later):
    piece = read(lines_of(*earlier), Sums())

    piece.followed_by(read(lines_of(*later), Sums()))

    assert (piece.received, piece.active) == ({}, {})


# -- who has handed it in


def of_senders(lines: list[MessageLine]) -> dict[tuple[int, int, str, str], int]:
    sums = Sums()
    read(lines, sums)
    return sums.senders


ANN = "by_account\tann@example.com"
UID = "by_uid\t33"
NEAR, STRANGER = "by_client\t10.0.0.7", "by_client\t203.0.113.7"
SENDERS = ["", ANN, UID, NEAR, STRANGER]
KEPT = [ANN, UID, NEAR]


def test_a_sender_has_the_recipients_of_its_messages_and_those_that_bounce():
    lines = lines_of((RECEIVED, 1, 0, 0, ANN), active(300, 5), SENT, BOUNCED, BOUNCED, REMOVED)

    assert of_senders(lines) == {(7, 1, RECIPIENTS, ANN): 5, (7, 1, OF_BOUNCED, ANN): 2}


def test_a_retry_has_no_recipients_again_and_what_bounces_then_is_the_senders():
    lines = lines_of((RECEIVED, 1, 0, 0, ANN), active(300, 2), DEFERRED, DEFERRED)
    lines += lines_of(active(300, 2), DEFERRED, DEFERRED, minute=20)
    lines += lines_of(active(300, 2), BOUNCED, SENT, REMOVED, minute=90)

    assert of_senders(lines) == {(7, 1, RECIPIENTS, ANN): 2, (7, 1, OF_BOUNCED, ANN): 1}


def test_what_bounces_where_only_some_were_put_off_is_the_senders():
    lines = lines_of((RECEIVED, 1, 0, 0, ANN), active(300, 3), SENT, DEFERRED, BOUNCED)
    lines += lines_of(active(300, 1), BOUNCED, REMOVED, minute=20)

    assert of_senders(lines) == {(7, 1, RECIPIENTS, ANN): 3, (7, 1, OF_BOUNCED, ANN): 2}


def test_a_retry_of_a_queue_id_that_is_used_again_is_not_that_of_the_message_before():
    lines = lines_of((RECEIVED, 1, 0, 0, ANN), active(300), DEFERRED, active(300), SENT, REMOVED)
    lines += lines_of(active(200), BOUNCED, REMOVED)

    assert of_senders(lines) == {(7, 1, RECIPIENTS, ANN): 1}


def test_what_waits_for_a_retry_is_forgotten_when_the_message_leaves_the_queue():
    piece = read(lines_of((RECEIVED, 1, 0, 0, ANN), active(300), DEFERRED), Sums())
    assert list(piece.put_off) == [(1, b"A1")]

    piece.followed_by(read(lines_of(active(300), SENT, REMOVED), Sums()))

    assert piece.put_off == {}


def test_of_a_stranger_nothing_waits_for_a_retry():
    retried = lines_of((RECEIVED, 1, 0, 0, STRANGER), active(300), DEFERRED)

    assert read(retried, Sums()).put_off == {}


def test_the_oldest_of_too_many_that_wait_for_a_retry_are_forgotten(monkeypatch):
    monkeypatch.setattr(module, "MOST_PUT_OFF", 10)
    lines = []
    for n in range(11):
        said = (RECEIVED, 1, 0, 0, ANN), active(300), DEFERRED
        lines += lines_of(*said, queue_id=b"%d" % n)
    piece = read(lines, Sums())

    piece.forget_some()

    assert [where[1] for where in piece.put_off] == [b"5", b"6", b"7", b"8", b"9", b"10"]


def test_of_a_client_that_is_a_stranger_nothing_is_kept():
    assert of_senders(lines_of((RECEIVED, 1, 0, 0, STRANGER), active(300), BOUNCED)) == {}


def filtered(
    minute: int, by: str, old: bytes = b"A1", new: bytes = b"B1", origin: int = 1
) -> list[MessageLine]:
    """Return the lines of a message that a content filter hands back, of which two bounce."""
    return [
        line((RECEIVED, 1, 0, 0, by), old, minute, origin),
        line(active(300, 3), old, minute, origin),
        line((RECEIVED, 1, 0, 0, "", old), new, minute + 1, origin),
        line(active(310, 3), new, minute + 1, origin),
        line(BOUNCED, new, minute + 2, origin),
        line((FILTERED, 1, 0, 0, "", new), old, minute + 2, origin),
        line(REMOVED, old, minute + 2, origin),
        line(BOUNCED, new, minute + 3, origin),
        line(SENT, new, minute + 3, origin),
        line(REMOVED, new, minute + 3, origin),
    ]


def test_what_bounces_behind_a_content_filter_is_the_senders_and_nothing_counts_twice():
    assert of_senders(filtered(7, ANN)) == {
        (7, 1, RECIPIENTS, ANN): 3, (7, 1, OF_BOUNCED, ANN): 2,
    }  # fmt: skip


def test_a_filter_that_only_says_the_new_queue_id_is_enough():
    lines = filtered(7, ANN)
    lines[2] = line((RECEIVED, 1, 0, 0, NEAR), b"B1", 8)

    assert of_senders(lines) == {
        (7, 1, RECIPIENTS, ANN): 3, (7, 1, OF_BOUNCED, ANN): 1,
        (8, 1, RECIPIENTS, NEAR): 3, (8, 1, OF_BOUNCED, NEAR): 1,
    }  # fmt: skip


def filtered_late(
    minute: int, by: str, old: bytes = b"A1", new: bytes = b"B1"
) -> list[MessageLine]:
    """Return such lines where the filter was down at first, and one bounces at its second try."""
    first, *rest = filtered(minute, by, old, new)
    *rest, sent, removed = rest
    tried = [line(active(300, 3), old, minute), line((DEFERRED, 3), old, minute + 1)]
    again = [line(DEFERRED, new, minute + 3), line(active(310, 1), new, minute + 9)]
    return [first, *tried, *rest, *again, line(BOUNCED, new, minute + 9), sent, removed]


def test_what_bounces_behind_a_filter_that_was_down_is_the_senders():
    assert of_senders(filtered_late(7, ANN)) == {
        (7, 1, RECIPIENTS, ANN): 3, (7, 1, OF_BOUNCED, ANN): 3,
    }  # fmt: skip


# -- the same in pieces


@st.composite
def histories(draw: st.DrawFn, queue_id: bytes, origin: int) -> tuple[list[MessageLine], Numbers]:
    """Draw what becomes of messages that have one queue ID, one after the other; and its sums."""
    lines: list[MessageLine] = []
    sums: Numbers = Counter()
    minute = draw(st.integers(0, 5))

    def say(said: Said) -> None:
        nonlocal minute
        # Stamps of one log are not always in order, and some mail takes its time.
        minute += draw(
            st.sampled_from(
                [0, 0, 0, 1, 2, -1, LONGEST_PENDING_MINUTES, LONGEST_PENDING_MINUTES + 3]
            )
        )
        lines.append(line(said, queue_id, minute, origin))

    def add(counter: str, number: int) -> None:
        sums[minute, origin, counter] += number

    for _ in range(draw(st.integers(1, 3))):
        begun = None
        by = ""
        logged_in = draw(st.booleans())
        if draw(st.booleans()):
            by = draw(st.sampled_from(SENDERS))
            say((SUBMITTED if logged_in else RECEIVED, 1, 0, 0, by))
            begun = minute
            if draw(st.integers(0, 5)) == 0:
                say(CANCELLED)
                if minute - begun <= LONGEST_PENDING_MINUTES:
                    add("aborted", 1)
                continue
            if draw(st.integers(0, 5)) == 0:
                break  # refused: no word of it any more
        size, left = draw(st.integers(1, 900)), draw(st.integers(1, 3))
        first_taken_up = None
        while left:
            say(active(size, left))
            taken_up = minute
            if first_taken_up is None:
                first_taken_up = minute
            if begun is not None and minute - begun <= LONGEST_PENDING_MINUTES:
                add("accepted", 1)
                add("bytes_received", size)
                if logged_in:
                    add("recipients_submitted", left)
                if by in KEPT:
                    sums[minute, origin, RECIPIENTS, by] += left
            begun = None
            again = 0
            for outcome in draw(st.permutations(range(left))):
                how = draw(st.sampled_from([SENT, SENT, FILTERED, DEFERRED, SOFTBOUNCE, BOUNCED]))
                # An alias is delivered to several, before it is put off for others.
                times = draw(st.integers(1, 2)) if how is SENT else 1
                say((how, times))
                assert outcome >= 0
                if how in (SENT, FILTERED) and minute - taken_up <= LONGEST_PENDING_MINUTES:
                    add("bytes_delivered" if how is SENT else "bytes_filtered", size * times)
                again += how in (DEFERRED, SOFTBOUNCE)
                if how is BOUNCED and by in KEPT:
                    sums[first_taken_up, origin, OF_BOUNCED, by] += 1
            left = again
        say(REMOVED)
    return lines, +sums


@st.composite
def logs(draw: st.DrawFn) -> tuple[list[MessageLine], Numbers]:
    """Draw a log in which the lines of several messages alternate; and its sums."""
    sums: Numbers = Counter()
    rests = []
    for number in range(draw(st.integers(1, 5))):
        lines, more = draw(histories(b"%d" % (number // 2), number % 2))
        rests.append(lines)
        sums.update(more)
    for number in range(draw(st.integers(0, 2))):
        by = draw(st.sampled_from(SENDERS))
        old, new = b"F%d" % number, b"G%d" % number
        is_late = draw(st.booleans())
        lines = (filtered_late if is_late else filtered)(9, by, old, new)
        for one in lines:
            if one.event is FILTERED:
                sums[one.minute, 1, "bytes_filtered"] += 300
        sums[9, 1, "accepted"] += 1
        sums[9, 1, "bytes_received"] += 300
        sums[10, 1, "accepted"] += 1
        sums[10, 1, "bytes_received"] += 310
        sums[12, 1, "bytes_delivered"] += 310
        if by in KEPT:
            sums[9, 1, RECIPIENTS, by] += 3
            sums[9, 1, OF_BOUNCED, by] += 2 + is_late
        rests.append(lines)
    return alternating(draw, rests), sums


@settings(max_examples=effort.examples(400), deadline=None)
@given(logs())
def test_read_in_one_go_the_sums_are_those_of_the_messages(log):
    lines, expected = log
    sums = Sums()

    read(lines, sums)

    assert {**dict(sums.items()), **sums.senders} == expected


@settings(max_examples=effort.examples(800), deadline=None)
@given(logs(), st.data())
def test_read_in_pieces_in_any_order_the_sums_are_the_same(log, data):
    lines, expected = log
    sums = Sums()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(lines)), max_size=6)))
    pieces = [
        read(lines[start:end], sums)
        for start, end in zip([0, *cuts], [*cuts, len(lines)], strict=True)
    ]

    while len(pieces) > 1:
        number = data.draw(st.integers(0, len(pieces) - 2))
        later = pieces.pop(number + 1)
        if data.draw(st.booleans()):
            pieces[number].followed_by(later)
        else:  # it was read by another process
            told = pickle.loads(pickle.dumps(tell(later)))
            pieces[number].followed_by(heard(told, range(10), sums))

    assert {**dict(sums.items()), **sums.senders} == expected


def test_what_another_process_tells_is_of_the_origins_that_have_other_numbers_here():
    sums = Sums()
    earlier = read([line(RECEIVED, b"A", 1, origin=7), line(RECEIVED, b"B", 1, origin=5)], sums)
    lines = [line(said, b"A", 2, origin=1) for said in (active(300), SENT, DEFERRED)]
    lines += [line(said, b"B", 3, origin=2) for said in (active(40), SENT)]
    lines += [line(SENT, b"C", 4, origin=2), line(REMOVED, b"D", 4), line(RECEIVED, b"E", 4)]

    earlier.followed_by(heard(tell(read(lines, Sums())), [0, 7, 5], sums))

    assert dict(sums.items()) == {
        (2, 7, "accepted"): 1, (2, 7, "bytes_received"): 300,
        (3, 5, "accepted"): 1, (3, 5, "bytes_received"): 40,
    }  # fmt: skip
    assert list(earlier.orphans) == [(5, b"C")]
    assert earlier.ended == {(7, b"D")}
    assert list(earlier.received) == [(7, b"E")]
