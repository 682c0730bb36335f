"""Our own counters for a whole log, finer than the perfdata."""

import time
from collections import Counter
from datetime import UTC
from pathlib import Path

from check_postfix.maillog.events.recogniser import recognise
from check_postfix.maillog.ingest.ingest import Ingest
from check_postfix.maillog.store.store import Store
from check_postfix.maillog.syntax.frame import parse


def together_of(log: Path) -> dict[str, int]:
    """Return what several lines of a log tell together, as a check counts it.

    `deferred_messages` are those with status=deferred alone.
    """
    now = time.time()
    with Store(None, 1) as store:
        Ingest(store, str(log), UTC, now, now, 0, time.monotonic() + 60, keeps=False).run()
        followed = store.logs.of(str(log))
        assert followed is not None
        origins = [number for number, *_ in store.origins.of(followed)]
        end = int(now) // 60 + 1
        kinds = ["deferred"]
        messages, _ = store.answers.messages("deferred_messages", kinds, 0, end, origins, before=0)
        return store.answers.totals(0, end, origins) | {"deferred_messages": messages}


def counts_of(log: Path) -> Counter[str]:
    """Return how often each kind of event (check_postfix/maillog/event.py) stands in a log."""
    counts: Counter[str] = Counter()
    for line in log.read_bytes().split(b"\n"):
        record = parse(line)
        event = recognise(record) if record else None
        if record and event:
            counts[event.kind] += event.times * record.repeats
    return counts
