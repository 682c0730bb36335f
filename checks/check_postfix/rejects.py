"""Warn when far more mail is refused than usual.

smtpd, a filter behind it, postscreen, cleanup (header and body checks, MIME) and milters
refuse mail. How much of that is normal differs from host to host and from hour to hour, so
it is compared with what is usual here at this time.
"""

from __future__ import annotations

from check_postfix.common import against_usual, clients
from check_postfix.common.filter import CLIENT, CODE, IGNORE_CLIENT, Filter
from check_postfix.common.log_source import FROM_LOG
from check_postfix.common.not_understood import worst_case
from check_postfix.common.tables import by_field, table
from check_postfix.maillog.counts.families import MANY
from check_postfix.maillog.counts.series import REJECTED as REJECTED_SERIES
from check_postfix.maillog.window.usual import LASTING, QUARTER
from check_postfix.plugin import Check, Label, Option, Threshold, run, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

    from check_postfix.maillog.window.compared import Compared
    from check_postfix.maillog.window.window import Window

BY_WHOM = {
    "smtpd": "rejected_smtpd",
    "smtpd, cut off": "rejected_hangup",
    "postscreen": "rejected_postscreen",
    "smtpd, too large": "rejected_size",
    "filters behind smtpd": "rejected_proxy",
    "header and body checks": "rejected_header_body",
    "MIME checks": "rejected_mime",
    "milters in smtpd": "rejected_milter_smtpd",
    "milters in cleanup": "rejected_milter_cleanup",
}
REJECTED = tuple(BY_WHOM.values())

MIN_REJECTS = Option(
    "--min-rejects",
    "so many more than this host's own ups and downs explain there must be in 15 minutes:"
    " on a quiet server a handful is many times the usual",
    default="25",
    parse=values.count,
    metavar="N",
)
FILTERS = [CLIENT, CODE, IGNORE_CLIENT]

_ROWS = 5


def _rejects(window: Window, options: Namespace) -> int:
    return Filter(FILTERS, window, options).count("rejected", *REJECTED)


def _compared(window: Window, options: Namespace) -> Compared:
    compared = window.compared(REJECTED_SERIES, options.min_rejects)
    filter = Filter(FILTERS, window, options)
    if not filter.narrows("rejected"):
        return compared.without_too_few()
    # What filters ask for is kept for two days only, so it is held against all that is usual.
    lately = [
        window.ending(n * QUARTER, QUARTER).count_matching("rejected", filter)
        for n in range(LASTING)
    ]
    return compared.of_part(lately)


def measure(window: Window, options: Namespace) -> dict[str, float]:
    """Return how many rejects there were, and how many times the usual number that is.

    The latter and the usual number are left out while it is not known.
    """
    rejects, compared = _rejects(window, options), _compared(window, options)
    factor = against_usual.factor(compared)
    if factor is None:
        return {"rejects": rejects}
    usual = round(compared.range.usual(compared.range.high), 1)
    return {"reject_factor": factor, "rejects": rejects, "rejects_usual": usual}


def summary(
    measured: Mapping[str, float], window: Window, options: Namespace, is_alarm: bool
) -> str:
    """Return the first line's words."""
    is_part = Filter(FILTERS, window, options).narrows("rejected")
    words = against_usual.words(
        _compared(window, options),
        window.end - window.start,
        int(measured["rejects"]),
        _amount,
        "of all rejects" if is_part else "",
    )
    if is_alarm and (where := _most(window, options)):
        words += f", {where}"
    return words


def _amount(number: float) -> str:
    return values.amount(number, "reject")


def _most(window: Window, options: Namespace) -> str:
    """Return of whom most was refused, and why."""
    # Few runs alarm.
    from check_postfix.common.most import Field, most

    filter = Filter(FILTERS, window, options)
    named = clients.names(window, "rejected", filter)
    client = Field("from", "clients", lambda one: window.name("client", one) + named(one))
    fields = ("client", "reason", "blocklist", "reply_code")
    rows = [
        ((client, _why(*about)), number)
        for (client, *about), number in window.keys("rejected", *fields, filter=filter)
    ]
    return most([client], rows, _rejects(window, options))


def _why(reason: str, blocklist: str, code: str) -> str:
    if MANY in (reason, blocklist, code):
        return MANY
    return f"{reason} {blocklist}".rstrip() if reason not in ("", "other") else code


def details(window: Window, options: Namespace) -> list[str]:
    """Return who refuses, whom, why, and with what reply."""
    filter = Filter(FILTERS, window, options)
    by_whom = [(name, window.count(counter)) for name, counter in BY_WHOM.items()]
    by_whom = sorted((pair for pair in by_whom if pair[1]), key=lambda pair: -pair[1])
    # Which of them refused whom is not kept.
    narrowed = filter.narrows("rejected")
    lines = [] if narrowed else table("rejects by program", by_whom, len(by_whom))
    titles = {
        "client": "client",
        "reason": "reason",
        "blocklist": "block list",
        "reply_code": "reply code",
    }
    notes = {"client": clients.names(window, "rejected", filter)}
    if not narrowed:
        lines = against_usual.last_day(_compared(window, options)) + lines
    return lines + by_field(window, "rejected", "rejects", titles, filter, _ROWS, notes)


def cause(window: Window, options: Namespace) -> list[str]:
    """Return the command that shows the rejects of the worst client."""
    # Few runs are asked for it.
    from check_postfix.common.cause import command, worst

    filter = Filter(FILTERS, window, options)
    client = worst(window, "rejected", "client", filter)
    # The other lines of a refusal do not say so.
    others = window.count("rejected_hangup", "rejected_size")
    return command(window, options, client and [*client, *([] if others else ["reject:"])])


CHECK = Check(
    name="postfix rejects",
    description=(
        "Alert when far more mail is refused than usual. Usual is what this host had on 28 days:"
        " at this time of the same weekday, give or take how far it strays anyway. Judged are the"
        " last quarters of an hour. With fewer than 7 days known, only the absolute thresholds"
        " count."
    ),
    source=FROM_LOG,
    labels=[
        Label("reject_factor", "rejects as a multiple of the usual"),
        Label("rejects", "commands and messages of clients that were refused"),
        Label("rejects_usual", "rejects that are usual in 15 minutes, at this time"),
    ],
    measure=measure,
    thresholds=[
        Threshold(
            "reject_factor",
            "the number of rejects as a multiple of the usual",
            warning="3",
            critical="10",
        ),
        Threshold("rejects", "the number of rejects", suffix="count"),
    ],
    options=[MIN_REJECTS, *FILTERS],
    summary=summary,
    details=details,
    cause=cause,
    worst_case=worst_case("rejected_smtpd", "reject_unknown"),
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
