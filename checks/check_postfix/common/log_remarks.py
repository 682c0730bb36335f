"""What is said of the log itself: remarks in the first line, and what was read, with -vv."""

from __future__ import annotations

import time

from check_postfix.maillog.counts.messages import (
    ABORTED,
    ACCEPTED,
    BYTES_DELIVERED,
    BYTES_RECEIVED,
    RECIPIENTS_SUBMITTED,
)
from check_postfix.plugin import Remark, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from check_postfix.maillog.window.window import Window


def remarks(window: Window) -> list[Remark]:
    """Return what must be known to understand the numbers."""
    coverage, lines = window.coverage, window.coverage.line_counts
    said = [Remark(note) for note in window.notes]
    if not lines.lines:
        return [*said, Remark("the log is empty", unknown=True)]
    if lines.unparsed + lines.foreign == lines.lines:
        expected = "'Nov 24 16:43:26 mx postfix/smtp[123]: ...'"
        missing = "Postfix's" if lines.foreign else "understood"
        return [
            *said,
            Remark(
                f"none of {lines.lines} log lines is {missing}; expected {expected}",
                unknown=True,
            ),
        ]
    if not lines.events:
        said.append(Remark(f"no line about mail among {lines.lines} log lines"))
    end = window.end
    if coverage.end < end:
        said.append(Remark(f"log read up to {_local_time(coverage.end, end)} only", unknown=True))
    if coverage.start is None or coverage.start > window.start:
        said.append(_starts_late(window))
    said += [
        Remark(f"log lines lost between {_local_time(first, end)} and {_local_time(last, end)}")
        for first, last in coverage.gaps_in(window.start, end)
    ]
    if coverage.last is not None and coverage.last < window.start:
        said.append(Remark(f"no log line for {values.span((end - coverage.last) * 60)}"))
    return said


def _starts_late(window: Window) -> Remark:
    start = window.coverage.start
    if not window.coverage.complete:
        done = 0 if start is None else max(0, window.end - start)
        whole = window.end - window.start
        return Remark(f"only {done} of {whole} min read yet, goes on next run", unknown=True)
    if start is None or start >= window.end:
        return Remark("the log has nothing of that time", unknown=True)
    return Remark(f"log begins {_local_time(start, window.end)}")


def about(window: Window, _: Namespace) -> list[str]:
    """Return what was read, for -vv."""
    coverage, end, counted = window.coverage, window.end, window.coverage.line_counts
    lines = [
        f"window {_local_time(window.start)} to {_local_time(end, window.start)}",
        f"log: {counted.lines} lines read: {counted.matched} with {counted.events} events,"
        f" {counted.uncounted} of Postfix or Dovecot without, {counted.foreign} of other programs,"
        f" {counted.unparsed} not understood",
    ]
    lines += _volume(window)
    if coverage.start is not None:
        covered = min(coverage.end, end)
        lines.append(
            f"log covered from {_local_time(coverage.start, end)} to {_local_time(covered, end)}"
        )
    if coverage.last is not None:
        lag = values.span(max(0, end - 1 - coverage.last) * 60)
        lines.append(
            f"newest line {_local_time(coverage.last, end)}, {lag} before the window's end"
        )
    if not coverage.complete:
        lines.append("older generations are still to be read, which goes on in the next runs")
    lines += [
        f"gap: lines lost between {_local_time(first, end)} and {_local_time(last, end)}"
        for first, last in coverage.gaps
    ]
    return [*lines, *coverage.notes]


def _volume(window: Window) -> list[str]:
    """Return how much mail there was."""
    count = window.count
    lines = [
        f"mail accepted: {values.amount(count(ACCEPTED), 'message')}"
        f" of {values.amount(count(BYTES_RECEIVED), 'byte')}, {count('submission')} submitted"
        f" for {values.amount(count(RECIPIENTS_SUBMITTED), 'recipient')}, {count(ABORTED)} aborted",
        f"mail delivered: {values.amount(count(BYTES_DELIVERED), 'byte')}"
        f" to {values.amount(count('sent'), 'recipient')}",
    ]
    if unknown := window.lines_of_unknown_messages:
        told = values.amount(unknown, "line")
        lines.append(f"{told} about messages not kept apart, each counted as one message")
    return lines


def _local_time(minute: int, known: int | None = None) -> str:
    """Return a minute in this machine's local time.

    known: a minute; on its day the date is left out
    """
    local = time.localtime(minute * 60)
    same_day = known is not None and local[:3] == time.localtime(known * 60)[:3]
    return time.strftime("%H:%M" if same_day else "%Y-%m-%d %H:%M", local)
