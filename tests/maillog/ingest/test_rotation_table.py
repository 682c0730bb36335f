"""Each edge of rotation.py's table, walked with real files: it exists, and the counts are right.

What the edges together do in any order, test_exactly_once.py plays.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from check_postfix.maillog.ingest import piece, rotation
from check_postfix.maillog.ingest.rotation import (
    HAS_CHANGED,
    IS_GONE,
    IS_HIDDEN,
    IS_LIVE,
    IS_OLD,
    IS_SHORTER,
    LIVE_READ,
    LIVE_UNREAD,
    LOST,
    MOVES,
    NEW,
    OLD_READ,
    OLD_UNREAD,
    READ_IN_PART,
    READ_TO_END,
)
from check_postfix.maillog.source import lines
from check_postfix.maillog.source.generation import Generation
from tests.maillog.conftest import Place, once

Edge = tuple[str, str]
NO_TIME = -1


@pytest.fixture
def walked(monkeypatch: pytest.MonkeyPatch) -> set[Edge]:
    """Return the edges that generations have been moved along; a read takes little at a time."""
    edges: set[Edge] = set()
    move = rotation.move

    def observed(generation: Generation, moved_by: str) -> str:
        edges.add((rotation.state(generation), moved_by))
        return move(generation, moved_by)

    monkeypatch.setattr(rotation, "move", observed)
    monkeypatch.setattr(lines, "BLOCK", 500)
    monkeypatch.setattr(piece, "PIECE_BYTES", 2000)
    return edges


def live_is_found_and_read(place: Place) -> None:
    place.write(0)
    assert place.gaps(place.run()) == []
    assert place.counted() == once(0)


def an_older_one_is_found_and_read(place: Place) -> None:
    place.write(0)
    place.rename(".1")
    place.write(1)
    assert place.gaps(place.run()) == []
    assert place.counted() == once(0, 1)


def a_big_live_one_is_read_in_part(place: Place) -> None:
    place.write(*range(60))
    place.run(seconds=NO_TIME)
    assert 0 < len(place.counted()) < 60


def a_big_live_one_is_gone_on_with(place: Place) -> None:
    a_big_live_one_is_read_in_part(place)
    assert place.gaps(place.run()) == []
    assert place.counted() == once(*range(60))


def a_live_one_grows(place: Place) -> None:
    live_is_found_and_read(place)
    place.write(1)
    assert place.gaps(place.run()) == []
    assert place.counted() == once(0, 1)


def a_live_one_grows_by_much(place: Place) -> None:
    live_is_found_and_read(place)
    place.write(*range(1, 60))
    place.run(seconds=NO_TIME)
    place.run()
    assert place.counted() == once(*range(60))


def a_live_one_is_rotated(place: Place) -> None:
    live_is_found_and_read(place)
    place.rename(".1")
    place.write(1)
    assert place.gaps(place.run()) == []
    assert place.counted() == once(0, 1)


def a_live_one_read_in_part_is_rotated(place: Place) -> None:
    a_big_live_one_is_read_in_part(place)
    place.rename(".1")
    place.write(60)
    assert place.gaps(place.run()) == []
    assert place.counted() == once(*range(61))


def a_live_one_is_rotated_and_nothing_takes_its_place(place: Place) -> None:
    live_is_found_and_read(place)
    place.write(*range(1, 60))
    place.rename(".1")
    place.run(seconds=NO_TIME)
    assert place.gaps(place.run()) == []
    assert place.counted() == once(*range(60))


def a_live_one_is_rotated_and_read_to_its_end(place: Place) -> None:
    live_is_found_and_read(place)
    place.write(1)
    place.rename(".1")
    assert place.gaps(place.run()) == []
    assert place.counted() == once(0, 1)


def begin_anew(place: Place) -> None:
    """Copy the log's first line, and cut the log short."""
    with open(place.log, "rb") as file:
        first = file.readline()
    place.write_bytes(first, to=".1")
    os.truncate(place.log, 0)


def a_live_one_is_cut_short(place: Place) -> None:
    live_is_found_and_read(place)
    place.write(*range(1, 5))
    place.run()
    begin_anew(place)
    place.write(9)
    assert place.gaps(place.run()) == [(4, 9)]
    assert place.counted() == once(*range(5), 9)


def a_live_one_read_in_part_is_cut_short(place: Place) -> None:
    a_big_live_one_is_read_in_part(place)
    counted = place.counted()
    begin_anew(place)
    place.write(60)
    assert place.gaps(place.run()) == [(0, 60)]
    assert place.counted() == counted | once(60)


def a_live_one_is_removed(place: Place) -> None:
    live_is_found_and_read(place)
    os.remove(place.log)
    place.write(5)
    assert place.gaps(place.run()) == [(0, 5)]
    assert place.counted() == once(0, 5)


def a_live_one_read_in_part_is_removed(place: Place) -> None:
    a_big_live_one_is_read_in_part(place)
    counted = place.counted()
    os.remove(place.log)
    place.write(60)
    assert place.gaps(place.run()) == [(0, 60)]
    assert place.counted() == counted | once(60)


def an_older_one_waits_to_be_read(place: Place) -> None:
    place.write(*range(60))
    place.rename(".1")
    place.write(60)
    place.run(seconds=NO_TIME)
    assert place.counted() == once(60)


def an_older_one_is_read_bit_by_bit(place: Place) -> None:
    an_older_one_waits_to_be_read(place)
    place.run(seconds=NO_TIME)
    place.run(seconds=NO_TIME)
    assert place.gaps(place.run()) == []
    assert place.counted() == once(*range(61))


def an_older_one_is_removed_before_it_is_read(place: Place) -> None:
    an_older_one_waits_to_be_read(place)
    os.remove(place.log + ".1")
    assert place.gaps(place.run()) == [(0, 60)]
    assert place.counted() == once(60)


def an_older_one_gets_further_lines(place: Place) -> None:
    a_live_one_is_rotated(place)
    place.write(*range(2, 9), to=".1")  # by a writer that was not told to open its log again
    place.write(10)
    place.run(seconds=NO_TIME)
    assert place.gaps(place.run()) == []
    assert place.counted() == once(*range(9), 10)


def a_live_one_moves_to_a_file_that_cannot_be_read(place: Place) -> None:
    live_is_found_and_read(place)
    place.write(1)
    place.rename(".1")
    place.write(2)
    with place.failing(".1"):
        coverage = place.run()
    assert place.gaps(coverage) == []
    assert [file.path for file in coverage.unread] == [place.log + ".1"]
    assert place.counted() == once(0, 2)


def one_in_a_file_that_cannot_be_read_is_read_later(place: Place) -> None:
    a_live_one_moves_to_a_file_that_cannot_be_read(place)
    place.write(3)
    with place.failing(".1"):
        assert place.gaps(place.run(at=101)) == []
    coverage = place.run(at=110)
    assert (place.gaps(coverage), coverage.unread) == ([], [])
    assert place.counted() == once(0, 1, 2, 3)


def a_live_one_read_in_part_moves_to_a_file_that_cannot_be_read(place: Place) -> None:
    a_big_live_one_is_read_in_part(place)
    place.rename(".1")
    place.write(60)
    with place.failing(".1"):
        assert place.gaps(place.run()) == []
    place.run(at=110)
    assert place.counted() == once(*range(61))


def a_rotation_is_undone(place: Place) -> None:
    a_live_one_is_rotated(place)
    place.rename(".2")
    place.rename("", old=".1")
    place.write(2)
    assert place.gaps(place.run()) == []
    assert place.counted() == once(0, 1, 2)


def a_rotation_is_undone_before_all_is_read(place: Place) -> None:
    an_older_one_waits_to_be_read(place)
    place.rename(".2")
    place.rename("", old=".1")
    assert place.gaps(place.run()) == []
    assert place.counted() == once(*range(61))


EDGES: dict[Edge, Callable[[Place], None]] = {
    (NEW, IS_LIVE): live_is_found_and_read,
    (NEW, IS_OLD): an_older_one_is_found_and_read,
    (LIVE_UNREAD, IS_LIVE): a_big_live_one_is_gone_on_with,
    (LIVE_UNREAD, IS_OLD): a_live_one_read_in_part_is_rotated,
    (LIVE_UNREAD, IS_SHORTER): a_live_one_read_in_part_is_cut_short,
    (LIVE_UNREAD, IS_HIDDEN): a_live_one_read_in_part_moves_to_a_file_that_cannot_be_read,
    (LIVE_READ, IS_HIDDEN): a_live_one_moves_to_a_file_that_cannot_be_read,
    (OLD_UNREAD, IS_HIDDEN): one_in_a_file_that_cannot_be_read_is_read_later,
    (LIVE_UNREAD, IS_GONE): a_live_one_read_in_part_is_removed,
    (LIVE_UNREAD, READ_TO_END): live_is_found_and_read,
    (LIVE_UNREAD, READ_IN_PART): a_big_live_one_is_read_in_part,
    (LIVE_READ, IS_LIVE): a_live_one_grows,
    (LIVE_READ, IS_OLD): a_live_one_is_rotated,
    (LIVE_READ, IS_SHORTER): a_live_one_is_cut_short,
    (LIVE_READ, IS_GONE): a_live_one_is_removed,
    (LIVE_READ, READ_TO_END): a_live_one_grows,
    (LIVE_READ, READ_IN_PART): a_live_one_grows_by_much,
    (OLD_UNREAD, IS_LIVE): a_rotation_is_undone_before_all_is_read,
    (OLD_UNREAD, IS_OLD): an_older_one_is_read_bit_by_bit,
    (OLD_UNREAD, IS_GONE): an_older_one_is_removed_before_it_is_read,
    (OLD_UNREAD, READ_TO_END): an_older_one_is_found_and_read,
    (OLD_UNREAD, READ_IN_PART): an_older_one_is_read_bit_by_bit,
    (OLD_READ, IS_LIVE): a_rotation_is_undone,
    (OLD_READ, HAS_CHANGED): an_older_one_gets_further_lines,
    (OLD_READ, READ_TO_END): a_live_one_is_rotated_and_read_to_its_end,
    (OLD_READ, READ_IN_PART): a_live_one_is_rotated_and_nothing_takes_its_place,
}


@pytest.mark.parametrize("edge", EDGES, ids=" - ".join)
def test_each_edge_is_walked(edge: Edge, place: Place, walked: set[Edge]) -> None:
    EDGES[edge](place)

    assert edge in walked


def test_no_edge_of_the_table_is_left_out() -> None:
    assert EDGES.keys() == {(state, by) for state, row in MOVES.items() for by in row}


def test_each_state_of_the_table_but_the_lost_has_a_row() -> None:
    reached = {after for row in MOVES.values() for after in row.values()}

    assert MOVES.keys() | {LOST} == reached | {NEW}
