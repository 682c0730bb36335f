"""Warn when delivery has become slow.

What is judged is how long first deliveries took, from the time at which a message came in until
somebody took it: the 95th percentile, so that one slow server among many is no alarm. What had to
be tried again took as long as the pause before it, and is shown apart (qmgr_active.c).
"""

from __future__ import annotations

from check_postfix.common.log_source import FROM_LOG
from check_postfix.common.not_understood import worst_case
from check_postfix.maillog.counts import histogram
from check_postfix.plugin import Check, Label, Least, Option, Threshold, run, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

    from check_postfix.maillog.counts.histogram import Histogram
    from check_postfix.maillog.window.window import Window

# Counts of lines that nobody understood, where they are taken to be slow deliveries.
_SUPPOSED = "slow"
_DELIVERED = ("sent", "filtered")
# Stage -> when it is, in words
_WHEN = {
    "before-queue": "before the queue",
    "queue": "in the queue",
    "connection": "for the connection",
    "transmission": "for the transmission",
}
_STAGE_LABELS = {stage: f"delay_{stage.replace('-', '_')}" for stage in histogram.STAGES}
_PERCENTS = (50, 95, 99)
_JUDGED = 95
# Shown of each table.
_ROWS = 5

STAGE = Option(
    "--stage",
    "judge the time of one stage instead of the whole: before-queue (until the queue manager"
    " takes the message up: receiving, filters before the queue, waiting for room in it), queue"
    " (in the active queue), connection (DNS, connect, EHLO, TLS) or transmission (sending, and"
    " whatever the other server does meanwhile)",
    parse=values.one_of(*histogram.STAGES),
    metavar="STAGE",
    series="stage",
)
MIN_ATTEMPTS = Option(
    "--min-attempts",
    "with fewer first deliveries, show the delay but do not judge it",
    default="20",
    parse=values.count,
    metavar="N",
)


def _place(options: Namespace) -> int:
    return histogram.STAGES[options.stage] if options.stage else histogram.WHOLE


def _first(window: Window, place: int) -> Mapping[int, int]:
    """Return how long first deliveries took; those that nobody understood as long as can be."""
    found: Histogram = dict(window.delays.first.get(place, {}))
    if supposed := window.count(_SUPPOSED):
        histogram.add(found, {histogram.MOST: supposed})
    return found


def _number(window: Window, _: Namespace) -> int:
    return window.delays.number + window.count(_SUPPOSED)


def measure(window: Window, options: Namespace) -> dict[str, float]:
    """Return percentiles in seconds of how long first deliveries took, and how many there were.

    With --stage the first three are of that stage. There are none without a first delivery.
    """
    delays = window.delays
    found = {
        f"delay_p{percent}": histogram.percentile(_first(window, _place(options)), percent)
        for percent in _PERCENTS
    }
    found |= {
        label: histogram.percentile(_first(window, histogram.STAGES[stage]), _JUDGED)
        for stage, label in _STAGE_LABELS.items()
    }
    found["retried_p95"] = histogram.percentile(delays.retried, _JUDGED)
    known = {label: value for label, value in found.items() if value is not None}
    return {
        **known,
        "deliveries": _number(window, options),
        "retried": sum(delays.retried.values()),
    }


def summary(
    measured: Mapping[str, float], window: Window, options: Namespace, is_alarm: bool
) -> str:
    """Return the first line's words, which tell of an alarm in what stage, and to whom."""
    span = values.span(window.seconds)
    delays = window.delays
    more = []
    if "delay_p95" in measured:
        when = f" {_WHEN[options.stage]}" if options.stage else ""
        first = values.amount(measured["deliveries"], "first delivery", "first deliveries")
        within = values.exact_span(measured["delay_p95"])
        words = f"95 % of {first} within {within}{when} in {span}"
        if is_alarm:
            more += [*_guilty(measured, options), *_where(measured["delay_p95"], window, options)]
    else:
        words = f"no first deliveries in {span}"
    if measured["retried"]:
        age = values.exact_span(measured["retried_p95"])
        more.append(f"{measured['retried']} retried, 95 % of these within {age}")
    if delays.open:
        more.append(f"{delays.open} more first ones or retries")
    if unknown := _unknown(window):
        more.append(f"of {unknown} more the time is not known")
    return ", ".join([words, *more])


def _unknown(window: Window) -> int:
    """Return of how many deliveries the time is not known: an older version has counted them."""
    delays = window.delays
    known = delays.number + sum(delays.retried.values()) + delays.open
    return max(0, window.count(*_DELIVERED) - known)


def _guilty(measured: Mapping[str, float], options: Namespace) -> list[str]:
    """Return the stage that takes longest, in words."""
    if options.stage:
        return []
    stage = max(_STAGE_LABELS, key=lambda stage: measured[_STAGE_LABELS[stage]])
    seconds = measured[_STAGE_LABELS[stage]]
    return [f"mostly {_WHEN[stage]} ({values.exact_span(seconds)})"] if seconds else []


def _where(judged: float, window: Window, options: Namespace) -> list[str]:
    """Return to which domain, or by way of which relay, most was slow; nothing if unknown."""
    # Few runs alarm.
    from check_postfix.common.most import Field, most, shortened

    place = _place(options)
    whole = sum(
        number
        for bucket, number in window.delays.first[place].items()
        if histogram.seconds(bucket) >= judged / 2
    )
    rows = [
        ((slow.domain, slow.relay, ""), slow.number)
        for slow in window.delays.slow
        if histogram.seconds(slow.buckets[place]) >= judged / 2
    ]
    fields = [
        Field("to", "domains", lambda domain: shortened(window.name("domain", domain))),
        Field("by way of", "relays", lambda relay: shortened(window.name("relay", relay))),
    ]
    words = most(fields, rows, whole)
    return [words] if words else []


def details(window: Window, _: Namespace) -> list[str]:
    """Return the percentiles of the stages, and whose deliveries were slow."""
    from check_postfix.common.tables import table

    delays = window.delays
    lines = []
    if delays.number:
        lines = ["first deliveries, seconds within which 50, 95 and 99 % were done:"]
        names = {"in all": histogram.WHOLE} | {
            _WHEN[stage]: place for stage, place in histogram.STAGES.items()
        }
        for name, place in names.items():
            found = [histogram.percentile(_first(window, place), percent) for percent in _PERCENTS]
            lines.append(f"  {' '.join(f'{value:>7g}' for value in found)}  {name}")
    if delays.retried:
        found = [histogram.percentile(delays.retried, percent) for percent in _PERCENTS]
        lines.append(f"  {' '.join(f'{value:>7g}' for value in found)}  retries, since they came")
    titles = {"domain": "recipient domain", "relay": "relay"}
    for field, title in titles.items():
        sums: dict[str, int] = {}
        for slow in delays.slow:
            value = getattr(slow, field)
            if value:
                sums[value] = sums.get(value, 0) + slow.number
        ordered = sorted(sums.items(), key=lambda pair: (-pair[1], pair[0]))
        pairs = [(window.name(field, value), number) for value, number in ordered]
        what = f"first deliveries of {histogram.SLOW} s and more by {title}"
        lines += table(what, pairs, _ROWS)
    return lines


def cause(window: Window, options: Namespace) -> list[str]:
    """Return the command that shows the messages that were slow."""
    # Few runs are asked for it.
    from check_postfix.common.cause import command
    from check_postfix.maillog.counts.families import MANY

    sums: dict[str, int] = {}
    for slow in window.delays.slow:
        if slow.domain not in ("", MANY):
            sums[slow.domain] = sums.get(slow.domain, 0) + slow.number
    if not sums:
        return []
    worst = min(sums, key=lambda domain: (-sums[domain], domain))
    return command(window, options, [worst, "status=sent"])


CHECK = Check(
    name="postfix delay",
    description="Alert when delivery has become slow: how long first deliveries took.",
    source=FROM_LOG,
    labels=[
        Label("delay_p50", "seconds within which half of the first deliveries were done", "s"),
        Label("delay_p95", "the same of 95 %; with --stage, the time of that stage", "s"),
        Label("delay_p99", "the same of 99 %", "s"),
        Label("delay_before_queue", "95th percentile of the time before the queue", "s"),
        Label("delay_queue", "the same of the time in the active queue", "s"),
        Label("delay_connection", "the same of the time for the connection", "s"),
        Label("delay_transmission", "the same of the time for the transmission", "s"),
        Label("retried_p95", "95th percentile of the age of what was sent after a retry", "s"),
        Label("deliveries", "first deliveries"),
        Label("retried", "deliveries of messages that had been put off before"),
    ],
    measure=measure,
    thresholds=[
        Threshold(
            "delay_p95",
            "the time within which 95 % of the first deliveries were done (90s, 15m, 2h)",
            warning="2m",
            critical="10m",
            uom="s",
            enough=[Least(_number, MIN_ATTEMPTS, "first deliveries")],
        )
    ],
    options=[STAGE, MIN_ATTEMPTS],
    summary=summary,
    details=details,
    cause=cause,
    worst_case=worst_case(_SUPPOSED, "delivery_unknown"),
    examples=[
        ("check_postfix_delay", "judge the last 15 minutes of this machine's mail log"),
        (
            "check_postfix_delay --stage before-queue -w 30s -c 2m",
            "alert when filters before the queue, or a full active queue, keep mail waiting",
        ),
        ("check_postfix_delay --window 1h -v", "show all stages, and whose mail was slow"),
    ],
)


if __name__ == "__main__":
    run(CHECK)
