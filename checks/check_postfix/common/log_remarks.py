"""Remarks: what the first line says of the log itself."""

from __future__ import annotations

import time

from check_postfix.common import not_understood
from check_postfix.maillog.counts.families import MANY, STAMPS_OFF
from check_postfix.maillog.window import clock_offset
from check_postfix.plugin import Remark, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from check_postfix.maillog.source.line_counts import LineCounts
    from check_postfix.maillog.window.coverage import Coverage
    from check_postfix.maillog.window.silence import Silence
    from check_postfix.maillog.window.window import Window

# Exit codes where the log itself is judged: of what keeps all checks from judging, and of what
# is wrong with it, or may soon be over
_BLIND, _TROUBLED = 2, 1
# How far back runs are counted that saw the stamps of daemons off.
_PROOF_MINUTES = 24 * 60
# As syslog daemons write them: rsyslog's own form, Debian's since 12, and the older one.
_STAMPS = ("2026-11-24T16:43:26.123456+01:00", "Nov 24 16:43:26")
# Silent hosts that are named; of more, the number is said.
_MOST_NAMED = 3


def remarks(window: Window) -> list[Remark]:
    """Return what must be known to understand the numbers."""
    coverage, lines = window.coverage, window.coverage.line_counts
    said = [Remark(note) for note in window.notes]
    if coverage.absence:  # of one of several logs, if there are lines of ours
        said.append(Remark(coverage.absence, unknown=not lines.ours, finding=_BLIND))
    if not lines.ours:
        return said if coverage.absence else [*said, _none_is_ours(lines)]
    if not lines.events:
        said.append(Remark(f"no line about mail among {values.amount(lines.lines, 'log line')}"))
    said += _not_read(window)
    if unknown := not_understood.remark(window):
        said.append(unknown)
    said += troubles(window)
    said += _daemons_off(window) or _offset(coverage)
    if window.silence is not None:
        said += _of_silence(window.silence, window.end)
    return said


def _none_is_ours(lines: LineCounts) -> Remark:
    """Return what is said of a log without a line of Postfix or Dovecot."""
    words = "the log is empty"
    if lines.lines:
        expected = " or ".join(f"'{stamp} mx postfix/smtp[123]: ...'" for stamp in _STAMPS)
        missing = "of a daemon of Postfix" if lines.foreign else "understood"
        words = (
            f"none of {values.amount(lines.lines, 'log line')} is {missing}; expected {expected}"
        )
    return Remark(words, unknown=True, finding=_BLIND)


def _not_read(window: Window) -> list[Remark]:
    """Return what of the window was not read, or is lost."""
    said = []
    coverage, end = window.coverage, window.end
    if coverage.end < end:
        words = f"log read up to {local_time(coverage.end, end)} only"
        said.append(Remark(words, unknown=True, finding=_TROUBLED))
    if unread := coverage.unread_in(window.start, end):
        more = f" (and {len(unread) - 1} more, see -vv)" if unread[1:] else ""
        said.append(Remark(unread[0].why + more, unknown=True, finding=_BLIND))
    elif coverage.start is None or coverage.start > window.start:
        said.append(_starts_late(window))
    said += [
        Remark(
            f"log lines lost between {local_time(first, end)} and {local_time(last, end)}",
            finding=_TROUBLED,
        )
        for first, last in dict.fromkeys(coverage.gaps_in(window.start, end))
    ]
    return said


def _of_silence(silence: Silence, end: int) -> list[Remark]:
    said = []
    is_too_long = silence.is_too_long(end)
    if silence.last is not None and (is_too_long or not silence.is_ordinary):
        whose = f" of {silence.whose}" if silence.whose else ""
        text = f"no log line{whose} for {values.span((end - silence.last) * 60)}"
        if is_too_long:
            fix = (
                "see that its lines still reach this log"
                if silence.whose
                else "see where mail is logged now and name that with --log"
            )
            since = local_time(silence.last, end)
            text = f"{text}, since {since}; {fix}, or raise --max-silence"
        said.append(Remark(text, unknown=is_too_long, finding=_BLIND if is_too_long else 0))
    said += [
        Remark(f"{name} silent for {values.span((end - last) * 60)}", finding=_TROUBLED)
        for name, last in silence.parts[:_MOST_NAMED]
    ]
    if more := len(silence.parts[_MOST_NAMED:]):
        said.append(Remark(f"{more} more silent"))
    return said


def _daemons_off(window: Window) -> list[Remark]:
    """Return what is said of daemons whose stamps are in another zone than those of others."""
    if not window.count(STAMPS_OFF):
        return []
    fields = "daemon", "minutes"
    times = dict(window.ending(0, _PROOF_MINUTES).keys(STAMPS_OFF, *fields))
    daemons: dict[int, list[str]] = {}
    is_proven = False
    for row, number in window.keys(STAMPS_OFF, *fields):
        daemon, minutes = row
        if minutes != MANY:
            daemons.setdefault(int(minutes), []).append(daemon)
            is_proven |= max(number, times.get(row, 0)) >= clock_offset.TIMES
    said = [
        f"{' and '.join(sorted(names))} {values.span(abs(off) * 60)}"
        f" {'ahead of' if off > 0 else 'behind'} the other daemons"
        for off, names in sorted(daemons.items())
    ]
    fix = "copy /etc/localtime into the chroot, or set chroot to n in master.cf"
    if not said:
        return []
    words = f"stamps of {', '.join(said)}; {fix}"
    return [Remark(words, unknown=is_proven, finding=_BLIND if is_proven else 0)]


def _offset(coverage: Coverage) -> list[Remark]:
    """Return what is said of a log whose stamps are not in the zone they are read by."""
    if offset := coverage.offset:
        off = f"{values.span(abs(offset) * 60)} {'ahead of' if offset > 0 else 'behind'}"
        return [
            Remark(
                f"stamps run {off} this machine's clock; name their zone with --timezone",
                unknown=True,
                finding=_BLIND,
            )
        ]
    if ahead := coverage.ahead:
        words = f"newest line is {values.span(ahead * 60)} ahead of this machine's clock"
        return [Remark(words, finding=_TROUBLED)]
    if behind := -coverage.seems:
        return [
            Remark(
                f"newest line is stamped {values.span(behind * 60)} before the file was written;"
                " if that is the log's zone, name it with --timezone"
            )
        ]
    return []


# What goes wrong with Postfix itself, and may be why mail is deferred or refused.
_TROUBLES = {
    "daemon_died": ("a daemon died", "daemons died {} times"),
    "local_fault": ("1 local fault", "{} local faults"),
    "rate_limited": ("1 client over a rate limit", "{} times clients over a rate limit"),
}


# Mail that came or went. While some does, the trouble is no news beside an OK.
_MAIL = ("received", "sent", "forwarded", "filtered", "deferred", "softbounce", "bounced")


def troubles(window: Window, *counters: str) -> list[Remark]:
    """Return what goes wrong with Postfix itself, or what of that these counters count."""
    counted = {counter: window.count(counter) for counter in _TROUBLES}
    explains = bool(any(counted.values()) and window.count(*_MAIL))
    return [
        Remark(
            _TROUBLES[counter][number > 1].format(number) + _most_frequent(window, counter),
            explains=explains,
        )
        for counter, number in counted.items()
        if number and (not counters or counter in counters)
    ]


def _most_frequent(window: Window, counter: str) -> str:
    """Return what most of a trouble is about, nothing where that is not counted."""
    if counter != "local_fault":
        return ""
    reasons = window.keys(counter, "reason")
    if not reasons:  # keys are not kept for as long as sums are
        return ""
    (reason,), _ = reasons[0]
    return f"{', most often' if reasons[1:] else ''}: {reason}"


def _starts_late(window: Window) -> Remark:
    start = window.coverage.start
    if not window.coverage.complete:
        done = 0 if start is None else max(0, window.end - start)
        whole = window.end - window.start
        words = f"only {done} of {whole} min read yet, goes on next run"
        return Remark(words, unknown=True, finding=_TROUBLED)
    if start is None or start >= window.end:
        return Remark("the log has nothing of that time", unknown=True, finding=_BLIND)
    return Remark(f"log begins {local_time(start, window.end)}")


def local_time(minute: int, known: int | None = None) -> str:
    """Return a minute in this machine's local time.

    known: a minute; on its day the date is left out
    """
    local = time.localtime(minute * 60)
    same_day = known is not None and local[:3] == time.localtime(known * 60)[:3]
    return time.strftime("%H:%M" if same_day else "%Y-%m-%d %H:%M", local)
