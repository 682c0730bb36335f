"""Warn when the mail log cannot be relied on, or tells of trouble of Postfix itself.

What makes the other checks of the log UNKNOWN is CRITICAL here, so that they can depend on this
one: the log is silent, unreadable, not understood, or has a wrong clock. All else is a WARNING by
default, for it takes nothing from an alarm of theirs: lines are lost, archives are older than they
should be, the log tells more than it should, or to everybody, or of trouble of Postfix itself.
"""

from __future__ import annotations

from check_postfix.common.log_source import FROM_LOG
from check_postfix.maillog.counts.families import LOST_MESSAGES, MANY
from check_postfix.plugin import Check, Label, Option, Remark, Threshold, run, values
from check_postfix.plugin.threshold import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence

    from check_postfix.maillog.window.log_file import LogFile
    from check_postfix.maillog.window.window import Window

_WARNING, _CRITICAL = 1, 2
# That others may read a file
_OTHERS_READ = 0o004
# Shown of each table, and named of several files.
_ROWS = 10
# Label -> counter
_COUNTED = {
    "lost_messages": LOST_MESSAGES,
    "debug_lines": "debug_dialogue",
    "fatal": "fatal",
    "panic": "panic",
    "warnings": "warning",
    "local_faults": "local_fault",
}

RETENTION = Option(
    "--retention",
    "how old the newest line of an archive of the log may be; WARNING for older ones, which"
    " logrotate should have removed",
    default="35d",
    parse=values.window,
    metavar="DURATION",
)


def measure(window: Window, _: Namespace) -> dict[str, float]:
    """Return how old the log is in seconds, and what it tells of itself and of Postfix.

    There is no log_age without a line of a daemon, while the newest lines are not read yet, and of
    a window that is over.
    """
    found: dict[str, float] = {}
    if window.last is not None and window.coverage.end >= window.end:
        found["log_age"] = max(0, window.end - 1 - window.last) * 60
    found["lines"] = window.coverage.line_counts.lines
    for label, counter in _COUNTED.items():
        found[label] = window.count(counter)
    if archives := _archives(window):
        found["oldest_log"] = (window.end - 1 - archives[0].last) * 60
    return found


def _archives(window: Window) -> Sequence[LogFile]:
    """Return the files that are not written to any more, the oldest first."""
    return [file for file in window.files if not file.live]


def summary(
    measured: Mapping[str, float], window: Window, options: Namespace, is_alarm: bool
) -> str:
    """Return the first line's words."""
    if window.coverage.end < window.end:
        return "the newest lines are not read yet"
    if "log_age" not in measured:
        return "no line of a daemon of Postfix or Dovecot"
    newest = f"newest line {values.span(measured['log_age'])} old"
    if is_alarm and (limits := _limits(measured["log_age"], options)):
        newest += f" ({limits})"
    troubles = _troubles(measured, options if is_alarm else None)
    if troubles:
        return f"{newest}, {', '.join(troubles)} in {values.span(window.seconds)}"
    # An alarm for something else names that.
    return newest if is_alarm else f"{newest}, no trouble in {values.span(window.seconds)}"


def _limits(age: float, options: Namespace) -> str:
    """Return which ages of the newest line are an alarm, if this one is."""
    for limits in (options.critical, options.warning):
        if limits is None or limits.match(age):
            continue
        if limits.invert:
            return f"alerts inside {shown(limits, 0).removeprefix('@')}"
        if limits.start <= 0:
            return f"alerts above {values.span(limits.end)}"
        return f"alerts outside {shown(limits, 0)}"
    return ""


def _troubles(measured: Mapping[str, float], options: Namespace | None) -> list[str]:
    """Return what the log tells of, in words.

    options: of an alarm, where what decided it is named as well, whatever its number
    """
    named = {
        "panic": "panic",
        "fatal": "fatal error",
        "local_faults": "local fault",
        "lost_messages": "lost log line",
        "debug_lines": "dialogue line",
    }
    said = {label for label in named if measured[label]}
    if options is not None:
        named["warnings"] = "other warning"
        for threshold in CHECK.thresholds:
            limits = (getattr(options, end.name) for end in (threshold.warning, threshold.critical))
            if any(one is not None and not one.match(measured[threshold.metric]) for one in limits):
                said.add(threshold.metric)
    return [values.amount(measured[label], noun) for label, noun in named.items() if label in said]


def findings(window: Window, options: Namespace, remarks: list[Remark]) -> list[Remark]:
    """Return what is wrong with the log, and with Postfix by the log, with the next step.

    remarks: what all checks of the log would say
    """
    said = [one for one in remarks if not one.explains]
    said += [*_of_daemons(window), *_of_dialogue(window), *_of_files(window, options)]
    return said


def _of_daemons(window: Window) -> list[Remark]:
    if not window.count("daemon_died", "local_fault"):
        return []
    # Few runs have any.
    from check_postfix.maillog.events.recogniser.health import NEXT_STEPS

    said = []
    if window.count("daemon_died"):
        rows = window.keys("daemon_died", "service")
        who = rows[0][0][0] if rows else "a daemon"
        said.append(Remark(f"{who} died: see its lines with fatal: and panic:"))
    for (reason,), number in window.keys("local_fault", "reason"):
        step = NEXT_STEPS.get(reason)
        times = f" {number} times" if number > 1 else ""
        said.append(Remark(f"{reason}{times}: {step}" if step else f"{reason}{times}"))
    return said


def _of_dialogue(window: Window) -> list[Remark]:
    if not window.count("debug_dialogue"):
        return []
    return [
        Remark(
            "dialogues of SMTP stand in the log, and passwords in clear with them: take -v out of"
            " master.cf, and debug_peer_list out of main.cf"
        )
    ]


def _of_files(window: Window, options: Namespace) -> list[Remark]:
    said = []
    oldest = window.end - options.retention // 60
    if late := [file for file in _archives(window) if file.last < oldest]:
        span = values.span(options.retention)
        words = (
            f"{_named(late)} older than {span}: see logrotate's rotate and maxage, or --retention"
        )
        said.append(Remark(words, finding=_WARNING))
    if open_to_all := [file for file in window.files if file.mode & _OTHERS_READ]:
        words = f"{_named(open_to_all)} readable by everybody: chmod o-r, and logrotate's create"
        said.append(Remark(words, finding=_WARNING))
    return said


def _named(files: Sequence[LogFile]) -> str:
    """Return what is said of some files, up to their property."""
    first = files[0].path
    more = len(files) - 1
    return f"{first} and {more} more are" if more else f"{first} is"


def details(window: Window, _: Namespace) -> list[str]:
    """Return what goes wrong, of which service, and the files that the log is made of."""
    from check_postfix.common.log_remarks import local_time
    from check_postfix.common.tables import table
    from check_postfix.maillog.events.recogniser.health import NEXT_STEPS

    faults = [
        (f"{reason}: {NEXT_STEPS[reason]}" if reason in NEXT_STEPS else reason, number)
        for (reason,), number in window.keys("local_fault", "reason")
    ]
    died = [(service, number) for (service,), number in window.keys("daemon_died", "service")]
    lines = [*table("daemons that died", died, _ROWS)]
    if faults:
        lines += ["local faults:", *(f"  {number}  {what}" for what, number in faults[:_ROWS])]
    clients = [
        (window.name("client", client) if client != MANY else MANY, number)
        for (client,), number in window.keys("debug_dialogue", "client")
    ]
    lines += table("lines of dialogues by client or server", clients, _ROWS)
    files = list(reversed(window.files))
    if files:
        lines.append("files, with their newest lines:")
    lines += [f"  {local_time(file.last)}  {file.mode:04o}  {file.path}" for file in files[:_ROWS]]
    if more := len(files[_ROWS:]):
        lines.append(f"  and {more} more")
    return lines


def cause(window: Window, options: Namespace) -> list[str]:
    """Return the command that shows the lines of what is wrong with Postfix, the worst alone."""
    # Few runs are asked for it.
    from check_postfix.common.cause import command
    from check_postfix.maillog.events.recogniser.health import NEXT_STEPS

    patterns = [f"{counter}:" for counter in ("panic", "fatal") if window.count(counter)]
    faults = [reason for (reason,), _ in window.keys("local_fault", "reason")]
    patterns += [reason for reason in faults if reason in NEXT_STEPS]
    return command(window, options, patterns[:1])


CHECK = Check(
    name="postfix log",
    description=(
        "Alert when the mail log is silent, lost, not understood, unreadable, too old or too"
        " talkative, or tells of trouble of Postfix itself. The other checks of the log can depend"
        " on this one."
    ),
    source=FROM_LOG,
    labels=[
        Label("log_age", "time since the newest line of a daemon of Postfix or Dovecot", "s"),
        Label("lines", "log lines that were read, in all"),
        Label("lost_messages", "log lines that rsyslog or journald say they have dropped"),
        Label("debug_lines", "lines of SMTP dialogues in the log, where passwords can stand"),
        Label("oldest_log", "time since the newest line of the oldest archive of the log", "s"),
        Label("fatal", "daemons of Postfix that could not go on (fatal:)"),
        Label("panic", "daemons of Postfix that found a fault in themselves (panic:)"),
        Label("warnings", "warnings of daemons of Postfix that are counted as nothing else"),
        Label("local_faults", "warnings about this machine's resources, files and services"),
    ],
    measure=measure,
    thresholds=[
        Threshold(
            "log_age",
            "the time since the newest line of Postfix or Dovecot (90s, 15m, 2h, 4d)",
            warning="3d",
            critical="3d",
            uom="s",
        ),
        Threshold(
            "fatal", "the number of daemons that could not go on", warning="0", suffix="fatal"
        ),
        Threshold(
            "panic",
            "the number of daemons that found a fault in themselves",
            warning="0",
            suffix="panic",
        ),
        Threshold(
            "local_faults",
            "the number of warnings about this machine's resources, files and services",
            warning="0",
            suffix="faults",
        ),
        Threshold("warnings", "the number of other warnings", suffix="warnings"),
        Threshold(
            "debug_lines", "the number of lines of SMTP dialogues", warning="0", suffix="debug"
        ),
        Threshold(
            "lost_messages", "the number of log lines that were dropped", warning="0", suffix="lost"
        ),
    ],
    options=[RETENTION],
    summary=summary,
    details=details,
    cause=cause,
    findings=findings,
    unreadable=_CRITICAL,
    examples=[
        ("check_postfix_log", "look at this machine's mail log"),
        (
            "check_postfix_log -w 30m -c 2h --retention 14d",
            "alert sooner on a busy server, whose logs are kept for two weeks",
        ),
    ],
)


if __name__ == "__main__":
    run(CHECK)
