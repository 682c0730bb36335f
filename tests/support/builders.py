"""Values for tests, built from what a test cares about."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from typing import Any

from check_postfix.maillog.counts.counts import FAMILIES, MANY
from check_postfix.maillog.source.line_counts import LineCounts
from check_postfix.maillog.window.coverage import Coverage
from check_postfix.maillog.window.silence import Silence
from check_postfix.maillog.window.usual import Usual
from check_postfix.maillog.window.window import Window
from check_postfix.plugin import Check
from check_postfix.plugin.run import options_of

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


def a_key(family: str, **values: str) -> tuple[str, ...]:
    """Return a key of a family; fields that are not named are empty."""
    assert values.keys() <= set(FAMILIES[family])
    return tuple(values.get(name, "") for name in FAMILIES[family])


class AView:
    """A view of what a test says was counted; it stands in for one of a store.

    messages: None lets each line be about a message of its own
    usual:    whatever is asked for
    """

    def __init__(
        self,
        keys: dict[str, list[Any]],
        totals: dict[str, int],
        messages: Callable[[str, tuple[str, ...], int], tuple[int, int]] | None,
        usual: Usual | None,
    ) -> None:
        self._keys = keys
        self._totals = totals
        self._messages = messages
        self._usual = usual or Usual(None, "usual not known yet")

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

    def usual(self, *_: object) -> Usual:
        return self._usual

    def usual_matching(self, *_: object) -> Usual:
        return self._usual

    def name(self, _: str, value: str) -> str:
        return value

    def account(self, name: str) -> str:
        return name


def a_window(
    keys: dict[str, list[Any]] | None = None,
    usual: Usual | None = None,
    coverage: Coverage | None = None,
    minutes: int = 15,
    messages: Callable[[str, tuple[str, ...], int], tuple[int, int]] | None = None,
    **totals: int,
) -> Window:
    """Return a window up to NOON in which these counters came to these numbers.

    keys: family and field, such as `deferred domain`, -> (value, number) pairs, where
          "" stands for many; or a family -> (values by field, number) pairs
    """
    view: Any = AView(keys or {}, totals, messages, usual)
    coverage = coverage or a_coverage()
    last = coverage.last
    silence = Silence(last, most=4320) if last is not None and last < NOON - minutes else None
    return Window(NOON - minutes, NOON, coverage, view, silence=silence)


def options(check: Check, *arguments: str) -> Namespace:
    """Return the values of a check's options when it is called like this."""
    return options_of(check, arguments)
