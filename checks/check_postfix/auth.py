"""Warn when passwords are being guessed.

Failed logins are smtpd's SASL failures and those of Dovecot's login processes;
neither tells of the other's. A login that our own backend could not decide is
not a wrong password and stands apart.
"""

from __future__ import annotations

from check_postfix.choice import CLIENT, IGNORE_CLIENT, Choice
from check_postfix.from_log import FROM_LOG
from check_postfix.maillog.counts import MANY
from check_postfix.plugin import Check, Label, Threshold, run, values
from check_postfix.tables import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

    from check_postfix.maillog.window import Window
    from check_postfix.plugin import Metric

FAILURES = Label("auth_failures", "failed logins")
WORST_CLIENT = Label("auth_worst_client", "failed logins of the client address with most of them")
CLIENTS = Label("auth_clients", "client addresses with failed logins")
BACKEND_ERRORS = Label("auth_backend_errors", "logins that our own backend could not decide")

# Clients shown with -v.
_ROWS = 10


def _clients(window: Window, options: Namespace) -> list[tuple[str, int]]:
    """Return (address, failed logins) of each client, most first."""
    return [
        (client, number)
        for (client,), number in window.keys("auth_failed", "client", choice=Choice(options))
        if client != MANY
    ]


def measure(window: Window, options: Namespace) -> list[Metric]:
    """Return how many logins failed, all in all and from the worst client.

    Returns: auth_failures and auth_worst_client in failed logins; auth_clients in
             client addresses (IPv6: networks of /64); auth_backend_errors in logins
             not decided, of any client
    """
    clients = _clients(window, options)
    choice = Choice(options)
    return [
        FAILURES.of(
            window.chosen("auth_failed", choice) if choice else window.count("auth_failed")
        ),
        WORST_CLIENT.of(clients[0][1] if clients else 0),
        CLIENTS.of(len(clients)),
        BACKEND_ERRORS.of(window.count("auth_backend_error")),
    ]


def summary(measured: Mapping[str, float], window: Window, options: Namespace) -> str:
    """Return the first line's words."""
    failures = values.amount(measured["auth_failures"], "failed login")
    words = f"{failures} in {values.span(window.seconds)}"
    if clients := _clients(window, options):
        client, number = clients[0]
        words += f", {number} from {window.name('client', client)}"
    if measured["auth_backend_errors"]:
        words += f", {values.amount(measured['auth_backend_errors'], 'backend error')}"
    return words


def details(window: Window, options: Namespace) -> list[str]:
    """Return the clients that failed most, and where and how they tried."""
    lines = []
    for field in ("client", "service", "mechanism"):
        pairs = [
            (window.name(field, value), number)
            for (value,), number in window.keys("auth_failed", field, choice=Choice(options))
        ]
        lines += table(f"failed logins by {field}", pairs, _ROWS)
    return lines


CHECK = Check(
    name="postfix auth",
    description="Alert when many logins fail, all in all or from one client address.",
    source=FROM_LOG,
    labels=[FAILURES, WORST_CLIENT, CLIENTS, BACKEND_ERRORS],
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
    options=[CLIENT, IGNORE_CLIENT],
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


def main() -> None:
    """Run the check."""
    run(CHECK)


if __name__ == "__main__":
    main()
