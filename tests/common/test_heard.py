"""What the logs have told of: whose lines are judged, and when they were last heard of."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from check_postfix.common.heard import Heard
from check_postfix.common.named_logs import NamedLog
from check_postfix.deferred import CHECK
from check_postfix.maillog.counts.families import NOBODY
from check_postfix.plugin import Unknown
from tests.support.builders import NOON, a_coverage, options

MX1, MX2 = (1, "mx1", "postfix", NOON - 5), (2, "mx2", "postfix-out", NOON - 9)
NOBODYS = (3, *(name.decode() for name in NOBODY), None)


def heard(*origins, is_steady=True, **coverage) -> tuple[Heard, list[int]]:
    """Return what was heard from a log, and by which minutes the store was told to cut."""
    cut: list[int] = []
    store = SimpleNamespace(
        logs=SimpleNamespace(of=lambda path: path),
        origins=SimpleNamespace(
            of=lambda _: list(origins), cut_newest=lambda _, minute: cut.append(minute)
        ),
        transaction=nullcontext,
    )
    found = Heard(store, NOON, is_steady)
    found.look([NamedLog("/log", ["/log"], None)], [a_coverage(**coverage)])
    return found, cut


def test_a_log_was_last_heard_of_by_its_newest_line():
    found, cut = heard(MX1, MX2, NOBODYS)

    assert (found.last, found.newest()) == ({"/log": NOON - 5}, NOON - 5)
    assert (found.has_future, cut) == (False, [])


@pytest.mark.parametrize(
    ("coverage", "last"),
    [
        ({"last": NOON - 7}, NOON - 7),
        ({"last": NOON + 7}, NOON),
        ({"last": None}, None),
        # nobody knows whose these lines are
        ({"last": NOON - 7, "foreign": 1000}, None),
    ],
)
def test_where_nothing_is_counted_yet_the_newest_line_tells(coverage, last):
    found, _ = heard(NOBODYS, **coverage)

    assert found.newest() == last


@pytest.mark.parametrize("is_steady", [True, False])
def test_a_line_of_a_time_to_come_is_one_of_now_and_is_forgotten_by_a_clock_that_is_right(
    is_steady,
):
    found, cut = heard(MX1, (2, "mx2", "postfix", NOON + 1), is_steady=is_steady)

    assert (found.newest(), found.has_future) == (NOON, True)
    assert cut == ([NOON] if is_steady else [])


@pytest.mark.parametrize(
    ("arguments", "numbers"),
    [
        ([], [1, 2, 3]),
        (["--host", "mx2"], [2, 3]),
        (["--instance", "postfix"], [1, 3]),
        (["--host", "mx1", "--instance", "postfix"], [1, 3]),
    ],
)
def test_of_lines_that_nobody_can_read_nobody_knows_whose_they_are(arguments, numbers):
    found, _ = heard(MX1, NOBODYS, MX2)

    judged = found.origins(options(CHECK, *arguments))

    assert sorted(number for number, *_ in judged) == numbers


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--host", "mx3"], "--host mx3: not in /log; there are mx1, mx2"),
        (["--host", "mx1", "--instance", "out"], "--instance out: not in /log; there are postfix"),
    ],
)
def test_who_is_not_there_is_told_with_those_who_are(arguments, said):
    found, _ = heard(MX1, MX2, NOBODYS)

    with pytest.raises(Unknown) as error:
        found.origins(options(CHECK, *arguments))

    assert str(error.value) == said


def test_who_was_last_heard_of_between_two_minutes_is_told():
    found, _ = heard(MX1, MX2, (4, "mx2", "postfix", None))
    origins = found.origins(options(CHECK))

    assert found.before(NOON - 5, NOON - 9, origins) == [("mx2", NOON - 9)]
    assert found.before(NOON - 9, NOON - 20, origins) == []
    assert found.before(NOON - 4, NOON - 8, origins) == [("mx1", NOON - 5), ("/log", NOON - 5)]
