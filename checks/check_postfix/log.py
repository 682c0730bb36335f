"""Warn when the mail log cannot be relied on, or tells of trouble of Postfix itself.

What makes the other checks of the log UNKNOWN is CRITICAL here, so that they can depend on this
one: the log is silent, unreadable, not understood, or has a wrong clock. So is what keeps Postfix
from working, and no calm server has: master throttles a service only when a process of it ended
before it had served anybody, or could not be started (master/master_spawn.c), and smtpd says that
there is no room when it answers 452 to everybody (smtpd/smtpd_check.c). A table, a setting or the
queue that fails stops mail for everybody, or for a few, or for a moment: what tells is that mail
is turned away and none is taken since. All else is a WARNING by
default, for it takes nothing from an alarm of theirs: lines are lost, archives are older than they
should be, the log tells more than it should, or to everybody, or of other trouble of Postfix.
"""

from __future__ import annotations

from check_postfix.common.log_source import FROM_LOG
from check_postfix.maillog.counts.families import LOST_MESSAGES, MANY
from check_postfix.maillog.counts.message_sums import ACCEPTED
from check_postfix.maillog.counts.senders import MESSAGES
from check_postfix.maillog.events.sender import UID
from check_postfix.plugin import Check, Label, Option, Remark, Threshold, run, values
from check_postfix.plugin.threshold import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence

    from check_postfix.maillog.window.aged_file import AgedFile
    from check_postfix.maillog.window.window import Window

_WARNING, _CRITICAL = 1, 2
# That others may read a file
_OTHERS_READ = 0o004
# Shown of each table, and named of several files.
_ROWS = 10
# Kinds of deaths named in the first line
_NAMED = 2
_TURNED_AWAY = "turned_away"
# How smtpd's answer begins then
_TOLD_CLIENTS = "451 4.3."
_BLOCKLIST_FAILED = "blocklist_failed"
# So often a block list must have failed to answer, and for one of so many clients, before it is
# said: any of them does at times.
_SURELY_DEAD, _DEAD_SHARE = 20, 5
_SEE_WORDS = "see its lines with fatal: and panic:"
# Label -> counter
_COUNTED = {
    "lost_messages": LOST_MESSAGES,
    "debug_lines": "debug_dialogue",
    "fatal": "fatal",
    "panic": "panic",
    "warnings": "warning",
    "local_faults": "local_fault",
}
# Labels that the first line names where they are not 0, and what one of each is called
_NAMED_AS = {
    "panic": "panic",
    "fatal": "fatal error",
    "local_faults": "local fault",
    "turned_away": "",
    "lost_messages": "lost log line",
    "debug_lines": "dialogue line",
}
# Label -> local fault with which Postfix does not work, whatever else is well
_STOPPED = {"throttled": "a service is throttled", "no_room": "no room in the queue"}

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
    if _judges_age(window):
        assert window.last is not None
        found["log_age"] = max(0, window.end - 1 - window.last) * 60
    found["lines"] = window.coverage.line_counts.lines
    for label, counter in _COUNTED.items():
        found[label] = window.count(counter)
    faults = _faults(window)
    for label, reason in _STOPPED.items():
        found[label] = faults.get(reason, 0)
    found["turned_away"] = _turned_away(window)
    if archives := _archives(window):
        found["oldest_log"] = (window.end - 1 - archives[0].last) * 60
    return found


def _judges_age(window: Window) -> bool:
    """Tell whether it is known how old the log is."""
    return window.last is not None and window.coverage.end >= window.end


def _turned_away(window: Window) -> int:
    """Return how often mail was turned away since the last minute in which any was taken.

    A table or a setting that fails may be asked for a few clients only, or fail for a moment. Where
    mail is taken all the same, neither stops it. What users of this machine hand in, cron above
    all, passes by smtpd and proves nothing.
    """
    if not window.count(_TURNED_AWAY):
        return 0
    # None was taken for `least` minutes, and some was within `most`.
    least, most = 0, window.end - window.start + 1
    while most - least > 1:
        middle = (least + most) // 2
        if _is_any_taken(window.ending(0, middle)):
            most = middle
        else:
            least = middle
    return window.ending(0, least).count(_TURNED_AWAY) if least else 0


def _is_any_taken(window: Window) -> bool:
    """Tell whether mail was accepted that did not come from users of this machine."""
    accepted = window.count(ACCEPTED)
    if not accepted:
        return False
    of_users = [number for (what,), number in window.keys(UID, "what") if what == MESSAGES]
    return accepted > sum(of_users)


def _faults(window: Window) -> dict[str, int]:
    """Return how often each local fault was told, the causes first, each by its number."""
    if not window.count("local_fault"):
        return {}
    # Few runs have any.
    from check_postfix.maillog.events.recogniser.health import causes_first

    rows = [(reason, number) for (reason,), number in window.keys("local_fault", "reason")]
    return dict(sorted(rows, key=lambda row: causes_first(row[0])))


def _deaths(window: Window) -> list[str]:
    """Return which daemons died, how often, and how their last words begin."""
    died = window.count("daemon_died")
    if not died:
        return []
    # Few runs have any.
    from check_postfix.maillog.events.recogniser.health import is_result

    rows = sorted(window.keys("died", "service", "reason"), key=lambda row: is_result(row[0][1]))
    if not rows:  # keys are not kept for as long as sums are
        return [f"a daemon died{_times(died)}: {_SEE_WORDS}"]
    return [
        f"{who} died{_times(number)}: {words if words not in ('', MANY) else _SEE_WORDS}"
        for (who, words), number in rows[:_NAMED]
    ]


def _leading_fault(window: Window) -> str:
    """Return the local fault that the others most likely come from; nothing if none is known."""
    faults = _faults(window)
    if not faults:
        return ""
    from check_postfix.maillog.events.recogniser.health import FOLLOWING, NOT_DEADLY, fault

    first = next(iter(faults))
    # A daemon's last words say more than that its service is throttled for it.
    is_told_better = window.count("daemon_died") and fault(first) in FOLLOWING | NOT_DEADLY
    return "" if is_told_better or first == MANY else first


def _leading(window: Window) -> str:
    """Return what the troubles most likely come from; nothing if that is not known."""
    deaths = [words for words in _deaths(window) if not words.endswith(_SEE_WORDS)]
    return _leading_fault(window) or next(iter(deaths), "")


def _archives(window: Window) -> Sequence[AgedFile]:
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
        leading = _leading(window)
        step = _next_step(window, leading)
        if (number := _faults(window).get(leading)) is not None:
            leading += _times(number)
            all_are_it = _of_label("local_faults", number)
            troubles = [words for words in troubles if words != all_are_it]
        said = ", ".join(troubles)
        if leading:
            said = f"{leading} ({said})" if said else leading
        then = f": {step}" if step else ""
        return f"{newest}, {said} in {values.span(window.seconds)}{then}"
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
    named = list(_NAMED_AS)
    said = {label for label in named if measured[label]}
    if options is not None:
        named.append("warnings")
        # Where there are some they are named already, as local faults.
        named += [label for label in _STOPPED if not measured[label]]
        said |= {
            threshold.metric
            for threshold in CHECK.thresholds
            if threshold.state_of(measured[threshold.metric], options)
        }
    return [_of_label(label, measured[label]) for label in named if label in said]


def _of_label(label: str, number: float) -> str:
    """Return how much of a trouble there was, in words."""
    if label == _TURNED_AWAY:
        return f"mail turned away{_times(int(number))} and none taken since"
    noun = _NAMED_AS.get(label) or _STOPPED.get(label) or "other warning"
    return values.amount(number, noun)


def findings(window: Window, options: Namespace, remarks: list[Remark]) -> list[Remark]:
    """Return what is wrong with the log, and with Postfix by the log, with the next step.

    remarks: what all checks of the log would say
    """
    from check_postfix.common.log_remarks import troubles

    # These are told with the next step below.
    told = {one.text for one in troubles(window, "daemon_died", "local_fault")}
    said = [one for one in remarks if not one.explains and one.text not in told]
    said += [*_of_daemons(window), *_of_blocklists(window), *_of_dialogue(window)]
    return [*said, *_of_files(window, options)]


def _of_daemons(window: Window) -> list[Remark]:
    if not window.count("daemon_died", "local_fault"):
        return []
    # Few runs have any.
    from check_postfix.maillog.events.recogniser.health import FOLLOWING, NO_TABLE, TABLE, fault

    deaths, faults = _deaths(window), _faults(window)
    # What the first line begins with, if it speaks of troubles
    leading = _leading(window) if _judges_age(window) else ""
    said = [Remark(words) for words in deaths if words != leading]
    is_missing = NO_TABLE in map(fault, faults)
    for reason, number in faults.items():
        if reason == leading or (is_missing and fault(reason) == TABLE):  # each look into it fails
            continue
        if deaths and reason in FOLLOWING and reason not in _STOPPED.values():
            continue
        step = _next_step(window, reason)
        said.append(Remark(f"{reason}{_times(number)}" + (f": {step}" if step else "")))
    return said


def _next_step(window: Window, reason: str) -> str:
    """Return what to do about a local fault; nothing where that is not known."""
    if not window.count("local_fault"):
        return ""
    from check_postfix.maillog.events.recogniser.health import FOLLOWING, NEXT_STEPS, fault

    if reason in FOLLOWING and window.count("daemon_died"):  # the daemons' words say why
        return ""
    return NEXT_STEPS.get(fault(reason), "")


def _times(number: int) -> str:
    return f" {number} times" if number > 1 else ""


def _of_blocklists(window: Window) -> list[Remark]:
    """Return which block lists do not answer, where that is no single failure of the DNS."""
    if window.count(_BLOCKLIST_FAILED) < _SURELY_DEAD:
        return []
    # Few runs have any.
    from check_postfix.maillog.events.recogniser.health import NEXT_STEP_OF_BLOCKLIST

    clients = window.count("connected_smtpd", "connected_postscreen")
    return [
        Remark(
            f"block list {blocklist} did not answer {number} times: {NEXT_STEP_OF_BLOCKLIST}",
            finding=_WARNING,
        )
        for (blocklist,), number in window.keys(_BLOCKLIST_FAILED, "blocklist")
        if number >= _SURELY_DEAD and number * _DEAD_SHARE >= clients and blocklist != MANY
    ]


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


def _named(files: Sequence[AgedFile]) -> str:
    """Return what is said of some files, up to their property."""
    first = files[0].path
    more = len(files) - 1
    return f"{first} and {more} more are" if more else f"{first} is"


def details(window: Window, _: Namespace) -> list[str]:
    """Return what goes wrong, of which service, and the files that the log is made of."""
    from check_postfix.common.log_remarks import local_time
    from check_postfix.common.tables import table
    from check_postfix.maillog.events.recogniser.health import NEXT_STEPS, fault

    faults = [
        # A state of another version may have other ones.
        (": ".join(filter(None, (reason, NEXT_STEPS.get(fault(reason))))), number)
        for reason, number in _faults(window).items()
    ]
    died = [
        (f"{service}: {words}" if words else service, number)
        for (service, words), number in window.keys("died", "service", "reason")
    ]
    lines = [*table("daemons that died, and how their last words begin", died, _ROWS)]
    if faults:
        lines += ["local faults:", *(f"  {number}  {what}" for what, number in faults[:_ROWS])]
    lists = [(name, number) for (name,), number in window.keys(_BLOCKLIST_FAILED, "blocklist")]
    lines += table("lookups that a block list did not answer", lists, _ROWS)
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
    """Return the command that shows the lines of what is wrong with Postfix, its cause alone."""
    # Few runs are asked for it.
    from check_postfix.common.cause import command
    from check_postfix.maillog.events.recogniser.health import DIED

    patterns = ["panic:"] if window.count("panic") else []
    patterns += filter(None, [_leading_fault(window)])
    # `fatal:` would show what commands of anybody end with, our own postqueue among them.
    patterns += [DIED] if window.count("fatal") else []
    patterns += [_TOLD_CLIENTS] if window.count(_TURNED_AWAY) else []
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
        Label("throttled", "times that master has throttled a service that it cannot keep running"),
        Label("no_room", "times that the queue had no room for mail"),
        Label(
            _TURNED_AWAY,
            "times that mail was not taken for a fault of this machine, since any was taken",
        ),
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
        Threshold(
            "throttled",
            "the number of times that master has throttled a service",
            critical="0",
            suffix="throttled",
        ),
        Threshold(
            "no_room",
            "the number of times that the queue had no room for mail",
            critical="0",
            suffix="no-room",
        ),
        Threshold(
            _TURNED_AWAY,
            "the number of times that mail was not taken for a fault of this machine, since any"
            " was taken",
            critical="2",
            suffix="turned-away",
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
