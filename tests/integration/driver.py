"""One deed at a time at the machine, and the count of what it must come to."""

from collections import Counter

from .client import Client
from .machine import HOSTS, MX1, OUT, SPAMMER, Machine
from .mailboxes import MAILBOXES
from .postfix import Postfix
from .truth import Truth
from .waiting import wait_until

CLIENT5 = Client(HOSTS["client5.example.org"], "client5.example.org")
CLIENT6 = Client(HOSTS["client6.example.org"], "client6.example.org")
SPAM_ENGINE = Client(SPAMMER, "winner.example.org")
OPS, NEWS = "ops@example.org", "news@example.org"
DEFERRALS = ("deferred", "softbounce")


class Driver:
    """Does things and keeps the books: by instance the truth, and the queues to be expected."""

    def __init__(self, machine: Machine) -> None:
        """Nothing was done yet."""
        self.machine = machine
        self.main, self.out = machine.postfix, machine.out
        self.truths = {name: Truth() for name in (self.main.name, self.out.name, "dovecot")}
        self.queues: dict[str, Counter[str]] = {
            postfix.name: Counter() for postfix in (self.main, self.out)
        }
        # How often each mailbox was tried; the peers count the same from their side.
        self._attempts: Counter[str] = Counter()

    def mail(
        self, sender: str, *recipients: str, by: Client = CLIENT5, at: Postfix | None = None
    ) -> str:
        """Send a message that is accepted, and count what becomes of it; return its queue ID."""
        postfix = at or self.main
        replies = by.send(_address(postfix), sender, recipients)
        assert replies.data == 250, f"{recipients} were to be accepted: {replies}"
        self.received(at=postfix)
        outcomes = [self.attempt(recipient, postfix) for recipient in recipients]
        if any(outcome in DEFERRALS for outcome in outcomes):
            self.queues[postfix.name]["deferred"] += 1
        if "bounced" in outcomes and sender:
            self.attempt(sender, postfix)
        return replies.queue_id

    def received(self, messages: int = 1, at: Postfix | None = None) -> None:
        """Count messages taken in: with the first recipient, whatever their content comes to."""
        self.truth(at).counts["received"] += messages

    def attempt(self, mailbox: str, at: Postfix | None = None) -> str:
        """Count a delivery attempt that Postfix makes; return what it comes to."""
        outcome = self.truth(at).attempt(MAILBOXES[mailbox], self._attempts[mailbox])
        self._attempts[mailbox] += 1
        return outcome

    def probe(self, mailbox: str) -> None:
        """Count an address probe, for which the peer is asked, but which is no attempt."""
        self.truth().counts["probes"] += 1
        self._attempts[mailbox] += 1

    def refused(
        self,
        kind: str,
        sender: str,
        *recipients: str,
        by: Client = SPAM_ENGINE,
        at: Postfix | None = None,
    ) -> None:
        """Send a message of which every recipient is refused, and count each."""
        replies = by.send(_address(at or self.main), sender, recipients)
        assert all(code >= 400 for code in replies.recipients), f"{recipients}: {replies}"
        self.truth(at).counts[kind] += len(recipients)

    def refused_content(self, kind: str, text: str, sender: str = OPS) -> None:
        """Send a message that is refused when it has been read."""
        replies = CLIENT6.send(MX1, sender, ["ann@example.net"], text)
        assert replies.data >= 400, f"{text!r} was to be refused: {replies}"
        self.received()
        self.truth().counts[kind] += 1

    def truth(self, at: Postfix | None = None) -> Truth:
        """Return the books of an instance, the main one unless another is named."""
        return self.truths[(at or self.main).name]

    def settle(self) -> None:
        """Wait until everything done so far has come to its end."""
        # Twice, since a listing is no snapshot: a message on its way from one queue to the next
        # may be in none, and so seem gone.
        wait_until(
            lambda: self._unfinished() == [] == self._unfinished(),
            "the queues",
            otherwise=lambda: f"expected, found: {self._unfinished()}",
        )

    def _unfinished(self) -> list[tuple[Counter[str], Counter[str]]]:
        """Return what was expected and what is, where the two differ."""
        tried = Counter({box: n for box, n in self._attempts.items() if MAILBOXES[box].asked})
        asked = sum((peer.attempts for peer in self.machine.peers), Counter())
        pairs = [(tried - asked, asked - tried)]
        for postfix in (self.main, self.out):
            pairs.append((+self.queues[postfix.name], postfix.queue_sizes()))
        return [(expected, found) for expected, found in pairs if expected != found]


def _address(postfix: Postfix) -> str:
    return MX1 if postfix.name == "postfix" else OUT
