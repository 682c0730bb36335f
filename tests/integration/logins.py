"""Logins: right, wrong, not quite either, and at a server whose password service is gone."""

from .client import Client, auth_login, auth_plain, transaction
from .dovecot import USERS
from .driver import OPS, Driver
from .machine import GUESSER, HOSTS, MX1, SUBMISSION

STRANGER = Client(GUESSER, "ylmf-pc")
OWNER = Client(HOSTS["client7.example.org"], "[203.0.113.7]")
PHONE = Client(HOSTS["client8.example.org"], "phone")
RIGHT, WRONG, TOO_OFTEN, NO_BACKEND, CONTINUE = 235, 535, 450, 454, 334


def wrong_passwords(driver: Driver) -> None:
    """Guess at both doors; the submission service stops listening after a while."""
    with STRANGER.connect(MX1, SUBMISSION) as smtp:
        codes = [auth_plain(smtp, "alice", f"guess{number}") for number in range(4)]
    with STRANGER.connect(MX1, SUBMISSION) as smtp:
        codes += [auth_login(smtp, "admin", f"guess{number}") for number in range(4)]
    with STRANGER.connect(MX1, SUBMISSION) as smtp:
        assert auth_plain(smtp, "alice", "secret") == TOO_OFTEN
    assert codes == [WRONG] * 8
    _failed(driver, STRANGER, len(codes))
    with OWNER.connect(MX1, SUBMISSION) as smtp:
        assert auth_login(smtp, "alice", "secrte") == WRONG
    _failed(driver, OWNER, 1)
    for user, passwords in {"root": ("a", "b", "c"), "x>, rip=192.0.2.9": ("d", "e")}.items():
        assert not any(STRANGER.imap_logins(MX1, user, *passwords))
        _failed(driver, STRANGER, len(passwords))
    assert not any(PHONE.imap_logins(MX1, "bob", "old password"))
    _failed(driver, PHONE, 1)


def no_password_tested(driver: Driver) -> None:
    """Say things that are no password, or find the right one in the end: no failures."""
    with OWNER.connect(MX1, SUBMISSION) as smtp:
        assert smtp.docmd("AUTH CRAM-MD9")[0] == WRONG
        assert smtp.docmd("AUTH PLAIN", "!!!")[0] == WRONG
        assert smtp.docmd("AUTH LOGIN")[0] == CONTINUE
        assert smtp.docmd("*")[0] == 501
    # Dovecot keeps a failure to itself when a success follows it in the same connection.
    assert PHONE.imap_logins(MX1, "bob", "forgotten", USERS["bob"]) == [False, True]


def submissions(driver: Driver) -> None:
    """Log in and send."""
    for user, log_in in (("alice", auth_plain), ("bob", auth_login)):
        with PHONE.connect(MX1, SUBMISSION) as smtp:
            assert log_in(smtp, user, USERS[user]) == RIGHT
            assert transaction(smtp, OPS, ["ann@example.net"], "Subject: hi\r\n\r\n").data == 250
        driver.attempt("ann@example.net")


def without_backend(driver: Driver) -> None:
    """Log in, rightly, while Dovecot goes and when it has gone. It does not come back.

    For the second login Postfix 3.7 writes "(reason unavailable)", as for a wrong password, but
    says before it that it cannot connect, and after it that there was no user name either.
    """
    with PHONE.connect(MX1, SUBMISSION) as smtp:
        assert smtp.docmd("AUTH LOGIN")[0] == CONTINUE
        driver.machine.dovecot.crash()
        assert smtp.docmd("YWxpY2U=")[0] == NO_BACKEND
        assert auth_plain(smtp, "alice", USERS["alice"]) == NO_BACKEND
    driver.truth().counts["auth_backend_errors"] += 2


def _failed(driver: Driver, client: Client, times: int) -> None:
    driver.truth().failures[client.address] += times
