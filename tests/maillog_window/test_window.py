"""What was counted in the minutes that are judged."""

from __future__ import annotations

from check_postfix.maillog.coverage import Coverage
from check_postfix.maillog.usual import Usual
from check_postfix.maillog.window import Window


def window(**more):
    return Window(
        begin=100, end=115, totals={"sent": 5, "bounced": 2}, coverage=Coverage(0, 200),
        keys=more.get("keys", lambda _: []), usual=more.get("usual", lambda _: Usual(1, "")),
    )  # fmt: skip


def test_its_length_is_told_in_seconds():
    assert window().seconds == 900


def test_counters_are_added_up_and_what_never_happened_is_0():
    assert window().count("sent") == 5
    assert window().count("sent", "bounced", "expired") == 7
    assert window().count("expired") == 0
    assert window().count() == 0


def test_keys_are_asked_for_by_family_and_field():
    pairs = {"bounced domain": [("example.net", 2)]}

    assert window(keys=lambda axis: pairs[axis]).keys("bounced", "domain") == [("example.net", 2)]


def test_what_is_usual_is_worked_out_once():
    asked = []
    found = window(usual=lambda counters: asked.append(counters) or Usual(len(asked), "once"))

    first, again, other = (
        found.usual("sent", "bounced"), found.usual("sent", "bounced"), found.usual("sent"),
    )  # fmt: skip

    assert (first.level, again.level, other.level) == (1, 1, 2)
    assert asked == [("sent", "bounced"), ("sent",)]
