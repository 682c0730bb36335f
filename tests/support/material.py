"""Lines to try things on: the project's corpus, its recorded logs, other people's logs.

SEED makes a run repeatable; each failure names its line.
"""

from __future__ import annotations

import gzip
import json
import os
import random
from functools import cache
from pathlib import Path

from tests.support import corpus

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("CHECK_POSTFIX_SHARED_CORPUS", ROOT.parent / "shared" / "corpus"))
RECORDED = ROOT / "tests" / "recorded"

SEED = int(os.environ.get("CHECK_POSTFIX_SEED", "5"))

# Of the big logs so many lines are enough.
_LINES_OF_EACH = 3000


@cache
def corpus_lines() -> list[bytes]:
    return [entry.line for entry in corpus.entries()]


@cache
def recorded_lines() -> list[bytes]:
    return [line for path in sorted(RECORDED.glob("*.log")) for line in _lines(path)]


@cache
def shared_lines() -> list[bytes]:
    """Return lines of other projects' logs; none where they are absent."""
    lines: list[bytes] = []
    for path in sorted(SHARED.rglob("*")):
        if path.suffix == ".jsonl":
            for case in path.read_text().splitlines():
                lines += (f"Nov 24 16:40:01 mx1 postfix/smtpd[1]: {line}".encode()
                          if json.loads(case)["form"] == "message" else line.encode()
                          for line in json.loads(case)["lines"])  # fmt: skip
        elif path.is_file() and path.suffix not in (".json", ".md", ".metrics"):
            all_lines = _lines(path)
            lines += all_lines[:: max(1, len(all_lines) // _LINES_OF_EACH)]
    return [part for line in lines for part in line.split(b"\n") if part]


def _lines(path: Path) -> list[bytes]:
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    return [line for line in data.split(b"\n") if line]


_INSERTS = [
    b"\0", b"\r", b"\x85", "\u0085".encode(), "\u2028".encode(), "\u202e".encode(), b"\xff", b"\t",
    b" ", b"  ", b":", b": ", b"[", b"]", b"<", b">", b"(", b")", b'"', b"\\", b",", b"=", b";",
    b"NOQUEUE: ", b"64D05240927: ", b"to=<", b"from=<", b">, relay=", b", relay=none", b", dsn=",
    b", status=sent (", b"status=", b", orig_to=<", b"reject: ", b" from ", b"unknown[203.0.113.6]",
    b" authentication failed:", b" authentication failed: ", b", sasl_username=", b"SASL LOGIN",
    b"warning: ", b"fatal: ", b", rip=", b", lip=", b" (auth failed, 3 attempts in 2 secs): user=<",
    b"message repeated 2 times: [ ", b"]", b"[ID 197553 mail.info] ", b"mail.info ", b"<22>",
    b", status=expired, returned to sender", b"452", b"452 over quota", b"forwarded as ", b"4.2.2",
]  # fmt: skip


def mutated(line: bytes, others: list[bytes], rng: random.Random) -> list[bytes]:
    """Return what becomes of a line by a few random changes; one line, or more."""
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        at = rng.randrange(len(line) + 1)
        match rng.randrange(9):
            case 0:
                line = line[:at] + bytes([rng.randrange(256)]) + line[at + 1 :]
            case 1:
                line = line[:at]
            case 2:
                line = line[:at] + line[at + rng.randrange(12) :]
            case 3 | 4 | 5:
                line = line[:at] + rng.choice(_INSERTS) + line[at:]
            case 6:
                other = rng.choice(others)
                line = line[:at] + other[rng.randrange(len(other) + 1) :]
            case 7:
                end = rng.randrange(at, len(line) + 1)
                line = line[:end] + line[at:end] + line[end:]
            case 8:
                line = line[:at] + rng.choice(others)[: rng.randrange(200)] + line[at:]
    return [part for part in line.split(b"\n") if part]
