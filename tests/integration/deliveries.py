"""Mail that is accepted, and what becomes of it."""

from .driver import CLIENT5, CLIENT6, NEWS, OPS, Driver
from .machine import MX1, MX2, OUT
from .mailboxes import MAILBOXES

FORGERY = "4ABCDEF012: to=<x@example.net>, relay=none, dsn=5.1.1, status=bounced (forged)"


def to_every_mailbox(driver: Driver) -> None:
    """Send to each mailbox alone, then to several at once, from a sender who is notified."""
    for mailbox in MAILBOXES:
        driver.mail("", mailbox)
    for sender in (OPS, NEWS):
        driver.mail(sender, "ann@example.net", "ben@example.net")
        driver.mail(sender, "ann@example.net", "gone@example.net", "later@example.net")
        driver.mail(sender, "listed@example.net", by=CLIENT6)
        for number in range(5):
            driver.mail(sender, "ann@example.net", by=(CLIENT5, CLIENT6)[number % 2])


def to_a_slow_server(driver: Driver) -> None:
    """Send so much to it that the slow ones are more than one of twenty."""
    for _ in range(5):
        driver.mail("", "slow@example.org")


def to_an_alias_for_others(driver: Driver) -> None:
    """Send to an alias: local(8) is done when it has handed the mail in again."""
    CLIENT5.send(MX1, OPS, ["team@mx1.example.com"])
    driver.received()
    driver.truth().counts["forwarded"] += 1
    for member in ("ann@example.net", "ben@example.net"):
        driver.attempt(member)


def with_a_forged_line(driver: Driver) -> None:
    """Send a message whose Message-ID, which cleanup logs as it is, looks like a delivery."""
    CLIENT5.send(MX1, OPS, ["ann@example.net"], f"Message-ID: {FORGERY}\r\n\r\nhi\r\n")
    driver.received()
    driver.attempt("ann@example.net")


def past_postscreen(driver: Driver) -> None:
    """Send to the address behind which postscreen waits, as a client that behaves."""
    CLIENT5.send(MX2, OPS, ["ann@example.net"])
    driver.received()
    driver.attempt("ann@example.net")


def at_the_second_instance(driver: Driver) -> None:
    """Send some of everything through the other instance, first what will be stuck in it."""
    get_stuck(driver, 1)
    for mailbox in ("ann@example.net", "gone@example.net", "later@example.net"):
        driver.mail(NEWS, mailbox, at=driver.out)
    CLIENT5.send(OUT, OPS, ["held@example.net"])
    driver.received(at=driver.out)
    driver.truth(driver.out).counts["held"] += 1
    driver.queues[driver.out.name]["hold"] += 1


def probes(driver: Driver) -> None:
    """Ask which addresses would be accepted: no attempts, but the report about them is one."""
    mailboxes = ("ann@example.net", "gone@example.net")
    driver.main.sendmail("-bv", "-f", OPS, *mailboxes)
    driver.received()
    for mailbox in mailboxes:
        driver.probe(mailbox)
    driver.attempt(OPS)


def suspended(driver: Driver) -> None:
    """Send to a server known to be down: deferred without another try."""
    driver.mail(OPS, "ann@down.example.net")
    driver.settle()


def retries(driver: Driver) -> None:
    """Try two deferred messages again: one gets through, the other does not."""
    for mailbox in ("grey@example.net", "later@example.net"):
        queue_id = driver.mail("", mailbox)
        driver.settle()
        driver.main.command("postqueue", "-i", queue_id)
        if driver.attempt(mailbox) == "sent":
            driver.queues[driver.main.name]["deferred"] -= 1
        driver.settle()


def expiries(driver: Driver) -> None:
    """Give up one message by hand and one because it is too old; both senders are told.

    The last thing to do at the main instance: from now on nothing is kept for a second try.
    """
    queue_id = driver.mail(OPS, "ann@down.example.net")
    driver.settle()
    driver.main.command("postsuper", "-e", queue_id)
    driver.main.command("postqueue", "-i", queue_id)
    # No further attempt is made: it is force-expired as soon as it is looked at.
    _expired(driver)
    driver.settle()
    driver.main.change("maximal_queue_lifetime = 0")
    driver.mail(OPS, "ann@down.example.net")
    _expired(driver)
    driver.settle()


def full_active_queue(driver: Driver) -> None:
    """Leave no room in the second instance's active queue, so that mail has to wait before it."""
    get_stuck(driver, 5)
    driver.queues[driver.out.name].update(active=-2, incoming=2)


def get_stuck(driver: Driver, messages: int) -> None:
    """Send mail to a server that never says a word."""
    for _ in range(messages):
        CLIENT5.send(OUT, OPS, ["ann@slow.example.net"])
    driver.received(messages, at=driver.out)
    driver.queues[driver.out.name]["active"] += messages


def _expired(driver: Driver) -> None:
    driver.queues[driver.main.name]["deferred"] -= 1
    driver.truth().counts["expired"] += 1
    driver.attempt(OPS)
