"""Counts: events added up per minute and origin, and per minute and key.

A counter is a name and a number. A key holds all fields that a family of events is
split by, so that every question about two of them has an answer. It may belong to a
person or a company, so keys are kept for a shorter time than counters.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from operator import itemgetter

from check_postfix.maillog.counts import network, senders
from check_postfix.maillog.counts.account import BY_THE_DAY, Accounts
from check_postfix.maillog.counts.families import (
    BOUNCED_WITH,
    FAMILIES,
    FAMILY,
    LONGEST,
    MAILBOX_FULL,
    MANY,
    MESSAGES,
    RECEIPTS,
    SEPARATOR,
    WATCHED,
    fields,
    key,
    of_origin,
)
from check_postfix.maillog.counts.places import SMTP, Places
from check_postfix.maillog.events import sender
from check_postfix.maillog.events.event import LINKS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence, Set
    from typing import Any

    from check_postfix.maillog.counts.message_sums import Sums
    from check_postfix.maillog.events.event import Event

    # What one event adds to: counters; its family, nothing if it has none; and its key, or
    # what follows in it on whom the event names
    Tally = tuple[tuple[str, ...], str, str]
    # What is counted, as families.of_origin() calls it -> number
    Numbers = dict[str, int]
    # What `told` returns
    Told = tuple[Any, ...]

# Of the recipients of a minute so many are told apart at most, whatever host they are of; and those
# with a single message only up to so many.
MOST_RECIPIENTS = 500
_FEW = 3

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
    watched: addresses that somebody has asked for by name, lower case

    The numbers of all origins stand side by side, by what families.of_origin() calls them:

    quarter_keys: (family, quarter-hour) -> pseudonym -> messages of who is known by the day; of
                  WATCHED, address -> messages
    totals: minute -> counter -> number
    keyed:  (family, hour) -> minute -> key -> number

    newest: origin -> newest minute that any of this is of
    places: where accounts have logged in from
    delays: how long deliveries took
    """

    def __init__(
        self,
        secret: bytes,
        since: int = 0,
        keys_since: int = 0,
        watched: Set[bytes] = frozenset(),
    ) -> None:
        self.watched = watched
        self._since = since
        self._keys_since = max(since, keys_since)
        # Only what reads a log has counts to add up.
        from check_postfix.maillog.counts.delays import Delays

        self.delays = Delays(self._since, self._keys_since)
        self.pseudonym = Accounts(secret).pseudonym
        self.pseudonym_by_the_day = Accounts(secret, BY_THE_DAY).pseudonym
        self.places = Places(secret, self._keys_since)
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self.quarter_keys: dict[tuple[str, int], Numbers] = {}
        # Minute -> origin -> whom mail was for
        self._recipients: dict[int, defaultdict[int, list[bytes]]] = {}
        self._of_senders: dict[tuple[str, str, str], tuple[str, str, str]] = {}
        self.newest: dict[int, int] = {}
        self.totals: dict[int, Numbers] = {}
        self.keyed: dict[tuple[str, int], dict[int, Numbers]] = {}
        self.places.clear()
        self.delays.clear()

    def told(self) -> Told:
        """Return all of it, to be taken in by the counts of another process."""
        self.add_up_recipients()
        return (
            self.totals, self.keyed, self.quarter_keys, self.newest, self.delays.found,
            self.places.found,
        )  # fmt: skip

    def take_in(self, told: Told, numbers: Sequence[int]) -> None:
        """Take in what others tell, which is ours then.

        numbers: our number of each origin
        """
        from check_postfix.maillog.counts import cells

        totals, keyed, quarter_keys, newest, delays, places = told
        _add_up(self.totals, totals, numbers)
        for family_hour, minutes in keyed.items():
            _add_up(self.keyed.setdefault(family_hour, {}), minutes, numbers)
        _add_up(self.quarter_keys, quarter_keys, numbers)
        for origin, minute in newest.items():
            self.note(minute, [numbers[origin]])
        for span, found in delays.items():
            ours = cells.renumbered(found, numbers)
            if self.delays.found.setdefault(span, ours) is not ours:
                self.delays.found[span].update(ours)
        for (network_name, account, origin), place in places.items():
            self.places.take_in((network_name, account, numbers[origin]), place)

    def add(self, minute: int, origin: int, event: Event, times: int) -> None:
        """Count an event `times` times."""
        counters, family, key = tally(event)
        self.add_counters(minute, origin, counters, times)
        if event.kind in RECEIPTS:
            self.add_receipt(minute, origin, event, times)
        elif family:
            self.add_key(minute, origin, family, self.with_account(key, event.account), times)
        elif event.kind == "auth_succeeded":
            name = sender.of_account(event.account)
            self.add_login(minute, origin, name, event.client, event.service)
        if event.recipient and (recipients := self.recipients(minute)) is not None:
            recipients[origin].append(event.recipient)

    def add_receipt(self, minute: int, origin: int, event: Event, times: int) -> None:
        """Count messages by who has handed them in, where their event names it as a whole."""
        self.add_of_sender(minute, origin, sender.of(event), senders.MESSAGES, times, event.client)

    def with_account(self, key: str, account: bytes) -> str:
        """Return a key with the account that it ends with, if there is one."""
        return key + self.pseudonym(account) if account else key

    def add_counters(
        self, minute: int, origin: int, counters: tuple[str, ...], number: int
    ) -> None:
        """Add a number to some counters."""
        totals = self.counters(minute)
        if totals is not None:
            self.note(minute, [origin])
            for counter in counters:
                name = of_origin(origin, counter)
                totals[name] = totals.get(name, 0) + number

    def counters(self, minute: int) -> Numbers | None:
        """Return the numbers of the counters in a minute, to add to.

        None if they are too old: nobody asks for them
        """
        if minute < self._since:
            return None
        totals = self.totals.get(minute)
        if totals is None:
            totals = self.totals[minute] = {}
        return totals

    def note(self, minute: int, origins: Iterable[int]) -> None:
        """Note that something is counted of some origins in a minute."""
        if minute >= self._since:
            newest = self.newest
            for origin in origins:
                if minute > newest.get(origin, 0):
                    newest[origin] = minute

    def add_key(self, minute: int, origin: int, family: str, key: str, number: int) -> None:
        """Add a number to a key."""
        keys = self.keys(minute, family)
        if keys is not None:
            self.note(minute, [origin])
            name = of_origin(origin, key)
            keys[name] = keys.get(name, 0) + number

    def keys(self, minute: int, family: str) -> Numbers | None:
        """Return the numbers of a family's keys in a minute, to add to.

        None if they are too old to be kept
        """
        if minute < self._keys_since:
            return None
        of_hour = self.keyed.get((family, minute // 60))
        if of_hour is None:
            of_hour = self.keyed[family, minute // 60] = {}
        keys = of_hour.get(minute)
        if keys is None:
            keys = of_hour[minute] = {}
        return keys

    def add_message(self, minute: int, origin: int, kind: str, times: int, queue_id: bytes) -> None:
        """Count, by its queue ID, the message of an event whose kind is in MESSAGES."""
        of_message = key((queue_id.decode("ascii"), kind))
        self.add_key(minute, origin, MESSAGES[kind], of_message, times)

    def add_refused(self, minute: int, origin: int, address: bytes, times: int) -> None:
        """Count rejects of mail for a watched address."""
        about = key((address.decode("utf-8", "replace"),))
        self.add_key(minute, origin, "watched_refused", about, times)

    def add_delivery(
        self, minute: int, origin: int, queue_id: bytes, times: bytes, whom: str, number: int
    ) -> None:
        """Count how long a delivery took.

        times: `T, delays=A/B/C/D` of its line
        whom:  domain and relay, as they stand in a key
        """
        from check_postfix.maillog.counts import delays

        found = delays.buckets(times)
        if found is None:
            return
        self.delays.add(minute, origin, found, number)
        if delays.is_slow(found):
            of_delivery = key((queue_id.decode("ascii"), whom, delays.key_of(found)))
            self.add_key(minute, origin, "slow", of_delivery, number)

    def add_sums(self, sums: Sums) -> None:
        """Add what several lines together came to, and empty these sums."""
        for (minute, origin, counter), number in sums.items():
            self.add_counters(minute, origin, (counter,), number)
        for (minute, origin, what, by), number in sums.senders.items():
            self.add_of_sender(minute, origin, by, what, number)
        for (minute, origin, address), number in sums.watched.items():
            if number:
                self.add_key(minute, origin, WATCHED, address, number)
                self._add_by_the_day(minute, origin, WATCHED, address, number)
        for (minute, origin, address, by), number in sums.came_from.items():
            from_where = key((address, senders.source_of(by)[:LONGEST]))
            self.add_key(minute, origin, "watched_from", from_where, number)
        sums.clear()

    def add_of_sender(
        self, minute: int, origin: int, by: str, what: str, number: int, client: str = ""
    ) -> None:
        """Add a number to what is counted of who has handed mail in.

        by:     who that is, as sender.py writes it
        what:   it is a number of
        client: address that it came from
        """
        asked = by, what, client
        known = self._of_senders.get(asked)
        if known is None:
            known = self._of_senders[asked] = self._of_sender(*asked)
        family, key, pseudonym = known
        if not family:
            return
        self.add_key(minute, origin, family, key, number)
        if pseudonym:
            self._add_by_the_day(minute, origin, family, pseudonym, number)
            if family == sender.ACCOUNT:
                self.add_login(minute, origin, by, client, SMTP)

    def add_login(self, minute: int, origin: int, by: str, client: str, service: str) -> None:
        """Count that an account has logged in.

        by:     the account, as sender.py writes it
        client: address that it came from, lower case
        """
        if minute >= self._since:
            name = by.partition(sender.SEPARATOR)[2]
            self.places.add(minute, origin, client, name, service)

    def _of_sender(self, by: str, what: str, client: str) -> tuple[str, str, str]:
        """Return family, key and the pseudonym by the day of what is counted of a sender."""
        if not by or not senders.is_kept(by):
            return "", "", ""
        family, key = senders.key_of(by, what, client)
        if what != senders.MESSAGES:
            return family, key, ""
        return family, key, self.pseudonym_by_the_day(fields(key)[1].encode())

    def recipients(self, minute: int) -> defaultdict[int, list[bytes]] | None:
        """Return whom mail was for in a minute, by origin, to add to.

        It is added for each first try to deliver something to somebody, as they stand in the log;
        `>` may end them. None if they are too old: nobody asks for them
        """
        if minute < self._since:
            return None
        of_minute = self._recipients.get(minute)
        if of_minute is None:
            of_minute = self._recipients[minute] = defaultdict(list)
        return of_minute

    def add_up_recipients(self) -> None:
        """Give recipients their pseudonyms; of those who got little, only their number is kept."""
        for minute, of_minute in self._recipients.items():
            if not any(of_minute.values()):
                continue
            keys = self.keys(minute, "by_recipient")
            others = {origin: len(named) for origin, named in of_minute.items()}
            self.note(minute, others)
            for number, origin, name in _most_frequent(of_minute):
                others[origin] -= number
                text = name.removesuffix(b">").decode("utf-8", "replace").lower()
                pseudonym = self.pseudonym_by_the_day(text.encode())
                self._add_by_the_day(minute, origin, "by_recipient", pseudonym, number)
                if keys is not None:
                    one = of_origin(origin, pseudonym)
                    keys[one] = keys.get(one, 0) + number
            if keys is not None:
                for origin, number in others.items():
                    if number:
                        many = of_origin(origin, MANY)
                        keys[many] = keys.get(many, 0) + number
        self._recipients.clear()

    def _add_by_the_day(
        self, minute: int, origin: int, family: str, pseudonym: str, number: int
    ) -> None:
        if minute < self._since:
            return
        self.note(minute, [origin])
        where = family, minute // 15
        numbers = self.quarter_keys.get(where)
        if numbers is None:
            numbers = self.quarter_keys[where] = {}
        name = of_origin(origin, pseudonym)
        numbers[name] = numbers.get(name, 0) + number


def _add_up(sums: dict[Any, Numbers], more: Mapping[Any, Numbers], numbers: Sequence[int]) -> None:
    """Add what others have counted to sums.

    numbers: our number of each of their origins, of which two may be one
    """
    is_same = all(number == origin for origin, number in enumerate(numbers))
    called: dict[str, str] = {}
    for where, theirs in more.items():
        ours = theirs if is_same else _renumbered(theirs, numbers, called)
        there = sums.setdefault(where, ours)
        if there is not ours:
            for name, number in ours.items():
                there[name] = there.get(name, 0) + number


def _renumbered(theirs: Numbers, numbers: Sequence[int], called: dict[str, str]) -> Numbers:
    """Return what others have counted by our numbers of origins.

    called: what of theirs is called how with us, as far as it is known
    """
    ours: Numbers = {}
    for name, number in theirs.items():
        own = called.get(name)
        if own is None:
            origin, _, rest = name.partition(SEPARATOR)
            own = called[name] = of_origin(numbers[int(origin)], rest)
        ours[own] = ours.get(own, 0) + number
    return ours


def _most_frequent(of_minute: Mapping[int, list[bytes]]) -> list[tuple[int, int, bytes]]:
    """Return number, origin and name of the recipients of a minute that are told apart.

    Strangers choose them, and to hash each takes long.

    of_minute: origin -> whom each message was for
    """
    several: list[tuple[int, int, bytes]] = []
    singles: list[tuple[int, int, bytes]] = []
    for origin, named in of_minute.items():
        if len(named) == 1:
            singles.append((1, origin, named[0]))
            continue
        for name, number in Counter(named).items():
            (several if number > 1 else singles).append((number, origin, name))
    several.sort(key=itemgetter(0), reverse=True)
    return several[:MOST_RECIPIENTS] + singles[: max(0, _FEW - len(several))]
