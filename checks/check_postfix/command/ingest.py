"""postfix-log ingest: read what of the log is not read yet, however long that takes.

A check reads for its ten seconds and leaves the rest to the next run. This goes on to the end.
What was read is kept after each piece, so Ctrl-C loses nothing.
"""

from __future__ import annotations

import time

from check_postfix.command import declared, state
from check_postfix.command.jobs import JOBS
from check_postfix.command.meter import Meter
from check_postfix.common.log_options import (
    ARCHIVES,
    FROM_JOURNAL,
    JOURNAL_MATCH,
    KEEP_KEYS,
    KEEP_TOTALS,
    LOG,
    MAX_SILENCE,
    STATE,
    TIMEZONE,
)
from check_postfix.common.log_remarks import local_time
from check_postfix.common.opened_store import OpenedStore
from check_postfix.common.span import AskedSpan
from check_postfix.maillog.store.retention import USUAL
from check_postfix.plugin import values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Generator

    from check_postfix.maillog.window.coverage import Coverage

NOT_READ = 3
# Seconds that are read at a time, before progress is told; and by several processes, which begin
# anew each time.
_STEP = 2
_STEP_TOGETHER = 5
# After so many steps that have brought nothing, nothing more will.
_PATIENCE = 3
_OPTIONS = (
    LOG, ARCHIVES, FROM_JOURNAL, JOURNAL_MATCH, STATE, TIMEZONE, KEEP_TOTALS, KEEP_KEYS,
)  # fmt: skip
_MEGABYTE = 1_000_000

HELP = "read into the state file what of the log is not read yet"
DESCRIPTION = """\
Read what of the log is not read yet, back to the oldest that is kept, into the state file that
the checks share. They would do so themselves, a few seconds in each run.
"""
EPILOG = """\
Run it as the user that the checks run as, or as root. Ctrl-C loses nothing: what is read so far
is kept. On a busy mail server, nice and --jobs 1 leave the most to others.
exit codes: 0 all is read, 2 wrong usage, 3 something could not be read.

examples:
  postfix-log ingest
      after installing, so that the first alarm knows what is usual
  postfix-log ingest --archives /srv/old-logs
      with rotated generations that lie elsewhere
"""


class _Left:
    """What is left, for whoever ends it."""

    words = "nothing was read yet"


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what may be written after the subcommand."""
    for option in _OPTIONS:
        declared.add(parser, option)
    declared.add(parser, JOBS)


def left() -> str:
    """Return what is left to do when it is ended before its end."""
    return f"what is read is kept; {_Left.words}; run it again to go on"


def run(options: Namespace) -> Generator[str, None, int]:
    """Yield what is to be printed, and return the exit code.

    Raises: UsageError, LogError, StoreError
    """
    given = declared.values(options, (*_OPTIONS, JOBS))
    for name, value in (
        ("max_silence", MAX_SILENCE.value(MAX_SILENCE.default or "")),
        ("window", given.keep_totals or USUAL.totals * 60),
        ("at", None),
        ("no_state", False),
        ("host", None),
        ("instance", None),
        ("anonymise", False),
    ):
        setattr(given, name, value)
    step = _STEP if given.jobs == 1 else _STEP_TOGETHER
    path = state.path_of(options)
    before: tuple[object, ...] = ()
    idle = 0
    with _StoreMeter() as meter:
        while True:
            span = AskedSpan(given, time.time())
            with OpenedStore(path, given, span, time.monotonic() + step, given.jobs) as opened:
                coverage = opened.coverage
                bytes_left = opened.bytes_left()
                logs = opened.names()
            now = coverage.start, coverage.line_counts.lines, bytes_left
            idle = idle + 1 if now == before else 0
            before = now
            if coverage.complete or idle >= _PATIENCE:
                break
            meter.read(coverage, bytes_left)
    yield f"{', '.join(logs)}: {_told(coverage)}"
    # That keys are kept for less time than sums is no news here.
    notes = [note for note in opened.notes if not note.startswith("clients and domains are kept")]
    for note in dict.fromkeys([*coverage.notes, *notes]):
        yield f"-- {note}"
    if not coverage.complete:
        yield f"-- not read: about {values.amount(bytes_left, 'byte')} of older files"
    return NOT_READ if coverage.unread or not coverage.complete else 0


def _told(coverage: Coverage) -> str:
    counts = coverage.line_counts
    if coverage.start is None:
        return coverage.absence or "no line of Postfix or Dovecot"
    return (
        f"read from {local_time(coverage.start)} to {local_time(coverage.end - 1)},"
        f" {values.amount(counts.lines, 'line')}, {values.amount(counts.events, 'event')}"
    )


class _StoreMeter(Meter):
    """Tells how far the logs are read."""

    def __init__(self) -> None:
        super().__init__()
        self._first_left: int | None = None

    def read(self, coverage: Coverage, left: int) -> None:
        """Tell it; keep what is left for whoever ends it now."""
        _Left.words = f"about {left // _MEGABYTE + 1} MB are left"
        if self._first_left is None:
            self._first_left = left
            self.started = time.monotonic()
            return
        spent = time.monotonic() - self.started
        rate = (self._first_left - left) / spent if spent else 0
        back = "" if coverage.start is None else f", back to {local_time(coverage.start)}"
        remains = f", {values.span(left / rate)} left" if rate > 0 else ""
        self.tell(
            f"{values.amount(coverage.line_counts.lines, 'line')}{back};"
            f" {left // _MEGABYTE} MB to read, {rate / _MEGABYTE:.0f} MB/s{remains}"
        )
