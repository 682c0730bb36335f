"""Of the recipients of a minute, those that got most are told apart; sums stay exact."""

from __future__ import annotations

import pytest

from check_postfix.maillog.counts import counts as counts_module
from check_postfix.maillog.counts.counts import Counts
from check_postfix.maillog.counts.families import MANY, fields

MINUTE = 29_000_000
FAMILY = "by_recipient"


def told(of_origins: dict[int, list[bytes]]) -> dict[int, dict[str, int]]:
    """Return origin -> key -> number, of the first tries of a minute."""
    counts = Counts(b"secret")
    for origin, named in of_origins.items():
        counts.recipients(MINUTE)[origin] += named
    counts.add_up_recipients()
    found: dict[int, dict[str, int]] = {}
    for name, number in counts.keyed[FAMILY, MINUTE // 60][MINUTE].items():
        origin, key = fields(name)
        found.setdefault(int(origin), {})[key] = number
    return found


def test_upper_and_lower_case_are_the_same_recipient() -> None:
    (numbers,) = told({1: [b"ann@example.com>", b"Ann@example.com>", b"ann@EXAMPLE.com>"]}).values()

    assert list(numbers.values()) == [3]


def test_of_those_with_one_message_a_few_of_the_minute_are_told_apart_whatever_their_host() -> None:
    found = told({origin: [b"a%d@example.com" % origin] for origin in range(1, 201)})

    apart = [numbers for numbers in found.values() if MANY not in numbers]
    assert len(apart) == 3
    assert all(sum(numbers.values()) == 1 for numbers in found.values())


def test_those_with_several_messages_go_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts_module, "MOST_RECIPIENTS", 2)
    named = [b"one@example.com", *[b"two@example.com"] * 2, *[b"five@example.com"] * 5]

    found = told({1: named, 2: [b"four@example.com"] * 4})

    assert sorted(found[1].values()) == [3, 5]
    assert found[1][MANY] == 3
    assert list(found[2].values()) == [4]
