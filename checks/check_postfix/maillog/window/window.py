"""The window: what was counted in the minutes that a check judges."""

from __future__ import annotations

from functools import cached_property

from check_postfix.maillog.counts.counts import FAMILIES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from check_postfix.maillog.window.coverage import Coverage
    from check_postfix.maillog.window.usual import Usual

    Rows = list[tuple[tuple[str, ...], int]]
    UsualOf = Callable[[tuple[str, ...]], Usual]
    Takes = Callable[[str, tuple[str, ...]], bool]


# Kinds of lines that put a message off.
DEFERRALS = ("deferred", "softbounce")
# A message whose notification fails expires again each time that it is tried, for as
# long as the notification's own time in the queue. In minutes.
_DAYS = 2 * 24 * 60


class Window:
    """Counts over a span of whole minutes.

    start, end: first minute, and the minute behind the last
    totals:     counter -> number
    coverage:   what of the log was read
    keys:       family -> (key, number) pairs; a key is a value for each of the
                family's fields
    usual:      counters -> what they usually come to in so long a window
    usual_of:   from (family, choice) to the same of chosen events
    notes:      what has to be said besides, in a few words each
    messages:   from (family, kinds, minutes) to the number of messages of which lines of
                these kinds tell, and of these lines; messages told of in so many minutes
                before the window are left out
    name:       from (field, value) to what is shown of it, which may be a pseudonym
    account:    from an account's name to its pseudonym, by which it is kept
    """

    def __init__(
        self,
        start: int,
        end: int,
        totals: Mapping[str, int],
        coverage: Coverage,
        keys: Callable[[str], Rows],
        usual: UsualOf,
        notes: Sequence[str] = (),
        name: Callable[[str, str], str] = lambda _, value: value,
        usual_of: Callable[[str, Takes], Usual] | None = None,
        account: Callable[[str], str] = lambda name: name,
        messages: Callable[[str, tuple[str, ...], int], tuple[int, int]] = lambda *_: (0, 0),
    ) -> None:
        self.start = start
        self.end = end
        self.coverage = coverage
        self.notes = notes
        self.name = name
        self.account = account
        self._totals = totals
        self._messages = messages
        self._keys = keys
        self._usual = usual
        self._usual_of = usual_of
        self._known_keys: dict[str, Rows] = {}
        self._known_usual: dict[tuple[str, ...], Usual] = {}

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
        """How many messages have expired, of which the days before did not tell so already."""
        messages, lines = self._expired
        return messages + self.count("expired") - lines

    @property
    def lines_of_unknown_messages(self) -> int:
        """How many deferrals and expiries were too many or are too old to tell of which message."""
        known = self._deferred[1] + self._expired[1]
        return self.count(*DEFERRALS, "expired") - known

    @cached_property
    def _deferred(self) -> tuple[int, int]:
        return self._messages("deferred_messages", DEFERRALS, 0)

    @cached_property
    def _expired(self) -> tuple[int, int]:
        return self._messages("expired_messages", ("expired",), _DAYS)

    def keys(
        self, family: str, *names: str, choice: Takes | None = None
    ) -> list[tuple[tuple[str, ...], int]]:
        """Return what a family of events was split into by some of its fields, most first.

        names:  of the fields; the first is the one without which an event is left out
        choice: from (family, key) to whether it takes part; None takes all
        Returns: (values, number) pairs; the value MANY stands for all that were too
                 many to be kept apart
        """
        places = [FAMILIES[family].index(name) for name in names]
        added: dict[tuple[str, ...], int] = {}
        for key, number in self._rows(family):
            if key[places[0]] and (choice is None or choice(family, key)):
                values = tuple(key[place] for place in places)
                added[values] = added.get(values, 0) + number
        return sorted(added.items(), key=lambda pair: (-pair[1], pair[0]))

    def count_matching(self, family: str, choice: Takes) -> int:
        """Return how many events of a family a choice takes."""
        return sum(number for key, number in self._rows(family) if choice(family, key))

    def _rows(self, family: str) -> Rows:
        if family not in self._known_keys:
            self._known_keys[family] = self._keys(family)
        return self._known_keys[family]

    def usual(self, *counters: str) -> Usual:
        """Return what these counters together usually come to."""
        if counters not in self._known_usual:
            self._known_usual[counters] = self._usual(counters)
        return self._known_usual[counters]

    def usual_of(self, family: str, choice: Takes) -> Usual:
        """Return what the events of a family that a choice takes usually come to."""
        assert self._usual_of is not None
        if (family,) not in self._known_usual:
            self._known_usual[family,] = self._usual_of(family, choice)
        return self._known_usual[family,]
