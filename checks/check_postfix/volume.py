"""Warn when mail stops, or far more of it flows than usual.

How much mail there is differs from host to host and from hour to hour, so it is compared with
what is usual here at this time. Too little of it is looked for in the shortest time in which
enough is usual to tell; nothing at all is told by how long it lasts.
"""

from __future__ import annotations

from check_postfix.common import against_usual
from check_postfix.common.log_source import FROM_LOG
from check_postfix.common.not_understood import worst_case
from check_postfix.maillog.counts.series import CONNECTED, RECEIVED, SENT
from check_postfix.maillog.window.usual import SILENT, WITHIN
from check_postfix.plugin import Check, Label, Option, Threshold, run, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

    from check_postfix.maillog.window.compared import Compared
    from check_postfix.maillog.window.window import Window

CONNECTIONS = "connections"
# What is compared -> its series
_SERIES = {RECEIVED: RECEIVED, SENT: SENT, CONNECTIONS: CONNECTED}
_NOTHING = {
    RECEIVED: "no message received",
    SENT: "nothing sent",
    CONNECTIONS: "no connection",
}
# Counters of what is compared -> what else its lines may have been that nobody understood.
_SUPPOSED = {"received": (), "sent": ("delivery_unknown",), "connected_smtpd": ()}

OF = Option(
    "--of",
    "what is compared: messages received, what was sent (for each recipient), or connections of"
    " clients (postscreen's where it runs, else smtpd's). One service each: their false"
    " alarms add up",
    default=RECEIVED,
    parse=values.one_of(*_SERIES),
    metavar="WHAT",
    series="of",
)


def _compared(window: Window, options: Namespace) -> Compared:
    return window.compared(_SERIES[options.of])


def _amount(options: Namespace, number: float) -> str:
    if options.of == SENT:
        return f"{number:g} sent"
    if options.of == RECEIVED:
        return f"{values.amount(number, 'message')} received"
    return values.amount(number, "connection")


def measure(window: Window, options: Namespace) -> dict[str, float]:
    """Return how much mail there was, and how that compares with the usual.

    What is usual is left out while it is not known.
    """
    compared = _compared(window, options)
    measured: dict[str, float] = {
        "received": window.count("received"),
        "sent": window.count("sent"),
        "connections": window.number(CONNECTED),
        "silence": compared.recent.silence * 60,
    }
    factor = against_usual.factor(compared)
    if factor is not None:
        usual = compared.range
        measured |= {
            "volume_factor": factor,
            "usual_low": usual.lows.get(1, 0),
            "usual_high": round(usual.high),
            "silence_factor": round(compared.verdict.silence, 1),
        }
    return measured


def summary(
    measured: Mapping[str, float], window: Window, options: Namespace, is_alarm: bool
) -> str:
    """Return the first line's words."""
    compared = _compared(window, options)

    def amount(number: float) -> str:
        return _amount(options, number)

    minutes = window.end - window.start
    number = int(measured[options.of])
    if _is_silence(compared, is_alarm):
        words = against_usual.silence(compared, _NOTHING[options.of])
    else:
        words = against_usual.words(compared, minutes, number, amount)
    if not is_alarm and (stop := against_usual.stop_shows(compared)):
        words += f", {stop}"
    return words


def _is_silence(compared: Compared, is_alarm: bool) -> bool:
    """Tell whether the time without any says more than how many there were."""
    verdict = compared.verdict
    is_judged_alone = is_alarm and verdict.how == WITHIN and not verdict.number
    return verdict.silence > SILENT or is_judged_alone


def details(window: Window, options: Namespace) -> list[str]:
    """Return the last day, hour by hour."""
    return against_usual.last_day(_compared(window, options))


def _worst_case(window: Window) -> Window | None:
    """Return the window in which all that was not understood has come on top of the rest.

    What has not come is no part of it: that is an alarm already.
    """
    supposed = None
    for counter, unknown in _SUPPOSED.items():
        supposed = worst_case(counter, *unknown)(supposed or window) or supposed
    return supposed


CHECK = Check(
    name="postfix volume",
    description=(
        "Alert when mail stops, or far more of it flows than usual. Usual is what this host had"
        " on 28 days: at this time of the same weekday, give or take how far it strays anyway."
        " Judged are the last quarters of an hour. With fewer than 7 days known, nothing is."
    ),
    source=FROM_LOG,
    labels=[
        Label("volume_factor", "what decided, as a multiple of the usual; 1 if it is usual"),
        Label("received", "messages taken in from clients or this machine"),
        Label("sent", "delivery attempts that the relay took"),
        Label("connections", "connections of clients: postscreen's where it runs, else smtpd's"),
        Label("usual_low", "what is usual at least in 15 minutes, at this time"),
        Label("usual_high", "what is usual at most in 15 minutes, at this time"),
        Label("silence", "time since the last one of what is compared", uom="s"),
        Label("silence_factor", "that time as a multiple of the longest usual one"),
    ],
    measure=measure,
    thresholds=[
        Threshold(
            "volume_factor",
            "the number as a multiple of the usual",
            warning="0.3:3",
            critical="0.1:10",
        ),
        Threshold(
            "silence_factor",
            "the time without any, as a multiple of the longest usual one,",
            warning="2.5",
            critical="4",
            suffix="silence-factor",
        ),
        Threshold("silence", "the time without any", suffix="silence", uom="s"),
    ],
    options=[OF],
    summary=summary,
    details=details,
    worst_case=_worst_case,
    examples=[
        ("check_postfix_volume", "judge what this machine has received lately"),
        (
            "check_postfix_volume --of connections -v",
            "the same of the clients that connect, with the last day drawn",
        ),
        (
            "check_postfix_volume --critical-silence 2h",
            "alert as well when nothing was received for two hours, usual or not",
        ),
    ],
)


if __name__ == "__main__":
    run(CHECK)
