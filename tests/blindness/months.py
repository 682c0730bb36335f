"""Replay a month of ordinary servers, and the big logs of others, through whole runs.

    python -m tests.blindness.months [--days 30] [--every 5] [--messages 20000] [WHAT ...]

prints how often each check was not OK, and with what first line. WHAT: small, satellite, big, or
a part of the name of one of the big logs; without it, all of them.
"""

from __future__ import annotations

import argparse
import gzip
import re
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.support.material import SHARED
from tests.support.server import DAY, MINUTE

from .replay import DAILY, WEEKLY, Replay, report
from .traffic import SATELLITE, SMALL, Line, Traffic, big

BERLIN = ZoneInfo("Europe/Berlin")
# 2026-10-05, a Monday: summer time ends within the month.
START = datetime(2026, 10, 5, tzinfo=BERLIN).timestamp()
# What is logged before the checks run for the first time
HISTORY = 7 * DAY

# Of the shared corpus
BULK = (
    "mchirico-blockbadip/mail.log",
    "fgforrest-deliverability/real/mail.log.2.gz",
    "infohtreasure-maillog-dump/maillog",
    "infohtreasure-maillog-dump/mailog2",
    "modoboa/mail.log",
)
_STAMP = re.compile(rb"(?:(\d{4}) )?([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)").match


def written(lines: Iterable[Line], form: str, zone: tzinfo) -> Iterator[tuple[float, bytes]]:
    """Yield lines as syslog writes them."""
    second, stamp = 0, ""
    for seconds, tag, text in lines:
        if int(seconds) != second:
            second = int(seconds)
            then = datetime.fromtimestamp(second, zone)
            day = f"{then:%b} {then.day:2} {then:%H:%M:%S}"
            stamp = day if form == "bsd" else then.isoformat(timespec="microseconds")
        process = f"[{1000 + len(text) * 7}]" if "/" in tag else ""
        yield seconds, f"{stamp} mx1 {tag}{process}: {text}\n".encode()


def small(directory: Path, start: float, days: float, seed: int = 14) -> Replay:
    """Return an office's server: old stamps, local time, rotated weekly."""
    lines = Traffic(SMALL, BERLIN, seed).lines(start - HISTORY, start + days * DAY)
    return Replay(directory, written(lines, "bsd", BERLIN), BERLIN, WEEKLY)


def satellite(directory: Path, start: float, days: float, seed: int = 14) -> Replay:
    """Return a machine that only sends, on working days, and that no stranger knows."""
    lines = Traffic(SATELLITE, BERLIN, seed).lines(start - HISTORY, start + days * DAY)
    return Replay(directory, written(lines, "bsd", BERLIN), BERLIN, WEEKLY)


def large(directory: Path, start: float, days: float, messages: int, seed: int = 14) -> Replay:
    """Return a provider's server: stamps of today, rotated daily."""
    lines = Traffic(big(messages), BERLIN, seed).lines(start - HISTORY, start + days * DAY)
    return Replay(directory, written(lines, "iso", BERLIN), BERLIN, DAILY)


def bulk(path: Path) -> list[tuple[float, bytes]]:
    """Return (when it was logged, line) of somebody else's log.

    A line without a stamp, or with an earlier one, was logged right after the one before it.
    """
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    if b"%(day)s" in data:
        data = data.replace(b"%(day)s", b"Mar 28").replace(b"%%", b"%")
    now, lines = 0.0, []
    for line in data.splitlines(keepends=True):
        if stamp := _STAMP(line):
            year, rest = stamp.groups()
            then = datetime.strptime(f"{(year or b'2026').decode()} {rest.decode()}", "%Y %b %d %X")
            now = max(now, then.replace(tzinfo=UTC).timestamp())
        lines.append((now, line if line.endswith(b"\n") else line + b"\n"))
    return [(at or lines[-1][0], line) for at, line in lines]


def replayed(path: Path, directory: Path, every: float) -> Replay:
    """Replay somebody else's log from its first line to its last, without its long pauses."""
    lines = bulk(path)
    replay = Replay(directory, lines)
    replay.run(lines[0][0] + 20 * MINUTE, lines[-1][0] + 20 * MINUTE, every, 60 * MINUTE)
    return replay


def main() -> None:
    """Print what was said."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("what", nargs="*")
    parser.add_argument("--days", type=float, default=30)
    parser.add_argument("--every", type=int, default=5, help="minutes")
    parser.add_argument("--messages", type=int, default=20_000, help="a day, of the big server")
    parser.add_argument("--seed", type=int, default=14)
    options = parser.parse_args()
    every = options.every * MINUTE

    def asked_for(name: str) -> bool:
        return not options.what or any(part in name for part in options.what)

    servers = {
        "small": lambda there: small(there, START, options.days, options.seed),
        "satellite": lambda there: satellite(there, START, options.days, options.seed),
        "big": lambda there: large(there, START, options.days, options.messages, options.seed),
    }
    for name, server in servers.items():
        if asked_for(name):
            with tempfile.TemporaryDirectory() as directory:
                began = time.process_time()
                replay = server(Path(directory))
                replay.run(START, START + options.days * DAY, every)
                took = time.process_time() - began
            print(f"\n{name}, {options.days:g} days, every {options.every} min ({took:.0f} s)\n")
            print(*report(replay), sep="\n", flush=True)
    for name in filter(asked_for, BULK):
        if not (SHARED / name).exists():
            print(f"\n{name}: not there")
            continue
        with tempfile.TemporaryDirectory() as directory:
            replay = replayed(SHARED / name, Path(directory), every)
        print(f"\n{name}, every {options.every} min\n")
        print(*report(replay), sep="\n", flush=True)


if __name__ == "__main__":
    main()
