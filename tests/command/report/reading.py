"""A report's reading of some lines, for tests."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, tzinfo

from check_postfix.command.report import addresses
from check_postfix.command.report.book import Book
from check_postfix.command.report.entries import Entries
from check_postfix.command.report.known import Known
from check_postfix.command.report.scan import Scan
from check_postfix.command.report.span import Span
from check_postfix.command.report.tally import MOST_NAMES, Shelf
from check_postfix.command.report.underway import MOST, Underway
from check_postfix.command.report.writer import Origins
from check_postfix.maillog.syntax.timestamps import Timestamps
from tests.support import corpus

ALWAYS = Span(0, 1 << 40)


def book_of(
    lines: list[bytes],
    *,
    span: Span = ALWAYS,
    zone: tzinfo = UTC,
    most_names: int = MOST_NAMES,
    most_messages: int = MOST,
    block: int = 500,
    with_sessions: bool = False,
    instance: bytes = b"",
) -> Book:
    """Return the finished book of some lines, read in blocks of so many."""
    book = Book(Shelf(most_names))
    underway = Underway(book.shelf, most_messages)
    entries = Entries(book, underway, span, zone, addresses.spelling())
    timestamps = Timestamps(zone, corpus.NOW)
    scan = Scan(timestamps, entries, Origins(), Known(), instance, with_sessions)
    for start in range(0, len(lines), block):
        scan.block(b"".join(b"\n" + line for line in lines[start : start + block]))
    entries.tidy()
    book.finish()
    return book


def counters(book: Book) -> Counter[str]:
    """Return how often each counter was counted."""
    numbers: Counter[str] = Counter()
    for of_hour in book.hours.values():
        numbers.update({name: number for name, number in of_hour.items() if number})
    return numbers
