"""What was done, counted by whoever did it, and what the checks must therefore say."""

from collections import Counter
from dataclasses import dataclass, field

from .mailboxes import Mailbox

OVER_QUOTA = ("4.2.2", "5.2.2")


@dataclass
class Truth:
    """Deeds at one Postfix instance, or at Dovecot.

    counts:    by the counters' own names (check_postfix/maillog/event.py)
    failures:  failed logins by client address
    accounts:  failed logins by account
    submitted: messages by the account that has logged in and handed them in
    addressed: recipients of these messages by account
    returned:  those of them that bounced, by account
    """

    counts: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    accounts: Counter[str] = field(default_factory=Counter)
    submitted: Counter[str] = field(default_factory=Counter)
    addressed: Counter[str] = field(default_factory=Counter)
    returned: Counter[str] = field(default_factory=Counter)

    def login_failed(self, client: str, account: str, times: int = 1) -> None:
        """Count failed logins."""
        self.failures[client] += times
        self.accounts[account] += times

    def handed_in(self, account: str, recipients: int) -> None:
        """Count a message by the account that has logged in and handed it in."""
        self.submitted[account] += 1
        self.addressed[account] += recipients

    def came_back(self, account: str, recipients: int) -> None:
        """Count recipients of such a message that bounced."""
        self.returned[account] += recipients

    def attempt(self, mailbox: Mailbox, attempt: int = 0) -> str:
        """Count one delivery attempt to a mailbox; return what it came to."""
        reply_code, enhanced_code = mailbox.reply(attempt).replace("-", " ", 1).split()[:2]
        outcome = {"2": "sent", "4": "deferred", "5": "bounced"}[reply_code[0]]
        if outcome == "bounced" and mailbox.soft:
            outcome = "softbounce"
        self.counts[outcome] += 1
        if outcome == "bounced":
            self.counts[f"bounced_{reply_code}"] += 1
        if enhanced_code in OVER_QUOTA:
            self.counts["mailbox_full"] += 1
        return outcome

    def __add__(self, other: "Truth") -> "Truth":
        """Return the deeds at both instances."""
        return Truth(
            self.counts + other.counts,
            self.failures + other.failures,
            self.accounts + other.accounts,
            self.submitted + other.submitted,
            self.addressed + other.addressed,
            self.returned + other.returned,
        )

    def perfdata(self) -> dict[str, dict[str, float]]:
        """Return what each log check must print, by check and label.

        What is usual, and factors of it, are about earlier days, and so not here.
        """
        sent, bounced = self.counts["sent"], self.counts["bounced"]
        # A SOFTBOUNCE stays in the queue and is tried again: a deferral.
        deferred = self.counts["deferred"] + self.counts["softbounce"]
        attempts = sent + deferred + bounced
        outcomes = {"sent": sent, "bounced": bounced, "expired": self.counts["expired"]}
        return {
            "deferred": {
                "deferred_ratio": _percent(deferred, attempts),
                "attempts": attempts,
                "deferred": deferred,
                **outcomes,
            },
            "bounces": {
                "bounce_ratio": _percent(bounced, sent + bounced),
                "bounced_550": self.counts["bounced_550"],
                "bounced_554": self.counts["bounced_554"],
                "mailbox_full": self.counts["mailbox_full"],
                **outcomes,
            },
            "auth": {
                "auth_failures": self.failures.total(),
                "auth_worst_client": max(self.failures.values(), default=0),
                "auth_clients": len(self.failures),
                "auth_backend_errors": self.counts["auth_backend_error"],
                "auth_accounts": len(self.accounts),
                "auth_worst_account": max(self.accounts.values(), default=0),
                "auth_failures_slow": self.failures.total(),
                "auth_worst_client_slow": max(self.failures.values(), default=0),
                "auth_worst_account_slow": max(self.accounts.values(), default=0),
            },
            "volume": {"received": self.counts["received"], "sent": sent},
            # All are tried again within seconds, so no retry looks like one.
            "delay": {"deliveries": sent, "retried": 0},
            "senders": {
                "senders": len(self.submitted),
                "sender_worst_messages": max(self.submitted.values(), default=0),
                "sender_worst_recipients": max(self.addressed.values(), default=0),
            },
            # Which of several tries is the first one, nobody has counted.
            "recipients": {"gaps": 0},
            "log": {"debug_lines": 0, "lost_messages": 0, "panic": 0},
            "rejects": {
                "rejects": sum(
                    count for kind, count in self.counts.items() if kind.startswith("rejected_")
                ),
            },
        }


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0
