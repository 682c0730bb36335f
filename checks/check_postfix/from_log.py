"""What the checks of the mail log share: their options, and how they get their window.

This is where the log meets the plugin: it brings the store up to the log, takes
the window out of it, and says what an administrator must know about both.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager

from check_postfix.maillog import logfile, places
from check_postfix.maillog.coverage import Coverage
from check_postfix.maillog.errors import DamagedStore, LogError, StoreError
from check_postfix.maillog.ingest import HOURS_OF_KEYS, Ingest
from check_postfix.maillog.store import Store, set_aside
from check_postfix.maillog.usual import usual
from check_postfix.maillog.window import Window
from check_postfix.plugin import Option, Remark, Source, Unknown, UsageError, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

LOG = Option(
    "--log",
    "mail log; its rotated generations are found beside it (default: where Postfix"
    " or syslog usually write)",
    metavar="PATH",
    repeatable=True,
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
)
AT = Option("--at", "the end of that time (default: now)", metavar="TIME")
TIMEZONE = Option(
    "--timezone",
    "where the log's stamps come from if they do not say (default: this machine's)",
    parse=values.zone,
    metavar="NAME",
)
HOST = Option("--host", "only lines of this host, as the log spells it", metavar="NAME")
INSTANCE = Option(
    "--instance",
    "only this Postfix instance (its syslog_name: postfix, postfix-out ...)",
    metavar="NAME",
)

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
    # Whole minutes; the one that is still running is the last.
    end = -(-int(at) // 60)
    begin = end - options.window // 60
    try:
        paths = options.log or [logfile.usual()]
        path = None if options.no_state else options.state or places.default_store()
        notes = []
        try:
            store = Store(path, options.timeout * _READING)
        except DamagedStore:
            assert path is not None  # memory is not damaged
            set_aside(path)
            notes.append("state file was damaged and is built again")
            store = Store(path, options.timeout * _READING)
        with store:
            coverage = _merged(
                [
                    Ingest(
                        store,
                        log,
                        options.timezone,
                        now,
                        min(now, at + _YEAR / 2) if options.no_state else now,
                        begin,
                        deadline,
                        keeps=not options.no_state,
                    ).run()
                    for log in paths
                ]
            )
            if path is not None and begin < int(now) // 60 - HOURS_OF_KEYS * 60:
                notes.append(f"clients and domains are kept for {HOURS_OF_KEYS} h only")
            streams = _streams(store, paths, options)
            yield Window(
                begin,
                end,
                store.totals(begin, end, streams),
                coverage,
                keys=lambda axis: store.keys(axis, begin, end, streams),
                usual=lambda counters: usual(
                    begin,
                    end,
                    options.timezone,
                    coverage,
                    lambda first, last: sum(
                        n for counter, n in store.totals(first, last, streams).items()
                        if counter in counters
                    ),
                ),
                notes=notes,
            )  # fmt: skip
    except (LogError, StoreError) as error:
        raise Unknown(str(error)) from None


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


def _streams(store: Store, paths: list[str], options: Namespace) -> list[int]:
    """Return the numbers of the streams that are judged.

    Raises: Unknown if the log has never told of such a host or instance
    """
    logs = [store.log(os.path.abspath(path)) for path in paths]
    known = [stream for log in logs if log for stream in store.streams(log)]
    for option, place in ((HOST, 1), (INSTANCE, 2)):
        wanted = getattr(options, option.name)
        if wanted is None:
            continue
        chosen = [stream for stream in known if stream[place] == wanted]
        if not chosen:
            there = sorted({str(stream[place]) for stream in known})
            raise Unknown(
                f"{option.flag} {wanted}: not in {', '.join(paths)};"
                f" there are {', '.join(there) or 'none'}"
            )
        known = chosen
    return [stream[0] for stream in known]


def _merged(parts: list[Coverage]) -> Coverage:
    """Return what several logs cover together."""
    begins = [part.begin for part in parts if part.begin is not None]
    return Coverage(
        begin=max(begins) if len(begins) == len(parts) else None,
        end=min(part.end for part in parts),
        last=max((part.last for part in parts if part.last is not None), default=None),
        complete=all(part.complete for part in parts),
        gaps=sorted(gap for part in parts for gap in part.gaps),
        lines=sum(part.lines for part in parts),
        events=sum(part.events for part in parts),
        unframed=sum(part.unframed for part in parts),
        notes=[note for part in parts for note in part.notes],
    )


def _remarks(window: Window) -> list[Remark]:
    """Return what must be known to understand the numbers."""
    coverage = window.coverage
    remarks = [Remark(note) for note in window.notes]
    if not coverage.lines:
        return [*remarks, Remark("the log is empty", unknown=True)]
    if coverage.unframed == coverage.lines:
        expected = "'Nov 24 16:43:26 mx postfix/smtp[123]: ...'"
        return [
            *remarks,
            Remark(
                f"none of {coverage.lines} log lines is understood; expected {expected}",
                unknown=True,
            ),
        ]
    if coverage.end < window.end:
        remarks.append(Remark(f"log read up to {_clock(coverage.end)} only", unknown=True))
    if coverage.begin is None or coverage.begin > window.begin:
        remarks.append(_begins_late(window))
    remarks += [
        Remark(f"log lines lost between {_clock(first)} and {_clock(last)}")
        for first, last in coverage.gaps
        if first < window.end and window.begin <= last
    ]
    if coverage.last is not None and coverage.last < window.begin:
        quiet = values.span((window.end - coverage.last) * 60)
        remarks.append(Remark(f"no log line for {quiet}"))
    return remarks


def _begins_late(window: Window) -> Remark:
    begin = window.coverage.begin
    if not window.coverage.complete:
        done = 0 if begin is None else max(0, window.end - begin)
        whole = window.end - window.begin
        return Remark(f"only {done} of {whole} min read yet, goes on next run", unknown=True)
    if begin is None or begin >= window.end:
        return Remark("the log has nothing of that time", unknown=True)
    return Remark(f"log begins {_clock(begin)}")


def _about(window: Window) -> list[str]:
    """Return what was read, for -vv."""
    coverage = window.coverage
    lines = [
        f"window {_clock(window.begin)} to {_clock(window.end)}",
        f"log: {coverage.lines} lines read, {coverage.events} events in them,"
        f" {coverage.unframed} lines not understood",
    ]
    if coverage.begin is not None:
        lines.append(f"log covered from {_clock(coverage.begin)} to {_clock(coverage.end)}")
    if coverage.last is not None:
        lag = values.span(max(0, window.end - 1 - coverage.last) * 60)
        lines.append(f"newest line {_clock(coverage.last)}, {lag} before the window's end")
    if not coverage.complete:
        lines.append("older generations are still to be read, which goes on in the next runs")
    lines += [
        f"gap: lines lost between {_clock(first)} and {_clock(last)}"
        for first, last in coverage.gaps
    ]
    return [*lines, *coverage.notes]


def _clock(minute: int) -> str:
    """Return a minute in this machine's local time, with the date if that is another day."""
    local = time.localtime(minute * 60)
    today = local[:3] == time.localtime()[:3]
    return time.strftime("%H:%M" if today else "%Y-%m-%d %H:%M", local)


FROM_LOG = Source(
    options=[LOG, STATE, NO_STATE, WINDOW, AT, TIMEZONE, HOST, INSTANCE],
    open=_open,
    remarks=_remarks,
    about=_about,
)
