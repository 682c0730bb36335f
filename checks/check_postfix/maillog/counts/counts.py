"""Counts: events added up per minute and origin, and per minute and key.

A counter is a name and a number. A key holds all fields that a family of events is
split by, so that every question about two of them has an answer. It may belong to a
person or a company, so keys are kept for a shorter time than counters.
"""

from __future__ import annotations

from check_postfix.maillog.counts import network
from check_postfix.maillog.counts.account import Accounts
from check_postfix.maillog.events.event import LINKS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from check_postfix.maillog.counts.messages import Sums
    from check_postfix.maillog.events.event import Event

    # What one event adds to: counters, and its family and key, if it has any
    Tally = tuple[tuple[str, ...], tuple[str, str] | None]
    # Minute, origin
    Bucket = tuple[int, int]

# Counted where no line tells it: by each run that reads the end of a log.
STAMPS_OFF = "stamps_off"

# The fields of an event that its kind is split by. An account comes last: its pseudonym is
# added when the other fields are joined already.
_FAILED_DELIVERY = ("domain", "relay", "reply_code", "enhanced_code", "reason")
FAMILIES = {
    "sent": ("domain", "relay"),
    "deferred": _FAILED_DELIVERY,
    "bounced": _FAILED_DELIVERY,
    "rejected": ("client", "client_name", "reply_code", "reason", "blocklist"),
    "auth_failed": ("client", "client_name", "mechanism", "service", "account"),
    # what was not understood: who wrote it, and what it looks like
    "not_understood": ("service", "reason"),
    "local_fault": ("reason",),
    # runs that saw a daemon's stamps off by so many minutes
    STAMPS_OFF: ("daemon", "minutes"),
    # of messages: so that one message counts once, however many minutes it appears in
    "deferred_messages": ("queue_id", "kind"),
    "expired_messages": ("queue_id", "kind"),
}
# One client may have many of these; they must not crowd out other clients.
_BESIDE_CLIENT = ("client_name", "account")
_OF_STRANGERS = ("domain", "relay", "client", "queue_id", *_BESIDE_CLIENT)
# Kinds that are counted with another family.
FAMILY = {
    "softbounce": "deferred",
    "rejected_smtpd": "rejected",
    "rejected_hangup": "rejected",
    "rejected_postscreen": "rejected",
    "rejected_size": "rejected",
    "rejected_proxy": "rejected",
    "rejected_header_body": "rejected",
    "rejected_mime": "rejected",
    "rejected_milter_smtpd": "rejected",
    "rejected_milter_cleanup": "rejected",
    "delivery_unknown": "not_understood",
    "reject_unknown": "not_understood",
    "login_unknown": "not_understood",
    "unparsed": "not_understood",
}

# Kinds whose messages are counted as well.
MESSAGES = {
    "deferred": "deferred_messages",
    "softbounce": "deferred_messages",
    "expired": "expired_messages",
}

# Counters besides the kinds: part of what a kind counts.
BOUNCED_WITH = {"550": "bounced_550", "554": "bounced_554"}
MAILBOX_FULL = "mailbox_full"

# The host and instance that a line is counted for that nobody can read; no other line has
# these. Whoever looks at some hosts only looks at them as well.
NOBODY = b"", b""

# Stands for the values of a field where there were too many to keep them apart.
MANY = "*"
# Stands between the fields of a key, and in none of them.
_SEPARATOR = "\t"
# A field is cut to this many characters, the longest domain name.
_LONGEST = 253


def key(fields: tuple[str, ...]) -> str:
    """Return a key in one piece."""
    return _SEPARATOR.join(fields)


def fields(key: str) -> tuple[str, ...]:
    """Return the fields of a key."""
    return tuple(key.split(_SEPARATOR))


def without_strangers(family: str, key: str) -> str:
    """Return a key in which MANY stands for each field that strangers can fill at will."""
    return _without(_PLACES_OF_STRANGERS[family], key)


def of_client(family: str, key: str) -> str:
    """Return a key in which MANY stands for each field that one client may have many of."""
    return _without(_PLACES_BESIDE_CLIENT[family], key)


def _places(names: tuple[str, ...]) -> dict[str, list[int]]:
    return {
        family: [place for place, name in enumerate(of_family) if name in names]
        for family, of_family in FAMILIES.items()
    }


_PLACES_OF_STRANGERS = _places(_OF_STRANGERS)
_PLACES_BESIDE_CLIENT = _places(_BESIDE_CLIENT)


def _without(places: list[int], key: str) -> str:
    values = key.split(_SEPARATOR)
    for place in places:
        values[place] = MANY
    return _SEPARATOR.join(values)


def of_many(family: str) -> str:
    """Return a family's key with MANY in each field."""
    return _SEPARATOR.join([MANY] * len(FAMILIES[family]))


def tally(event: Event) -> Tally:
    """Return what an event adds to; the key has no account yet."""
    if event.kind in LINKS:
        return (), None
    counters = (event.kind, *event.also)
    if event.kind == "bounced" and event.reply_code in BOUNCED_WITH:
        counters += (BOUNCED_WITH[event.reply_code],)
    if event.reason == "mailbox full":
        counters += (MAILBOX_FULL,)
    family = FAMILY.get(event.kind, event.kind)
    names = FAMILIES.get(family)
    if names is None:
        return counters, None
    values = ["" if name == "account" else getattr(event, name)[:_LONGEST] for name in names]
    if names[0] == "client":
        values[0] = network.of(values[0])
    return counters, (family, _SEPARATOR.join(values)) if any(values) else None


class Counts:
    """What a piece of log came to.

    secret: of the store that it goes to
    since, keys_since: minutes before which nothing, or no key, is counted

    totals: (minute, origin) -> counter -> number
    keyed:  (family, hour) -> (minute, origin) -> key -> number
    additions: how many there were; the numbers are at most a few times as many
    """

    def __init__(self, secret: bytes, since: int = 0, keys_since: int = 0) -> None:
        self._secret = secret
        self._since = since
        self._keys_since = max(since, keys_since)
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self._pseudonym = Accounts(self._secret).pseudonym
        self.totals: dict[Bucket, dict[str, int]] = {}
        self.keyed: dict[tuple[str, int], dict[Bucket, dict[str, int]]] = {}
        self.additions = 0
        # Minute and origin of the last event: nearly always the next one has the same.
        self._minute = self._origin = -1
        self._totals: dict[str, int] = {}
        self._keyed: dict[str, dict[str, int]] = {}

    def add(self, minute: int, origin: int, event: Event, times: int) -> None:
        """Count an event `times` times."""
        self.add_tally(minute, origin, tally(event), times, event.account)

    def add_tally(
        self, minute: int, origin: int, tally: Tally, times: int, account: bytes = b""
    ) -> None:
        """Add to what an event adds to, `times` times.

        account: whom it names, if it names one
        """
        if minute != self._minute or origin != self._origin:
            self._turn_to(minute, origin)
        self.additions += 1
        counters, keyed = tally
        totals = self._totals
        for counter in counters:
            totals[counter] = totals.get(counter, 0) + times
        if keyed is not None:
            family, key = keyed
            if account:
                key += self._pseudonym(account)
            numbers = self._keyed.get(family)
            if numbers is None:
                numbers = self._keyed[family] = self._keys(family)
            numbers[key] = numbers.get(key, 0) + times

    def _turn_to(self, minute: int, origin: int) -> None:
        self._minute, self._origin = minute, origin
        # Nobody asks for what is too old: it is counted and thrown away.
        is_wanted = minute >= self._since
        self._totals = self.totals.setdefault((minute, origin), {}) if is_wanted else {}
        self._keyed = {}

    def _keys(self, family: str) -> dict[str, int]:
        """Return the numbers of a family's keys in this minute and origin."""
        minute = self._minute
        if minute < self._keys_since:
            return {}
        of_hour = self.keyed.setdefault((family, minute // 60), {})
        return of_hour.setdefault((minute, self._origin), {})

    def add_message(self, minute: int, origin: int, kind: str, times: int, queue_id: bytes) -> None:
        """Count, by its queue ID, the message of an event whose kind is in MESSAGES."""
        of_message = key((queue_id.decode("ascii"), kind))
        self.add_tally(minute, origin, ((), (MESSAGES[kind], of_message)), times)

    def add_sums(self, sums: Sums) -> None:
        """Add what several lines together came to, and empty these sums."""
        for (minute, origin, counter), number in sums.items():
            self.add_tally(minute, origin, ((counter,), None), number)
        sums.clear()
