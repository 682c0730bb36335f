"""Our own counters for a whole log, finer than the perfdata."""

from collections import Counter
from pathlib import Path

from check_postfix.maillog.frame import parse
from check_postfix.maillog.recogniser import recognise


def counts_of(log: Path) -> Counter[str]:
    """Return how often each kind of event (check_postfix/maillog/event.py) stands in a log."""
    counts: Counter[str] = Counter()
    for line in log.read_bytes().split(b"\n"):
        record = parse(line)
        event = recognise(record) if record else None
        if record and event:
            counts[event.kind] += event.times * record.repeats
    return counts
