"""Warn when far more mail is refused than usual.

Refusals are smtpd's, postscreen's, cleanup's (header and body checks, MIME) and
the milters'. How many are normal differs from host to host and from hour to
hour, so the window is held against what is usual here at this time of day.
"""

from __future__ import annotations

from check_postfix.common import clients
from check_postfix.common.filter import CLIENT, CODE, IGNORE_CLIENT, Choice
from check_postfix.common.log_source import FROM_LOG
from check_postfix.common.tables import table
from check_postfix.plugin import Check, Label, Option, Threshold, run, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

    from check_postfix.maillog.window.usual import Usual
    from check_postfix.maillog.window.window import Window
    from check_postfix.plugin import Metric

REJECT_FACTOR = Label("reject_factor", "rejects as a multiple of the usual")
REJECTS = Label("rejects", "commands and messages of clients that were refused")
USUAL = Label("rejects_usual", "rejects that are usual in such a window")

BY_WHOM = {
    "smtpd": "rejected_smtpd",
    "smtpd, cut off": "rejected_hangup",
    "postscreen": "rejected_postscreen",
    "header and body checks": "rejected_header_body",
    "MIME checks": "rejected_mime",
    "milters in smtpd": "rejected_milter_smtpd",
    "milters in cleanup": "rejected_milter_cleanup",
}
REJECTED = tuple(BY_WHOM.values())

MIN_REJECTS = Option(
    "--min-rejects",
    "below this many rejects, show the factor but do not judge it: on a quiet"
    " server a handful is many times the usual",
    default="50",
    parse=values.count,
    metavar="N",
)

_ROWS = 5


def _usual(window: Window, choice: Choice) -> Usual:
    return window.usual_of("rejected", choice) if choice else window.usual(*REJECTED)


def measure(window: Window, options: Namespace) -> list[Metric]:
    """Return how many rejects there were, and how many times the usual that is.

    Returns: rejects in refused commands or messages; rejects_usual the same, the
             median of comparable windows; reject_factor the one by the other. The
             latter two are left out when there is too little history.
    """
    choice = Choice(window, options)
    rejects = window.count_matching("rejected", choice) if choice else window.count(*REJECTED)
    usual = _usual(window, choice).level
    if usual is None:
        return [REJECTS.of(rejects)]
    # Where none is usual, one is taken for it: there is no multiple of nothing.
    factor = round(rejects / max(usual, 1), 1)
    return [REJECT_FACTOR.of(factor), REJECTS.of(rejects), USUAL.of(usual)]


def summary(measured: Mapping[str, float], window: Window, options: Namespace) -> str:
    """Return the first line's words."""
    words = f"{values.amount(measured['rejects'], 'reject')} in {values.span(window.seconds)}"
    usual = _usual(window, Choice(window, options))
    if usual.level is None:
        return f"{words}, {usual.basis}"
    return f"{words}, {measured['reject_factor']:g} x usual {usual.level:g} ({usual.basis})"


def details(window: Window, options: Namespace) -> list[str]:
    """Return who refuses, whom, why, and with what reply."""
    choice = Choice(window, options)
    by_whom = [(name, window.count(counter)) for name, counter in BY_WHOM.items()]
    by_whom = sorted((pair for pair in by_whom if pair[1]), key=lambda pair: -pair[1])
    beside = {"client": clients.names(window, "rejected", choice)}
    # Which of them refused whom is not kept.
    lines = [] if choice else table("rejects by program", by_whom, len(by_whom))
    for field, title in (
        ("client", "client"),
        ("reason", "reason"),
        ("blocklist", "block list"),
        ("reply_code", "reply code"),
    ):
        pairs = [
            (window.name(field, value), number)
            for (value,), number in window.keys("rejected", field, choice=choice)
        ]
        lines += table(f"rejects by {title}", pairs, _ROWS, beside.get(field))
    return lines


CHECK = Check(
    name="postfix rejects",
    description=(
        "Alert when far more mail is refused than usual. Usual is the median of equally"
        " long windows at the same time of day on earlier days; with less than 3 such"
        " days, of the preceding 24 hours; with less than 4 such windows only the"
        " absolute thresholds count."
    ),
    source=FROM_LOG,
    labels=[REJECT_FACTOR, REJECTS, USUAL],
    measure=measure,
    thresholds=[
        Threshold(
            "reject_factor",
            "the number of rejects as a multiple of the usual",
            warning="3",
            critical="10",
            enough=(["rejects"], MIN_REJECTS),
        ),
        Threshold("rejects", "the number of rejects", suffix="count"),
    ],
    options=[MIN_REJECTS, CLIENT, CODE, IGNORE_CLIENT],
    summary=summary,
    details=details,
    examples=[
        ("check_postfix_rejects", "judge the last 15 minutes of this machine's mail log"),
        (
            "check_postfix_rejects -w 2 -c 5 --critical-count 10000 -v",
            "alert above 2 and 5 times the usual, or above 10000, and say who is refused",
        ),
    ],
)


if __name__ == "__main__":
    run(CHECK)
