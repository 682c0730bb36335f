"""Earlier days for a log that is only a minute long."""

from datetime import datetime, timedelta

DAYS = 7


def with_earlier_days(log: str) -> str:
    """Put a calmer week before a log: smtpd's refusals of recipients, at the same time each day.

    Only the day in the stamps (of RFC 3164) differs, so the time is the same in any zone.
    """
    now = datetime.now()
    calm = [line for line in log.splitlines(keepends=True) if is_of_a_calm_day(line)]
    return "".join(_moved(line, days, now) for days in range(DAYS, 0, -1) for line in calm) + log


def is_of_a_calm_day(line: str) -> bool:
    """Tell whether this line also happens on the earlier days."""
    return "/smtpd[" in line and ": NOQUEUE: reject: RCPT from " in line


def _moved(line: str, days: int, now: datetime) -> str:
    # The year makes 29 February a date.
    then = datetime.strptime(f"{now.year} {line[:15]}", "%Y %b %d %H:%M:%S") - timedelta(days)
    return f"{then:%b} {then.day:2} {then:%H:%M:%S}{line[15:]}"
