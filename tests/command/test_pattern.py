"""A pattern is found where it is meant, and in no longer name."""

from __future__ import annotations

import pytest

from check_postfix.command import pattern
from check_postfix.command.pattern import Pattern
from check_postfix.maillog.events.recogniser.health import NEXT_STEPS, fault
from tests.support import corpus


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("ann@example.com", b"to=<ann@example.com>, relay"),
        ("ANN@Example.com", b"to=<ann@example.COM>, relay"),
        ("example.com", b"to=<ann@example.com>, relay"),
        ("example.com", b"relay=mx.example.com[192.0.2.1]:25"),
        ("example.com", b"helo=<example.com.>"),
        ("@example.com", b"to=<ann@example.com>, relay"),
        ("192.0.2.1", b"relay=mx.example.com[192.0.2.1]:25"),
        ("2001:db8::1", b"relay=mx.example.com[2001:db8::1]:25"),
        ("2001:db8::/64", b"relay=mx.example.com[2001:db8::11]:25"),
        ("2001:db8:1:2::/64", b"unknown[2001:db8:1:2:a::b]"),
        ("XyzAb", b": 4XyzAbC1de: removed"),
        ("4.7.1", b"dsn=4.7.1, status=deferred"),
        ("mailbox full", b"said: 452 4.2.2 Mailbox full (in reply"),
        ("müller@example.com", "to=<Müller@example.com>".replace("M", "m").encode()),
    ],
)
def test_a_pattern_is_found(written, text):
    assert list(Pattern(written).found(text))


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("ann@example.com", b"to=<joann@example.com>, relay"),
        ("ann@example.com", b"to=<jo.ann@example.com>, relay"),
        ("ann@example.com", b"to=<ann@example.com.au>, relay"),
        ("ann@example.com", b"to=<ann@example.community>, relay"),
        ("example.com", b"to=<ann@notexample.com>, relay"),
        ("example.com", b"to=<ann@example.com.au>, relay"),
        ("192.0.2.1", b"relay=mx.example.com[192.0.2.10]:25"),
        ("192.0.2.1", b"relay=mx.example.com[92.192.0.2.1]:25"),
        ("2001:db8::/64", b"unknown[2001:db8:0:1::11]"),
        ("2001:db8::/64", b"unknown[1:2001:db8::11]"),
        ("2001:db8::1", b"relay=mx.example.com[2001:db8::11]:25"),
        ("2001:db8::1", b"relay=mx.example.com[a:2001:db8::1]:25"),
    ],
)
def test_a_part_of_a_name_is_no_other_name(written, text):
    assert not list(Pattern(written).found(text))


def test_a_pattern_counts_once_for_a_line_and_in_each_line():
    lines = b"ann@example.com and ann@example.com\nnobody\nann@example.com\n"

    assert list(Pattern("ann@example.com").found(lines)) == [0, 43]


def test_a_fault_of_this_machine_is_found_by_its_class_in_all_of_its_lines_and_no_others():
    entries = [entry for entry in corpus.entries() if b"\n" not in entry.line]
    known = set()
    for reason in NEXT_STEPS:
        looked_for = pattern.of(reason.upper(), lambda: b"")
        words = Pattern(reason)
        for entry in entries:
            event = entry.expected.event if entry.expected else None
            is_meant = event is not None and fault(event.reason) == reason
            known |= {reason} if is_meant else set()
            is_found = bool(list(looked_for.found(entry.line)))
            assert is_found == (is_meant or bool(list(words.found(entry.line)))), entry.place
    assert known == set(NEXT_STEPS)


def test_a_fault_of_one_table_is_found_in_the_lines_about_that():
    lines = [
        b'Nov 24 16:48:01 mx1 postfix/smtpd[2301]: warning: hash:/etc/a lookup error for "x"\n',
        b'Nov 24 16:48:01 mx1 postfix/smtpd[2301]: warning: hash:/etc/ab lookup error for "x"\n',
    ]
    looked_for = pattern.of("a lookup table fails: hash:/etc/a", lambda: b"")

    assert [bool(list(looked_for.found(line))) for line in lines] == [True, False]


def test_a_daemon_that_died_is_found_and_no_command_that_its_caller_has_ended():
    died = b"Nov 24 16:48:01 mx1 postfix/smtpd[2301]: fatal: no SASL authentication mechanisms\n"
    ours = b"Nov 24 16:48:02 mx1 postfix/postqueue[4689]: fatal: Queue report unavailable - x\n"

    assert list(pattern.of("a daemon died", lambda: b"").found(ours + died)) == [len(ours)]
