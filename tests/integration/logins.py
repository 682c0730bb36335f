"""Logins: right, wrong, not quite either, and at a server whose password service is gone."""

from .client import Client, auth_login, auth_plain, transaction
from .dovecot import USERS
from .driver import NEWS, OPS, Driver
from .machine import GUESSER, HOSTS, MX1, SUBMISSION

STRANGER = Client(GUESSER, "ylmf-pc")
OWNER = Client(HOSTS["client7.example.org"], "[203.0.113.7]")
PHONE = Client(HOSTS["client8.example.org"], "phone")
# From each place that a stolen account is used from, so many messages to each of these.
SPAM, VICTIMS = 6, ("ann@example.net", "ben@example.net", "gone@example.net")
RIGHT, WRONG, TOO_OFTEN, NO_BACKEND, CONTINUE = 235, 535, 450, 454, 334


def wrong_passwords(driver: Driver) -> None:
    """Guess at the submission service, until it stops listening."""
    with STRANGER.connect(MX1, SUBMISSION) as smtp:
        codes = [auth_plain(smtp, "alice", f"guess{number}") for number in range(4)]
    with STRANGER.connect(MX1, SUBMISSION) as smtp:
        codes += [auth_login(smtp, "admin", f"guess{number}") for number in range(4)]
    with STRANGER.connect(MX1, SUBMISSION) as smtp:
        assert auth_plain(smtp, "alice", "secret") == TOO_OFTEN
    assert codes == [WRONG] * 8
    for account in ("alice", "admin"):
        driver.truth().login_failed(STRANGER.address, account, 4)
    with OWNER.connect(MX1, SUBMISSION) as smtp:
        assert auth_login(smtp, "alice", "secrte") == WRONG
    driver.truth().login_failed(OWNER.address, "alice")


def wrong_imap_passwords(driver: Driver) -> None:
    """Guess several in one connection, for which Dovecot writes one line, once it is over."""
    guesses = [
        (STRANGER, "root", ("a", "b", "c")),
        # The user name comes before the true address in the line.
        (STRANGER, "x>, rip=192.0.2.9", ("d", "e")),
        (PHONE, "bob", ("old password",)),
    ]
    for client, user, passwords in guesses:
        assert not any(client.imap_logins(MX1, user, *passwords))
        driver.truths["dovecot"].login_failed(client.address, user, len(passwords))


def guessed_password(driver: Driver) -> None:
    """Guess at one account after the other, a connection each, and find the password of one."""
    for user in [*(f"user{number}" for number in range(10)), "bob"]:
        assert STRANGER.imap_logins(MX1, user, "123456") == [False]
        driver.truths["dovecot"].login_failed(STRANGER.address, user)
    assert STRANGER.imap_logins(MX1, "bob", USERS["bob"]) == [True]
    driver.truths["dovecot"].counts["auth_succeeded"] += 1


def no_password_tested(driver: Driver) -> None:
    """Say things that are no password, or find the right one in the end: no failures."""
    with OWNER.connect(MX1, SUBMISSION) as smtp:
        assert smtp.docmd("AUTH CRAM-MD9")[0] == WRONG
        assert smtp.docmd("AUTH PLAIN", "!!!")[0] == WRONG
        assert smtp.docmd("AUTH LOGIN")[0] == CONTINUE
        assert smtp.docmd("*")[0] == 501
    driver.truth().counts["auth_client_error"] += 2
    # Dovecot keeps a failure to itself when a success follows it in the same connection.
    assert PHONE.imap_logins(MX1, "bob", "forgotten", USERS["bob"]) == [False, True]
    driver.truths["dovecot"].counts["auth_succeeded"] += 1


def submissions(driver: Driver) -> None:
    """Log in and send."""
    for user, log_in in (("alice", auth_plain), ("bob", auth_login)):
        with PHONE.connect(MX1, SUBMISSION) as smtp:
            assert log_in(smtp, user, USERS[user]) == RIGHT
            assert transaction(smtp, OPS, ["ann@example.net"], "Subject: hi\r\n\r\n").data == 250
        driver.received()
        driver.truth().handed_in(user, 1)
        driver.attempt("ann@example.net")


def stolen_account(driver: Driver) -> None:
    """Send to many from bob's account, whose password others know as well."""
    for client in (OWNER, PHONE):
        with client.connect(MX1, SUBMISSION) as smtp:
            assert auth_plain(smtp, "bob", USERS["bob"]) == RIGHT
            for _ in range(SPAM):
                sent = transaction(smtp, NEWS, VICTIMS, "Subject: cheap\r\n\r\n")
                assert sent.data == 250
                driver.received()
                driver.truth().handed_in("bob", len(VICTIMS))
                outcomes = [driver.attempt(victim) for victim in VICTIMS]
                driver.truth().came_back("bob", outcomes.count("bounced"))
                driver.attempt(NEWS)


def without_backend(driver: Driver) -> None:
    """Log in, rightly, while Dovecot goes and when it has gone. It does not come back.

    To the session that only finds it gone, Postfix 3.7 gives no reason in the log, as for a wrong
    password; but there is no user name either, and it said before that it could not connect.
    """
    with PHONE.connect(MX1, SUBMISSION) as early, PHONE.connect(MX1, SUBMISSION) as late:
        assert early.docmd("AUTH LOGIN")[0] == CONTINUE
        driver.machine.dovecot.crash()
        codes = [
            early.docmd("YWxpY2U=")[0],
            auth_plain(early, "alice", USERS["alice"]),
            auth_plain(late, "alice", USERS["alice"]),
        ]
    assert codes == [NO_BACKEND] * 3
    driver.truth().counts["auth_backend_error"] += len(codes)
