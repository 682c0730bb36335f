"""Mail that is refused, and mail that only looks so in the log."""

from .client import Client, transaction
from .driver import CLIENT5, CLIENT6, NEWS, OPS, SPAM_ENGINE, Driver
from .machine import HOSTS, MX1, MX2, SUBMISSION

SMTPD = "rejected_smtpd"
LIAR = Client(HOSTS["client6.example.org"], "localhost.localdomain")
UNWELCOME = Client(HOSTS["client6.example.org"], "filtered.example.org")


def by_smtpd(driver: Driver) -> None:
    """Break every rule of the server's policy once, and some twice."""
    driver.refused(SMTPD, NEWS, "ann@example.net")
    driver.refused(SMTPD, OPS, "blocked@example.net", by=CLIENT5)
    driver.refused(
        SMTPD, OPS, "nobody-here@mx1.example.com", "nor-here@mx1.example.com", by=CLIENT5
    )
    driver.refused(SMTPD, OPS, "ann@elsewhere.example", by=CLIENT6)
    driver.refused(SMTPD, OPS, "busy-list@example.net", by=CLIENT6)
    driver.refused(SMTPD, "spammer@example.org", "ann@example.net", by=CLIENT6)
    driver.refused(SMTPD, OPS, "ann@example.net", by=LIAR)
    # The recipient's own words stand in the line, unquoted, before the end of Postfix's.
    driver.refused(SMTPD, OPS, '"x>: ok; from=<y> to=<z"@elsewhere.example', by=CLIENT6)
    driver.refused(SMTPD, OPS, "blocked@example.net", by=CLIENT5, at=driver.out)


def by_smtpd_before_and_after_the_recipients(driver: Driver) -> None:
    """Be refused at MAIL, at DATA, and at the submission service, where one has to log in first."""
    with CLIENT5.connect(MX1) as smtp:
        assert smtp.docmd(f"MAIL FROM:<{OPS}> SIZE=999999999")[0] == 552
    replies = CLIENT5.send(MX1, "", ["ann@example.net", "ben@example.net"])
    assert replies.data == 550
    driver.received()
    with CLIENT6.connect(MX1, SUBMISSION) as smtp:
        assert transaction(smtp, OPS, ["ann@example.net"], "").recipients == [554]
    driver.truth().counts[SMTPD] += 3


def by_content(driver: Driver) -> None:
    """Say what header and body checks forbid."""
    driver.refused_content("rejected_header_body", "Subject: cheap watches\r\n\r\nBuy.\r\n")
    driver.refused_content("rejected_header_body", "Subject: hello\r\n\r\nBuy cheap watches.\r\n")


def by_milter(driver: Driver) -> None:
    """Displease the filter: at a recipient (smtpd's reply) and at the end (cleanup's)."""
    for recipient in ("milter-rcpt@example.net", "milter-tempfail@example.net"):
        driver.refused("rejected_milter_smtpd", OPS, recipient, by=CLIENT5)
    driver.refused_content(
        "rejected_milter_cleanup", "Subject: hi\r\n\r\nhi\r\n", "virus@example.org"
    )
    # Refused at EHLO, nothing was asked for yet, and the log may say so several times a session.
    with UNWELCOME.connect(MX1):
        pass


def by_postscreen(driver: Driver) -> None:
    """Be on its list; talk before it is one's turn."""
    replies = SPAM_ENGINE.send(MX2, NEWS, ["ann@example.net", "ben@example.net"])
    assert replies.recipients == [550, 550]
    assert CLIENT6.talk_early(MX2, NEWS, "ann@example.net") == 550
    driver.truth().counts["rejected_postscreen"] += 3


def not_quite(driver: Driver) -> None:
    """Do what is warned about, held or thrown away: accepted, all of it."""
    counts, queue = driver.truth().counts, driver.queues[driver.main.name]
    CLIENT6.send(MX1, "dubious@example.org", ["ann@example.net"])
    CLIENT6.send(MX1, OPS, ["ann@example.net"], "Subject: odd\r\n\r\n")
    for _ in range(2):
        driver.attempt("ann@example.net")
    counts["reject_warning"] += 2
    CLIENT6.send(MX1, OPS, ["held@example.net"])
    CLIENT6.send(MX1, OPS, ["ann@example.net"], "Subject: keep this\r\n\r\n")
    CLIENT6.send(MX1, "suspect@example.org", ["ann@example.net"])
    counts["held"] += 3
    queue["hold"] += 3
    CLIENT6.send(MX1, OPS, ["drop@example.net"])
    CLIENT6.send(MX1, "robot@example.org", ["ann@example.net"])
    counts["discarded"] += 2
    driver.received(7)
