"""Warn when passwords are being guessed.

Failed logins are smtpd's SASL failures and those of Dovecot's login processes;
neither tells of the other's. A login that our own backend could not decide is
not a wrong password and stands apart.
"""

from __future__ import annotations

from check_postfix.common import clients
from check_postfix.common.filter import ACCOUNT, CLIENT, IGNORE_ACCOUNT, IGNORE_CLIENT, Choice
from check_postfix.common.log_source import FROM_LOG
from check_postfix.common.suspicion import Tries
from check_postfix.common.tables import table
from check_postfix.maillog.counts.counts import MANY
from check_postfix.plugin import Check, Label, Threshold, run, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

    from check_postfix.maillog.window.window import Window
    from check_postfix.plugin import Metric

FAILURES = Label("auth_failures", "failed logins")
WORST_CLIENT = Label("auth_worst_client", "failed logins of the client address with most of them")
CLIENTS = Label("auth_clients", "client addresses with failed logins")
BACKEND_ERRORS = Label("auth_backend_errors", "logins that our own backend could not decide")
ACCOUNTS = Label("auth_accounts", "accounts that failed logins name")
WORST_ACCOUNT = Label("auth_worst_account", "failed logins of the account that most of them name")

# Clients and accounts shown with -v.
_ROWS = 10


def _most(window: Window, field: str, choice: Choice) -> list[tuple[str, int]]:
    """Return (value, failed logins) of each client or account that is kept apart, most first."""
    return [
        (value, number)
        for (value,), number in window.keys("auth_failed", field, choice=choice)
        if value != MANY
    ]


def _tries(window: Window, choice: Choice) -> Tries:
    rows = window.keys("auth_failed", "client", "account", choice=choice)
    return Tries(rows, hours=window.seconds / 3600)


def measure(window: Window, options: Namespace) -> list[Metric]:
    """Return how many logins failed, all in all, from the worst client, at the worst account.

    Returns: auth_failures, auth_worst_client and auth_worst_account in failed logins;
             auth_clients in client addresses (IPv6: networks of /64); auth_accounts in
             accounts, as far as the log names them; auth_backend_errors in logins not
             decided, of any client
    """
    choice = Choice(window, options)
    failed = _most(window, "client", choice)
    accounts = _most(window, "account", choice)
    return [
        FAILURES.of(
            window.count_matching("auth_failed", choice) if choice else window.count("auth_failed")
        ),
        WORST_CLIENT.of(failed[0][1] if failed else 0),
        CLIENTS.of(len(failed)),
        BACKEND_ERRORS.of(window.count("auth_backend_error")),
        ACCOUNTS.of(len(accounts)),
        WORST_ACCOUNT.of(accounts[0][1] if accounts else 0),
    ]


def summary(measured: Mapping[str, float], window: Window, options: Namespace) -> str:
    """Return the first line's words."""
    failures = values.amount(measured["auth_failures"], "failed login")
    words = [f"{failures} in {values.span(window.seconds)}"]
    tries = _tries(window, Choice(window, options))
    words += tries.words(lambda client: window.name("client", client), suspects=not options.account)
    if measured["auth_backend_errors"]:
        words.append(values.amount(measured["auth_backend_errors"], "backend error"))
    return ", ".join(words)


def details(window: Window, options: Namespace) -> list[str]:
    """Return the clients that failed most, the accounts they failed at, where and how."""
    choice = Choice(window, options)
    tries = _tries(window, choice)
    named = clients.names(window, "auth_failed", choice)
    lines = []
    for field, show, beside in (
        ("client", window.name, lambda client: named.get(client, "") + tries.at(client)),
        # a pseudonym, with or without --anonymise
        ("account", "{}-{}".format, tries.by),
        ("service", window.name, lambda _: ""),
        ("mechanism", window.name, lambda _: ""),
    ):
        counted = window.keys("auth_failed", field, choice=choice)
        shown = {value: show(field, value) for (value,), _ in counted if value != MANY}
        lines += table(
            f"failed logins by {field}",
            [(shown.get(value, MANY), number) for (value,), number in counted],
            _ROWS,
            {name: beside(value) for value, name in shown.items()},
        )
    return lines


CHECK = Check(
    name="postfix auth",
    description="Alert when many logins fail, all in all or from one client address.",
    source=FROM_LOG,
    labels=[FAILURES, WORST_CLIENT, CLIENTS, BACKEND_ERRORS, ACCOUNTS, WORST_ACCOUNT],
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
    options=[CLIENT, IGNORE_CLIENT, ACCOUNT, IGNORE_ACCOUNT],
    summary=summary,
    details=details,
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
