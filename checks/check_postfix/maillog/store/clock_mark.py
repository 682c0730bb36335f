"""The clock mark: which time it is by more than one look at the clock.

A machine may start with a wrong clock, or have it set wrong for a while. What is deleted by such
a clock is lost for good. So age is told by a trusted minute. It is the clock's own once that
has run for an hour as steadily as CLOCK_BOOTTIME, which nobody can set. Until then it is the
newest one that was trusted before, so that at worst something is kept longer.
"""

from __future__ import annotations

import time
from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from check_postfix.maillog.store.database import Database

# How long the two clocks must have agreed, and how much they may differ. In seconds. Wrong
# clocks are wrong by hours; steps of a clock that is kept right are shorter.
_STEADY = 3600
_TOLERANCE = 300
# How often to write down, in minutes, a trusted minute.
_OFTEN = 10

_BOOT_ID = "/proc/sys/kernel/random/boot_id"


class ClockMark(namedtuple("ClockMark", "second uptime boot trusted")):
    """Since when the clock has been running steadily.

    second:  that moment, in seconds since 1970
    uptime:  the same by CLOCK_BOOTTIME
    boot:    of which start of the machine that is
    trusted: the newest minute, since 1970, that surely was over when this was written
    """

    __slots__ = ()

    second: int
    uptime: int
    boot: str
    trusted: int

    def is_steady(self, now: float) -> bool:
        """Tell whether the clock has run steadily for so long that it is believed.

        now: what it says, in seconds since 1970
        """
        return now - self.second >= _STEADY


def look(now: float, before: ClockMark | None, is_new: bool) -> ClockMark:
    """Return what this look at the clock makes of the mark.

    now:    what the clock says, in seconds since 1970
    before: the mark that was written last, None if none was
    is_new: whether nothing is kept yet, so that nothing can be lost
    """
    second, uptime, boot = int(now), int(time.clock_gettime(time.CLOCK_BOOTTIME)), boot_id()
    minute = second // 60
    if before is None:
        return ClockMark(second, uptime, boot, minute if is_new else 0)
    since = uptime - before.uptime
    is_steady = (
        boot == before.boot and since >= 0 and abs(second - before.second - since) <= _TOLERANCE
    )
    if not is_steady:
        return ClockMark(second, uptime, boot, min(before.trusted, minute))
    trusted = minute if since >= _STEADY else min(before.trusted, minute)
    return before._replace(trusted=trusted)


def is_worth_writing(mark: ClockMark, before: ClockMark | None) -> bool:
    """Tell whether a mark says more than the one that was written last."""
    return (
        before is None
        or mark[:-1] != before[:-1]
        or not before.trusted <= mark.trusted < before.trusted + _OFTEN
    )


def boot_id() -> str:
    """Return what names this start of the machine, nothing if the system does not tell."""
    try:
        with open(_BOOT_ID) as file:
            return file.read().strip()
    except OSError:
        return ""


def kept(database: Database) -> ClockMark | None:
    """Return the clock mark that was written last."""
    rows = database.whole("clock_mark", "SELECT * FROM clock_mark")
    return ClockMark(*rows[0]) if rows else None


def save(database: Database, mark: ClockMark) -> None:
    """Keep a clock mark; inside a transaction only."""
    database.db.execute("DELETE FROM clock_mark")
    database.db.execute("INSERT INTO clock_mark VALUES (?, ?, ?, ?)", mark)
