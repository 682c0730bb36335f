"""Warn when passwords are being guessed.

Failed logins are smtpd's SASL failures and those of Dovecot's login processes. Neither
program logs those of the other. A login that our own backend could not decide was not a
wrong password, and is counted apart. So are the backend's own errors. Nothing is subtracted
for them: a guesser's odd names can cause some.
"""

from __future__ import annotations

from check_postfix.common import clients
from check_postfix.common.filter import ACCOUNT, CLIENT, IGNORE_ACCOUNT, IGNORE_CLIENT, Filter
from check_postfix.common.log_source import FROM_LOG
from check_postfix.common.not_understood import worst_case
from check_postfix.common.suspicion import Tries
from check_postfix.common.tables import by_field
from check_postfix.maillog.counts.counts import MANY
from check_postfix.plugin import AtLeast, Check, Label, Threshold, run, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

    from check_postfix.maillog.window.window import Window

FILTERS = [CLIENT, IGNORE_CLIENT, ACCOUNT, IGNORE_ACCOUNT]

# Clients and accounts shown with -v.
_ROWS = 10


def _most(window: Window, field: str, filter: Filter) -> list[int]:
    """Return the failed logins of each client or account that is kept apart, most first."""
    rows = window.keys("auth_failed", field, filter=filter)
    return [number for (value,), number in rows if value != MANY]


def _tries(window: Window, filter: Filter) -> Tries:
    rows = window.keys("auth_failed", "client", "account", filter=filter)
    return Tries(rows, hours=window.seconds / 3600)


def measure(window: Window, options: Namespace) -> dict[str, float]:
    """Return how many logins failed, in all, from the worst client and at the worst account.

    Of IPv6 addresses a client is a /64. Accounts are those that the log names. What our own
    backend could not decide is of all clients and accounts.
    """
    filter = Filter(FILTERS, window, options)
    return {
        "auth_failures": filter.count("auth_failed", "auth_failed"),
        "auth_backend_errors": window.count("auth_backend_error"),
        **_of_each(window, filter),
    }


def _of_each(window: Window, filter: Filter) -> dict[str, float]:
    """Return what is known of single clients and accounts; nothing if they are not kept any more.

    It is a lower bound where some are not, or were too many to be kept apart.
    """
    failed = _most(window, "client", filter)
    accounts = _most(window, "account", filter)
    of_each = {
        "auth_worst_client": failed[0] if failed else 0,
        "auth_clients": len(failed),
        "auth_accounts": len(accounts),
        "auth_worst_account": accounts[0] if accounts else 0,
    }
    unknown = window.unknown("auth_failed", "auth_failed")
    if unknown and unknown == window.count("auth_failed"):
        return {}
    if unknown or any(client == MANY for (client,), _ in window.keys("auth_failed", "client")):
        return {label: AtLeast(number) for label, number in of_each.items()}
    return {**of_each}


def summary(
    measured: Mapping[str, float], window: Window, options: Namespace, is_alarm: bool
) -> str:
    """Return the first line's words."""
    filter = Filter(FILTERS, window, options)
    failures = values.amount(measured["auth_failures"], "failed login")
    words = [f"{failures} in {values.span(window.seconds)}"]
    tries = _tries(window, filter)
    if is_alarm and 2 * measured.get("auth_worst_client", 0) <= measured["auth_failures"]:
        words[0] += tries.spread(isinstance(measured.get("auth_clients"), AtLeast))
    words += tries.words(lambda client: window.name("client", client), suspects=not options.account)
    if measured["auth_backend_errors"]:
        words.append(values.amount(measured["auth_backend_errors"], "backend error"))
    return ", ".join(words)


def details(window: Window, options: Namespace) -> list[str]:
    """Return the clients that failed most, the accounts they failed at, where and how."""
    filter = Filter(FILTERS, window, options)
    tries = _tries(window, filter)
    named = clients.names(window, "auth_failed", filter)
    titles = {field: field for field in ("client", "account", "service", "mechanism")}
    notes = {"client": lambda client: named(client) + tries.at(client), "account": tries.by}
    return by_field(window, "auth_failed", "failed logins", titles, filter, _ROWS, notes)


def cause(window: Window, options: Namespace) -> list[str]:
    """Return the command that shows the lines of the worst client."""
    # Few runs are asked for it.
    from check_postfix.common.cause import command, worst

    filter = Filter(FILTERS, window, options)
    return command(window, options, worst(window, "auth_failed", "client", filter))


CHECK = Check(
    name="postfix auth",
    description="Alert when many logins fail, in all or from one client address.",
    source=FROM_LOG,
    labels=[
        Label("auth_failures", "failed logins"),
        Label("auth_worst_client", "failed logins of the client address with most of them"),
        Label("auth_clients", "client addresses with failed logins"),
        Label(
            "auth_backend_errors", "errors of our own backend, and logins that it could not decide"
        ),
        Label("auth_accounts", "accounts that failed logins name"),
        Label("auth_worst_account", "failed logins of the account that most of them name"),
    ],
    measure=measure,
    thresholds=[
        Threshold(
            "auth_failures",
            "the number of failed logins",
            warning="100",
            critical="500",
        ),
        Threshold(
            "auth_worst_client",
            "the number of failed logins of one client address",
            warning="20",
            critical="100",
            suffix="client",
        ),
    ],
    options=FILTERS,
    summary=summary,
    details=details,
    cause=cause,
    worst_case=worst_case("auth_failed", "login_unknown"),
    examples=[
        ("check_postfix_auth", "judge the last 15 minutes of this machine's mail log"),
        (
            "check_postfix_auth --critical-client 50 --window 1h -v",
            "alert above 50 failures of one client within an hour, and list the clients",
        ),
    ],
)


if __name__ == "__main__":
    run(CHECK)
