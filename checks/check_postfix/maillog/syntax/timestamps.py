"""Timestamps: from a stamp as it stands in the log to minutes since 1970, UTC.

A stamp of RFC 3164 has no year and no zone. The year is the newest that does
not put the line into the future; the zone is the machine's, or the one given.
Nothing else is guessed: a stamp that is no date is None.
"""

from __future__ import annotations

from datetime import datetime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import tzinfo

_DAY = 24 * 60
_LAST_OF_HOUR = 59
# Clocks of other hosts run ahead, and zones are set wrong, by less than this.
_AHEAD = _DAY
# Lines stand in the order of their arrival. In the hour that daylight saving repeats, a
# step back by more minutes than this means its second round.
_DISORDER = 5
# Far enough back for a 29 February.
_YEARS = 9

_MONTH = {
    name: number
    for number, name in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)
}


class Timestamps:
    """Reads the stamps of one generation, in the order of its lines.

    zone:      where stamps without an offset come from; None for the machine's
    latest:    the newest time a line can have, in minutes (stamps without a year)
    previous:  minute of the line before the first one, or None

    `is_local` tells whether any stamp was read by that zone; `previous` is the minute of the line
    that was read last.
    """

    def __init__(self, zone: tzinfo | None, latest: int, previous: int | None = None) -> None:
        self.is_local = False
        self._zone = zone
        self._latest = latest + _AHEAD
        self.previous = previous
        self._known: dict[tuple[bytes, bytes], tuple[int, ...]] = {}
        # First minute of the hours that are like any other, None for the others
        self._hours: dict[tuple[bytes, bytes], int | None] = {}

    def minute(self, stamp: bytes, utc_offset: bytes) -> int | None:
        """Return the minute of a stamp, or None if there is no such date.

        stamp:  down to the minute, in a form of frame.BSD_MINUTE or ISO_MINUTE
        utc_offset: `Z`, `+01:00`, `+0100` or nothing
        """
        minutes = self._known.get((stamp, utc_offset))
        if minutes is None:
            minutes = self._all_minutes((stamp, utc_offset))
        if len(minutes) == 1:
            self.previous = minutes[0]
            return minutes[0]
        if not minutes:
            return None
        # Repeated by the end of daylight saving: the first round, unless that would
        # be a step back from what was read before.
        first, second = minutes
        late = self.previous is not None and first < self.previous - _DISORDER
        self.previous = second if late else first
        return self.previous

    def restart(self, previous: int | None = None) -> None:
        """Go on after a line of this minute; begin with the first line again if there is none."""
        self.previous = previous

    def minute_before(self, stamp: bytes, utc_offset: bytes) -> int | None:
        """Return the minute of a stamp that stands before the line that was read last.

        In the hour that is repeated that is the last round that it can be. What is read next is
        not changed by it.
        """
        minutes = self._all_minutes((stamp, utc_offset))
        if self.previous is None:
            return min(minutes, default=None)
        latest = self.previous + _DISORDER
        return max([minute for minute in minutes if minute <= latest] or minutes[:1], default=None)

    def is_definite(self, stamp: bytes, utc_offset: bytes) -> bool:
        """Tell whether a stamp means one minute, whatever was read before."""
        return len(self._all_minutes((stamp, utc_offset))) == 1

    def _all_minutes(self, stamp: tuple[bytes, bytes]) -> tuple[int, ...]:
        if stamp not in self._known:
            self._known[stamp] = self._in_hour(*stamp)
        return self._known[stamp]

    def _in_hour(self, stamp: bytes, utc_offset: bytes) -> tuple[int, ...]:
        """Return the minutes of a stamp; nearly always counted from the first of its hour."""
        hour, minute = stamp[:-2], stamp[-2:]
        if (hour, utc_offset) not in self._hours:
            first, last = (self._minutes(hour + end, utc_offset) for end in (b"00", b"59"))
            # Not where daylight saving begins or ends, nor where stamps become last year's.
            usual = len(first) == len(last) == 1 and last[0] - first[0] == _LAST_OF_HOUR
            self._hours[hour, utc_offset] = first[0] if usual else None
        start = self._hours[hour, utc_offset]
        if start is None or not minute.isdigit() or int(minute) > _LAST_OF_HOUR:
            return self._minutes(stamp, utc_offset)
        return (start + int(minute),)

    def _minutes(self, stamp: bytes, utc_offset: bytes) -> tuple[int, ...]:
        try:
            if stamp[4:5] == b"-":
                return self._in_zone(datetime.fromisoformat(stamp.decode()), utc_offset)
            *year, month, day_text, time = stamp.split()
            day, hour, minute = int(day_text), int(time[:2]), int(time[3:])
            month_number = _MONTH[month]
            if year:
                local = datetime(int(year[0]), month_number, day, hour, minute)
                return self._in_zone(local, utc_offset)
        except (ValueError, KeyError):
            return ()
        return self._newest_year(month_number, day, hour, minute)

    def _newest_year(self, month: int, day: int, hour: int, minute: int) -> tuple[int, ...]:
        this_year = datetime.fromtimestamp(self._latest * 60, self._zone).year
        for year in range(this_year, this_year - _YEARS, -1):
            try:
                minutes = self._in_zone(datetime(year, month, day, hour, minute), b"")
            except ValueError:  # 29 February of another year, or no date at all
                continue
            if minutes[0] <= self._latest:
                return minutes
        return ()

    def _in_zone(self, local: datetime, utc_offset: bytes) -> tuple[int, ...]:
        if utc_offset:
            text = utc_offset.decode()
            aware = datetime.fromisoformat(
                local.isoformat() + ("+00:00" if text == "Z" else text[:3] + ":" + text[-2:])
            )
            return (int(aware.timestamp()) // 60,)
        self.is_local = True
        first = int(local.replace(tzinfo=self._zone, fold=0).timestamp()) // 60
        second = int(local.replace(tzinfo=self._zone, fold=1).timestamp()) // 60
        return (first, second) if second > first else (first,)
