"""Tables: the tables of counts that are kept otherwise than by the minute."""

from __future__ import annotations

from functools import cached_property

TYPE_CHECKING = False
if TYPE_CHECKING:
    from check_postfix.maillog.store.daily_most import DailyMost
    from check_postfix.maillog.store.database import Database
    from check_postfix.maillog.store.delays import Delays
    from check_postfix.maillog.store.places import Places
    from check_postfix.maillog.store.quarters import Quarters
    from check_postfix.maillog.store.tried import Tried


class Tables:
    """These tables, each loaded when it is needed: most checks ask for one of them at most."""

    def __init__(self, database: Database) -> None:
        self._where = database.db, database.checksums

    @cached_property
    def quarters(self) -> Quarters:
        """What each series came to by quarter-hours."""
        from check_postfix.maillog.store.quarters import Quarters

        return Quarters(*self._where)

    @cached_property
    def delays(self) -> Delays:
        """How long deliveries took."""
        from check_postfix.maillog.store.delays import Delays

        return Delays(*self._where)

    @cached_property
    def daily_most(self) -> DailyMost:
        """What single senders and recipients had at most on each day."""
        from check_postfix.maillog.store.daily_most import DailyMost

        return DailyMost(*self._where, self.quarters)

    @cached_property
    def tried(self) -> Tried:
        """Which clients failed to log in at which accounts."""
        from check_postfix.maillog.store.tried import Tried

        return Tried(*self._where)

    @cached_property
    def places(self) -> Places:
        """From which networks accounts have logged in."""
        from check_postfix.maillog.store.places import Places

        return Places(*self._where)
