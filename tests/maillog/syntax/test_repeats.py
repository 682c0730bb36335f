"""`last message repeated N times` counts for the line that the same host sent before."""

from __future__ import annotations

from check_postfix.maillog.events.scanner import Scan
from tests.support import corpus

FAILED = (
    b"Nov  4 16:43:26 mx1 postfix/smtpd[9]: warning: unknown[203.0.113.6]: SASL LOGIN"
    b" authentication failed: x"
)
AGAIN = b"Nov  4 16:45:26 mx1 last message repeated 3 times"


def _found(*blocks: tuple[bytes, ...]) -> list[tuple[str, str, int]]:
    """Return kind, host and number of all that blocks of lines tell of."""
    scan = Scan(corpus.timestamps())
    return [
        (happening.event.kind, happening.host, happening.times)
        for lines in blocks
        for happening in corpus.scanned(b"".join(b"\n" + line for line in lines), scan)
    ]


def test_it_repeats_the_line_before():
    assert _found((FAILED, AGAIN)) == [("auth_failed", "mx1", 1), ("auth_failed", "mx1", 3)]


def test_it_counts_in_its_own_minute():
    block = b"\n" + FAILED + b"\n" + AGAIN
    minutes = [happening.minute for happening in corpus.scanned(block)]

    assert minutes[1] - minutes[0] == 2


def test_it_repeats_the_last_line_of_the_block_before():
    assert _found((FAILED,), (AGAIN,)) == [("auth_failed", "mx1", 1), ("auth_failed", "mx1", 3)]


def test_it_repeats_what_the_same_host_sent_whatever_others_sent_since():
    other = b"Nov  4 16:43:27 mx2 postfix/smtpd[9]: 64D05240927: client=unknown[203.0.113.6]"

    assert sorted(_found((FAILED, other, AGAIN))) == [
        ("auth_failed", "mx1", 1), ("auth_failed", "mx1", 3), ("received", "mx2", 1),
    ]  # fmt: skip


def test_said_twice_it_repeats_the_same_line_twice():
    assert sum(times for *_, times in _found((FAILED, AGAIN, AGAIN))) == 7


def test_it_repeats_nothing_when_the_line_before_was_another_programs():
    other = b"Nov  4 16:43:27 mx1 sshd[9]: Failed password for root"

    assert _found((FAILED, other, AGAIN)) == [("auth_failed", "mx1", 1)]


def test_it_repeats_nothing_when_no_line_stands_before():
    assert _found((AGAIN, FAILED)) == [("auth_failed", "mx1", 1)]
    assert _found((AGAIN.replace(b"mx1", b"mx2"),), (FAILED,)) == [("auth_failed", "mx1", 1)]


def test_it_repeats_nothing_when_only_the_end_of_the_line_before_is_known():
    for before, times in ((b"\n" + FAILED + b"\n", [3]), (FAILED + b"\n", [])):
        scan = Scan(corpus.timestamps(), before)
        found = corpus.scanned(b"\n" + AGAIN, scan)
        assert [happening.times for happening in found] == times, before


def test_syslogd_may_put_its_own_name_in_front_and_dashes_around():
    for words in (
        b"syslogd: last message repeated 3 times",
        b"syslogd[1]: last message repeated 3 times",
        b"--- last message repeated 1 time ---",
        b"last message repeated 3 times\r",
    ):
        assert len(_found((FAILED, b"Nov  4 16:45:26 mx1 " + words))) == 2, words


def test_the_words_inside_a_text_repeat_nothing():
    for line in (
        b"Nov  4 16:45:26 mx1 postfix/cleanup[9]: 64D05240927: message-id=<x> " + AGAIN,
        b"Nov  4 16:45:26 mx1 postfix/smtpd[9]: last message repeated 3 times",
        b"Nov  4 16:45:26 mx1 last message repeated 3 times and more",
        b"Nov  4 16:45:26 mx1 last message repeated 0 times",
    ):
        assert _found((FAILED, line)) == [("auth_failed", "mx1", 1)], line
