"""Long logs, for what cuts them: with everything in them, with archives, with an hour twice."""

from __future__ import annotations

import gzip
import os
import random
from collections.abc import Iterable
from pathlib import Path

from tests.bench import shapes
from tests.bench.ground import one_day
from tests.support import corpus

_SIZE = 1_500_000
# After the hour that the end of summer time repeats in Berlin, in 2026; in seconds since 1970
WRITTEN = 1793000000


def mixed(path: Path, shape: str) -> Path:
    """Write a log of a shape, with every line of the corpus in it, and repeats of lines."""
    one_day(path, _SIZE, truth=shapes.SHAPES[shape]())
    lines = path.read_bytes().splitlines(keepends=True)
    others = [entry.line + b"\n" for entry in corpus.entries()]
    return scattered(path, lines, [*others, *others], 300)


def scattered(path: Path, lines: list[bytes], others: Iterable[bytes], repeats: int) -> Path:
    """Write a log of these lines, with others anywhere among them, and so many repeats."""
    chance = random.Random(5)
    for other in others:
        lines.insert(chance.randrange(len(lines)), other)
    for _ in range(repeats):
        at = chance.randrange(1, len(lines))
        front = b" ".join(lines[at - 1].split(b" ", 2)[:2])
        lines.insert(at, front + b" last message repeated 3 times\n")
    path.write_bytes(b"".join(lines))
    return path


def rotate(log: Path) -> None:
    """Put the first half of a log into an archive of each kind."""
    data = log.read_bytes()
    first, second = (data.index(b"\n", len(data) * part // 4) + 1 for part in (1, 2))
    log.with_name(f"{log.name}.2.gz").write_bytes(gzip.compress(data[:first], 1))
    log.with_name(f"{log.name}.1").write_bytes(data[first:second])
    log.write_bytes(data[second:])


def repeated_hour(path: Path, hours: Iterable[tuple[int, int]]) -> Path:
    """Write a log of the day on which 02:00 to 03:00 comes twice in Berlin.

    hours: each hour by the clock, and how many lines are of it
    """
    text = "postfix/smtp[7]: 4A{:08X}: to=<a@b.example>, relay=c.example[192.0.2.1]:25, delay=1, "
    text += "delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok)"
    lines = [
        f"Oct 25 {hour:02}:{number * 60 // many:02}:00 mx1 {text.format(number)}\n"
        for hour, many in hours
        for number in range(many)
    ]
    path.write_text("".join(lines))
    os.utime(path, (WRITTEN, WRITTEN))
    return path
