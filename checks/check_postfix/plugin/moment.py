"""A moment: a point in time as people write it, read by python-dateutil.

What names no date, such as `22:00` or `monday 08:00`, is the last such moment that has passed: no
log tells of what is still to come. What can be read in two ways is refused, and no gap is filled
in silence.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo

# Most runs have no time to read, and dateutil takes longer to load than they take.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from dateutil.relativedelta import relativedelta

# Three that are understood, for whoever has written another; as a shell takes them
FORMS = ("1h", "'yesterday 22:00'", "2026-11-24")
# Word -> days before today
_DAYS = {"today": 0, "yesterday": 1}
# Word -> the time of day, which dateutil does not know by it
_HOURS = {"midnight": "00:00", "noon": "12:00"}
# How a unit may be written -> in seconds
_UNITS = (
    (r"s(?:ec(?:ond)?s?)?", 1),
    (r"m(?:in(?:ute)?s?)?", 60),
    (r"h(?:(?:ou)?rs?)?", 3600),
    (r"d(?:ays?)?", 86400),
    (r"w(?:eeks?)?", 7 * 86400),
)
_UNIT = "|".join(unit for unit, _ in _UNITS)
_ONE = rf"(\d{{1,9}}(?:\.\d{{1,3}})?)\s*({_UNIT})(?![a-z])\s*"
_match_ago = re.compile(rf"-?\s*(?P<parts>(?:{_ONE})+)(?:ago)?", re.IGNORECASE | re.ASCII).fullmatch
_begins_so = re.compile(rf"-?\s*{_ONE}", re.IGNORECASE | re.ASCII).match
_parts = re.compile(_ONE, re.IGNORECASE | re.ASCII).findall
# A date without signs between has more digits.
_match_number = re.compile(r"[+-]?\d{1,7}", re.ASCII).fullmatch
_DAY = re.compile(rf"\b(?:{'|'.join(_DAYS)})\b", re.IGNORECASE)
_search_hour = re.compile(rf"\b(?:{'|'.join(_HOURS)})\b", re.IGNORECASE).search
# Of some a time, of others a day and a month; dateutil takes the first number for a day.
_search_pair = re.compile(r"(?<![\d.:])\d{1,2}\.\d{1,2}(?![\d.])", re.ASCII).search
# A date that begins so has one order of month and day only.
_begins_with_year = re.compile(r"\s*\d{4}(?!\d{1,3}(?!\d))", re.ASCII).match
_find_words = re.compile(r"[^\W\d_]+").findall
# By it is seen that nobody has written a time
_ANY_TIME = datetime(2024, 1, 1, 5, 7, 11, 13)
# How far clocks of the world are from UTC; a greater offset is another time: `22:00-23:00`
_FARTHEST = timedelta(hours=14)


def read(
    written: str, where: tzinfo | None, now: datetime | None = None, after: datetime | None = None
) -> datetime:
    """Return a point in time; of a day that is named, its first one.

    where: the zone that is meant if none is written; None for the machine's
    now:   by default that of the clock
    after: of what has no date, the next one after this is meant, if the last one that has passed
           is not

    Raises: ValueError with what is wrong, and maybe what to do about it
    """
    from dateutil import tz

    where = where or tz.tzlocal()
    now = now or datetime.now(where)
    text = written.strip()
    if text.lower() == "now":
        return now
    if _match_number(text):
        raise ValueError("an hour, a day or how long ago?")
    if is_ago(text):
        return _ago(text, now)
    while hour := _search_hour(text):
        text = f"{text[: hour.start()]}{_HOURS[hour[0].lower()]}{text[hour.end() :]}"
    today = _day_of(now)
    if day := _DAY.search(text):
        rest = f"{text[: day.start()]} {text[day.end() :]}".strip()
        return _on(today - timedelta(days=_DAYS[day[0].lower()]), rest, where)
    _see_that_it_is_clear(text, today)

    def on(day: datetime) -> datetime:
        return _parsed(text, day, where)

    steps = _steps()
    # Another zone's may be there already.
    days = [today + timedelta(days=1), *(today - step for step in steps)]
    found = next((found for day in days if (found := on(day)) <= now), on(today))
    if after is not None and found <= after:
        begin = _day_of(after.astimezone(where))
        return next((next_ for step in steps if (next_ := on(begin + step)) > after), found)
    return found


def is_ago(written: str) -> bool:
    """Tell whether it says, or tries to say, how long ago."""
    return _begins_so(written.strip()) is not None


def is_day(written: str) -> bool:
    """Tell of what is understood whether it says a day, and no time of it."""
    text = written.strip()
    if is_ago(text) or text.lower() == "now" or _search_hour(text):
        return False
    rest = _DAY.sub("", text).strip()
    return not rest or _fields(rest, _ANY_TIME).time() == _ANY_TIME.time()


def _steps() -> tuple[relativedelta, ...]:
    """Return how far a `22:00`, `monday`, `24th` or `24 Dec` may be from the next such one."""
    from dateutil.relativedelta import relativedelta

    return (
        relativedelta(),
        relativedelta(days=1),
        relativedelta(days=2),  # of another zone, whose day is another one
        relativedelta(weeks=1),
        relativedelta(months=1),
        relativedelta(years=1),
    )


def _ago(written: str, now: datetime) -> datetime:
    if found := _match_ago(written):
        seconds = sum(float(number) * _seconds(unit) for number, unit in _parts(found["parts"]))
        if seconds:
            try:
                # By the clock of the world: an hour ago is an hour ago on any night.
                return datetime.fromtimestamp(now.timestamp() - seconds, now.tzinfo)
            except (OverflowError, ValueError, OSError):
                pass
    raise ValueError("neither how long ago nor a time")


def _seconds(unit: str) -> int:
    return next(
        seconds for spelled, seconds in _UNITS if re.fullmatch(spelled, unit, re.IGNORECASE)
    )


def _day_of(time: datetime) -> datetime:
    return time.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)


def _on(day: datetime, written: str, where: tzinfo) -> datetime:
    """Return a time of a certain day."""
    if not written:
        return day.replace(tzinfo=where)
    if _match_number(written) or is_ago(written):
        raise ValueError(f"what is {written}? a time of day has a colon")
    _see_that_it_is_clear(written, day)
    found = _parsed(written, day, where)
    if _day_of(found) != day:
        raise ValueError("names two days")
    return found


def _see_that_it_is_clear(written: str, day: datetime) -> None:
    """Raise ValueError where it can be read in two ways."""
    if pair := _search_pair(written):
        raise ValueError(f"{pair[0]}: a time has a colon, and a date begins with the year")
    if not _begins_with_year(written):
        ways = {
            f"{_fields(written, day, dayfirst, yearfirst):%Y-%m-%d}"
            for dayfirst, yearfirst in ((False, False), (True, False), (False, True))
        }
        if len(ways) > 1:
            raise ValueError(f"can be {' or '.join(sorted(ways))}")
    # What is not written comes from the day: of a month alone, that would be its day.
    first, second, another = (
        _fields(written, datetime(2024, month, day)) for month, day in ((1, 1), (1, 2), (2, 1))
    )
    if first.day != second.day and first.month == another.month:
        raise ValueError("names a month and no day")


def _fields(
    written: str, day: datetime, dayfirst: bool = False, yearfirst: bool = False
) -> datetime:
    """Return what dateutil reads.

    day:       which tells what is not written
    dayfirst, yearfirst: the order in which a date of numbers is read
    """
    import warnings

    from dateutil import parser

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", parser.UnknownTimezoneWarning)
            return parser.parse(written, default=day, dayfirst=dayfirst, yearfirst=yearfirst)
    except parser.UnknownTimezoneWarning:
        raise ValueError(
            "names an unknown time zone",
            "use its offset, for example +01:00, or the option --timezone",
        ) from None
    except (ValueError, OverflowError):
        raise ValueError(_not_understood(written)) from None


def _parsed(written: str, day: datetime, where: tzinfo) -> datetime:
    found = _fields(written, day)
    found = found if found.tzinfo else found.replace(tzinfo=where)
    try:
        offset = found.utcoffset() or timedelta(0)
        if found.timestamp() >= 0 and abs(offset) <= _FARTHEST:
            return found
    except (ValueError, OverflowError):  # an offset of days, or a year that no calendar has
        pass
    raise ValueError("not a date and time")


def _not_understood(written: str) -> str:
    """Return which words are not understood, if it is these."""
    from dateutil import parser

    known = parser.parserinfo()
    strange = [
        word
        for word in dict.fromkeys(_find_words(written))
        if not known.jump(word) and not known.utczone(word) and not known.pertain(word)
        and all(of(word) is None for of in (known.weekday, known.month, known.hms, known.ampm))
    ]  # fmt: skip
    if not strange:
        return "not a date and time"
    words = " and ".join(f"'{word}'" for word in strange)
    return f"{words} {'is' if len(strange) == 1 else 'are'} not understood"
