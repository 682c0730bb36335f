"""Values for tests, built from what a test cares about."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from check_postfix.maillog.counts.families import FAMILIES, MANY
from check_postfix.maillog.counts.series import counters, watched_in
from check_postfix.maillog.source.line_counts import LineCounts
from check_postfix.maillog.store.places import Login
from check_postfix.maillog.window import usual as usually
from check_postfix.maillog.window.aged_file import AgedFile
from check_postfix.maillog.window.compared import Compared
from check_postfix.maillog.window.coverage import Coverage
from check_postfix.maillog.window.daily_most import DailyMost
from check_postfix.maillog.window.delays import Delays
from check_postfix.maillog.window.silence import Silence
from check_postfix.maillog.window.window import Window
from check_postfix.plugin import Check
from check_postfix.plugin.arguments import options_of

# 2026-11-24 16:00 UTC, in minutes
NOON = 1795536000 // 60


def a_coverage(**changed: Any) -> Coverage:
    """Return the coverage of a log read from a day before NOON up to it.

    changed: its fields, and those of its line counts
    """
    usually: dict[str, Any] = {
        "start": NOON - 1440,
        "end": NOON,
        "last": NOON - 1,
    }
    counted = {"lines": 1000, "events": 500, "matched": 480, "foreign": 117}
    counted |= {name: changed.pop(name) for name in LineCounts._fields if name in changed}
    return Coverage(**usually | changed, line_counts=LineCounts(**counted))


def a_comparison(
    *lately: int | None,
    usual: int = 0,
    silence: int = 0,
    known: int = usually.DAYS,
    enough: int = usually.ENOUGH,
) -> Compared:
    """Return what has come lately, held against days that were all alike.

    lately:  in each 15 minutes, the last ones first; before these as much as is usual came
    usual:   in each quarter-hour of the days
    silence: minutes for which nothing has come
    known:   number of days that are known
    """
    unread: list[int | None] = [None] * usually.QUARTERS
    days = [unread] * (usually.DAYS - known) + [[usual] * usually.QUARTERS] * known
    range_ = usually.Usual(days).at(40, enough)
    recent = usually.Recent([*lately, *[usual] * (16 - len(lately))], silence)
    last_day = [*[usual] * (usually.QUARTERS - len(lately)), *reversed(lately)]
    return Compared(usually.judge(recent, range_), range_, recent, last_day)


def a_key(family: str, **values: str) -> tuple[str, ...]:
    """Return a key of a family; fields that are not named are empty."""
    assert values.keys() <= set(FAMILIES[family])
    return tuple(values.get(name, "") for name in FAMILIES[family])


class AView:
    """A view of what a test says was counted; it stands in for one of a store.

    messages: None lets each line be about a message of its own
    usual:    in each quarter-hour of 28 days; None for a history that is too short
    before:   in each 15 minutes before the last ones, the last first, if not as usual
    silent:   minutes for which nothing has come
    most:     what single senders had at most, by name; None if that is not known
    tried:    (minute, client, account, number) of logins that failed in a longer time
    logins:   client -> the first logins from its network
    usual_of: watched address -> as `usual`
    since:    minute since which addresses are watched, 0 from the start of the log
    """

    oldest_keys = 0

    def __init__(
        self,
        keys: dict[str, list[Any]],
        totals: dict[str, int],
        messages: Callable[[str, tuple[str, ...], int], tuple[int, int]] | None,
        usual: int | None,
        before: Sequence[int | None] = (),
        silent: int = 0,
        delays: Delays | None = None,
        most: dict[str, int] | None = None,
        tried: Sequence[tuple[int, str, str, int]] = (),
        logins: dict[str, list[Login]] | None = None,
        usual_of: dict[str, int | None] | None = None,
        since: int = 0,
    ) -> None:
        self._usual_of = usual_of or {}
        self._since = since
        self._most = most
        self._tried = tried
        self._logins = logins or {}
        self._minutes = 15
        self._keys = keys
        self._totals = totals
        self._messages = messages
        self._usual = usual
        self._before = before
        self._silent = silent
        self._delays = delays or Delays()

    def of(self, *_: int) -> AView:
        return self

    def totals(self) -> dict[str, int]:
        return self._totals

    def keys(self, family: str) -> list[tuple[tuple[str, ...], int]]:
        rows = []
        for about, pairs in self._keys.items():
            of, _, field = about.partition(" ")
            if of == family:
                rows += [
                    (a_key(family, **({field: key or MANY} if field else key)), number)
                    for key, number in pairs
                ]
        return rows

    def messages(self, family: str, kinds: tuple[str, ...], minutes: int) -> tuple[int, int]:
        if self._messages:
            return self._messages(family, kinds, minutes)
        return (sum(self._totals.get(kind, 0) for kind in kinds),) * 2

    def compared(self, series: str, enough: int | None) -> Compared:
        address = watched_in(series)
        usual = self._usual if address is None else self._usual_of.get(address)
        if usual is None:
            return a_comparison(self.number(series), known=3)
        return a_comparison(
            self.number(series),
            *self._before,
            usual=usual,
            silence=self._silent,
            enough=usually.ENOUGH if enough is None else enough,
        )

    def delays(self) -> Delays:
        return self._delays

    def number(self, series: str) -> int:
        return sum(self._totals.get(counter, 0) for counter in counters(series))

    def daily_most(self, _: str) -> DailyMost:
        days = 3 if self._most is None else 28
        return DailyMost(days, self._most or {}, 0, self._minutes, self.pseudonym)

    def watched_since(self, _: str) -> int | None:
        return self._since

    def pseudonym(self, name: str) -> str:
        return name

    def tried(self, start: int, end: int) -> list[tuple[tuple[str, ...], int]]:
        return [
            ((client, account), number)
            for minute, client, account, number in self._tried
            if start <= minute < end
        ]

    def tried_by_minute(self, start: int, end: int) -> list[tuple[int, str, str]]:
        return [
            (minute, client, account)
            for minute, client, account, _ in self._tried
            if start <= minute < end
        ]

    def in_all(self, _: Hashable, find: Callable[[], Any]) -> Any:
        return find()

    def logins_near(self, client: str) -> list[Login]:
        return self._logins.get(client, [])

    def name(self, _: str, value: str) -> str:
        return value

    def account(self, name: str) -> str:
        return name


def a_window(
    keys: dict[str, list[Any]] | None = None,
    usual: int | None = None,
    coverage: Coverage | None = None,
    minutes: int = 15,
    messages: Callable[[str, tuple[str, ...], int], tuple[int, int]] | None = None,
    before: Sequence[int | None] = (),
    silent: int = 0,
    delays: Delays | None = None,
    files: Sequence[AgedFile] = (),
    most: dict[str, int] | None = None,
    tried: Sequence[tuple[int, str, str, int]] = (),
    logins: dict[str, list[Login]] | None = None,
    usual_of: dict[str, int | None] | None = None,
    since: int = 0,
    **totals: int,
) -> Window:
    """Return a window up to NOON in which these counters came to these numbers.

    keys: family and field, such as `deferred domain`, -> (value, number) pairs, where
          "" stands for many; or a family -> (values by field, number) pairs
    usual, before, silent, tried, logins, usual_of, since: see AView
    """
    view: Any = AView(
        keys or {}, totals, messages, usual, before, silent, delays, most, tried, logins,
        usual_of, since,
    )  # fmt: skip
    view._minutes = minutes
    coverage = coverage or a_coverage()
    last = coverage.last
    silence = Silence(last, most=4320) if last is not None and last < NOON - minutes else None
    return Window(
        NOON - minutes, NOON, coverage, view,
        silence=silence, last=last, files=lambda: files,
    )  # fmt: skip


def options(check: Check, *arguments: str) -> Namespace:
    """Return the values of a check's options when it is called like this."""
    return options_of(check, arguments)
