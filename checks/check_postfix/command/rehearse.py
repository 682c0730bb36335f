"""postfix-log rehearse: when a check would have alarmed, had it run with other options.

The minutes that the state file keeps are judged by the check itself, each as a run at that time
would have judged it: the same window, the same numbers, the same thresholds. An alarm is what
comes of that. What makes a run UNKNOWN (a log that is late, silent or gone) is not played again.
"""

from __future__ import annotations

import importlib
import time
from argparse import REMAINDER, Namespace
from collections import namedtuple
from math import inf

from check_postfix import programs
from check_postfix.command import columns, declared
from check_postfix.command.meter import Meter
from check_postfix.command.much_asked import MuchAsked
from check_postfix.command.uncollected import uncollected
from check_postfix.common.log_remarks import local_time
from check_postfix.common.log_source import FROM_LOG
from check_postfix.maillog.store.retention import USUAL
from check_postfix.plugin import Option, Unknown, UsageError, values
from check_postfix.plugin.arguments import options_of
from check_postfix.plugin.output import STATES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Generator, Iterator, Sequence

    from check_postfix.maillog.window.window import Window
    from check_postfix.plugin import Check

NOTHING_FOUND, NOT_READ = 1, 3
EVERY = Option(
    "--every", "from one run to the next", default="5m", parse=values.window, metavar="DURATION"
)
MOST = Option(
    "--most",
    "suggest thresholds for at most so many alarms a month",
    parse=values.count,
    metavar="N",
    example="2",
)
_ALARMS = (1, 2)
# Limits that are tried, from the greatest number on
_MOST_LIMITS = 2_000
# Alarms that are told one by one, the newest
_ROWS = 20
_TIMEOUT = 10.0

HELP = "say when a check would have alarmed with given options, beside its defaults"
DESCRIPTION = """\
Judge what the state file keeps once more, as runs of a check with given options would have: how
often, when and for how long it would have been WARNING or CRITICAL, beside its defaults. With
--most it says which thresholds would have given so few alarms, and what they would have missed.
"""
EPILOG = """\
Sums are kept for 30 days, clients and domains for 48 hours: what a check judges by these is
rehearsed for that time only, and it is said. The queue is not kept. exit codes: 0 done, 1 nothing
is kept that could be rehearsed, 2 wrong usage, 3 something could not be read.

examples:
  postfix-log rehearse deferred -w 20 -c 40
      what these thresholds would have done in the last 30 days
  postfix-log rehearse --most 2 auth --window 1h
      the thresholds that would have given at most two alarms a month
"""
LACKING = f"a check is missing, one of {', '.join(programs.NAMES)}"
STRANGE_MAY_BE = "options of a check stand behind its name"
EXAMPLE = "postfix-log rehearse deferred -w 20"


class Alarm(namedtuple("Alarm", "start end state")):
    """A time in which a check would have alarmed.

    start, end: minutes of its first and of its last run that did
    state:      the worst of them
    """

    __slots__ = ()

    start: int
    end: int
    state: int


class Played(namedtuple("Played", "times states judged")):
    """What came of the runs of a check with certain options.

    times:    the minute after the window of each run
    states:   exit codes, of thresholds alone
    judged:   label -> number, of each run, of what there was enough to judge
    """

    __slots__ = ()

    times: list[int]
    states: list[int]
    judged: list[dict[str, float]]

    def alarms(self, every: int) -> list[Alarm]:
        """Return when it would have alarmed; runs that follow each other are one alarm."""
        found: list[Alarm] = []
        for minute, state in zip(self.times, self.states, strict=True):
            if state not in _ALARMS:
                continue
            if found and minute - found[-1].end <= every:
                found[-1] = found[-1]._replace(end=minute, state=max(state, found[-1].state))
            else:
                found.append(Alarm(minute, minute, state))
        return found


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what may be written after the subcommand."""
    declared.add(parser, EVERY)
    declared.add(parser, MOST)
    parser.add_argument("check", metavar="CHECK", help=f"one of {', '.join(programs.NAMES)}")
    rest = parser.add_argument(
        "options", metavar="OPTION", nargs=REMAINDER, help="options of that check, --state as well"
    )
    rest.required = False  # or else it is said to be missing where CHECK is


def run(options: Namespace) -> Generator[str, None, int]:
    """Yield what is to be printed, and return the exit code.

    Raises: UsageError, LogError, Unknown
    """
    check = _check(options.check)
    given = options_of(check, options.options)
    given.timeout = _TIMEOUT
    if given.no_state or given.at is not None:
        raise UsageError(
            "--no-state and --at: what a state file keeps is rehearsed; leave them out"
        )
    asked = declared.values(options, [EVERY, MOST])
    every, most = asked.every // 60, asked.most
    with FROM_LOG.open(given) as latest, uncollected():
        window = latest.through(MuchAsked)
        times = _times(window, every)
        if not times:
            yield _too_little(window)
            return NOTHING_FOUND
        played = _play(check, window, given, times)
        usual = _defaults(check, given)
        beside = played if _is_same(given, usual) else _play(check, window, usual, times)
    minutes = times[-1] - times[0] + every
    days = minutes / (24 * 60)
    span = f"{days:.1f} days" if days >= 1 else values.span(minutes * 60)
    yield (
        f"{_of_run(times[0])} to {_of_run(times[-1])}, {span}, a run every"
        f" {values.span(every * 60)}: {values.amount(len(times), 'run')}"
    )
    yield from _kept(window, played)
    yield ""
    whose = "with the defaults" if beside is played else "with these options"
    yield from _told(played.alarms(every), every, days, whose)
    if beside is not played:
        yield from _told(beside.alarms(every), every, days, "with the defaults")
    yield from _list(played.alarms(every), every)
    if most is not None and days < 1:
        yield ""
        yield "less than a day is known: that tells of no month, so no thresholds are suggested"
    elif most is not None:
        yield ""
        yield from _suggested(check, given, played, every, most * days / 30, most)
    return 0


def _of_run(end: int, day_of: int | None = None) -> str:
    """Return when a run was, which is in the last minute of its window.

    end:    the minute after its window
    day_of: a minute whose day is known
    """
    return local_time(end - 1, day_of)


def _check(name: str) -> Check:
    if name not in programs.NAMES:
        raise UsageError(f"{name}: no such check; there are {', '.join(programs.NAMES)}")
    check: Check = importlib.import_module(f"check_postfix.{name}").CHECK
    if check.source is not FROM_LOG:
        raise UsageError(f"{name}: cannot be rehearsed: nothing of what it looks at is kept")
    return check


def _defaults(check: Check, given: Namespace) -> Namespace:
    """Return the check's defaults for the same window."""
    return options_of(check, ["--window", f"{given.window // 60}m"])


def _is_same(given: Namespace, usual: Namespace) -> bool:
    names = vars(usual).keys() - {"log", "archives", "journal", "journal_match", "state", "timeout"}
    return all(str(getattr(given, name)) == str(getattr(usual, name)) for name in names)


def _times(window: Window, every: int) -> list[int]:
    """Return the ends of the windows of which all lines were read, the oldest first."""
    length = window.end - window.start
    first = max(window.coverage.start or window.end, window.end - USUAL.totals) + length
    ends = range(window.end - (window.end - first) // every * every, window.end + 1, every)
    return [end for end in ends if window.coverage.includes(end - length, end)]


def _too_little(window: Window) -> str:
    """Return why nothing can be rehearsed, and when it can."""
    since, minutes = window.coverage.start, window.end - window.start
    if since is None:
        return "nothing is kept that could be rehearsed; to read the log: postfix-log ingest"
    span = values.span(window.seconds)
    if since + minutes > window.end:
        return (
            f"the log is known since {local_time(since)}: a window of {span} can be judged from"
            f" {local_time(since + minutes, since)} on"
        )
    return (
        f"of no {span} since {local_time(since)} all lines are read; what is missing says:"
        " postfix-log status"
    )


def _play(check: Check, window: Window, options: Namespace, times: Sequence[int]) -> Played:
    length = window.end - window.start
    played = Played([], [], [])
    with _RunMeter(len(times)) as meter:
        for end in times:
            then = window.ending(window.end - end, length)
            try:
                state, judged = check.rehearsed(then, options)
            except Unknown:  # what its filters ask for is not kept any more
                state, judged = Unknown.state, {}
            played.times.append(end)
            played.states.append(state)
            played.judged.append(judged)
            meter.played(len(played.times))
    return played


def _kept(window: Window, played: Played) -> Iterator[str]:
    """Yield for which time clients and domains are kept, if that is a part of it only."""
    if window.oldest_keys > played.times[0]:
        yield (
            f"  clients and domains are kept since {local_time(window.oldest_keys)}: before that,"
            " what is judged by them is judged without"
        )
    if unknown := played.states.count(Unknown.state):
        yield f"  {values.amount(unknown, 'run')} could not judge what the options ask for"


def _told(alarms: list[Alarm], every: int, days: float, whose: str) -> Iterator[str]:
    for state in reversed(_ALARMS):
        of_state = [alarm for alarm in alarms if alarm.state == state]
        length = sum(alarm.end - alarm.start + every for alarm in of_state)
        span = f", {values.span(length * 60)} in all" if of_state else ""
        # Some hours tell of no month.
        a_month = f" ({len(of_state) * 30 / days:.1f} a month)" if days >= 1 else ""
        yield f"{whose}: {len(of_state)} x {STATES[state]}{a_month}{span}"


def _list(alarms: list[Alarm], every: int) -> Iterator[str]:
    if not alarms:
        return
    yield ""
    rows = [
        (STATES[alarm.state], values.span((alarm.end - alarm.start + every) * 60),
         f"{_of_run(alarm.start)} to {_of_run(alarm.end, alarm.start - 1)}")
        for alarm in alarms[-_ROWS:]
    ]  # fmt: skip
    yield from columns.table(("state", "for", "alarms, the newest last"), rows)
    if len(alarms) > _ROWS:
        yield f"  and {values.amount(len(alarms) - _ROWS, 'earlier one')}"


def _suggested(
    check: Check, given: Namespace, played: Played, every: int, fewest: float, most: int
) -> Iterator[str]:
    """Yield, for each threshold, the lowest that would have given so few alarms."""
    yield f"for at most {values.amount(most, 'alarm')} a month, each by itself:"
    for threshold in check.thresholds:
        flag = threshold.warning.flag
        series = [numbers.get(threshold.metric) for numbers in played.judged]
        now = getattr(given, threshold.warning.name)
        if now is not None and (now.invert or now.end == inf):
            yield f"  {flag}: not suggested, since it is no limit for what is too much"
            continue
        limit = _lowest(series, played.times, every, fewest)
        if limit is None:
            yield f"  {flag}: nothing was judged in this time"
            continue
        missed = ""
        if now is not None and now.end < limit:
            before = _above(series, played.times, every, now.end)
            left = _above(series, played.times, every, limit)
            worst = max(
                (peak for start, end, peak in before
                 if not any(start <= one[1] and one[0] <= end for one in left)),
                default=None,
            )  # fmt: skip
            number = len(before) - sum(
                any(start <= one[1] and one[0] <= end for one in left) for start, end, _ in before
            )
            missed = f", which would have missed {values.amount(number, 'alarm')} of these options"
            missed += "" if worst is None else f", the worst at {worst:g}"
        yield f"  {flag} {limit:g}{missed}"


def _above(
    series: Sequence[float | None], times: Sequence[int], every: int, limit: float
) -> list[tuple[int, int, float]]:
    """Return first run, last run and greatest number of each time above a limit."""
    found: list[tuple[int, int, float]] = []
    for number, minute in zip(series, times, strict=True):
        if number is None or number <= limit:
            continue
        if found and minute - found[-1][1] <= every:
            found[-1] = found[-1][0], minute, max(number, found[-1][2])
        else:
            found.append((minute, minute, number))
    return found


def _lowest(
    series: Sequence[float | None], times: Sequence[int], every: int, fewest: float
) -> float | None:
    """Return the lowest limit from which on there are so few times above; None if nothing is."""
    limits = sorted({number for number in series if number is not None}, reverse=True)
    lowest = None
    for limit in limits[:_MOST_LIMITS]:
        if len(_above(series, times, every, limit)) > fewest:
            break
        lowest = limit
    return lowest


class _RunMeter(Meter):
    """Tells how many runs are played."""

    def __init__(self, whole: int) -> None:
        super().__init__()
        self._whole = whole

    def played(self, done: int) -> None:
        """Tell it, from time to time."""
        if self.is_due():
            left = (time.monotonic() - self.started) / done * (self._whole - done)
            self.tell(f"{done} of {self._whole} runs, {values.span(left)} left")
