"""What was read of the log, for -vv."""

from __future__ import annotations

from check_postfix.common import not_understood
from check_postfix.common.log_remarks import local_time
from check_postfix.maillog.counts.message_sums import (
    ABORTED,
    ACCEPTED,
    BYTES_DELIVERED,
    BYTES_RECEIVED,
    RECIPIENTS_SUBMITTED,
)
from check_postfix.plugin import values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from check_postfix.maillog.window.window import Window


def about(window: Window) -> list[str]:
    """Return what was read of the log, and how much mail it tells of."""
    coverage, end, counted = window.coverage, window.end, window.coverage.line_counts
    lines = [
        f"window {local_time(window.start)} to {local_time(end, window.start)}",
        f"log: {values.amount(counted.lines, 'line')} read: {counted.matched} with"
        f" {values.amount(counted.events, 'event')},"
        f" {counted.uncounted} of Postfix or Dovecot without, {counted.foreign} of other programs,"
        f" {counted.unparsed} not understood",
    ]
    lines += not_understood.lines(window)
    lines += _volume(window)
    if coverage.start is not None:
        covered = min(coverage.end, end)
        lines.append(
            f"log covered from {local_time(coverage.start, end)} to {local_time(covered, end)}"
        )
    if coverage.last is not None:
        lag = values.span(max(0, end - 1 - coverage.last) * 60)
        lines.append(f"newest line {local_time(coverage.last, end)}, {lag} before the window's end")
    if window.silence is not None and window.silence.is_ordinary:
        lines.append("a silence as long as on an earlier day at this time")
    if not coverage.complete:
        lines.append("older generations are still to be read, which goes on in the next runs")
    lines += [
        f"gap: lines lost between {local_time(first, end)} and {local_time(last, end)}"
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
