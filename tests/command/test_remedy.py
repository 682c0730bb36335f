"""Remedies: each reason for which mail waits or comes back has one."""

from __future__ import annotations

import pytest

from check_postfix.command import remedy
from check_postfix.maillog.events import reasons


def test_each_reason_has_a_next_step():
    assert remedy.OF_REASON.keys() == reasons.REASONS.keys()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("connect to mx.example.net[192.0.2.1]:25: Connection refused", reasons.REFUSED),
        (
            "delivery temporarily suspended: connect to mx.example.net[192.0.2.1]:25: Connection"
            " timed out",
            reasons.TIMED_OUT,
        ),
        (
            "host mx.example.net[192.0.2.1] said: 452 4.2.2 Mailbox is over quota (in reply to RCPT"
            " TO command)",
            reasons.MAILBOX_FULL,
        ),
        ("words that nobody has seen before", reasons.OTHER),
    ],
)
def test_what_postqueue_prints_leads_to_a_next_step(words, reason):
    assert remedy.of(words) == remedy.OF_REASON[reason]


def test_where_nothing_is_said_nothing_is_advised():
    assert remedy.of("") == ""
