"""Numbers packed into one text come out again as they went in, and add up name by name."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from check_postfix.maillog.store.packed import merged, packed, size, unpacked

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


@pytest.mark.parametrize(
    "text", ["", "sent", "1", "1 2\nsent", "1\nsent\ndeferred", "1.5\nsent", "1 \nsent", "x\nsent"]
)
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"zip|int"):
        list(unpacked(text))
