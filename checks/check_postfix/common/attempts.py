"""Attempts: the delivery attempts that a check looks at, and the options that say which."""

from __future__ import annotations

from check_postfix.common.filter import CODE, DOMAIN, EXCLUDE_RELAY, IGNORE_DOMAIN, RELAY, Filter
from check_postfix.maillog.counts.families import MANY
from check_postfix.maillog.window.window import DEFERRALS
from check_postfix.plugin import Label, Option, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from check_postfix.maillog.window.window import Window

MIN_ATTEMPTS = Option(
    "--min-attempts",
    "with fewer delivery attempts, show the ratio but do not judge it; with --per, pass over"
    " domains with fewer",
    default="20",
    parse=values.count,
    metavar="N",
)
# Measured with `python -m tests.blindness.months` and `python -m tests.blindness.outages`.
MIN_FAILURES = Option(
    "--min-failures",
    "with fewer failures among them, show the ratio but do not judge it; less than 20 deferrals of"
    " up to three domains that have taken nothing for two days do not count",
    default="5",
    parse=values.count,
    metavar="N",
)
PER = Option(
    "--per",
    "judge the worst recipient domain instead of all together; the ratio is that domain's,"
    " all other numbers are still the sums",
    parse=values.one_of("domain"),
    metavar="domain",
    series="per",
)
# Which attempts count; and which of the failures among them, which takes nothing from
# the attempts that these are a part of.
_OF_ATTEMPTS = [DOMAIN, RELAY, IGNORE_DOMAIN, EXCLUDE_RELAY]
_OF_FAILURES = [*_OF_ATTEMPTS, CODE]
OPTIONS = [MIN_ATTEMPTS, MIN_FAILURES, PER, DOMAIN, RELAY, CODE, IGNORE_DOMAIN, EXCLUDE_RELAY]

SENT = Label("sent", "delivery attempts that the relay took")
BOUNCED = Label("bounced", "delivery attempts that failed for good")
EXPIRED = Label("expired", "messages given up after too long in the queue")

# How much mail there was, whatever the filters leave out. Counters have the same names.
VOLUME = [
    Label("accepted", "messages taken in that reached the queue manager"),
    Label("bytes_received", "size of these messages", "B"),
    Label("bytes_delivered", "size of messages, once for each recipient they were sent to", "B"),
]

_COUNTERS = {"sent": ("sent",), "deferred": DEFERRALS, "bounced": ("bounced",)}

# A domain that has taken nothing for so long, in minutes, is dead, if no more than so many are.
_DEAD = 2 * 24 * 60
_DEAD_DOMAINS = 3

# Shown of each table.
_ROWS = 5


class Attempts:
    """The delivery attempts that a check looks at.

    Without filters, counters tell them, which are exact for as long as totals are kept;
    with filters, keys do. A family is `sent`, `deferred` or `bounced`.
    """

    def __init__(self, window: Window, options: Namespace) -> None:
        self._window = window
        self._least: int = options.min_attempts
        self._least_failures: int = options.min_failures
        self._all = Filter(_OF_ATTEMPTS, window, options)
        self._failures = Filter(_OF_FAILURES, window, options)

    def whole(self, families: Sequence[str]) -> int:
        """Return how many attempts there were, whatever failures are asked for."""
        return sum(self._all.count(family, *_COUNTERS[family]) for family in families)

    def count(self, family: str) -> int:
        """Return how many attempts of a family are asked for."""
        return self._failures.count(family, *_COUNTERS[family])

    def to_dead_domains(self, family: str) -> int:
        """Return how many attempts of a family are those of a few domains that are dead.

        It is 0 where more domains than a few take nothing, which is our trouble and not theirs,
        or where nobody knows what they took before.
        """
        before = self._window.ending(0, _DEAD)
        is_known = self._window.coverage.includes(before.start, before.end)
        if not is_known or before.unknown("sent", "sent"):
            return 0
        alive = {domain for (domain,), _ in before.keys("sent", "domain")}
        dead = [
            number
            for (domain,), number in self._window.keys(family, "domain", filter=self._failures)
            if domain not in alive and domain != MANY
        ]
        return sum(dead) if len(dead) <= _DEAD_DOMAINS else 0

    def bounced_with(self, code: str) -> int:
        """Return how many were bounced after this reply code."""
        return self._failed(["bounced"], "reply_code", code, f"bounced_{code}")

    def mailbox_full(self) -> int:
        """Return how many failed because the mailbox was full."""
        return self._failed(["deferred", "bounced"], "reason", "mailbox full", "mailbox_full")

    def _failed(self, families: Sequence[str], field: str, value: str, counter: str) -> int:
        """Return how many failures have this value; a counter has all of them."""
        if not any(map(self._failures.narrows, families)):
            return self._window.count(counter)
        return sum(
            number
            for family in families
            for (found,), number in self._window.keys(family, field, filter=self._failures)
            if found == value
        )

    def worst(self, part: str, whole: Sequence[str]) -> Worst | None:
        """Return the recipient domain with the highest ratio of a part to the whole.

        part, whole: a family, and those that it is a part of; a domain with fewer than
                     --min-attempts of the whole is passed over, and one with fewer than
                     --min-failures of the part, if there is another
        """
        sums: dict[str, int] = {}
        for family in whole:
            for (domain,), number in self._window.keys(family, "domain", filter=self._all):
                sums[domain] = sums.get(domain, 0) + number
        parts = {
            domain: number
            for (domain,), number in self._window.keys(part, "domain", filter=self._failures)
        }
        enough = [d for d, number in sums.items() if number >= max(1, self._least) and d != MANY]
        if not enough:
            return None
        fail = [d for d in enough if parts.get(d, 0) >= self._least_failures]
        domain = min(fail or enough, key=lambda d: (-parts.get(d, 0) / sums[d], -sums[d], d))
        why = ""
        for (of, code, reason), _ in self._window.keys(
            part, "domain", "enhanced_code", "reason", filter=self._failures
        ):
            if of == domain:
                why = _why(code, reason)
                break
        name = self._window.name("domain", domain)
        return Worst(name, parts.get(domain, 0), sums[domain], why)

    def most(self, family: str, noun: str = "") -> str:
        """Return where most attempts failed, and why, in a few words; nothing if unknown.

        family: `deferred` or `bounced`
        noun:   for these attempts, where the words before it do not tell
        """
        # Few runs alarm.
        from check_postfix.common.most import Field, most, shortened

        window = self._window
        fields = [
            Field("to", "domains", lambda domain: shortened(window.name("domain", domain))),
            Field("by way of", "relays", lambda relay: shortened(window.name("relay", relay))),
        ]
        rows = [
            ((domain, relay, _why(code, reason)), number)
            for (domain, relay, code, reason), number in window.keys(
                family, "domain", "relay", "enhanced_code", "reason", filter=self._failures
            )
        ]
        return most(fields, rows, self.count(family), noun)

    def patterns(self, family: str) -> list[str]:
        """Return what finds in the log the failures that most were; nothing if none is known.

        Those of one domain or by one relay, if these are more than half; else all of them: one of
        40 domains tells nothing of the others.
        """
        from check_postfix.common.most import NOBODY

        status = f"status={family}"
        half, is_known = self.count(family) // 2 + 1, False
        for field in ("domain", "relay"):
            for (value,), number in self._window.keys(family, field, filter=self._failures):
                is_known = True
                if value not in NOBODY and number >= half:
                    return [value, status]
        return [status] if is_known else []

    def tables(self, family: str, what: str) -> list[str]:
        """Return where attempts failed most, and why.

        family: `deferred` or `bounced`
        what:   what is counted, in words
        """
        titles = {
            "domain": "recipient domain",
            "relay": "relay",
            "reason": "reason",
            "reply_code": "reply code",
        }
        # For -v only.
        from check_postfix.common.tables import by_field, relay_note, table

        notes = {"relay": relay_note}
        lines = by_field(self._window, family, what, titles, self._failures, _ROWS, notes)
        pairs = [
            (_why(code, reason), number)
            for (code, reason), number in self._window.keys(
                family, "enhanced_code", "reason", filter=self._failures
            )
        ]
        return lines + table(f"{what} by enhanced status code", pairs, _ROWS)


class Worst:
    """The recipient domain with the highest ratio.

    name: as it may be shown
    part, whole: the two numbers of the ratio, in delivery attempts
    why:  enhanced code and reason of most of the part, or nothing
    """

    __slots__ = ("name", "part", "whole", "why")

    def __init__(self, name: str, part: int, whole: int, why: str) -> None:
        self.name = name
        self.part = part
        self.whole = whole
        self.why = why


def _why(code: str, reason: str) -> str:
    """Return a code with its meaning, as far as that is known: `4.7.651 rate limited`."""
    if code == MANY:
        return MANY
    return " ".join(known for known in (code, reason) if known not in ("", "other"))
