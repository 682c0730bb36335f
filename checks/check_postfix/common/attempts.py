"""Attempts: the delivery attempts that a check looks at, and the options that choose them."""

from __future__ import annotations

from check_postfix.common.filter import CODE, DOMAIN, EXCLUDE_RELAY, IGNORE_DOMAIN, RELAY, Choice
from check_postfix.common.tables import table
from check_postfix.maillog.counts.counts import MANY
from check_postfix.plugin import Label, Option, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from check_postfix.maillog.window.window import Window

MIN_ATTEMPTS = Option(
    "--min-attempts",
    "below this many delivery attempts, show the ratio but do not judge it; with --per,"
    " pass over a domain with less",
    default="20",
    parse=values.count,
    metavar="N",
)
PER = Option(
    "--per",
    "judge the worst recipient domain instead of all together; the ratio is then that"
    " domain's, all other numbers are still the sums",
    parse=values.one_of("domain"),
    metavar="domain",
    series="per",
)
OPTIONS = [MIN_ATTEMPTS, PER, DOMAIN, RELAY, CODE, IGNORE_DOMAIN, EXCLUDE_RELAY]

SENT = Label("sent", "delivery attempts that the relay took")
BOUNCED = Label("bounced", "delivery attempts that failed for good")
EXPIRED = Label("expired", "messages given up after too long in the queue")

# How much mail there was, whatever a choice leaves out. Counters have the same names.
VOLUME = [
    Label("accepted", "messages taken in that reached the queue manager"),
    Label("bytes_received", "size of these messages", "B"),
    Label("bytes_delivered", "size of messages, once for each recipient they were sent to", "B"),
]

# Shown of each table.
_ROWS = 5


class Attempts:
    """The delivery attempts that a check looks at.

    Without a choice they are the counters, which are exact for as long as totals
    are kept; with one they are what the keys tell.
    """

    def __init__(self, window: Window, options: Namespace) -> None:
        self._window = window
        self._least: int = options.min_attempts
        self._choice = Choice(window, options)
        if self._choice:
            self.sent = window.count_matching("sent", self._choice)
            self.deferred = window.count_matching("deferred", self._choice)
            self.bounced = window.count_matching("bounced", self._choice)
        else:
            self.sent = window.count("sent")
            self.deferred = window.count("deferred", "softbounce")
            self.bounced = window.count("bounced")

    def bounced_with(self, code: str) -> int:
        """Return how many were bounced after this reply code."""
        if not self._choice:
            return self._window.count(f"bounced_{code}")
        return self._of({"bounced"}, "reply_code", code)

    @property
    def mailbox_full(self) -> int:
        """How many failed because the mailbox was full."""
        if not self._choice:
            return self._window.count("mailbox_full")
        return self._of({"deferred", "bounced"}, "reason", "mailbox full")

    def _of(self, families: set[str], field: str, value: str) -> int:
        return sum(
            number
            for family in families
            for (found,), number in self._window.keys(family, field, choice=self._choice)
            if found == value
        )

    def worst(self, part: str, whole: tuple[str, ...]) -> Worst | None:
        """Return the recipient domain with the highest ratio of a part to the whole.

        part, whole: families, such as `deferred`, and what it is a part of; domains
                with less than --min-attempts of the whole are passed over
        """
        sums: dict[str, int] = {}
        for family in whole:
            for (domain,), number in self._window.keys(family, "domain", choice=self._choice):
                sums[domain] = sums.get(domain, 0) + number
        parts = {
            domain: number
            for (domain,), number in self._window.keys(part, "domain", choice=self._choice)
        }
        enough = [d for d, number in sums.items() if number >= max(1, self._least) and d != MANY]
        if not enough:
            return None
        domain = min(enough, key=lambda d: (-parts.get(d, 0) / sums[d], -sums[d], d))
        why = ""
        for (of, code, reason), _ in self._window.keys(
            part, "domain", "enhanced_code", "reason", choice=self._choice
        ):
            if of == domain:
                why = _why(code, reason)
                break
        name = self._window.name("domain", domain)
        return Worst(name, parts.get(domain, 0), sums[domain], why)

    def tables(self, family: str, what: str) -> list[str]:
        """Return where attempts failed most, and why.

        family: `deferred` or `bounced`
        what:   what is counted, in words
        """
        window = self._window
        lines = []
        for field, title in (
            ("domain", "recipient domain"),
            ("relay", "relay"),
            ("reason", "reason"),
            ("reply_code", "reply code"),
        ):
            pairs = [
                (window.name(field, value), number)
                for (value,), number in window.keys(family, field, choice=self._choice)
            ]
            lines += table(f"{what} by {title}", pairs, _ROWS)
        pairs = [
            (_why(code, reason), number)
            for (code, reason), number in window.keys(
                family, "enhanced_code", "reason", choice=self._choice
            )
        ]
        return lines + table(f"{what} by enhanced status code", pairs, _ROWS)


class Worst:
    """The recipient domain with the highest ratio.

    name: as it may be shown
    part, whole: what the ratio is of, in delivery attempts
    why:  enhanced code and reason of most of the part, or nothing
    """

    __slots__ = ("name", "part", "whole", "why")

    def __init__(self, name: str, part: int, whole: int, why: str) -> None:
        self.name = name
        self.part = part
        self.whole = whole
        self.why = why


def _why(code: str, reason: str) -> str:
    """Return a code with what it means, as far as that is known: `4.7.651 rate limited`."""
    return MANY if code == MANY else code if reason in ("", "other") else f"{code} {reason}"
