"""What a state file keeps of totals, read without a line of the program's own; how to change it."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from check_postfix.maillog.store.checksum import Checksums


def totals(state: str | Path) -> Counter[tuple[int, str]]:
    """Return (minute, counter) -> number, of all streams together."""
    sums: Counter[tuple[int, str]] = Counter()
    with closing(sqlite3.connect(state)) as database:
        for minute, text in database.execute("SELECT minute, counters FROM total"):
            numbers, *names = text.split("\n")
            for name, number in zip(names, numbers.split(" "), strict=True):
                # A state of an older version tells no origin.
                counter = name.rpartition("\t")[2]
                sums[minute, counter] += int(number)
    return sums


def by_minute(state: str | Path, counter: str) -> dict[int, int]:
    """Return minute -> number of one counter."""
    return {minute: n for (minute, name), n in totals(state).items() if name == counter}


@contextmanager
def changed(state: str | Path) -> Iterator[sqlite3.Connection]:
    """Give a connection to change a state by, as if a run had written it so."""
    with closing(sqlite3.connect(state)) as database, database:
        checksums = Checksums(database, str(state))
        yield database
        checksums.write_anew()
