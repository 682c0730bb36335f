"""Earlier days for a log that is only a minute long."""

from datetime import datetime, timedelta

DAYS = 7
STAMP = "%b %e %H:%M:%S"


def with_earlier_days(log: str) -> str:
    """Put before a log (RFC 3164 stamps) the same refusals by smtpd at the same time on each of the seven days before.

    Only the day in the stamps differs, so the time of day is the same in any time zone.
    """
    now = datetime.now()
    calm = [line for line in log.splitlines(keepends=True) if ": NOQUEUE: reject: RCPT" in line]
    days = [_moved(line, days, now) for days in range(DAYS, 0, -1) for line in calm]
    return "".join(days) + log


def _moved(line: str, days: int, now: datetime) -> str:
    # strptime would take a year without 29 February: give it the one the log is of.
    then = datetime.strptime(f"{now.year} {line[:15]}", "%Y %b %d %H:%M:%S") - timedelta(days)
    return f"{then:%b} {then.day:2} {then:%H:%M:%S}{line[15:]}"
