"""The slow window: failed logins of a longer time, in which slow guessing adds up.

It is counted by the hour, for a run looks at all of it. So it begins with the hour.
"""

from __future__ import annotations

from check_postfix.common import severity
from check_postfix.common.guesses import FAMILY, key_of
from check_postfix.common.suspicion import Tries
from check_postfix.maillog.counts.families import MANY
from check_postfix.plugin import AtLeast, Option, Threshold, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

    from check_postfix.common.filter import Filter
    from check_postfix.maillog.window.window import Window

SLOW_WINDOW = Option(
    "--slow-window",
    "a longer time, counted by the hour, in which slow guessing adds up, and logins that were"
    " guessed are looked for; no longer than --keep-keys",
    default="24h",
    parse=values.window,
    metavar="DURATION",
    example="24h",
    series="slow_window_seconds",
)

FAILURES = "auth_failures_slow"
CLIENT = "auth_worst_client_slow"
ACCOUNT = "auth_worst_account_slow"
# What is much in a day differs from server to server a thousandfold: the internet guesses at all.
_UNSET = "; none is set, since each server has its own usual number of them"
THRESHOLDS = [
    Threshold(FAILURES, "the number of failed logins in --slow-window" + _UNSET, suffix="slow"),
    Threshold(
        CLIENT,
        "the number of failed logins of one client address in --slow-window" + _UNSET,
        suffix="client-slow",
    ),
    Threshold(
        ACCOUNT,
        "the number of failed logins at one account in --slow-window" + _UNSET,
        suffix="account-slow",
    ),
]


def minutes(options: Namespace) -> int:
    """Return how long it is."""
    length: int = options.slow_window // 60
    return length


def is_kept(window: Window) -> bool:
    """Tell whether anything is kept of it."""
    return window.end > window.oldest_keys


def lack(window: Window, options: Namespace) -> list[str]:
    """Return what is said where a part of it is forgotten: a guesser may not be seen then."""
    known = window.end - 1 - window.oldest_keys  # up to the minute that is still running
    if not 0 < known < minutes(options) - 1:
        return []
    span = values.span(known * 60)
    return [f"of the slow window {span} only, clients are kept no longer (--keep-keys)"]


def measure(window: Window, options: Namespace, filter: Filter) -> dict[str, float]:
    """Return how many logins failed, in all, of the worst client and at the worst account.

    Nothing if the whole of it is forgotten.
    """
    if not is_kept(window):
        return {}
    rows = _rows(window, options, filter)
    of_client: dict[str, int] = {}
    of_account: dict[str, int] = {}
    failed = 0
    for (client, account), number in rows:
        failed += number
        of_client[client] = of_client.get(client, 0) + number
        of_account[account] = of_account.get(account, 0) + number
    is_known = window.has_tried(minutes(options))
    is_cut = not is_known or MANY in of_client or MANY in of_account
    each = [_most(of_client), _most(of_account)]
    # The sum has them all, but for what was not read.
    known = failed if is_known else AtLeast(failed)
    return {
        FAILURES: known,
        CLIENT: AtLeast(each[0]) if is_cut else each[0],
        ACCOUNT: AtLeast(each[1]) if is_cut else each[1],
    }


def _most(sums: dict[str, int]) -> int:
    return max([number for name, number in sums.items() if name not in ("", MANY)], default=0)


def _rows(window: Window, options: Namespace, filter: Filter) -> list[tuple[tuple[str, ...], int]]:
    rows = window.tried(minutes(options))
    if not filter.narrows(FAMILY):  # as mostly
        return rows
    return [(pair, number) for pair, number in rows if filter(FAMILY, key_of(*pair))]


def words(
    measured: Mapping[str, float], window: Window, options: Namespace, filter: Filter
) -> list[str]:
    """Return what is said of it where one of its thresholds is exceeded."""
    if not severity.of(measured, THRESHOLDS, options):
        return []
    added: dict[tuple[str, ...], int] = {}
    for pair, number in _rows(window, options, filter):
        added[pair] = added.get(pair, 0) + number
    tries = Tries(added.items(), hours=options.slow_window / 3600)
    failures = values.amount(measured[FAILURES], "failed login")
    said = tries.words(lambda client: window.name("client", client), suspects=not options.account)
    return [f"{failures} in {values.span(options.slow_window)}", *said]


def by_client(window: Window, options: Namespace, filter: Filter) -> list[tuple[str, int]]:
    """Return clients, by their names as shown, and their failures, most first."""
    added: dict[str, int] = {}
    for (client, _), number in _rows(window, options, filter):
        if client:
            added[client] = added.get(client, 0) + number
    ordered = sorted(added.items(), key=lambda pair: (-pair[1], pair[0]))
    return [(window.name("client", client), number) for client, number in ordered]
