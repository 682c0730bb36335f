"""A view: what a store holds of a window's minutes, as far as it is looked at."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence
    from datetime import tzinfo
    from typing import Any, TypeVar

    from check_postfix.maillog.store.answers import Answers
    from check_postfix.maillog.store.places import Login
    from check_postfix.maillog.store.store import Store
    from check_postfix.maillog.window.compared import Compared, Counted
    from check_postfix.maillog.window.coverage import Coverage
    from check_postfix.maillog.window.daily_most import DailyMost
    from check_postfix.maillog.window.delays import Delays

    V = TypeVar("V")
    Key = tuple[str, ...]
    Rows = list[tuple[Key, int]]
    # From a family and one of its keys to whether events of that key take part
    Takes = Callable[[str, tuple[str, ...]], bool]


class View:
    """What a store holds of some minutes of some origins.

    store:      open, and brought up to the log
    origins:    numbers of the hosts' Postfix instances that are looked at
    start, end: first minute, and the minute after the last
    coverage:   what of the log was read
    oldest_keys: minute before which no keys are kept
    zone:       whose time of day is compared; None for the machine's
    anonymises: whether pseudonyms are shown for what may name somebody
    is_whole:   whether these are all origins that there are
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
        is_whole: bool = True,
    ) -> None:
        self._store = store
        self._answers = store.answers
        self._origins = origins
        self._start = start
        self._end = end
        self._coverage = coverage
        self._oldest_keys = oldest_keys
        self._zone = zone
        self._anonymises = anonymises
        self._is_whole = is_whole
        self._found: dict[Hashable, Any] | None = None

    def of(self, start: int, end: int) -> View:
        """Return the view of other minutes."""
        view = View(
            self._store, self._origins, start, end, self._coverage, self._oldest_keys,
            self._zone, self._anonymises, self._is_whole,
        )  # fmt: skip
        view._answers = self._answers
        view._found = self._found
        return view

    def through(self, held: Callable[[Answers], Answers]) -> View:
        """Return the same view of what answers as its store does, for many views of it.

        held: makes that of the store's answers
        """
        from copy import copy  # no check has need of it

        view = copy(self)
        view._answers = held(self._answers)
        view._found = {}
        return view

    def in_all(self, what: Hashable, find: Callable[[], V]) -> V:
        """Return what is the same in the views of other minutes; of many it is found once.

        what: says which of such things it is
        """
        if self._found is None:  # as in a check, which has one or two views
            return find()
        if what not in self._found:
            self._found[what] = find()
        found: V = self._found[what]
        return found

    @property
    def oldest_keys(self) -> int:
        """The minute before which no keys are kept."""
        return self._oldest_keys

    def totals(self) -> dict[str, int]:
        """Return counter -> number."""
        return self._answers.totals(self._start, self._end, self._origins)

    def keys(self, family: str) -> Rows:
        """Return the (key, number) pairs of a family; a key is a value for each of its fields."""
        return self._answers.keys(family, self._start, self._end, self._origins)

    def messages(self, family: str, kinds: tuple[str, ...], minutes: int) -> tuple[int, int]:
        """Return how many messages lines of these kinds tell of, and how many lines do.

        minutes: messages that are told of in so many minutes before the window are left out
        """
        before = self._start - minutes
        return self._answers.messages(family, kinds, self._start, self._end, self._origins, before)

    def compared(self, series: str, enough: int | None) -> Compared:
        """Return what has come lately of a series, held against what is usual."""
        return self._counted().compared(series, enough)

    def delays(self) -> Delays:
        """Return how long deliveries took."""
        # One check of many asks for it.
        from check_postfix.maillog.window.delays import delays

        def read(family: str, start: int, end: int) -> Iterator[tuple[int, int, Key, int]]:
            return self._answers.keys_newest_first(family, start, end, self._origins)

        since = self._coverage.start
        known_since = self._end if since is None else max(since, self._oldest_keys)
        gaps = self._coverage.gaps_in(known_since, self._end)
        known_since = max([known_since, *(last for _, last in gaps)])
        counted = self._answers.delays_of(self._start, self._end, self._origins)
        return delays(counted, self._start, self._end, known_since, read)

    def number(self, series: str) -> int:
        """Return what a series came to."""
        return self._counted().number(series, self._start)

    def _counted(self) -> Counted:
        # Few checks of many ask for it.
        from check_postfix.maillog.window.compared import Counted

        return Counted(
            self._answers, self._origins, self._end, self._coverage, self._zone, self._is_whole,
            self.in_all, self.watched_since,
        )  # fmt: skip

    def daily_most(self, family: str) -> DailyMost:
        """Return what each sender of a family had at most on the days before."""
        # Few checks ask for it.
        from check_postfix.maillog.store.daily_most import day_of
        from check_postfix.maillog.window.daily_most import DAYS, DailyMost

        today = day_of(self._start)
        return DailyMost(
            *self._answers.most_of_days(family, today - DAYS, today - 1, self._origins),
            self._end - self._start,
            self.pseudonym,
        )

    def watched_since(self, address: str) -> int | None:
        """Return since which minute an address is asked for by name, None if it is not."""
        # One check of many asks for it.
        from check_postfix.maillog.store import watched

        return watched.since(self._store, address)

    def pseudonym(self, name: str) -> str:
        """Return the pseudonym by which a sender or a recipient is kept."""
        from check_postfix.maillog.counts.account import BY_THE_DAY, Accounts

        return Accounts(self._store.key, BY_THE_DAY).pseudonym(name.encode())

    def tried(self, start: int, end: int) -> Rows:
        """Return how many logins failed by client and account, of some hours; see Answers.tried."""
        return self._answers.tried(start, end, self._origins)

    def tried_by_minute(self, start: int, end: int) -> list[tuple[int, str, str]]:
        """Return minute, client and account of the logins that failed."""
        rows = self._answers.keys_newest_first("auth_failed", start, end, self._origins)
        return [(minute, key[0], key[-1]) for minute, _, key, _ in rows]

    def logins_near(self, client: str) -> list[Login]:
        """Return the first login of each account from the network of a client, at each origin."""
        # Needed where somebody guesses.
        from check_postfix.maillog.counts import network
        from check_postfix.maillog.counts.account import Accounts
        from check_postfix.maillog.counts.places import NETWORK

        pseudonym = Accounts(self._store.key, NETWORK).pseudonym
        return self._answers.logins_from(pseudonym(network.around(client).encode()))

    def name(self, field: str, value: str) -> str:
        """Return what is shown of a field's value, which may be a pseudonym."""
        if not self._anonymises:
            return value
        from check_postfix.maillog.counts import pseudonym

        return pseudonym.of(self._store.key, field, value)

    def account(self, name: str) -> str:
        """Return the pseudonym by which an account is kept."""
        # Nearly no check names one.
        from check_postfix.maillog.counts.account import Accounts

        return Accounts(self._store.key).pseudonym(name.encode())
