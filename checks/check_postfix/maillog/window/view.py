"""A view: what a store holds of a window's minutes, as far as it is looked at."""

from __future__ import annotations

from check_postfix.maillog.counts.account import Accounts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import tzinfo

    from check_postfix.maillog.store.store import Store
    from check_postfix.maillog.window.coverage import Coverage
    from check_postfix.maillog.window.usual import Usual

    Rows = list[tuple[tuple[str, ...], int]]
    # From a family and one of its keys to whether events of that key take part
    Takes = Callable[[str, tuple[str, ...]], bool]


# A host on which nothing happens for so long has no mail, or does not log it. In minutes.
_DAY = 24 * 60


class View:
    """What a store holds of some minutes of some origins.

    store:      open, and brought up to the log
    origins:    numbers of the hosts' Postfix instances that are looked at
    start, end: first minute, and the minute after the last
    coverage:   what of the log was read
    oldest_keys: minute before which no keys are kept
    zone:       whose time of day is compared; None for the machine's
    anonymises: whether pseudonyms are shown for what may name somebody
    """

    def __init__(
        self,
        store: Store,
        origins: Sequence[int],
        start: int,
        end: int,
        coverage: Coverage,
        oldest_keys: int,
        zone: tzinfo | None,
        anonymises: bool,
    ) -> None:
        self._store = store
        self._origins = origins
        self._start = start
        self._end = end
        self._coverage = coverage
        self._oldest_keys = oldest_keys
        self._zone = zone
        self._anonymises = anonymises

    def of(self, start: int, end: int) -> View:
        """Return the view of other minutes."""
        return View(
            self._store, self._origins, start, end, self._coverage, self._oldest_keys,
            self._zone, self._anonymises,
        )  # fmt: skip

    def totals(self) -> dict[str, int]:
        """Return counter -> number."""
        return self._store.totals(self._start, self._end, self._origins)

    def keys(self, family: str) -> Rows:
        """Return the (key, number) pairs of a family; a key is a value for each of its fields."""
        return self._store.keys(family, self._start, self._end, self._origins)

    def messages(self, family: str, kinds: tuple[str, ...], minutes: int) -> tuple[int, int]:
        """Return how many messages lines of these kinds tell of, and how many lines do.

        minutes: messages that are told of in so many minutes before the window are left out
        """
        before = self._start - minutes
        return self._store.messages(family, kinds, self._start, self._end, self._origins, before)

    def usual(self, counters: tuple[str, ...]) -> Usual:
        """Return what these counters usually come to, together, in so long a window."""

        def count(start: int, end: int) -> int:
            totals = self._store.totals(start, end, self._origins)
            return sum(totals.get(counter, 0) for counter in counters)

        return self._usual(self._coverage, count)

    def usual_matching(self, family: str, takes: Takes) -> Usual:
        """Return what those events of a family that take part usually come to."""

        def count(start: int, end: int) -> int:
            rows = self._store.keys(family, start, end, self._origins)
            return sum(number for key, number in rows if takes(family, key))

        return self._usual(self._coverage.since(self._oldest_keys), count)

    def _usual(self, coverage: Coverage, count: Callable[[int, int], int]) -> Usual:
        # One check of many asks for it.
        from check_postfix.maillog.window.usual import usual

        def counted(start: int, end: int) -> int | None:
            number = count(start, end)
            day = min(start, end - _DAY), end, self._origins
            return number if number or self._store.has_totals(*day) else None

        return usual(self._start, self._end, self._zone, coverage, counted)

    def name(self, field: str, value: str) -> str:
        """Return what is shown of a field's value, which may be a pseudonym."""
        if not self._anonymises:
            return value
        from check_postfix.maillog.counts import pseudonym

        return pseudonym.of(self._store.key, field, value)

    def account(self, name: str) -> str:
        """Return the pseudonym by which an account is kept."""
        return Accounts(self._store.key).pseudonym(name.encode())
