"""The window: what was counted in the minutes that a check judges."""

from __future__ import annotations

from functools import cached_property

from check_postfix.maillog.counts.families import FAMILIES, FAMILY, MANY, WATCHED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence
    from typing import Any, TypeVar

    from check_postfix.maillog.store.places import Login
    from check_postfix.maillog.window.aged_file import AgedFile
    from check_postfix.maillog.window.compared import Compared
    from check_postfix.maillog.window.coverage import Coverage
    from check_postfix.maillog.window.daily_most import DailyMost
    from check_postfix.maillog.window.delays import Delays
    from check_postfix.maillog.window.silence import Silence
    from check_postfix.maillog.window.view import Rows, Takes, View

    V = TypeVar("V")


# Kinds of lines that put a message off.
DEFERRALS = ("deferred", "softbounce")
# A message whose notification fails expires again each time that it is tried, for as
# long as the notification's own time in the queue. In minutes.
_DAYS = 2 * 24 * 60


class Window:
    """Counts over a span of whole minutes.

    start, end: first minute, and the minute after the last
    coverage:   what of the log was read
    view:       what the store holds of these minutes; asked once for each thing
    notes:      what else has to be said, in a few words each
    silence:    who has logged nothing; None if all have
    logs:       paths of what was read; of the journal its name
    state:      path of the file of what is kept, None if nothing is
    last:       minute of the newest line of a daemon, None if there is none
    files:      gives the files that the log is made of
    """

    def __init__(
        self,
        start: int,
        end: int,
        coverage: Coverage,
        view: View,
        notes: Sequence[str] = (),
        silence: Silence | None = None,
        logs: Sequence[str] = (),
        state: str | None = None,
        last: int | None = None,
        files: Callable[[], Sequence[AgedFile]] = tuple,
    ) -> None:
        self.start = start
        self.end = end
        self.coverage = coverage
        self.notes = notes
        self.silence = silence
        self.logs = logs
        self.state = state
        self.last = last
        self._files = files
        self._view = view
        self._totals: Mapping[str, int] = view.totals()
        self._supposed: Mapping[str, int] = {}  # family -> number of events, see `supposing`
        self._known_keys: dict[str, Rows] = {}
        self._known_compared: dict[tuple[str, int | None], Compared] = {}
        self._known_most: dict[str, DailyMost] = {}
        self._known_tried: dict[tuple[int, int], Rows] = {}
        self._known: dict[str, Any] = {}
        self._supposed_counts: Sequence[tuple[str, int]] = ()

    def ending(self, before: int, minutes: int) -> Window:
        """Return a window of so many minutes that ends so many minutes before this one ends."""
        end = self.end - before
        start = end - minutes
        return Window(start, end, self.coverage, self._view.of(start, end), self.notes)

    def through(self, held: Callable[[Any], Any]) -> Window:
        """Return the same window of what answers as its store does; see View.through."""
        window = self.ending(0, self.end - self.start)
        window._view = self._view.through(held)
        return window

    @property
    def oldest_keys(self) -> int:
        """The minute before which no keys are kept."""
        return self._view.oldest_keys

    def supposing(self, counter: str, number: int) -> Window:
        """Return what this window would be with so many more events, of which no more is known.

        counter: of the events; a family of that name counts them as well
        """
        supposed = Window(self.start, self.end, self.coverage, self._view, self.notes)
        supposed._totals = {**self._totals, counter: self.count(counter) + number}
        family = FAMILY.get(counter, counter)
        more = self._supposed.get(family, 0) + number
        supposed._supposed = {**self._supposed, family: more}
        supposed._supposed_counts = [*self._supposed_counts, (counter, number)]
        return supposed

    def supposed(self, family: str) -> int:
        """Return how many more events of a family are supposed to have come."""
        return self._supposed.get(family, 0)

    @cached_property
    def files(self) -> Sequence[AgedFile]:
        """The files that the log is made of."""
        return self._files()

    @property
    def seconds(self) -> int:
        """Its length."""
        return (self.end - self.start) * 60

    def count(self, *counters: str) -> int:
        """Return what these counters came to together."""
        return sum(self._totals.get(counter, 0) for counter in counters)

    @property
    def deferred_messages(self) -> int:
        """How many messages were deferred."""
        messages, lines = self._deferred
        return messages + self.count(*DEFERRALS) - lines

    @property
    def expired_messages(self) -> int:
        """How many messages have expired that had not expired already in the days before."""
        messages, lines = self._expired
        return messages + self.count("expired") - lines

    @property
    def lines_of_unknown_messages(self) -> int:
        """How many lines of deferrals and expiries do not tell which message they are about."""
        known = self._deferred[1] + self._expired[1]
        return self.count(*DEFERRALS, "expired") - known

    @cached_property
    def _deferred(self) -> tuple[int, int]:
        return self._messages("deferred_messages", DEFERRALS, 0)

    @cached_property
    def _expired(self) -> tuple[int, int]:
        return self._messages("expired_messages", ("expired",), _DAYS)

    def _messages(self, family: str, kinds: tuple[str, ...], minutes: int) -> tuple[int, int]:
        if not self.count(*kinds):  # days of keys need not be looked through
            return 0, 0
        return self._view.messages(family, kinds, minutes)

    @cached_property
    def delays(self) -> Delays:
        """How long deliveries took."""
        return self._view.delays()

    def keys(self, family: str, *names: str, filter: Takes | None = None) -> Rows:
        """Return what a family of events was split into by some of its fields, most first.

        names:   of the fields; where the first is empty, an event is left out
        filter:  from (family, key) to whether it takes part; None takes all
        Returns: (values, number) pairs; the value MANY stands for all that were too
                 many to be kept apart
        """
        places = [FAMILIES[family].index(name) for name in names]
        added: dict[tuple[str, ...], int] = {}
        for key, number in self._rows(family):
            if key[places[0]] and (filter is None or filter(family, key)):
                values = tuple(key[place] for place in places)
                added[values] = added.get(values, 0) + number
        return sorted(added.items(), key=lambda pair: (-pair[1], pair[0]))

    def count_matching(self, family: str, filter: Takes) -> int:
        """Return how many events of a family a filter takes."""
        matching = sum(number for key, number in self._rows(family) if filter(family, key))
        return matching + self._supposed.get(family, 0)

    def unknown(self, family: str, *counters: str) -> int:
        """Return of how many events of a family no key is known: they are not kept any more.

        counters: what counts all of them
        """
        return max(0, self.count(*counters) - self.count_matching(family, lambda *_: True))

    def _rows(self, family: str) -> Rows:
        if family not in self._known_keys:
            self._known_keys[family] = self._view.keys(family)
        return self._known_keys[family]

    def compared(self, series: str, enough: int | None = None) -> Compared:
        """Return what has come lately of a series, held against what is usual.

        enough: a number below this is never too much; None for what holds for most
        """
        asked = series, enough
        if asked not in self._known_compared:
            known = self._view.compared(series, enough)
            if more := self._supposed_of(series):
                known = known.with_more(more)
            self._known_compared[asked] = known
        return self._known_compared[asked]

    def _supposed_of(self, series: str) -> int:
        """Return how many more events of a series are supposed to have come."""
        # Few checks of many ask for it.
        from check_postfix.maillog.counts.series import counters

        of_series = counters(series)
        return sum(number for counter, number in self._supposed_counts if counter in of_series)

    def number(self, series: str) -> int:
        """Return what a series came to."""
        return self._view.number(series)

    def daily_most(self, family: str) -> DailyMost:
        """Return what each sender of a family usually has at most."""
        if family not in self._known_most:
            self._known_most[family] = self._view.daily_most(family)
        return self._known_most[family]

    def watched(self, address: str) -> int:
        """Return how many messages were first tried for an address that is asked for by name."""
        rows = self.keys(WATCHED, "address")
        # Where one is taken back, what it was part of may have been forgotten.
        return max(0, sum(number for (of,), number in rows if of == address))

    def watched_since(self, address: str) -> int | None:
        """Return since which minute an address is asked for by name, None if it is not."""
        return self._view.watched_since(address)

    def pseudonym(self, name: str) -> str:
        """Return the pseudonym by which a sender or a recipient is kept."""
        return self._view.pseudonym(name)

    def tried(self, minutes: int, end: int | None = None) -> Rows:
        """Return how many logins failed by (client, account), in a time of whole hours.

        minutes: how long before the window's end it begins, or up to an hour earlier
        end:     the minute after its last, None for the window's end
        Returns: (values, number) pairs; of accounts, pseudonyms
        """
        asked = self.end - minutes, self.end if end is None else end
        if asked not in self._known_tried:
            self._known_tried[asked] = self._view.tried(*asked)
        return self._known_tried[asked]

    def tried_by_minute(self, start: int, end: int) -> list[tuple[int, str, str]]:
        """Return minute, client and account of the logins that failed in some minutes.

        Of accounts they are pseudonyms.
        """
        return self._view.tried_by_minute(start, end)

    def has_tried(self, minutes: int) -> bool:
        """Tell whether all is known that `tried` could tell of."""
        start = (self.end - minutes) // 60 * 60
        return start >= self.oldest_keys and self.coverage.includes(start, self.end)

    def logins_near(self, client: str) -> list[Login]:
        """Return the first logins of each account from the network of a client, earliest first.

        These are of all hosts and instances, and of any time.
        """
        return self._view.logins_near(client)

    def in_all(self, what: Hashable, find: Callable[[], V]) -> V:
        """Return what is the same in windows of other minutes; see View.in_all."""
        return self._view.in_all(what, find)

    def once(self, what: str, find: Callable[[], V]) -> V:
        """Return what a check finds out of this window by its options, which it asks for again.

        what: says which of such things it is
        """
        if what not in self._known:
            self._known[what] = find()
        found: V = self._known[what]
        return found

    def name(self, field: str, value: str) -> str:
        """Return what is shown of a field's value, which may be a pseudonym."""
        if field == "account" and value != MANY:  # kept as a pseudonym, which says of what
            return f"account-{value}"
        return self._view.name(field, value)

    def account(self, name: str) -> str:
        """Return the pseudonym by which an account is kept."""
        return self._view.account(name)
