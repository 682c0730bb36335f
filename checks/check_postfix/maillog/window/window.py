"""The window: what was counted in the minutes that a check judges."""

from __future__ import annotations

from functools import cached_property

from check_postfix.maillog.counts.counts import FAMILIES, FAMILY, MANY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from check_postfix.maillog.window.coverage import Coverage
    from check_postfix.maillog.window.silence import Silence
    from check_postfix.maillog.window.usual import Usual
    from check_postfix.maillog.window.view import Rows, Takes, View


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
    ) -> None:
        self.start = start
        self.end = end
        self.coverage = coverage
        self.notes = notes
        self.silence = silence
        self.logs = logs
        self.state = state
        self._view = view
        self._totals: Mapping[str, int] = view.totals()
        self._supposed: Mapping[str, int] = {}  # family -> number of events, see `supposing`
        self._known_keys: dict[str, Rows] = {}
        self._known_usual: dict[tuple[object, ...], Usual] = {}

    def ending(self, before: int, minutes: int) -> Window:
        """Return a window of so many minutes that ends so many minutes before this one ends."""
        end = self.end - before
        start = end - minutes
        return Window(start, end, self.coverage, self._view.of(start, end), self.notes)

    def supposing(self, counter: str, number: int) -> Window:
        """Return what this window would be with so many more events, of which no more is known.

        counter: of the events; a family of that name counts them as well
        """
        supposed = Window(self.start, self.end, self.coverage, self._view, self.notes)
        supposed._totals = {**self._totals, counter: self.count(counter) + number}
        family = FAMILY.get(counter, counter)
        supposed._supposed = {family: number}
        return supposed

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
        return self._view.messages("deferred_messages", DEFERRALS, 0)

    @cached_property
    def _expired(self) -> tuple[int, int]:
        return self._view.messages("expired_messages", ("expired",), _DAYS)

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

    def usual(self, *counters: str) -> Usual:
        """Return what these counters together usually come to."""
        if counters not in self._known_usual:
            self._known_usual[counters] = self._view.usual(counters)
        return self._known_usual[counters]

    def usual_matching(self, family: str, filter: Takes) -> Usual:
        """Return what the events of a family that a filter takes usually come to."""
        asked = (family, filter)
        if asked not in self._known_usual:
            self._known_usual[asked] = self._view.usual_matching(family, filter)
        return self._known_usual[asked]

    def name(self, field: str, value: str) -> str:
        """Return what is shown of a field's value, which may be a pseudonym."""
        if field == "account" and value != MANY:  # kept as a pseudonym, which says of what
            return f"account-{value}"
        return self._view.name(field, value)

    def account(self, name: str) -> str:
        """Return the pseudonym by which an account is kept."""
        return self._view.account(name)
