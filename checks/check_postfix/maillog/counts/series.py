"""Series: the numbers that are held against what is usual, by the counters that make them up.

What a series came to is kept by quarter-hours (store/quarters.py), beside the minutes that all
counters are kept by.
"""

from __future__ import annotations

RECEIVED = "received"
SENT = "sent"
REJECTED = "rejected"
# Whoever postscreen lets pass connects to smtpd as well, so these two are never added up.
CONNECTED = "connected"
SCREENED = "screened"
# Messages for the busiest recipient, whoever that is. No counter makes it up: it is the most that
# single ones got, and is kept where those are (store/daily_most.py).
FLOODED = "flooded"

# Begins the name of the series of messages for an address that somebody has asked for by its name;
# each has its own, and no counter makes it up.
_WATCHED = "watched "

SERIES = {
    RECEIVED: ("received",),
    SENT: ("sent",),
    REJECTED: (
        "rejected_smtpd", "rejected_hangup", "rejected_postscreen", "rejected_size",
        "rejected_proxy", "rejected_header_body", "rejected_mime", "rejected_milter_smtpd",
        "rejected_milter_cleanup",
    ),
    CONNECTED: ("connected_smtpd",),
    SCREENED: ("connected_postscreen",),
    FLOODED: (),
}  # fmt: skip
# Counter -> its series
OF_COUNTER = {counter: series for series, counters in SERIES.items() for counter in counters}


def of_watched(address: str) -> str:
    """Return the series of messages for an address that somebody has asked for by its name."""
    return _WATCHED + address


def watched_in(series: str) -> str | None:
    """Return the address whose series this is, None if it is another one."""
    return series.removeprefix(_WATCHED) if series.startswith(_WATCHED) else None


def counters(series: str) -> tuple[str, ...]:
    """Return the counters that make up a series, if any do."""
    return SERIES.get(series, ())
