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

    # What one event adds to: counters; its family, nothing if it has none; and its key, or
    # what follows in it on whom the event names
    Tally = tuple[tuple[str, ...], str, str]
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
SEPARATOR = "\t"
# A field is cut to this many characters, the longest domain name.
LONGEST = 253


def key(fields: tuple[str, ...]) -> str:
    """Return a key in one piece."""
    return SEPARATOR.join(fields)


def fields(key: str) -> tuple[str, ...]:
    """Return the fields of a key."""
    return tuple(key.split(SEPARATOR))


def without_strangers(family: str, key: str) -> str:
    """Return a key in which MANY stands for each field that strangers can fill at will."""
    return _without(_PLACES_OF_STRANGERS[family], key)


def of_client(family: str, key: str) -> str:
    """Return a key in which MANY stands for each field that one client may have many of."""
    return _without(_PLACES_BESIDE_CLIENT[family], key)


def has_details(family: str) -> bool:
    """Tell whether a family's keys have fields that one client may have many of."""
    return bool(_PLACES_BESIDE_CLIENT[family])


def _places(names: tuple[str, ...]) -> dict[str, list[int]]:
    return {
        family: [place for place, name in enumerate(of_family) if name in names]
        for family, of_family in FAMILIES.items()
    }


_PLACES_OF_STRANGERS = _places(_OF_STRANGERS)
_PLACES_BESIDE_CLIENT = _places(_BESIDE_CLIENT)


def _without(places: list[int], key: str) -> str:
    values = key.split(SEPARATOR)
    if len(places) == len(values):
        return SEPARATOR.join([MANY] * len(values))
    for place in places:
        values[place] = MANY
    return SEPARATOR.join(values)


def of_many(family: str) -> str:
    """Return a family's key with MANY in each field."""
    return SEPARATOR.join([MANY] * len(FAMILIES[family]))


NOTHING: Tally = (), "", ""


def tally(event: Event, named: int = 0) -> Tally:
    """Return what an event adds to; the key has no account yet.

    named: how many of the first fields are left out of the key: they are another one's in
           each line
    """
    if event.kind in LINKS:
        return NOTHING
    counters = (event.kind, *event.also)
    if event.kind == "bounced" and event.reply_code in BOUNCED_WITH:
        counters += (BOUNCED_WITH[event.reply_code],)
    if event.reason == "mailbox full":
        counters += (MAILBOX_FULL,)
    family = FAMILY.get(event.kind, event.kind)
    names = FAMILIES.get(family)
    if names is None:
        return counters, "", ""
    values = ["" if name == "account" else getattr(event, name)[:LONGEST] for name in names]
    if named:
        return counters, family, SEPARATOR.join(["", *values[named:]])
    if names[0] == "client":
        values[0] = network.of(values[0])
    return (counters, family, SEPARATOR.join(values)) if any(values) else (counters, "", "")


class Counts:
    """What a piece of log came to.

    secret: of the store that it goes to
    since, keys_since: minutes before which nothing, or no key, is counted

    totals: (minute, origin) -> counter -> number
    keyed:  (family, hour) -> (minute, origin) -> key -> number
    """

    def __init__(self, secret: bytes, since: int = 0, keys_since: int = 0) -> None:
        self._secret = secret
        self._since = since
        self._keys_since = max(since, keys_since)
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self.pseudonym = Accounts(self._secret).pseudonym
        self.totals: dict[Bucket, dict[str, int]] = {}
        self.keyed: dict[tuple[str, int], dict[Bucket, dict[str, int]]] = {}

    def add(self, minute: int, origin: int, event: Event, times: int) -> None:
        """Count an event `times` times."""
        counters, family, key = tally(event)
        self.add_counters(minute, origin, counters, times)
        if family:
            self.add_key(minute, origin, family, self.with_account(key, event.account), times)

    def with_account(self, key: str, account: bytes) -> str:
        """Return a key with the account that it ends with, if there is one."""
        return key + self.pseudonym(account) if account else key

    def add_counters(
        self, minute: int, origin: int, counters: tuple[str, ...], number: int
    ) -> None:
        """Add a number to some counters."""
        # Nobody asks for what is too old.
        if minute < self._since:
            return
        totals = self.totals.get((minute, origin))
        if totals is None:
            totals = self.totals[minute, origin] = {}
        for counter in counters:
            totals[counter] = totals.get(counter, 0) + number

    def add_key(self, minute: int, origin: int, family: str, key: str, number: int) -> None:
        """Add a number to a key."""
        keys = self.keys(minute, origin, family)
        if keys is not None:
            keys[key] = keys.get(key, 0) + number

    def keys(self, minute: int, origin: int, family: str) -> dict[str, int] | None:
        """Return the numbers of a family's keys in a minute and origin, to add to.

        None if they are too old to be kept
        """
        if minute < self._keys_since:
            return None
        of_hour = self.keyed.get((family, minute // 60))
        if of_hour is None:
            of_hour = self.keyed[family, minute // 60] = {}
        keys = of_hour.get((minute, origin))
        if keys is None:
            keys = of_hour[minute, origin] = {}
        return keys

    def add_message(self, minute: int, origin: int, kind: str, times: int, queue_id: bytes) -> None:
        """Count, by its queue ID, the message of an event whose kind is in MESSAGES."""
        of_message = key((queue_id.decode("ascii"), kind))
        self.add_key(minute, origin, MESSAGES[kind], of_message, times)

    def add_sums(self, sums: Sums) -> None:
        """Add what several lines together came to, and empty these sums."""
        for (minute, origin, counter), number in sums.items():
            self.add_counters(minute, origin, (counter,), number)
        sums.clear()
