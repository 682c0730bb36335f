"""postfix-log status: what the state file holds, covers and weighs."""

from __future__ import annotations

import os
import time

from check_postfix import user
from check_postfix.command import columns, declared, state
from check_postfix.command.text import clean
from check_postfix.common.log_options import STATE
from check_postfix.common.log_remarks import local_time
from check_postfix.maillog.errors import LogError
from check_postfix.maillog.ingest.progress import Progress
from check_postfix.maillog.store import contents, location, read_files, retention
from check_postfix.maillog.store.retention import USUAL
from check_postfix.maillog.store.schema import ASIDE
from check_postfix.plugin import values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Generator, Iterator

    from check_postfix.maillog.store.contents import Contents, Kept
    from check_postfix.maillog.store.logs import Log
    from check_postfix.maillog.store.store import Store
    from check_postfix.maillog.window.coverage import Coverage

NOTHING_FOUND, NOT_READ = 1, 3
# Hosts and instances, and files, that are told one by one
_MOST = 20
# Minutes; the clock is looked at by each run that writes.
_OFTEN = 60

HELP = "say what the state file holds, covers and weighs"
DESCRIPTION = """\
Say what the state file holds that all checks of a user share: which logs are read, from when and
up to when, what is missing, how much is kept and for how long. Nothing is changed.
"""
EPILOG = """\
exit codes: 0 said, 1 nothing is kept yet, 2 wrong usage, 3 it, or a log, could not be read.

examples:
  postfix-log status
      of this user's state file, or that of the package's user
  postfix-log status --state /var/lib/check_postfix/maillog.sqlite3
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what may be written after the subcommand."""
    declared.add(parser, STATE)


def run(options: Namespace) -> Generator[str, None, int]:
    """Yield what is to be printed, and return the exit code.

    Raises: StoreError
    """
    path = state.path_of(options)
    if state.is_missing(path):
        yield f"{path}: nothing is kept yet: no check has run as {user.me()}"
        yield from _elsewhere(options, path)
        return NOTHING_FOUND
    with state.opened(path) as store:
        holds = contents.of(store)
        yield from _file(path, holds, store)
        yield from _elsewhere(options, path)
        status = 0
        for log in store.logs.all():
            yield ""
            lines, is_read = _log(store, log)
            yield from lines
            status = status if is_read else NOT_READ
        yield ""
        yield from _kept(holds)
    return status


def _file(path: str, holds: Contents, store: Store) -> Iterator[str]:
    whole = os.stat(path).st_size
    kept = retention.kept(store) or USUAL
    yield f"state: {path}, {values.amount(whole, 'byte')}, {holds.free} of them free"
    if os.path.lexists(path + ASIDE):
        yield f"  a damaged one was set aside: {path}{ASIDE}"
    yield (
        f"kept: sums for {values.span(kept.totals * 60)},"
        f" clients and domains for {values.span(kept.keys * 60)}"
    )
    now = int(time.time()) // 60
    if holds.trusted is not None and now - holds.trusted > _OFTEN:
        yield f"  this machine's clock is believed up to {local_time(holds.trusted)}"


def _elsewhere(options: Namespace, path: str) -> Iterator[str]:
    """Yield where the monitoring's checks keep theirs, if this is only that of this user."""
    is_own = os.path.dirname(path) != location.SHARED
    if options.state is None and is_own and os.path.isdir(location.SHARED):
        yield (
            f"  {user.me()}'s own; what the monitoring's checks keep is in"
            f" {location.SHARED}: as root: postfix-log status"
        )


def _log(store: Store, log: Log) -> tuple[list[str], bool]:
    """Return what is to be said of a log, and whether it can be read."""
    name = clean(log.path.encode("utf-8", "replace"))
    if not log.path.startswith("/"):
        return [f"the {name}:", *_journal(store, log), *_origins(store, log)], True
    try:
        progress = Progress(store, log.path, int(time.time()) // 60)
        progress.files(store.seen(log))  # which says why, where there are none
        coverage = progress.coverage(log)
    except LogError as error:
        return [f"{name}: {error}"], False
    lines = [f"{name}:", *_coverage(coverage)]
    if log.zone:
        lines.append(f"  stamps without a zone are read as {log.zone}")
    left = read_files.unread(store, log)
    for file, size in left[:_MOST]:
        shown = clean(file.path.encode("utf-8", "replace"))
        lines.append(f"  not read yet: {shown}, about {values.amount(size, 'byte')}")
    if len(left) > _MOST:
        lines.append(f"  not read yet: {values.amount(len(left) - _MOST, 'more file')}")
    if log.backlog:
        lines.append("  to read it now: postfix-log ingest")
    lines += [f"  {note}" for note in coverage.notes]
    return [*lines, *_origins(store, log)], not coverage.notes


def _coverage(coverage: Coverage) -> list[str]:
    if coverage.start is None:
        return [f"  {coverage.absence or 'nothing of it is read yet'}"]
    lines = [
        f"  read from {local_time(coverage.start)} to {local_time(coverage.end - 1)}"
        + ("" if coverage.complete else "; older files are still to be read")
    ]
    if coverage.last is not None:
        lines.append(f"  newest line, of whatever program, {local_time(coverage.last)}")
    lines += [
        f"  lines were lost between {local_time(first)} and {local_time(last)}"
        for first, last in coverage.gaps
    ]
    counts = coverage.line_counts
    return [
        *lines,
        f"  {values.amount(counts.lines, 'line')}: {counts.matched} with"
        f" {values.amount(counts.events, 'event')},"
        f" {counts.uncounted} of Postfix or Dovecot without, {counts.foreign} of other programs,"
        f" {counts.unparsed} not understood",
    ]


def _journal(store: Store, log: Log) -> Iterator[str]:
    for span in store.journal_spans.of(log)[:_MOST]:
        yield (
            f"  read from {local_time(span.first_minute)} to {local_time(span.last)},"
            f" {values.amount(span.line_counts.lines, 'entry', 'entries')}"
        )


def _origins(store: Store, log: Log) -> Iterator[str]:
    told = [each for each in store.origins.of(log) if each[1] or each[2]]
    for _, host, instance, last in told[:_MOST]:
        newest = "" if last is None else f", newest line {local_time(last)}"
        name = clean(f"{instance} on {host}".encode())
        yield f"  from {name}{newest}"
    if len(told) > _MOST:
        yield f"  and from {len(told) - _MOST} more"


def _kept(holds: Contents) -> Iterator[str]:
    rows = [
        ("minutes with sums", holds.totals),
        *((f"keys of {family}", kept) for family, kept in holds.keys.items()),
        ("messages that wait for the rest of their lines", holds.pending),
    ]
    yield from columns.table(
        ("number", "oldest", "newest", "what is kept"),
        [(kept.number, _time(kept.first), _time(kept.last), what) for what, kept in rows],
    )
    yield ""
    yield _runs(holds.runs)


def _runs(runs: Kept) -> str:
    if runs.last is None:
        return "no check has run on it yet"
    number = values.amount(runs.number, "check or set of options", "checks or sets of options")
    verb = "runs" if runs.number == 1 else "run"
    return f"{number} {verb} on it; the last one at {local_time(runs.last - 1)} or a little later"


def _time(minute: int | None) -> str:
    return "-" if minute is None else local_time(minute)
