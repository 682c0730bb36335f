"""What was counted in the minutes that are judged."""

from __future__ import annotations

from check_postfix.maillog.counts.counts import MANY
from check_postfix.maillog.window.coverage import Coverage
from check_postfix.maillog.window.usual import Usual
from check_postfix.maillog.window.window import Window


def window(**more):
    return Window(
        start=100, end=115, totals={"sent": 5, "bounced": 2}, coverage=Coverage(0, 200),
        keys=more.get("keys", lambda _: []), usual=more.get("usual", lambda _: Usual(1, "")),
    )  # fmt: skip


def test_its_length_is_told_in_seconds():
    assert window().seconds == 900


def test_counters_are_added_up_and_what_never_happened_is_0():
    assert window().count("sent") == 5
    assert window().count("sent", "bounced", "expired") == 7
    assert window().count("expired") == 0
    assert window().count() == 0


ROWS = {
    "deferred": [
        (("example.net", "mx.example.net", "450", "4.7.1", "greylisted"), 3),
        (("example.net", "none", "", "4.4.1", "connection refused"), 2),
        (("example.org", "none", "", "4.4.1", "connection refused"), 4),
        ((MANY, MANY, "", "4.4.1", "connection refused"), 6),
    ]
}


def test_keys_are_added_up_by_any_of_their_fields_most_first():
    found = window(keys=ROWS.get)

    assert found.keys("deferred", "domain") == [
        ((MANY,), 6), (("example.net",), 5), (("example.org",), 4),
    ]  # fmt: skip
    assert found.keys("deferred", "enhanced_code", "reason") == [
        (("4.4.1", "connection refused"), 12), (("4.7.1", "greylisted"), 3),
    ]  # fmt: skip


def test_what_does_not_have_a_field_is_not_among_its_keys():
    assert window(keys=ROWS.get).keys("deferred", "reply_code") == [(("450",), 3)]


def test_keys_may_be_chosen():
    found = window(keys=ROWS.get)

    assert found.keys("deferred", "domain", choice=lambda _, key: key[1] == "none") == [
        (("example.org",), 4), (("example.net",), 2),
    ]  # fmt: skip
    assert found.count_matching("deferred", lambda _, key: key[0] == "example.net") == 5


def test_what_is_usual_is_worked_out_once():
    asked = []
    found = window(usual=lambda counters: asked.append(counters) or Usual(len(asked), "once"))

    first, again, other = (
        found.usual("sent", "bounced"), found.usual("sent", "bounced"), found.usual("sent"),
    )  # fmt: skip

    assert (first.level, again.level, other.level) == (1, 1, 2)
    assert asked == [("sent", "bounced"), ("sent",)]


def of_messages(told, totals):
    """Return a window in which lines tell of messages: (family, kinds, minutes before) -> both."""
    return Window(
        start=100, end=115, totals=totals, coverage=Coverage(0, 200), keys=lambda _: [],
        usual=lambda _: Usual(1, ""), messages=lambda *asked: told[asked],
    )  # fmt: skip


TOLD = {
    ("deferred_messages", ("deferred", "softbounce"), 0): (3, 7),
    ("expired_messages", ("expired",), 2 * 24 * 60): (1, 4),
}


def test_of_messages_the_store_is_asked_once_however_often_they_are_looked_at():
    asked = []
    found = Window(
        0, 10, {}, Coverage(0, 200), keys=lambda _: [], usual=lambda _: Usual(1, ""),
        messages=lambda *question: asked.append(question) or TOLD[question],
    )  # fmt: skip

    for _ in range(2):
        _ = found.deferred_messages, found.expired_messages, found.lines_of_unknown_messages

    assert sorted(asked) == sorted(TOLD)


def test_messages_are_counted_once_however_many_lines_tell_of_them():
    found = of_messages(TOLD, {"deferred": 5, "softbounce": 2, "expired": 4})

    assert (found.deferred_messages, found.expired_messages) == (3, 1)
    assert found.lines_of_unknown_messages == 0


def test_a_line_about_a_message_that_is_not_kept_apart_counts_as_one():
    found = of_messages(TOLD, {"deferred": 10, "softbounce": 2, "expired": 6})

    assert (found.deferred_messages, found.expired_messages) == (8, 3)
    assert found.lines_of_unknown_messages == 7
