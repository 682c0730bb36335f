"""What the checks of the mail log share: their options, and how they get their window.

This is where the log meets the plugin: it brings the store up to the log, takes
the window out of it, and says what an administrator must know about both.
"""

from __future__ import annotations

import os
import time
from contextlib import ExitStack, contextmanager

from check_postfix.maillog.counts import pseudonym
from check_postfix.maillog.counts.account import Accounts
from check_postfix.maillog.counts.messages import (
    ABORTED,
    ACCEPTED,
    BYTES_DELIVERED,
    BYTES_RECEIVED,
    RECIPIENTS_SUBMITTED,
)
from check_postfix.maillog.errors import DamagedStore, LogError, StoreError
from check_postfix.maillog.ingest.progress import Progress
from check_postfix.maillog.source import archives
from check_postfix.maillog.source.line_counts import LineCounts
from check_postfix.maillog.store import location
from check_postfix.maillog.store.retention import Retention
from check_postfix.maillog.store.store import JOURNAL, Store, set_aside
from check_postfix.maillog.window.coverage import Coverage
from check_postfix.maillog.window.usual import usual
from check_postfix.maillog.window.window import Window
from check_postfix.plugin import Label, Option, Remark, Source, Unknown, UsageError, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterator

    from check_postfix.plugin import Metric

LOG = Option(
    "--log",
    "mail log; its rotated generations are found beside it (default: where Postfix"
    " or syslog usually write)",
    metavar="PATH",
    repeatable=True,
    series="log",
)
ARCHIVES = Option(
    "--archives",
    "directory where rotated generations lie, as logrotate's olddir says (default: beside the"
    f" log, and in {', '.join(archives.USUAL_ARCHIVES)} there)",
    parse=os.path.abspath,
    metavar="DIR",
    repeatable=True,
)
FROM_JOURNAL = Option(
    "--journal",
    "read the systemd journal, beside what --log names (default: if there is a journal"
    " and no log file)",
    switch=True,
)
STATE = Option(
    "--state",
    "file that keeps counts and positions, shared by all checks (default: in"
    " /var/lib/check_postfix or the user's home)",
    metavar="PATH",
)
NO_STATE = Option(
    "--no-state",
    "read the log afresh and remember nothing: for old or foreign logs",
    switch=True,
)
WINDOW = Option(
    "--window",
    "how much time is judged",
    default="15m",
    parse=values.window,
    metavar="DURATION",
    series="window_seconds",
)
AT = Option("--at", "the end of that time (default: now)", metavar="TIME")
TIMEZONE = Option(
    "--timezone",
    "where the log's stamps come from if they do not say (default: this machine's)",
    parse=values.zone,
    metavar="NAME",
)
HOST = Option(
    "--host", "only lines of this host, as the log spells it", metavar="NAME", series="host"
)
INSTANCE = Option(
    "--instance",
    "only this Postfix instance (its syslog_name: postfix, postfix-out ...)",
    metavar="NAME",
    series="postfix_instance",
)
KEEP_TOTALS = Option(
    "--keep-totals",
    "how long sums are kept; the usual level needs 28 days; every check of one state"
    " should be given the same",
    default="30d",
    parse=values.window,
    metavar="DURATION",
)
KEEP_KEYS = Option(
    "--keep-keys",
    "how long is kept what may belong to a person or company: client addresses and names,"
    " pseudonyms of accounts, recipient domains and relays",
    default="48h",
    parse=values.window,
    metavar="DURATION",
)
ANONYMISE = Option(
    "--anonymise",
    "show pseudonyms for client addresses, domains and relays, the same ones as long as the"
    " state file lives; those of accounts are shown anyway",
    switch=True,
)

GAPS = Label("gaps", "stretches of the window whose log lines were destroyed before they were read")

# A stamp without a year in a foreign log means the year nearest to --at.
_YEAR = 365 * 86400

# Of the timeout, what may be spent on waiting and reading; judging is quick.
_READING = 0.8


@contextmanager
def _open(options: Namespace) -> Iterator[Window]:
    """Bring the store up to the log and give the window that the options ask for.

    Raises: Unknown
    """
    now = time.time()
    deadline = time.monotonic() + options.timeout * _READING
    at = _at(options, now)
    # Whole minutes; the one that is still running is the last, from its first instant.
    end = int(now) // 60 + 1 if options.at is None else -(-int(at) // 60)
    start = end - options.window // 60
    retention = Retention(options.keep_totals // 60, options.keep_keys // 60)
    oldest = 0 if options.no_state else int(now) // 60 - retention.totals
    if not options.no_state and start < oldest:
        raise UsageError(
            f"the window begins more than {values.span(options.keep_totals)} ago, which counts are"
            " not kept for; read the log afresh with --no-state"
        )

    def read(store: Store) -> Coverage:
        latest = min(now, at + _YEAR / 2) if options.no_state else now
        parts = [
            _read_file(store, path, options, now, latest, start, deadline, retention)
            for path in paths
            if path != JOURNAL
        ]
        if JOURNAL in paths:
            parts.append(
                _read_journal(store, now, start, end, deadline, not options.no_state, retention)
            )
        if not options.no_state:
            # Where nothing new is logged, nothing old is forgotten otherwise.
            oldest_keys = int(now) // 60 - retention.keys
            if store.is_overdue(oldest, oldest_keys):
                with store.transaction():
                    store.forget(oldest, oldest_keys)
        return _merged(parts, oldest)

    path = None
    try:
        paths = _paths(options)
        path = None if options.no_state else options.state or location.default_store()
        notes = []
        with ExitStack() as opened:
            for tries_left in (2, 1, 0):  # other runs may be setting it aside just now
                try:
                    store = opened.enter_context(Store(path, options.timeout * _READING))
                    if store.was_older:
                        notes.append("state file was of an older version and is built again")
                    coverage = read(store)
                    break
                except DamagedStore:
                    if not tries_left:
                        raise
                    if _set_aside(path):
                        notes.append("state file was damaged and is built again")
            if path is not None and start < int(now) // 60 - retention.keys:
                kept = values.span(options.keep_keys)
                notes.append(f"clients and domains are kept for {kept} only")
            origins = _origins(store, paths, options)
            yield Window(
                start,
                end,
                store.totals(start, end, origins),
                coverage,
                keys=lambda family: store.keys(family, start, end, origins),
                messages=lambda family, kinds, minutes: store.messages(
                    family, kinds, start, end, origins, start - minutes
                ),
                usual=lambda counters: usual(
                    start,
                    end,
                    options.timezone,
                    coverage,
                    lambda first, last: sum(
                        n for counter, n in store.totals(first, last, origins).items()
                        if counter in counters
                    ),
                ),
                notes=notes,
                usual_of=lambda family, choice: usual(
                    start,
                    end,
                    options.timezone,
                    coverage.since(int(now) // 60 - retention.keys),
                    lambda first, last: sum(
                        n for key, n in store.keys(family, first, last, origins)
                        if choice(family, key)
                    ),
                ),
                name=_pseudonyms(store.key) if options.anonymise else lambda _, value: value,
                account=lambda name: Accounts(store.key).pseudonym(name.encode()),
            )  # fmt: skip
    except DamagedStore as error:  # seen only when the counts were looked at
        done = "it is set aside, and built again by" if _set_aside(path) else "see what is said by"
        raise Unknown(f"{error}; {done} the next run") from None
    except (LogError, StoreError) as error:
        raise Unknown(str(error)) from None


def _paths(options: Namespace) -> list[str]:
    """Return the logs to read.

    Raises: LogError; UsageError if one of them would be read twice
    """
    if options.journal and not options.log:
        return [JOURNAL]
    if not options.log:
        return [_usual()]
    paths = list(dict.fromkeys(map(os.path.abspath, options.log)))
    if len(paths) > 1:
        for path in paths:
            for archive in archives.of(path, options.archives):
                if archive.path in paths:
                    raise UsageError(
                        f"--log {archive.path}: is a rotated generation of {path} and read with it;"
                        " leave it out"
                    )
    return [*paths, JOURNAL] if options.journal else paths


def _usual() -> str:
    """Return the log to read when none is named.

    Raises: LogError
    """
    try:
        return archives.usual_log()
    except LogError:
        from check_postfix.maillog.source import journalctl

        if not journalctl.has_journal():
            raise
        return JOURNAL


def _read_file(
    store: Store, path: str, options: Namespace, now: float, latest: float, start: int,
    deadline: float, retention: Retention,
) -> Coverage:  # fmt: skip
    standing = Progress(store, path, int(now) // 60, options.archives)
    log = standing.log()
    if log and standing.is_all_read(log):
        return standing.coverage(log)
    # Costs a third of a run, and a run with nothing new needs none of it.
    from check_postfix.maillog.ingest.ingest import Ingest

    return Ingest(
        store, path, options.timezone, now, latest, start, deadline,
        keeps=not options.no_state, retention=retention, archives=options.archives,
    ).run()  # fmt: skip


def _read_journal(
    store: Store, now: float, start: int, end: int, deadline: float, keeps: bool,
    retention: Retention,
) -> Coverage:  # fmt: skip
    # It starts a program, which most runs have no need of.
    from check_postfix.maillog.ingest.journal import Journal

    return Journal(store, now, start, end, deadline, keeps, retention).run()


def _pseudonyms(secret: bytes) -> Callable[[str, str], str]:
    return lambda field, value: pseudonym.of(secret, field, value)


def _set_aside(path: str | None) -> bool:
    """Put a damaged store out of the way; tell whether it was this run that did."""
    assert path is not None  # memory is not damaged
    try:
        return set_aside(path) is not None
    except FileNotFoundError:  # another run was quicker
        return False
    except OSError as error:
        raise Unknown(
            f"{path}: is damaged and cannot be renamed: {(error.strerror or '').lower()};"
            " remove it, it will be built again from the log"
        ) from None


def _at(options: Namespace, now: float) -> float:
    if options.at is None:
        return now
    try:
        at = values.moment(options.at, options.timezone).timestamp()
    except ValueError as error:
        raise UsageError(f"--at {options.at}: {error}") from None
    if at > now:
        raise UsageError(f"--at {options.at}: lies in the future; leave --at out to judge now")
    return at


def _origins(store: Store, paths: list[str], options: Namespace) -> list[int]:
    """Return the numbers of the streams that are judged.

    Raises: Unknown if the log has never told of such a host or instance
    """
    logs = [store.log(path) for path in paths]
    known = [origin for log in logs if log for origin in store.origins(log)]
    for option, place in ((HOST, 1), (INSTANCE, 2)):
        wanted = getattr(options, option.name)
        if wanted is None:
            continue
        count_matching = [origin for origin in known if origin[place] == wanted]
        if not count_matching:
            there = sorted({str(origin[place]) for origin in known})
            raise Unknown(
                f"{option.flag} {wanted}: not in {', '.join(paths)};"
                f" there are {', '.join(there) or 'none'}"
            )
        known = count_matching
    return [origin[0] for origin in known]


def _merged(parts: list[Coverage], oldest: int) -> Coverage:
    """Return what several logs cover together.

    oldest: minute before which no counts are kept
    """
    first_minute = [part.start for part in parts if part.start is not None]
    return Coverage(
        start=max(*first_minute, oldest) if len(first_minute) == len(parts) else None,
        end=min(part.end for part in parts),
        last=max((part.last for part in parts if part.last is not None), default=None),
        complete=all(part.complete for part in parts),
        gaps=sorted(gap for part in parts for gap in part.gaps),
        line_counts=sum((part.line_counts for part in parts), LineCounts()),
        notes=[note for part in parts for note in part.notes],
    )


def _measure(window: Window) -> list[Metric]:
    return [GAPS.of(len(window.coverage.gaps_in(window.start, window.end)))]


def _remarks(window: Window) -> list[Remark]:
    """Return what must be known to understand the numbers."""
    coverage, lines = window.coverage, window.coverage.line_counts
    remarks = [Remark(note) for note in window.notes]
    if not lines.lines:
        return [*remarks, Remark("the log is empty", unknown=True)]
    if lines.unparsed + lines.foreign == lines.lines:
        expected = "'Nov 24 16:43:26 mx postfix/smtp[123]: ...'"
        missing = "Postfix's" if lines.foreign else "understood"
        return [
            *remarks,
            Remark(
                f"none of {lines.lines} log lines is {missing}; expected {expected}",
                unknown=True,
            ),
        ]
    if not lines.events:
        remarks.append(Remark(f"no line about mail among {lines.lines} log lines"))
    end = window.end
    if coverage.end < end:
        remarks.append(
            Remark(f"log read up to {_local_time(coverage.end, end)} only", unknown=True)
        )
    if coverage.start is None or coverage.start > window.start:
        remarks.append(_starts_late(window))
    remarks += [
        Remark(f"log lines lost between {_local_time(first, end)} and {_local_time(last, end)}")
        for first, last in coverage.gaps_in(window.start, end)
    ]
    if coverage.last is not None and coverage.last < window.start:
        remarks.append(Remark(f"no log line for {values.span((end - coverage.last) * 60)}"))
    return remarks


def _starts_late(window: Window) -> Remark:
    start = window.coverage.start
    if not window.coverage.complete:
        done = 0 if start is None else max(0, window.end - start)
        whole = window.end - window.start
        return Remark(f"only {done} of {whole} min read yet, goes on next run", unknown=True)
    if start is None or start >= window.end:
        return Remark("the log has nothing of that time", unknown=True)
    return Remark(f"log begins {_local_time(start, window.end)}")


def _about(window: Window, _: Namespace) -> list[str]:
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


def _local_time(minute: int, beside: int | None = None) -> str:
    """Return a minute in this machine's local time.

    beside: a minute on whose day the date goes without saying
    """
    local = time.localtime(minute * 60)
    same_day = beside is not None and local[:3] == time.localtime(beside * 60)[:3]
    return time.strftime("%H:%M" if same_day else "%Y-%m-%d %H:%M", local)


FROM_LOG = Source(
    options=[
        LOG,
        ARCHIVES,
        FROM_JOURNAL,
        STATE,
        NO_STATE,
        WINDOW,
        AT,
        TIMEZONE,
        HOST,
        INSTANCE,
        KEEP_TOTALS,
        KEEP_KEYS,
        ANONYMISE,
    ],
    open=_open,
    measure=_measure,
    labels=[GAPS],
    remarks=_remarks,
    about=_about,
)
