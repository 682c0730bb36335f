"""What of a message stands in two pieces of log is brought together, and nothing waits for ever."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from check_postfix.maillog.counts import senders
from check_postfix.maillog.counts.message_sums import Sums
from check_postfix.maillog.counts.messages import Messages
from check_postfix.maillog.ingest import piece as reading
from check_postfix.maillog.ingest import segments
from check_postfix.maillog.store import pending
from check_postfix.maillog.store.store import Store
from tests.maillog.conftest import Place
from tests.maillog.counts.test_messages import logs, read
from tests.maillog.store.joined import told_in
from tests.support import effort, logbook

DAY = 24 * 60
ID = "64D05240927"
TAKEN_IN = f"smtpd[1]: {ID}: client=c.example[192.0.2.7]"
TAKEN_UP = f"qmgr[1]: {ID}: from=<a@b.example>, size=300, nrcpt=1 (queue active)"
_TO = f"smtp[1]: {ID}: to=<x@y.example>, relay=none, delay=1, delays=0/0/0/1"
SENT = f"{_TO}, dsn=2.0.0, status=sent (250 ok)"
DEFERRED = f"{_TO}, dsn=4.4.1, status=deferred (later)"
REMOVED = f"qmgr[1]: {ID}: removed"
OTHER = "smtpd[1]: connect from c.example[192.0.2.7]"
DELIVERED = {"accepted": 1, "bytes_received": 300, "bytes_delivered": 300}


def say(place: Place, minute: int, *said: str, to: str = "") -> None:
    """Append lines of one minute to the log, or to its copy with this ending."""
    stamp = logbook.stamp(logbook.FIRST + minute)
    place.write_bytes("".join(f"{stamp} mx1 postfix/{text}\n" for text in said).encode(), to)


def told(place: Place) -> dict[str, int]:
    """Return what is counted of messages."""
    sums: dict[str, int] = {}
    for (_, counter), number in logbook.counted_together(place.store).items():
        sums[counter] = sums.get(counter, 0) + number
    return sums


def waits(place: Place) -> list[str]:
    """Return what waits in the store."""
    db = sqlite3.connect(place.store)
    try:
        return [what for (what,) in db.execute("SELECT what FROM pending ORDER BY minute, what")]
    finally:
        db.close()


def test_a_message_whose_lines_come_in_different_runs(place: Place) -> None:
    for minute, said in enumerate((OTHER, TAKEN_IN, TAKEN_UP, SENT, REMOVED)):
        say(place, minute, said)
        place.run()

    assert told(place) == DELIVERED
    assert waits(place) == []


def test_a_message_whose_lines_stand_in_different_generations(place: Place) -> None:
    say(place, 0, OTHER, TAKEN_IN)
    place.run()
    place.rename(".1")
    say(place, 1, TAKEN_UP)
    place.run()
    place.rename(".2", ".1")
    place.rename(".1")
    say(place, 2, OTHER, SENT, REMOVED)
    place.run()

    assert told(place) == DELIVERED
    assert waits(place) == []


def test_generations_that_are_first_read_from_the_newest_to_the_oldest(place: Place) -> None:
    say(place, 0, OTHER, TAKEN_IN, to=".3")
    place.compress(".3", ".gz")
    say(place, 1, OTHER, TAKEN_UP, DEFERRED, to=".2")
    place.compress(".2", ".gz")
    say(place, 2, OTHER, TAKEN_UP, to=".1")
    say(place, 3, OTHER, SENT, REMOVED)

    place.run()

    assert told(place) == DELIVERED
    assert waits(place) == []


def test_what_two_generations_tell_before_the_oldest_is_read_adds_up(place: Place) -> None:
    say(place, 0, TAKEN_IN, TAKEN_UP, to=".2")
    say(place, 1, SENT, to=".1")
    say(place, 1, OTHER, SENT, REMOVED)
    place.run()

    assert told(place) == DELIVERED | {"bytes_delivered": 600}
    assert waits(place) == []


def test_generations_are_brought_together_by_the_run_after_one_that_was_killed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    say(place, 0, OTHER, TAKEN_IN, to=".3")
    say(place, 1, OTHER, TAKEN_UP, DEFERRED, to=".2")
    say(place, 2, OTHER, TAKEN_UP, to=".1")
    say(place, 3, OTHER, SENT, REMOVED)
    with monkeypatch.context() as patched:
        patched.setattr(segments.Segments, "unite", killed)
        with pytest.raises(KeyboardInterrupt):
            place.run()

    place.run()

    assert told(place) == DELIVERED
    assert waits(place) == []


@pytest.mark.parametrize("piece", [300, 450, 700, 1000])
def test_a_hole_that_closes_from_behind(
    place: Place, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PIECE_BYTES", piece)
    say(place, 0, *[OTHER] * 20, TAKEN_IN)
    place.run()
    for minute in range(1, 6):
        say(place, minute, *[OTHER] * 10, TAKEN_UP, DEFERRED)
    say(place, 6, TAKEN_UP, *[OTHER] * 20, SENT, REMOVED)
    place.run()

    assert told(place) == DELIVERED
    assert waits(place) == []


def test_a_retry_of_mail_taken_in_before_the_log_begins_is_not_accepted_and_not_kept(
    place: Place,
) -> None:
    for minute in range(3):
        say(place, minute, TAKEN_UP, DEFERRED)
        place.run()

    assert told(place) == {}
    assert waits(place) == []


def test_what_waits_is_kept_as_long_as_keys(place: Place) -> None:
    say(place, 0, TAKEN_IN)
    place.run(at=0)
    assert waits(place) == ["received"]

    say(place, 2 * DAY, OTHER)
    place.run(at=2 * DAY)
    assert waits(place) == ["received"]

    say(place, 2 * DAY + 1, OTHER)
    place.run(at=2 * DAY + 1)
    assert waits(place) == []


@pytest.mark.parametrize("others", [0, 1, 5])
def test_a_message_waits_no_longer_because_others_are_told_of(place: Place, others: int) -> None:
    say(place, 0, TAKEN_IN)
    place.run(at=0)
    for minute in (DAY, 2 * DAY + 1):
        said = (TAKEN_IN.replace(ID, f"A{number:07}") for number in range(others))
        say(place, minute, OTHER, *said)
        place.run(at=minute)

    assert waits(place) == ["received"] * others


@pytest.mark.parametrize("others", [0, 1, 5])
def test_a_message_is_found_among_those_that_wait_and_the_others_wait_on(
    place: Place, others: int
) -> None:
    say(place, 0, *(TAKEN_IN.replace(ID, f"0{number:07}") for number in range(others)), TAKEN_IN)
    place.run()
    say(place, 1, TAKEN_UP, SENT, REMOVED)
    place.run()

    assert told(place) == DELIVERED
    assert waits(place) == ["received"] * others


def test_of_too_much_that_waits_the_newest_is_kept(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pending, "MOST_RECEIVED", 10)
    for minute in range(11):
        say(place, minute, TAKEN_IN.replace(ID, f"A{minute:07}"))
        place.run()

    assert waits(place) == ["received"] * 5


@pytest.mark.parametrize("piece", [300, 450, 700, 1000])
def test_a_removal_that_is_told_twice_waits_once_where_a_hole_closes(
    place: Place, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PIECE_BYTES", piece)
    say(place, 0, OTHER)
    place.run()
    say(place, 1, *[OTHER] * 9, REMOVED, *[OTHER] * 9, REMOVED, *[OTHER] * 9)
    place.run()

    assert waits(place) == []


BEFORE = "4D05240111"
BOUNCED = f"smtp[1]: {ID}: to=<x@y.example>, relay=none, delay=1, delays=0/0/0/1, dsn=5.4.4"
BOUNCED += ", status=bounced (unknown)"
COMES_AGAIN = f"smtpd[1]: {ID}: client=localhost[127.0.0.1], orig_queue_id={BEFORE}"
COMES_AGAIN += ", orig_client=c.example[192.0.2.7]"


def test_a_bounce_behind_a_filter_joins_what_waits_of_the_message_before_it() -> None:
    before, behind, sums = (1, b"A"), (1, b"B"), Sums()
    segment = pending.Segment(pending.Boundary(1, 1, 0), pending.Boundary(1, 1, 3))
    with Store(None, 5) as store, store.transaction():
        told = [Messages(sums) for _ in range(4)]
        told[0].bounced(before, 1)
        told[1].begun(behind, 7, False, "<A")
        told[1].activated(behind, 7, 300, 2)
        told[2].bounced(behind, 1)
        for later in told[:3]:
            store.pending.append(segment, later, 8, sums)
        told[3].begun(before, 6, False, "by ann")
        told[3].activated(before, 6, 300, 2)
        store.pending.prepend(segment, told[3], 8, sums)

    assert sums.senders[6, 1, senders.BOUNCED, "by ann"] == 2


@pytest.mark.parametrize("piece", [300, 450, 600, 900])
def test_a_bounce_behind_a_filter_joins_it_where_a_hole_closes(
    place: Place, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PIECE_BYTES", piece)
    say(place, 0, OTHER)
    place.run()
    say(place, 1, *[OTHER] * 9, COMES_AGAIN, TAKEN_UP, *[OTHER] * 9, BOUNCED)
    say(place, 2, *[OTHER] * 9, BOUNCED.replace(ID, BEFORE), *[OTHER] * 9, BOUNCED, OTHER)
    place.run()

    assert set(waits(place)) <= {"active", "bounced", "received"}


@settings(max_examples=effort.examples(300), deadline=None)
@given(logs(), st.data())
def test_kept_in_the_store_between_pieces_in_any_order_the_sums_are_the_same(log, data):
    lines, expected = log
    sums = Sums()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(lines)), max_size=5)))
    pieces = [
        read(lines[start:end], sums)
        for start, end in zip([0, *cuts], [*cuts, len(lines)], strict=True)
    ]
    with Store(None, 5) as store:
        told_in(data, pieces, sums, store)

    assert {**dict(sums.items()), **sums.senders} == expected


def test_two_instances_may_use_one_queue_id(place: Place) -> None:
    say(place, 0, TAKEN_IN)
    stamp = logbook.stamp(logbook.FIRST)
    place.write_bytes(f"{stamp} mx1 postfix-out/{TAKEN_UP}\n".encode())
    place.run()

    assert told(place) == {}


def test_of_a_message_deferred_several_times_each_minute_tells(place: Place) -> None:
    say(place, 0, DEFERRED, DEFERRED)
    say(place, 1, DEFERRED, DEFERRED.replace(ID, "64D05240928"))
    say(place, 2, DEFERRED.replace("deferred", "SOFTBOUNCE"))
    place.run()

    with Store(place.store, 1) as store:
        log = store.logs.of(place.log)
        assert log is not None
        origins = [number for number, *_ in store.origins.of(log)]

        def messages(start: int, end: int, *kinds: str, before: int = 0) -> tuple[int, int]:
            return store.answers.messages(
                "deferred_messages", kinds, logbook.FIRST + start, logbook.FIRST + end, origins,
                logbook.FIRST + start - before,
            )  # fmt: skip

        assert messages(0, 3, "deferred", "softbounce") == (2, 5)
        assert messages(0, 3, "deferred") == (2, 4)
        assert messages(2, 3, "deferred", "softbounce") == (1, 1)
        assert messages(1, 3, "deferred", "softbounce", before=1) == (1, 3)
        assert messages(5, 9, "deferred") == (0, 0)


def test_a_message_expires_once_even_if_it_is_said_again(place: Place) -> None:
    expired = f"qmgr[1]: {ID}: from=<a@b.example>, status=expired, returned to sender"
    for minute in (0, 70, 140):
        say(place, minute, expired)
    say(place, 140, expired.replace(ID, "64D05240928"))
    place.run(at=200)

    with Store(place.store, 1) as store:
        log = store.logs.of(place.log)
        assert log is not None
        origins = [number for number, *_ in store.origins.of(log)]
        kinds = ["expired"]
        first = logbook.FIRST
        told = store.answers.messages(
            "expired_messages", kinds, first + 60, first + 200, origins, first
        )

    assert told == (1, 3)
