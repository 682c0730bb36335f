"""Numbers packed into one text come out again as they went in, and add up name by name."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from check_postfix.maillog.store.packed import (
    chosen,
    merged,
    numbers,
    of_all,
    own,
    packed,
    size,
    unpacked,
    without,
)

# What no key has: a surrogate, and what stands between two.
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"))
NUMBERS = st.dictionaries(NAMES, st.integers(0, 2**70), min_size=1, max_size=20)


@given(NUMBERS)
def test_what_was_packed_is_unpacked_in_its_order(numbers: dict[str, int]) -> None:
    text = packed(numbers)

    assert list(unpacked(text)) == list(numbers.items())
    assert size(text) == len(numbers)


@given(NUMBERS, NUMBERS)
def test_joined_numbers_of_one_name_are_added(one: dict[str, int], other: dict[str, int]) -> None:
    sums = Counter(one)
    sums.update(other)

    assert dict(unpacked(merged(packed(one), packed(other)))) == dict(sums)


BY_ORIGIN = st.dictionaries(
    st.tuples(st.integers(1, 12), NAMES), st.integers(0, 2**70), min_size=1, max_size=20
)


@given(BY_ORIGIN, st.frozensets(st.integers(1, 13)))
def test_of_some_origins_is_chosen_what_is_theirs_and_the_rest_is_left(
    of_all_origins: dict[tuple[int, str], int], origins: frozenset[int]
) -> None:
    called = {f"{origin}\t{name}": n for (origin, name), n in of_all_origins.items()}
    text, some = packed(called), frozenset(map(str, origins))

    found = chosen(text, some)

    assert found == [
        (f"{origin}\t{name}", n)
        for (origin, name), n in of_all_origins.items()
        if origin in origins
    ]
    rest = without(text, some)
    assert dict(found) | dict(unpacked(rest) if rest else ()) == called
    assert not rest or chosen(rest, some) == []
    assert numbers(text) == list(called.values())


@given(BY_ORIGIN)
def test_numbers_of_one_name_of_several_origins_are_added(
    of_origins: dict[tuple[int, str], int],
) -> None:
    sums: Counter[str] = Counter()
    for (_, name), number in of_origins.items():
        sums[name] += number

    assert of_all({f"{o}\t{name}": n for (o, name), n in of_origins.items()}) == dict(sums)


@pytest.mark.parametrize("text", ["1\nsent", "1 2\n1\tsent", "x\n1\tsent"])
def test_a_text_that_tells_no_origins_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"zip|int|substring"):
        chosen(text, {"1"})


def test_what_follows_on_an_origin_may_have_fields() -> None:
    assert own("12\ta\tb") == "a\tb"


@pytest.mark.parametrize(
    "text", ["", "sent", "1", "1 2\nsent", "1\nsent\ndeferred", "1.5\nsent", "1 \nsent", "x\nsent"]
)
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"zip|int"):
        list(unpacked(text))
