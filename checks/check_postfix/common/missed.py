"""Missed: what a check would have said while nobody ran it.

A monitoring that was down, or a machine that hung, leaves hours that nobody has judged. Their
lines are counted all the same. So the first run after more than an hour judges the quarter-hours in
between as if it had been there, and says where there would have been an alarm. It says so for an
hour, as long as somebody may look. That changes no state, for it is over.
"""

from __future__ import annotations

from _blake2 import blake2b

from check_postfix.common.log_remarks import local_time
from check_postfix.maillog.store import run_mark
from check_postfix.maillog.store.run_mark import RunMark
from check_postfix.maillog.window.window import Window
from check_postfix.plugin import Remark, Unknown, values
from check_postfix.plugin.output import STATES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable
    from typing import Any

    from check_postfix.maillog.store.store import Store

_HOUR = 60
_QUARTER = 15
# Looked back at most, in minutes
_LONGEST = 24 * 60
# Times that are named; of more, the number is said
_MOST = 3
# These change nothing of what is judged.
_NOT_OF_THE_CHECK = {"verbose", "timeout", "prometheus", "output", "state"}


class Runs:
    """The runs of a check with certain options, on one store."""

    def __init__(self, store: Store, options: Namespace) -> None:
        self._store = store
        self._id = id_of(options, store.key)

    def missed(self, window: Window, state_of: Callable[[Window], int]) -> Remark | None:
        """Return what is to be said of the time before a window; mark that it is judged now.

        state_of: from a window to its exit code
        """
        now = window.end
        before = run_mark.kept(self._store, self._id)
        mark = RunMark(now)
        if before and before.minute <= now:
            if now < before.until:
                mark = RunMark(now, before.missed, before.until)
            if now - before.minute > _HOUR:
                if not window.coverage.complete:
                    return None  # what was logged then may not be read yet
                if words := _alarms(window, before.minute, state_of):
                    mark = RunMark(now, words, now + _HOUR)
        if mark.is_worth_writing(before):
            run_mark.save(self._store, self._id, mark)
        return Remark(mark.missed) if mark.missed else None


def id_of(options: Namespace, key: bytes) -> str:
    """Return by what the runs of a check with certain options are known.

    key: of the store
    """
    chosen = [
        f"{name}={value}"
        for name, value in sorted(vars(options).items())
        if name not in _NOT_OF_THE_CHECK
    ]
    # Keyed: options can name accounts.
    return blake2b("\0".join(chosen).encode(), key=key, digest_size=8).hexdigest()


class LatestWindow(Window):
    """The window of a run that is remembered.

    store: that remembers
    """

    def __init__(self, store: Store, *what: Any) -> None:
        super().__init__(*what)
        self.store = store


def _alarms(window: Window, since: int, state_of: Callable[[Window], int]) -> str:
    """Return when there would have been which alarm, in words; nothing if there was none.

    since: minute up to which was judged
    """
    length = window.end - window.start
    first = max(since, window.start - _LONGEST)
    spans: list[tuple[int, int, int]] = []
    for end in range(-(-(first + _QUARTER) // _QUARTER) * _QUARTER, window.start + 1, _QUARTER):
        if not window.coverage.includes(end - length, end):
            continue
        try:
            state = state_of(window.ending(window.end - end, length))
        except Unknown:  # what its filters ask for is not kept any more
            continue
        if not state:
            continue
        if spans and spans[-1][1:] == (end - _QUARTER, state):
            spans[-1] = spans[-1][0], end, state
        else:
            spans.append((end - _QUARTER, end, state))
    if not spans:
        return ""
    now = window.end - 1
    times = [
        f"{local_time(begin, now)} to {local_time(end, now)} would have been {STATES[state]}"
        for begin, end, state in spans[:_MOST]
    ]
    if more := len(spans[_MOST:]):
        times.append(values.amount(more, "more time"))
    return (
        f"not run from {local_time(since - 1, now)} to {local_time(now, now)}: {', '.join(times)}"
    )
