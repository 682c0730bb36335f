"""Warn when passwords are being guessed.

Failed logins are smtpd's SASL failures and those of Dovecot's login processes. Neither
program logs those of the other. A login that our own backend could not decide was not a
wrong password, and is counted apart. So are the backend's own errors. Nothing is subtracted
for them: a guesser's odd names can cause some.

Two windows are judged. In the short one a flood shows; in the long one slow guessing does, and
whether a guesser has found a password.
"""

from __future__ import annotations

from check_postfix.common import clients, slow_window
from check_postfix.common.filter import (
    ACCOUNT,
    CLIENT,
    IGNORE_ACCOUNT,
    IGNORE_CLIENT,
    WEBMAIL,
    Filter,
)
from check_postfix.common.guesses import guesses
from check_postfix.common.log_remarks import local_time
from check_postfix.common.log_source import FROM_LOG
from check_postfix.common.not_understood import worst_case
from check_postfix.common.suspicion import GUESSED, Tries
from check_postfix.common.tables import by_field, table
from check_postfix.maillog.counts import network
from check_postfix.maillog.counts.families import MANY
from check_postfix.maillog.counts.places import SMTP
from check_postfix.plugin import AtLeast, Check, Label, Threshold, run, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

    from check_postfix.common.guesses import Guess
    from check_postfix.maillog.window.daily_most import DailyMost
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
        **slow_window.measure(window, options, filter),
        **_guessed(window, options),
    }


def _guesses(window: Window, options: Namespace) -> list[Guess]:
    def find() -> list[Guess]:
        networks = Filter([CLIENT, IGNORE_CLIENT, WEBMAIL], window, options)
        accounts = Filter([ACCOUNT, IGNORE_ACCOUNT], window, options)
        return guesses(window, slow_window.minutes(options), networks, accounts)

    return window.once("guesses", find)


def _guessed(window: Window, options: Namespace) -> dict[str, float]:
    """Return how many accounts may be guessed; nothing if nobody can tell who is new where.

    If nobody has come from where somebody guesses, it is none, whatever is known of days.
    """
    if not slow_window.is_kept(window):
        return {}
    found = _guesses(window, options)
    is_known = not found or _days(window).is_known
    return {"auth_guessed": len(found)} if is_known else {}


def _days(window: Window) -> DailyMost:
    # Days are known of all families or none.
    return window.daily_most("by_account")


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
    if is_alarm:
        words += slow_window.words(measured, window, options, filter)
    words += slow_window.lack(window, options)
    return "; ".join([*_guessed_words(window, options), ", ".join(words)])


def _guessed_words(window: Window, options: Namespace) -> list[str]:
    """Return who may be guessed, and the next step; of several, of the latest."""
    found = _guesses(window, options)
    if not found:
        return []
    days = _days(window)
    if not days.is_known:
        logins = values.amount(len(found), "login")
        return [f"{logins} from where an address guesses, not judged: {days.lack}"]
    more = f", and {values.amount(len(found) - 1, 'more account')}" if found[1:] else ""
    said = f"{_said(found[0], window)}{more}; change the password"
    return [", ".join([said, *_see(found[0], window, options)])]


def _said(guess: Guess, window: Window) -> str:
    """Return who may be guessed, by whom, after how many failures, and when."""
    client = window.name("client", guess.client)
    who = _name(guess, window)
    of_network = guess.from_client and network.of(guess.from_client) != guess.client
    by = f" {window.name('client', guess.from_client)}" if of_network else ""
    did = "sent mail" if guess.service == SMTP else "logged in"
    how = "" if guess.service == SMTP else f" by {guess.service}"
    hint = " (an SMTP login shows only with mail)" if guess.service == SMTP else ""
    return (
        f"{who} may be guessed: {client} failed at {guess.failed} accounts and then{by} {did} as"
        f" {who}{how} at {local_time(guess.minute, window.end)} from a network new to it{hint}"
    )


def _name(guess: Guess, window: Window) -> str:
    if guess.name:
        return window.name("sender", guess.name)
    return window.name("account", guess.account)


def _see(guess: Guess, window: Window, options: Namespace) -> list[str]:
    """Return the command that shows the lines of an account; none where names are hidden."""
    # Few runs are asked for it.
    from check_postfix.common.cause import command

    since = window.ending(0, slow_window.minutes(options))
    since.logs = window.logs
    if not guess.name:
        return []
    at_smtp = [f"sasl_username={guess.name}"]
    # What a login process says of the account, failures as well.
    return command(since, options, at_smtp if guess.service == SMTP else [guess.name, "login:"])


def details(window: Window, options: Namespace) -> list[str]:
    """Return the clients that failed most, the accounts they failed at, where and how."""
    filter = Filter(FILTERS, window, options)
    tries = _tries(window, filter)
    named = clients.names(window, "auth_failed", filter)
    titles = {field: field for field in ("client", "account", "service", "mechanism")}
    notes = {"client": lambda client: named(client) + tries.at(client), "account": tries.by}
    lines = by_field(window, "auth_failed", "failed logins", titles, filter, _ROWS, notes)
    span = values.span(options.slow_window)
    slow = slow_window.by_client(window, options, filter)
    lines += table(f"failed logins in {span} by client", slow, _ROWS)
    is_known = _days(window).is_known
    # Few runs are asked for it.
    from check_postfix.common import got_in
    from check_postfix.common.cause import worst

    for client in worst(window, "auth_failed", "client", filter):
        lines += got_in.lines(window, client, is_known)
    if is_known:
        lines += [_said(guess, window) for guess in _guesses(window, options)[1:]]
    return lines


def cause(window: Window, options: Namespace) -> list[str]:
    """Return the command that shows the failed logins of the worst client.

    That of a guessed login stands in the first line.
    """
    # Few runs are asked for it.
    from check_postfix.common.cause import command, worst

    filter = Filter(FILTERS, window, options)
    client = worst(window, "auth_failed", "client", filter)
    # Postfix and Dovecot both say so, and neither where the client comes and goes.
    return command(window, options, client and [*client, "failed"])


CHECK = Check(
    name="postfix auth",
    description=(
        "Alert when many logins fail, in all or from one client address, and when a password was"
        f" probably guessed: an address has failed at {GUESSED} accounts or more, and then an"
        " account has logged in from its network for the first time. With fewer than 7 days known"
        " nobody can tell what is the first time, and it is not judged. Logins are those that"
        " Dovecot tells of; at Postfix they show only once they send mail."
    ),
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
        Label(slow_window.FAILURES, "failed logins in --slow-window"),
        Label(
            slow_window.CLIENT,
            "failed logins in --slow-window of the client address with most of them",
        ),
        Label(
            slow_window.ACCOUNT, "failed logins in --slow-window of the account with most of them"
        ),
        Label("auth_guessed", "accounts whose password may have been guessed in --slow-window"),
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
        *slow_window.THRESHOLDS,
        Threshold(
            "auth_guessed",
            "the number of accounts whose password may have been guessed",
            critical="0",
            suffix="guessed",
        ),
    ],
    options=[slow_window.SLOW_WINDOW, *FILTERS, WEBMAIL],
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
        (
            "check_postfix_auth --critical-client-slow 300 --webmail 192.0.2.80",
            "alert above 300 failures of one client within a day as well; webmail logs in from"
            " 192.0.2.80",
        ),
    ],
)


if __name__ == "__main__":
    run(CHECK)
