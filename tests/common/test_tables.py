"""Tables of the long output."""

from __future__ import annotations

from argparse import Namespace

from check_postfix.common.filter import Filter
from check_postfix.common.tables import by_field, table
from tests.support.builders import a_window


def test_the_first_rows_are_shown_and_the_rest_is_added_up():
    pairs = [("a", 10), ("*", 4), ("c" * 70, 3), ("d", 2), ("e", 1)]

    assert table("things by name", pairs, 3, {"a": " (first)"}) == [
        "things by name:",
        "  10  a (first)",
        "   4  others",
        f"   3  {'c' * 60}",
        "   3  in 2 more",
    ]


def test_without_rows_there_is_no_table():
    assert table("things by name", [], 3) == []


def test_each_field_has_a_table_with_notes_of_its_own():
    window = a_window(
        keys={
            "auth_failed": [
                ({"client": "192.0.2.1", "account": "aa", "service": "imap"}, 3),
                ({"client": "192.0.2.2", "account": "*"}, 2),
            ]
        }
    )
    nothing = Filter([], window, Namespace())
    titles = {"client": "client", "account": "account", "mechanism": "mechanism"}
    notes = {"client": lambda client: f" of {client[-1]}"}

    assert by_field(window, "auth_failed", "failures", titles, nothing, 5, notes) == [
        "failures by client:",
        "  3  192.0.2.1 of 1",
        "  2  192.0.2.2 of 2",
        "failures by account:",
        "  3  account-aa",
        "  2  others",
    ]
