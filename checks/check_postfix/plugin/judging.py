"""Judging: several checks in the time of one, each as if it were alone.

What several of them read is read once. One that fails takes nothing from the others: it ends what
is open, as it would alone, and the others open it again. Of the time a part is kept back for each
source that is asked later.
"""

from __future__ import annotations

import time

from check_postfix import ending
from check_postfix.ending import Ended
from check_postfix.plugin import timer
from check_postfix.plugin.run import outcome_of_error
from check_postfix.plugin.timer import TimedOut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from check_postfix.plugin.check import Check
    from check_postfix.plugin.output import Outcome

    Part = tuple[Check, Namespace]

# Of the timeout, what is kept for each source that is asked later
_KEPT = 0.1
# With less than this a source is not asked at all. In seconds.
_LEAST = 0.05


class Judging:
    """A judging of several checks."""

    def __init__(self, executable: str, parts: Sequence[Part], timeout: float) -> None:
        """Begin; the time runs.

        executable: that was called
        parts:   checks with their options; those come last whose source may be slow
        timeout: of all of it, in seconds
        """
        self._executable = executable
        # What is said so far, by the name of the check
        self._outcomes: dict[str, Outcome] = {}
        self._timeout = timeout
        self._deadline = time.monotonic() + timeout
        self._groups = _by_source(parts)

    def finish(self) -> dict[str, Outcome]:
        """Return what each check says, by its name; nothing interrupts the run from then on."""
        try:
            try:
                while not self._is_done():
                    pass
            finally:
                timer.stop()
                ending.be_deaf()
        except (Ended, KeyboardInterrupt) as error:
            for group in self._groups:
                self._answer(error, self._left(group))
        return self._outcomes

    def _is_done(self) -> bool:
        """Judge what is left; tell whether that is all."""
        try:
            for number, group in enumerate(self._groups):
                while left := self._left(group):
                    self._judge(left, len(self._groups) - number - 1)
        except TimedOut:  # just when something else had ended it
            return False
        return True

    def _left(self, group: Sequence[Part]) -> list[Part]:
        return [part for part in group if part[0].name not in self._outcomes]

    def _judge(self, left: Sequence[Part], later: int) -> None:
        """Judge checks of one source until one of them fails.

        later: how many sources are to be asked after this one
        """
        judged: Part | None = None
        try:
            self._start(left, later)
            first, options = left[0]
            with first.source.open(options) as subject:
                for judged in left:
                    check, options = judged
                    outcome = check.judge(subject, options, options.verbose)
                    self._outcomes[check.name] = outcome
            timer.stop()
        except (Ended, KeyboardInterrupt):
            raise
        except TimedOut as error:
            self._answer(error, self._left(left))
        except Exception as error:  # noqa: BLE001 - it is said by whom it has ended
            timer.stop()
            self._answer(error, [judged] if judged else left)

    def _start(self, left: Sequence[Part], later: int) -> None:
        """Let the time run that these checks have."""
        seconds = self._deadline - time.monotonic() - later * _KEPT * self._timeout
        is_up = seconds < _LEAST
        for _, options in left:
            options.timeout = self._timeout if is_up else round(seconds, 1) or seconds
        if is_up:
            raise TimedOut
        timer.start(seconds)

    def _answer(self, error: BaseException, parts: Sequence[Part]) -> None:
        for check, options in parts:
            self._outcomes[check.name] = outcome_of_error(check, error, options, self._executable)


def _by_source(parts: Sequence[Part]) -> list[list[Part]]:
    """Return the checks that read the same together."""
    groups: list[list[Part]] = []
    for part in parts:
        mine = next((group for group in groups if _reads_the_same(part, group[0])), None)
        if mine is None:
            groups.append([part])
        else:
            mine.append(part)
    # What differs from the others in its options comes before a slow source, not behind it.
    order = [check.source for check, _ in parts]
    return sorted(groups, key=lambda group: order.index(group[0][0].source))


def _reads_the_same(one: Part, other: Part) -> bool:
    source = one[0].source
    return source is other[0].source and all(
        getattr(one[1], option.name) == getattr(other[1], option.name) for option in source.options
    )
