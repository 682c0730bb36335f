"""Earlier days for a log that is only a minute long."""

from datetime import datetime, timedelta

# One more than are needed: the first is known only if the log begins in its first half.
DAYS = 8


def with_earlier_days(log: str) -> str:
    """Put calmer days before a log: smtpd's refusals of recipients, at the same time each day.

    Only the day in the stamps (of RFC 3164) differs, so the time is the same in any zone.
    """
    now = datetime.now()
    calm = [line for line in log.splitlines(keepends=True) if is_of_a_calm_day(line)]
    return "".join(_moved(line, days, now) for days in range(DAYS, 0, -1) for line in calm) + log


def with_earlier_deliveries(log: str) -> str:
    """Put earlier days before a log, on which mail is delivered, and alice alone logs in."""
    now = datetime.now()
    calm = [
        line
        for line in log.splitlines(keepends=True)
        if ", status=sent (" in line or line.rstrip().endswith(", sasl_username=alice")
    ]
    assert len(calm) > 1
    return "".join(_moved(line, days, now) for days in range(DAYS, 0, -1) for line in calm) + log


def with_mail_that_stopped(log: str) -> str:
    """Put days before a log on which mail came each 10 minutes, until 2 hours ago.

    The lines are its own: of clients that connect, and of messages that are taken in. Of the log
    itself only the others are left.
    """
    lines = log.splitlines(keepends=True)
    mail = [line for line in lines if "/smtpd[" in line and "client=" in line.split(": ")[-1]]
    mail += [line for line in lines if "/smtpd[" in line and ": connect from " in line]
    others = [line for line in lines if line not in mail and "/pickup[" not in line]
    now = datetime.now()
    times = [now - timedelta(minutes=m) for m in range((DAYS + 1) * 1440, 120, -10)]
    moved = (
        f"{then:%b} {then.day:2} {then:%H:%M:%S}{line[15:]}" for then in times for line in mail
    )
    return "".join([*moved, *others])


def is_of_a_calm_day(line: str) -> bool:
    """Tell whether this line also happens on the earlier days."""
    return "/smtpd[" in line and ": NOQUEUE: reject: RCPT from " in line


def _moved(line: str, days: int, now: datetime) -> str:
    # The year makes 29 February a date.
    then = datetime.strptime(f"{now.year} {line[:15]}", "%Y %b %d %H:%M:%S") - timedelta(days)
    return f"{then:%b} {then.day:2} {then:%H:%M:%S}{line[15:]}"
