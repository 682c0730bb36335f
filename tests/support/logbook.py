"""A mail log for the reader's tests: a writer, what rotation does to it, and what stands in it.

Each line has a queue ID and a minute of its own, so that the store's counts
tell which lines were counted, and how often.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import re
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random

from check_postfix.maillog.ingest.ingest import Ingest
from check_postfix.maillog.store.store import Store
from check_postfix.maillog.window.coverage import Coverage
from check_postfix.maillog.window.delays import Delays
from check_postfix.maillog.window.view import View
from tests.support import kept

# 2026-03-01 00:00:00, in minutes
FIRST = 29_538_720
DAY = 24 * 60

_LINE = re.compile(
    rb"\0*2026-(\d\d)-(\d\d)T(\d\d):(\d\d):00\+00:00 mx1 postfix/smtpd\[\d+\]:"
    rb" [0-9A-F]{10}: client=[^\n]*\Z"
)


def stamp(minute: int) -> str:
    """Return how the time of a minute is written."""
    return datetime.fromtimestamp(minute * 60, UTC).isoformat()


def line(minute: int, size: int = 0, number: int = 0) -> bytes:
    """Return the line of the mail with this number that was received in this minute.

    size: how many bytes it has at least
    """
    text = b"%s mx1 postfix/smtpd[%d]: %010X: client=c.example[192.0.2.7]" % (
        stamp(minute).encode(), 1000 + number, minute * 1000 + number,
    )  # fmt: skip
    if size > len(text):
        text += b", x=" + b"y" * (size - len(text))
    return text + b"\n"


class Mails:
    """What becomes of the mails whose lines are written: some are sent, after a few trials.

    random: decides
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._open: list[list[tuple[bytes, bytes]]] = []

    def start(self, minute: int) -> None:
        """A mail was received in a minute; sometimes that is all that is heard of it."""
        size = 1000 + minute % 997
        queue_id = b"%010X: " % (minute * 1000)
        active = b"qmgr", queue_id + b"from=<a@b.example>, size=%d, nrcpt=1 (queue active)" % size
        to = b"smtp", queue_id + b"to=<c@d.example>, relay=none, delay=1, delays=0/0/0/1, dsn="
        deferred = to[0], to[1] + b"4.4.1, status=deferred (later)"
        sent = to[0], to[1] + b"2.0.0, status=sent (250 ok)"
        trials = self._random.choice([-1, 0, 0, 0, 1, 2])
        if trials >= 0:
            removed = b"qmgr", queue_id + b"removed"
            self._open.append([*[active, deferred] * trials, active, sent, removed])

    def lines(self, minute: int) -> bytes:
        """Return some lines of this minute about mails of before."""
        data = b""
        for _ in range(self._random.randrange(4)):
            if self._open:
                rest = self._random.choice(self._open)
                data += b"%s mx1 postfix/%s[9]: %s\n" % (stamp(minute).encode(), *rest.pop(0))
                self._open = [rest for rest in self._open if rest]
        return data


_STAMP = re.compile(rb"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00 ")
_TOLD = re.compile(
    rb"\0*(2026-\d\d-\d\dT\d\d:\d\d):00\+00:00 mx1 postfix/[a-z]+\[\d+\]: ([0-9A-F]{10}): "
    rb"(client=|from=<a@b\.example>, size=(\d+), nrcpt=1 \(queue active\)\Z"
    rb"|to=[^(]* status=sent \(250 ok\)\Z)"
).match


def joined(log: bytes) -> Counter[tuple[int, str]]:
    """Return (minute, counter) -> number of what the whole lines of a log tell together."""
    sums: Counter[tuple[int, str]] = Counter()
    received: set[bytes] = set()
    sizes: dict[bytes, int] = {}
    for text in log.split(b"\n")[:-1]:
        if not (told := _TOLD(text.removesuffix(b"\r"))):
            continue
        stamp, queue_id, said, size = told.groups()
        minute = int(datetime.fromisoformat(stamp.decode() + "+00:00").timestamp()) // 60
        if said == b"client=":
            received.add(queue_id)
        elif size:
            sizes[queue_id] = int(size)
            if queue_id in received:
                received.remove(queue_id)
                sums[minute, "accepted"] += 1
                sums[minute, "bytes_received"] += int(size)
        else:
            sums[minute, "bytes_delivered"] += sizes[queue_id]
    return sums


def counted_together(store: str) -> Counter[tuple[int, str]]:
    """Return the same of what is counted."""
    told = ("accepted", "bytes_received", "bytes_delivered")
    return Counter({where: n for where, n in kept.totals(store).items() if where[1] in told})


def minute_of(text: bytes) -> int | None:
    """Return the minute of a line, without its newline, None if it is not a whole one."""
    text = text.removesuffix(b"\r")
    # A line cut off behind its time, and another after it: `docker logs -t` prints such lines.
    shape = _LINE.match(text) or _LINE.match(_STAMP.sub(b"", text, count=1))
    if not shape:
        return None
    month, day, hour, minute = map(int, shape.groups())
    return int(datetime(2026, month, day, hour, minute, tzinfo=UTC).timestamp()) // 60


def content(path: str) -> bytes | None:
    """Return the uncompressed bytes of a log file, None if it is not whole."""
    with open(path, "rb") as file:
        data = file.read()
    try:
        if path.endswith(".gz"):
            return gzip.decompress(data)
        if path.endswith(".xz"):
            return lzma.decompress(data)
        if path.endswith(".bz2"):
            # its own function takes half a file for nothing
            return bz2.decompress(data)
        if path.endswith(".zst"):
            done = subprocess.run(["zstd", "-dcq"], input=data, capture_output=True)
            return done.stdout if done.returncode == 0 else None
    except (EOFError, OSError, ValueError, lzma.LZMAError):
        return None
    return data


def compressed(data: bytes, extension: str) -> bytes:
    """Return bytes as the program of this extension would compress them."""
    if extension == ".gz":
        return gzip.compress(data)
    if extension == ".xz":
        return lzma.compress(data)
    if extension == ".bz2":
        return bz2.compress(data)
    return subprocess.run(["zstd", "-cq"], input=data, capture_output=True, check=True).stdout


def in_place(paths: list[str]) -> set[int]:
    """Return the minutes of all whole lines in these files."""
    found = set()
    for path in paths:
        for text in (content(path) or b"").split(b"\n")[:-1]:
            if (minute := minute_of(text)) is not None:
                found.add(minute)
    return found


def counted(store: str) -> dict[int, int]:
    """Return how many mails are counted in each minute."""
    return kept.by_minute(store, "received")


def ingest(store: str | None, log: str, now: int, seconds: float = 60, **more: object) -> Coverage:
    """Read the log into the store as a check does; return the coverage."""
    with Store(store, 5) as opened:
        return ingest_into(opened, log, now, seconds, **more)


def ingest_into(
    store: Store,
    log: str,
    now: int,
    seconds: float = 60,
    wanted: int = FIRST,
    keeps: bool = True,
    archives: Sequence[str] = (),
) -> Coverage:
    """Read the log into an open store; return the coverage."""
    return Ingest(
        store, log, UTC, now * 60, now * 60, wanted, time.monotonic() + seconds, keeps,
        archives=archives,
    ).run()  # fmt: skip


def delays(store: str, log: str, start: int, end: int) -> Delays:
    """Read the log into the store; return how long deliveries took in some minutes."""
    with Store(store, 5) as opened:
        coverage = ingest_into(opened, log, end - 1)
        origins = [
            number
            for known in (opened.logs.of(log),)
            if known
            for number, *_ in opened.origins.of(known)
        ]
        view = View(opened, origins, start, end, coverage, end - 2 * DAY, UTC, False)
        return view.delays()


def write(path: str | os.PathLike[str], data: bytes, mode: str = "ab") -> None:
    """Append to a file."""
    with open(path, mode) as file:
        file.write(data)
