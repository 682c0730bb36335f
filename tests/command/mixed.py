"""A long log in which everything stands that there is."""

from __future__ import annotations

import random
from pathlib import Path

from tests.bench import shapes
from tests.bench.ground import one_day
from tests.support import corpus

_SIZE = 1_500_000


def mixed(path: Path, shape: str) -> Path:
    """Write a log of a shape, with every line of the corpus in it, and repeats of lines."""
    chance = random.Random(5)
    one_day(path, _SIZE, truth=shapes.SHAPES[shape]())
    lines = path.read_bytes().splitlines(keepends=True)
    others = [entry.line + b"\n" for entry in corpus.entries()]
    for _ in range(2):
        for other in others:
            lines.insert(chance.randrange(len(lines)), other)
    for _ in range(300):
        at = chance.randrange(1, len(lines))
        front = b" ".join(lines[at - 1].split(b" ", 2)[:2])
        lines.insert(at, front + b" last message repeated 3 times\n")
    path.write_bytes(b"".join(lines))
    return path
