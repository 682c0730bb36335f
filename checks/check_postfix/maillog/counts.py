"""Counts: events added up per minute and stream, and per minute and key.

A counter is a name and a number. A key is what a few counters are split by (an
axis: `bounced domain`, `auth_failed client`); its value may belong to a person
or a company, so keys are kept for a shorter time than counters.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from check_postfix.maillog.event import Event

# The fields of an event that its kind is split by.
_FAILED_DELIVERY = ("domain", "relay", "reply_code", "enhanced_code")
AXES = {
    "sent": ("domain",),
    "deferred": _FAILED_DELIVERY,
    "bounced": _FAILED_DELIVERY,
    "rejected": ("client", "reply_code"),
    "auth_failed": ("client",),
}
# Kinds that share their axes with others.
_FAMILY = {
    "softbounce": "deferred",
    "rejected_smtpd": "rejected",
    "rejected_postscreen": "rejected",
    "rejected_header_body": "rejected",
    "rejected_mime": "rejected",
    "rejected_milter_smtpd": "rejected",
    "rejected_milter_cleanup": "rejected",
}

# Counters beside the kinds: part of what a kind has counted.
BOUNCED_WITH = {"550": "bounced_550", "554": "bounced_554"}
MAILBOX_FULL = "mailbox_full"

# A key is cut to this many characters, the longest domain name.
_KEY_LENGTH = 253


def axis(family: str, field: str) -> str:
    """Return the name of an axis: what is counted, and what it is split by."""
    return f"{family} {field}"


def every_axis() -> list[str]:
    """Return the names of all axes."""
    return [axis(family, field) for family, fields in AXES.items() for field in fields]


def tally(event: Event) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Return the counters that an event adds to, and its (axis, key) pairs."""
    counters = (event.kind, *event.also)
    if event.kind == "bounced" and event.reply_code in BOUNCED_WITH:
        counters += (BOUNCED_WITH[event.reply_code],)
    if event.reason == "mailbox full":
        counters += (MAILBOX_FULL,)
    family = _FAMILY.get(event.kind, event.kind)
    keys = tuple(
        (axis(family, field), getattr(event, field)[:_KEY_LENGTH])
        for field in AXES.get(family, ())
        if getattr(event, field)
    )
    return counters, keys


class Counts:
    """What a stretch of log came to.

    since, keys_since: minutes before which nothing, or no key, is counted

    totals: (minute, stream, counter) -> number
    keyed:  (axis, minute, stream, key, number), not added up: hardly any comes twice
    """

    def __init__(self, since: int = 0, keys_since: int = 0) -> None:
        self._since = since
        self._keys_since = keys_since
        self.totals: dict[tuple[int, int, str], int] = {}
        self.keyed: list[tuple[str, int, int, str, int]] = []
        self._tallies: dict[Event, tuple[tuple[str, ...], tuple[tuple[str, str], ...]]] = {}

    def add(self, minute: int, stream: int, event: Event, times: int) -> None:
        """Count an event `times` times."""
        if minute < self._since:
            return
        known = self._tallies.get(event)
        if known is None:
            known = self._tallies[event] = tally(event)
        counters, keys = known
        totals = self.totals
        for counter in counters:
            where = minute, stream, counter
            totals[where] = totals.get(where, 0) + times
        if minute >= self._keys_since:
            for name, key in keys:
                self.keyed.append((name, minute, stream, key, times))
