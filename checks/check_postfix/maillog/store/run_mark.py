"""The run mark: up to when a check has judged, so that it can be seen that it did not for a while.

It is written every ten minutes at most. A run with nothing new has nothing to write, and a mark in
each would cost it more than all else it does.
"""

from __future__ import annotations

from check_postfix.maillog.source.value import Value

_OFTEN = 10


class RunMark(Value):
    """Up to when a check with certain options has judged.

    minute: since 1970; at most ten minutes before its last run
    missed: what is to be said of the time before, when it did not run
    until:  minute until which that is said
    """

    minute: int = 0
    missed: str = ""
    until: int = 0

    def is_worth_writing(self, before: RunMark | None) -> bool:
        """Tell whether this mark says more than the one that was written last."""
        if before is None or before.missed != self.missed:
            return True
        return not before.minute <= self.minute < before.minute + _OFTEN
