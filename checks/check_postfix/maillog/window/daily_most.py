"""What single senders usually have at most: in a quarter-hour, on the last days.

Each has its own; and there is that of the busiest. Nobody who is new had any. It is the largest
of the days, not the median: most have nothing on most days, and a mailing now and then is usual.
"""

from __future__ import annotations

from check_postfix.maillog.store.quarters import MINUTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DAYS = 28
# With fewer days nobody can tell what is usual.
LEAST_DAYS = 7


class DailyMost:
    """The most of the last days.

    days:      how many are known
    most:      pseudonym -> number
    rest:      of whoever is not in there
    minutes:   length of the window that it is compared with; in a longer one more is usual
    pseudonym: from a name to its pseudonym
    """

    def __init__(
        self,
        days: int,
        most: Mapping[str, int],
        rest: int,
        minutes: int,
        pseudonym: Callable[[str], str],
    ) -> None:
        self.days = days
        self._times = max(1, minutes / MINUTES)
        self._most = most
        self._rest = rest
        self.pseudonym = pseudonym
        self.busiest = self._of_window(max(most.values(), default=0))

    @property
    def is_known(self) -> bool:
        """Whether there are enough days."""
        return self.days >= LEAST_DAYS

    @property
    def lack(self) -> str:
        """Why it is not known, in words."""
        return f"usual not known yet ({self.days} of {LEAST_DAYS} days)"

    def of(self, name: str) -> int:
        """Return the most that a name had."""
        return self.of_pseudonym(self.pseudonym(name))

    def of_pseudonym(self, pseudonym: str) -> int:
        """Return the most that whoever has a pseudonym had."""
        return self._of_window(self._most.get(pseudonym, self._rest))

    def _of_window(self, number: int) -> int:
        return round(number * self._times)
