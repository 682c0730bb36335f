"""Tables: the tables of counts that are kept otherwise than by the minute."""

from __future__ import annotations

from functools import cached_property

TYPE_CHECKING = False
if TYPE_CHECKING:
    from check_postfix.maillog.store.daily_most import DailyMostTable
    from check_postfix.maillog.store.database import Database
    from check_postfix.maillog.store.delays import DelaysTable
    from check_postfix.maillog.store.places import PlacesTable
    from check_postfix.maillog.store.quarters import QuartersTable
    from check_postfix.maillog.store.tried import TriedTable


class Tables:
    """These tables, each loaded when it is needed: most checks ask for one of them at most."""

    def __init__(self, database: Database) -> None:
        self._where = database.db, database.checksums

    @cached_property
    def quarters(self) -> QuartersTable:
        """What each series came to by quarter-hours."""
        from check_postfix.maillog.store.quarters import QuartersTable

        return QuartersTable(*self._where)

    @cached_property
    def delays(self) -> DelaysTable:
        """How long deliveries took."""
        from check_postfix.maillog.store.delays import DelaysTable

        return DelaysTable(*self._where)

    @cached_property
    def daily_most(self) -> DailyMostTable:
        """What single senders and recipients had at most on each day."""
        from check_postfix.maillog.store.daily_most import DailyMostTable

        return DailyMostTable(*self._where, self.quarters)

    @cached_property
    def tried(self) -> TriedTable:
        """Which clients failed to log in at which accounts."""
        from check_postfix.maillog.store.tried import TriedTable

        return TriedTable(*self._where)

    @cached_property
    def places(self) -> PlacesTable:
        """From which networks accounts have logged in."""
        from check_postfix.maillog.store.places import PlacesTable

        return PlacesTable(*self._where)
