"""The mailboxes at the other servers, and what their server replies to mail for them.

One table drives both sides: the peers answer by it, and the truth is counted by it.
"""

from dataclasses import dataclass

END_OF_DATA = "end of DATA"
RCPT = "RCPT"


@dataclass(frozen=True)
class Mailbox:
    """One recipient's fate: the replies it gets, attempt after attempt, the last one for ever."""

    replies: tuple[str, ...] = ("250 2.1.5 Ok",)
    stage: str = RCPT
    # Reached through a transport with soft_bounce=yes.
    soft: bool = False
    # Whether its server, one of the peers, gets to see the recipient.
    asked: bool = True
    # How long its server takes to reply to the end of data.
    seconds: float = 0

    def reply(self, attempt: int) -> str:
        """Return the reply to the attempt with this number, counted from 0."""
        return self.replies[min(attempt, len(self.replies) - 1)]


# Longer than a delivery may take whose domain and relay are not kept.
SLOW = 11
NOT_FOUND = "550 5.1.1 <{}>: Recipient address rejected: User unknown in virtual mailbox table"
MAILBOXES = {
    "ann@example.net": Mailbox(),
    "ben@example.net": Mailbox(),
    '"john doe"@example.net': Mailbox(),
    "ops@example.org": Mailbox(),
    "news@example.org": Mailbox(),
    "slow@example.org": Mailbox(stage=END_OF_DATA, seconds=SLOW),
    "gone@example.net": Mailbox((NOT_FOUND.format("gone@example.net"),)),
    "moved@example.net": Mailbox(
        ("550-5.1.6 The user has moved.\r\n550 5.1.6 See https://example.net/moved",)
    ),
    "listed@example.net": Mailbox(
        ("554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked; see example.net/bl",)
    ),
    "picky@example.net": Mailbox(("554 5.7.1 Message content rejected",), END_OF_DATA),
    "cyrus@example.net": Mailbox(("552 5.2.2 Over quota",)),
    "gmail@example.net": Mailbox(
        ("552-5.2.2 The recipient's inbox is out of storage space.\r\n552 5.2.2 OverQuotaPerm",)
    ),
    "quota@example.net": Mailbox(("452 4.2.2 <quota@example.net>: Mailbox is over quota",)),
    "exchange@example.net": Mailbox(("554 5.2.2 mailbox full",)),
    "huge@example.net": Mailbox(("554 5.3.4 Message too big",), END_OF_DATA),
    "later@example.net": Mailbox(("451 4.3.0 Temporary lookup failure",)),
    # Two messages are put off; whichever of them comes back is taken.
    "grey@example.net": Mailbox((*2 * ("450 4.2.0 Greylisted, try again",), "250 2.1.5 Ok")),
    # The server's own words must not be taken for Postfix's.
    "liar@example.net": Mailbox(
        ("450 4.2.0 dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4ABCDEF012)",)
    ),
    "gone@soft.example.net": Mailbox((NOT_FOUND.format("gone@soft.example.net"),), soft=True),
    # Nobody is asked here: Postfix finds out by itself, and words the reason by itself.
    "ann@down.example.net": Mailbox(("450 4.4.1 connection refused",), asked=False),
    "ann@busy.example.net": Mailbox(("421 4.3.2 come back later",), asked=False),
    "archive@mx1.example.com": Mailbox(("200 2.0.0 a file",), asked=False),
    "printer@mx1.example.com": Mailbox(("500 5.3.0 a command that fails",), asked=False),
    "fax@mx1.example.com": Mailbox(("400 4.3.0 a command that fails for now",), asked=False),
}
