"""What was counted in the minutes that are judged."""

from __future__ import annotations

from check_postfix.maillog.counts.counts import MANY
from check_postfix.maillog.window.coverage import Coverage
from check_postfix.maillog.window.usual import Usual
from check_postfix.maillog.window.window import Window

ROWS = {
    "deferred": [
        (("example.net", "mx.example.net", "450", "4.7.1", "greylisted"), 3),
        (("example.net", "none", "", "4.4.1", "connection refused"), 2),
        (("example.org", "none", "", "4.4.1", "connection refused"), 4),
        ((MANY, MANY, "", "4.4.1", "connection refused"), 6),
    ]
}
TOLD = {
    ("deferred_messages", ("deferred", "softbounce"), 0): (3, 7),
    ("expired_messages", ("expired",), 2 * 24 * 60): (1, 4),
}


class View:
    """A view that notes what it is asked; each usual level is how often one was asked for."""

    def __init__(self, totals):
        self._totals = totals
        self.asked = []

    def totals(self):
        return self._totals

    def keys(self, family):
        self.asked.append(family)
        return ROWS[family]

    def messages(self, *asked):
        self.asked.append(asked)
        return TOLD[asked]

    def usual(self, counters):
        self.asked.append(counters)
        return Usual(len(self.asked), "")

    def usual_matching(self, family, takes):
        self.asked.append((family, takes))
        return Usual(len(self.asked), "")


def window(view=None, **totals):
    view = view or View(totals or {"sent": 5, "bounced": 2})
    return Window(start=100, end=115, coverage=Coverage(0, 200), view=view)


def test_its_length_is_told_in_seconds():
    assert window().seconds == 900


def test_counters_are_added_up_and_what_never_happened_is_0():
    assert window().count("sent") == 5
    assert window().count("sent", "bounced", "expired") == 7
    assert window().count("expired") == 0
    assert window().count() == 0


def test_keys_are_added_up_by_any_of_their_fields_most_first():
    found = window()

    assert found.keys("deferred", "domain") == [
        ((MANY,), 6), (("example.net",), 5), (("example.org",), 4),
    ]  # fmt: skip
    assert found.keys("deferred", "enhanced_code", "reason") == [
        (("4.4.1", "connection refused"), 12), (("4.7.1", "greylisted"), 3),
    ]  # fmt: skip


def test_what_does_not_have_a_field_is_not_among_its_keys():
    assert window().keys("deferred", "reply_code") == [(("450",), 3)]


def test_keys_may_be_filtered():
    found = window()

    assert found.keys("deferred", "domain", filter=lambda _, key: key[1] == "none") == [
        (("example.org",), 4), (("example.net",), 2),
    ]  # fmt: skip
    assert found.count_matching("deferred", lambda _, key: key[0] == "example.net") == 5


def test_what_is_usual_is_worked_out_once():
    view = View({})
    found = window(view)

    first, again, other = (
        found.usual("sent", "bounced"), found.usual("sent", "bounced"), found.usual("sent"),
    )  # fmt: skip

    assert (first.level, again.level, other.level) == (1, 1, 2)
    assert view.asked == [("sent", "bounced"), ("sent",)]


def test_what_is_usual_of_one_filter_is_not_that_of_another():
    view = View({})
    found = window(view)

    def some(*_):
        return True

    def others(*_):
        return False

    asked = [("rejected", some), ("rejected", others), ("rejected", some), ("deferred", some)]
    levels = [found.usual_matching(*one).level for one in asked]

    assert levels == [1, 2, 1, 3]


def test_of_messages_the_store_is_asked_once_however_often_they_are_looked_at():
    view = View({})
    found = window(view)

    for _ in range(2):
        _ = found.deferred_messages, found.expired_messages, found.lines_of_unknown_messages

    assert sorted(view.asked) == sorted(TOLD)


def test_messages_are_counted_once_however_many_lines_tell_of_them():
    found = window(deferred=5, softbounce=2, expired=4)

    assert (found.deferred_messages, found.expired_messages) == (3, 1)
    assert found.lines_of_unknown_messages == 0


def test_a_line_about_a_message_that_is_not_kept_apart_counts_as_one():
    found = window(deferred=10, softbounce=2, expired=6)

    assert (found.deferred_messages, found.expired_messages) == (8, 3)
    assert found.lines_of_unknown_messages == 7
