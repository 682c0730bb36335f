"""Cursors: which entry they are of, and which of two comes later."""

from __future__ import annotations

import pytest

from check_postfix.maillog.source.journal_span import Cursor

FORM = "s={s};i={i:x};b={b};m={m:x};t={t:x};x={x:x}"


def a_cursor(s="aa", i=16, b="bb", m=100, t=1000, x=7):
    return Cursor(FORM.format(s=s, i=i, b=b, m=m, t=t, x=x))


def test_an_entry_that_was_moved_is_the_same_entry():
    assert a_cursor().is_of_same_entry(a_cursor(s="cc", i=2))


@pytest.mark.parametrize("other", [{"b": "cc"}, {"m": 101}, {"t": 1001}, {"x": 8}])
def test_another_boot_time_or_text_is_another_entry(other):
    assert not a_cursor().is_of_same_entry(a_cursor(**other))


@pytest.mark.parametrize(
    ("later", "earlier"),
    [
        ({"i": 17, "m": 1, "t": 1, "x": 1}, {}),  # one sequence: its numbers decide
        ({"s": "cc", "i": 1, "m": 101, "t": 1}, {}),  # one boot: its time decides
        ({"s": "cc", "b": "cc", "m": 1, "t": 1001}, {}),  # else the clock
        ({"s": "cc", "b": "cc", "m": 1, "x": 8}, {}),
    ],
)
def test_journalds_order(later, earlier):
    assert a_cursor(**later).is_after(a_cursor(**earlier))
    assert not a_cursor(**earlier).is_after(a_cursor(**later))


def test_no_entry_is_behind_itself():
    assert not a_cursor().is_after(a_cursor())


@pytest.mark.parametrize(
    "text", ["", "s=aa", "s=aa;i=1;b=b;m=1;t=1;x=1;y=1", "s=g;i=1;b=b;m=1;t=1;x=1"]
)
def test_what_is_no_cursor_is_refused(text):
    with pytest.raises(ValueError, match=text or "^$"):
        Cursor(text)
