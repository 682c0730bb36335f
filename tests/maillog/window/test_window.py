"""What was counted in the minutes that are judged."""

from __future__ import annotations

from types import SimpleNamespace

from check_postfix.maillog.counts.families import MANY
from check_postfix.maillog.window.coverage import Coverage
from check_postfix.maillog.window.usual import MORE
from check_postfix.maillog.window.window import Window
from tests.support.builders import a_comparison, a_window

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
    """A view that notes what it is asked; what has come is always as usual."""

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

    def compared(self, series, enough):
        self.asked.append((series, enough))
        return a_comparison(5, usual=5)


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


def test_what_is_held_against_the_usual_is_worked_out_once():
    view = View({})
    found = window(view)

    first, again = found.compared("sent"), found.compared("sent")

    assert first is again
    assert found.compared("sent", 60) is not first
    assert view.asked == [("sent", None), ("sent", 60)]


def test_of_what_is_supposed_to_have_come_more_has_come_in_the_last_quarter():
    found = window(View({"rejected_smtpd": 10}))

    supposed = found.supposing("rejected_smtpd", 500)

    assert supposed.compared("rejected").recent.quarters[:2] == [505, 5]
    assert supposed.compared("rejected").verdict.how == MORE
    assert supposed.compared("received").recent.quarters[:2] == [5, 5]


def test_more_of_several_kinds_may_be_supposed_one_after_the_other():
    supposed = window(View({"rejected_smtpd": 10})).supposing("rejected_smtpd", 500)

    both = supposed.supposing("received", 700).supposing("rejected_size", 5)
    failed = supposed.supposing("deferred", 3).supposing("softbounce", 4)

    assert both.compared("rejected").recent.quarters[0] == 510
    assert both.compared("received").recent.quarters[0] == 705
    assert failed.count_matching("deferred", lambda *_: False) == 7


def test_of_messages_the_store_is_asked_once_however_often_they_are_looked_at():
    view = View({"deferred": 1, "expired": 1})
    found = window(view)

    for _ in range(2):
        _ = found.deferred_messages, found.expired_messages, found.lines_of_unknown_messages

    assert sorted(view.asked) == sorted(TOLD)


def test_messages_that_no_line_of_the_window_tells_of_are_not_looked_for():
    view = View({"sent": 9})
    found = window(view)

    assert (found.deferred_messages, found.expired_messages) == (0, 0)
    assert view.asked == []


def test_messages_are_counted_once_however_many_lines_tell_of_them():
    found = window(deferred=5, softbounce=2, expired=4)

    assert (found.deferred_messages, found.expired_messages) == (3, 1)
    assert found.lines_of_unknown_messages == 0


def test_a_line_about_a_message_that_is_not_kept_apart_counts_as_one():
    found = window(deferred=10, softbounce=2, expired=6)

    assert (found.deferred_messages, found.expired_messages) == (8, 3)
    assert found.lines_of_unknown_messages == 7


def test_a_window_of_what_answers_as_its_store_does_is_of_the_same_minutes():
    window = a_window(minutes=15)
    view = window._view
    window._view = SimpleNamespace(of=lambda *_: view, through=lambda held: held)

    other = window.through("what is held")

    assert (other.start, other.end, other._view) == (window.start, window.end, "what is held")
