"""Logs that no syslog daemon should write, and some that they do."""

from __future__ import annotations

import bz2
import json
import os
import time
from zoneinfo import ZoneInfo

import pytest

from check_postfix.maillog.ingest import piece
from check_postfix.maillog.ingest.ingest import Ingest
from check_postfix.maillog.source import lines
from check_postfix.maillog.source.line_counts import LineCounts
from check_postfix.maillog.store.store import Store
from tests.maillog.conftest import Place, once
from tests.support import logbook
from tests.support.logbook import FIRST


def test_an_empty_log_is_read_and_covers_nothing(place: Place) -> None:
    place.write_bytes(b"")

    coverage = place.run()

    assert (coverage.start, coverage.last, coverage.line_counts.lines) == (None, None, 0)
    assert coverage.complete
    assert place.gaps(coverage) == []


def test_a_log_of_one_unfinished_line_counts_nothing_until_it_is_finished(place: Place) -> None:
    text = logbook.line(logbook.FIRST)
    place.write_bytes(text[:70])
    place.run()
    before = place.counted()
    place.write_bytes(text[70:])

    place.run()

    assert before == {}
    assert place.counted() == once(0)


@pytest.mark.parametrize("size", [1, 31, 32, 63, 64, 1023, 1024, 1025, 5000])
def test_a_first_line_of_any_length_may_come_in_two_parts(place: Place, size: int) -> None:
    text = logbook.line(logbook.FIRST, 5100)
    place.write_bytes(text[:size])
    place.run()
    place.write_bytes(text[size:])
    place.write(1)

    coverage = place.run()

    assert place.counted() == once(0, 1)
    assert place.gaps(coverage) == []


def test_a_huge_line_is_passed_over_once(place: Place) -> None:
    place.write(0)
    place.write_bytes(b"x" * (10 * lines.LONGEST))
    place.run()
    place.write_bytes(b"\n")
    place.write(1)
    place.run()
    place.write(2)

    coverage = place.run()

    assert place.counted() == once(0, 1, 2)
    assert place.gaps(coverage) == []


def test_a_log_that_ends_with_a_huge_line_is_gone_on_with_behind_it(place: Place) -> None:
    place.write(0)
    place.run()
    place.write_bytes(b"x" * (3 * lines.LONGEST) + b"\n")
    place.run()
    place.write(1)

    coverage = place.run()

    assert place.counted() == once(0, 1)
    assert place.gaps(coverage) == []


@pytest.mark.parametrize("size", [1, 100, 5000, 3 * lines.LONGEST])
def test_nul_bytes_before_a_line_leave_the_line(place: Place, size: int) -> None:
    place.write_bytes(b"\0" * size)
    place.write(0)
    place.run()
    place.write_bytes(b"\0" * size)
    place.write(1)

    coverage = place.run()

    assert place.counted() == once(0, 1)
    assert place.gaps(coverage) == []


def test_nul_bytes_and_their_line_may_come_one_after_the_other(place: Place) -> None:
    place.write(0)
    place.run()
    place.write_bytes(b"\0" * (2 * lines.LONGEST))
    place.run()
    place.write(1)

    coverage = place.run()

    assert place.counted() == once(0, 1)
    assert place.gaps(coverage) == []


def test_lines_that_end_in_carriage_returns_are_counted(place: Place) -> None:
    for minute in (0, 1):
        place.write_bytes(logbook.line(logbook.FIRST + minute).replace(b"\n", b"\r\n"))

    place.run()

    assert place.counted() == once(0, 1)


def test_a_line_that_tells_of_repeats_may_come_a_run_later_than_the_line_it_means(
    place: Place,
) -> None:
    place.write(0)
    place.run()
    place.write_bytes(b"2026-03-01T00:01:00+00:00 mx1 last message repeated 3 times\n")

    place.run()

    assert place.counted() == {0: 1, 1: 3}


def test_bytes_that_are_no_utf8_stop_nothing(place: Place) -> None:
    place.write(0)
    place.write_bytes(b"\xff\xfe\xc3\x28 \xf0\x9f\n")
    place.write(1)

    coverage = place.run()

    assert place.counted() == once(0, 1)
    assert coverage.line_counts == LineCounts(lines=3, events=2, matched=2, unparsed=1)


def test_each_line_is_told_of_as_one_of_four(place: Place) -> None:
    place.write(0)
    place.write_bytes(
        b"2026-03-01T00:01:00+00:00 mx1 postfix/smtpd[2]: connect from unknown[192.0.2.1]\n"
        b"2026-03-01T00:01:00+00:00 mx1 dovecot: master: Dovecot v2.3.19.1 starting up\n"
        b"2026-03-01T00:01:00+00:00 mx1 dovecot: imap-login: Disconnected (auth failed, 5 attempts"
        b" in 9 secs): user=<x>, method=PLAIN, rip=192.0.2.1, lip=192.0.2.2\n"
        b"2026-03-01T00:01:00+00:00 mx1 CRON[3]: (root) CMD (true)\n"
        b"2026-03-01T00:01:00+00:00 mx1 sshd[4]: warning: unknown[192.0.2.1]: SASL LOGIN"
        b" authentication failed: x\n"
        b"2026-03-01T00:01:00+00:00 mx1 kernel: postfix/smtpd[2]: connect\n"
        b"2026-02-30T00:01:00+00:00 mx1 postfix/smtpd[2]: 4ABCDEF012: client=c.example[192.0.2.7]\n"
        b"# a remark\n"
        b"\n"
    )

    coverage = place.run()

    counted = coverage.line_counts
    assert counted == LineCounts(lines=10, events=7, matched=3, foreign=3, unparsed=3)
    assert counted.uncounted == 1


def test_a_compressed_archive_of_nothing_is_read(place: Place) -> None:
    place.write_bytes(b"", to=".1")
    place.compress(".1", ".gz")
    place.write(0)

    coverage = place.run()

    assert place.counted() == once(0)
    assert coverage.notes == []


def test_a_gz_of_several_members_is_one_generation(place: Place) -> None:
    place.write(0, 1, 2, 3)
    place.run()
    os.remove(place.log)
    os.remove(place.store)
    parts = [
        logbook.compressed(logbook.line(logbook.FIRST + minute, 900), ".gz") for minute in range(4)
    ]
    place.write_bytes(b"".join(parts) + b"\0" * 100, to=".1.gz")
    place.write(4)

    coverage = place.run()

    assert place.counted() == once(*range(5))
    assert coverage.notes == []


def test_a_file_that_is_not_what_its_name_says_is_noted(place: Place) -> None:
    place.write_bytes(b"plain text\n" * 100, to=".1.gz")
    place.write(0)

    coverage = place.run()

    assert place.counted() == once(0)
    assert coverage.notes == [
        f"{place.log}.1.gz: damaged (Error -3 while decompressing data: incorrect header check);"
        " restore it from a backup, or remove it"
    ]


@pytest.mark.parametrize("frame", [b"2026-03-01T00:03:60+00:00", b"2026-03-01T00:03:60.5Z"])
def test_a_leap_second_belongs_to_the_minute_that_it_ends(place: Place, frame: bytes) -> None:
    place.write(3, 4)
    place.write_bytes(frame + b" mx1 postfix/smtpd[1]: 00000000AB: client=c.example[192.0.2.7]\n")

    place.run()

    assert place.counted() == {3: 2, 4: 1}


def test_a_leap_second_without_a_year_belongs_to_the_minute_that_it_ends(place: Place) -> None:
    place.write_bytes(
        b"Mar  1 00:03:60 mx1 postfix/smtpd[1]: 00000000AB: client=c.example[192.0.2.7]\n"
    )

    place.run()

    assert place.counted() == once(3)


def test_a_repeat_after_a_run_repeats_the_whole_line_before_it_and_not_its_end(
    place: Place,
) -> None:
    """A stranger chooses how long a line is, and so what stands 1024 bytes before its end."""
    real = b"2026-03-01T00:01:00+00:00 mx1 postfix/smtpd[9]: warning: Illegal address syntax from x"
    forged = logbook.line(logbook.FIRST + 1, 1019)
    assert len(forged) == 1024
    place.write_bytes(real + b"a" * 900 + forged)
    place.run()
    place.write_bytes(b"2026-03-01T00:02:00+00:00 mx1 last message repeated 3 times\n")

    place.run()

    assert place.counted() == {}


@pytest.mark.parametrize("size", [10, 100, 1023, 1024, 2000])
def test_a_line_of_a_container_whose_parts_come_in_two_runs_counts_once(
    place: Place, size: int
) -> None:
    text = logbook.line(logbook.FIRST, 2100)
    place.write_bytes(b"2026-03-01T00:00:00.1Z stdout P " + text[:size] + b"\n")
    place.run()
    place.write_bytes(b"2026-03-01T00:00:00.1Z stdout F " + text[size:])

    place.run()

    assert place.counted() == once(0)


def test_a_file_of_journalctls_json_is_a_log_like_any_other(place: Place) -> None:
    """Of the whole machine's journal: others' entries, one without text, journalctl's remarks."""

    def entry(minute: int, tag: str | None, text: str | None) -> bytes:
        seconds = (logbook.FIRST + minute) * 60
        fields = {"__REALTIME_TIMESTAMP": f"{seconds}000001", "_HOSTNAME": "mx1", "MESSAGE": text}
        return json.dumps(fields | ({"SYSLOG_IDENTIFIER": tag} if tag else {})).encode() + b"\n"

    received = "64D05240927: client=c.example[192.0.2.7]"
    place.write_bytes(b"-- Boot 5c1f7a2b9d3e4f60718293a4b5c6d7e8 --\n" + entry(0, "kernel", "x"))
    place.write_bytes(entry(1, "postfix/smtpd", received) + entry(2, None, received))
    place.run()
    place.write_bytes(entry(2, "postfix/smtpd", None) + entry(3, "postfix/smtpd", received))

    coverage = place.run()

    assert place.counted() == once(1, 3)
    counted = coverage.line_counts
    assert (counted.lines, counted.events, counted.unparsed) == (6, 2, 0)
    assert (coverage.start, coverage.last) == (logbook.FIRST, logbook.FIRST + 3)


@pytest.mark.parametrize("rounds", [1, 2])
def test_the_second_round_of_a_repeated_hour_is_known_where_a_hole_ends(
    place: Place, monkeypatch: pytest.MonkeyPatch, rounds: int
) -> None:
    """Two o'clock came twice on 2025-10-26 in Berlin; the end of a big log is read first."""
    monkeypatch.setattr(piece, "PIECE_BYTES", 4000)
    first = 29_357_279  # 01:59 by the local clock
    texts = ["01:59", *[f"02:{minute:02}" for minute in range(60)] * rounds]
    minutes = range(first, first + len(texts))
    for text in texts:
        said = "mx1 postfix/smtpd[1]: 00000000AB: client=c.example[192.0.2.7]"
        place.write_bytes(f"Oct 26 {text}:00 {said}\n".encode())
    berlin = ZoneInfo("Europe/Berlin")
    now = (first + 200) * 60
    os.utime(place.log, (now, now))

    with Store(place.store, 5) as store:
        Ingest(store, place.log, berlin, now, now, 0, time.monotonic() + 60).run()

    assert logbook.counted(place.store) == dict.fromkeys(minutes, 1)


def test_a_log_that_begins_with_a_huge_hole_is_read(place: Place) -> None:
    size = 10**11
    with open(place.log, "wb") as file:
        file.truncate(size)
    place.write(*range(3))

    coverage = place.run(seconds=5)
    place.write(3)
    again = place.run(seconds=5)

    assert place.counted() == once(*range(4))
    assert (coverage.start, coverage.complete) == (FIRST, True)
    assert place.gaps(again) == []


@pytest.mark.heavy
def test_an_archive_of_zeros_does_not_keep_the_live_log_from_being_read(place: Place) -> None:
    zeros = bz2.compress(b"\0" * (300 * 2**20))
    place.write_bytes(zeros, to=".1.bz2")
    place.write_bytes(zeros, to=".2.bz2")
    place.write(0, 1)
    started = time.monotonic()

    coverage = place.run(seconds=2)

    assert time.monotonic() - started < 3
    assert place.counted() == once(0, 1)
    assert {note.partition(": ")[0] for note in coverage.notes} == {
        f"{place.log}.1.bz2", f"{place.log}.2.bz2",
    }  # fmt: skip


def test_two_short_logs_that_begin_alike_are_told_apart(place: Place) -> None:
    start = b"2026-03-01T00:00:00Z mx1 postfix/"  # 33 bytes
    for number, name in enumerate((".2", ".1", "")):
        place.write_bytes(
            start + b"smtpd[%d]: 00000000A%d: client=c[192.0.2.7]\n" % (1, number), name
        )
    place.write(1)

    place.run()

    assert place.counted() == {0: 3, 1: 1}


def test_two_short_logs_that_begin_alike_are_told_apart_a_run_later(place: Place) -> None:
    start = b"2026-03-01T00:00:00Z mx1 postfix/"
    for number in range(3):
        place.write_bytes(start + b"smtpd[1]: 00000000A%d: client=c[192.0.2.7]\n" % number)
        place.run()
        if number < 2:
            place.rename(f".{number}")

    place.run()

    assert place.counted() == {0: 3}


def test_a_gz_gets_a_member_as_long_as_what_was_counted(place: Place) -> None:
    place.write(*range(5))
    place.run()
    place.rename(".1")
    place.compress(".1", ".gz")
    more = b"".join(logbook.line(FIRST + minute) for minute in range(5, 10))
    place.write_bytes(logbook.compressed(more, ".gz"), to=".1.gz")
    place.write(10)

    place.run()

    assert place.counted() == once(*range(11))


OLD = [-300 * 24 * 60, -30 * 24 * 60, -25 * 60]


@pytest.mark.parametrize("minutes", [[old] * n for old in OLD for n in (1, 30)] + [[60], [600]])
def test_a_log_begins_where_its_times_settle(place: Place, minutes: list[int]) -> None:
    place.write(*minutes, *range(100))

    coverage = place.run(at=100)

    assert coverage.start == FIRST


def test_a_first_line_of_another_day_is_outvoted_when_more_lines_come(place: Place) -> None:
    place.write(60)
    before = place.run(at=1)
    place.write(0, 1, 2)

    coverage = place.run(at=3)

    assert before.start is not None
    assert coverage.start == FIRST


def test_archives_that_begin_with_an_old_line_are_read(place: Place) -> None:
    for name, first in ((".2", 0), (".1", 100)):
        place.write(-40 * 24 * 60 + first, *range(first, first + 100), to=name)
    place.write(*range(200, 300))

    coverage = place.run(at=300)

    counted = place.counted()
    assert {minute: counted[minute] for minute in counted if minute >= 0} == once(*range(300))
    assert place.gaps(coverage) == []
    assert coverage.start == FIRST
