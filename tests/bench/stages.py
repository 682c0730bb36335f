"""The stages of a first read, and what each of them costs beside the reference scanner.

Each stage does what the one before it does, and more; all are those of the product.

    python -m tests.bench.stages [MB] [SHAPE...]    prints a table in Markdown
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from math import inf
from pathlib import Path

from check_postfix.maillog.counts.counts import Counts
from check_postfix.maillog.events.found import find
from check_postfix.maillog.events.scanner import Scan
from check_postfix.maillog.ingest.ingest import Ingest
from check_postfix.maillog.ingest.piece_counts import PieceCounts
from check_postfix.maillog.source.generation import Generation
from check_postfix.maillog.source.lines import blocks
from check_postfix.maillog.store.logs import Log
from check_postfix.maillog.store.store import Store
from check_postfix.maillog.syntax.timestamps import Timestamps

from . import ground, race, reference, shapes

ROUNDS = 5


class _Forgetful:
    """Stands for the store: it is told everything, and keeps nothing."""

    def origin(self, log: Log, host: bytes, instance: bytes) -> int:  # noqa: ARG002
        return 1 + hash((host, instance)) % 1_000_000

    def extend_gap(self, log: Log, first: int, last: int) -> None:
        """Lines are lost."""

    def add(self, counts: Counts) -> None:
        """Counts are added up as far as the store would be told of them."""
        counts.add_up_recipients()


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        for block, _ in blocks(file.read, 0):
            yield block


def _scan() -> Scan:
    return Scan(Timestamps(None, int(time.time()) // 60), b"\n")


def reference_scanner(path: Path) -> None:
    with path.open("rb") as file:
        reference.count(file.read)


def expression(path: Path) -> None:
    for block in _blocks(path):
        find(block)


def scanner(path: Path) -> None:
    scan = _scan()
    for block in _blocks(path):
        scan.block(block)


def counted(path: Path) -> None:
    log = Log(1, str(path), 0)
    piece = PieceCounts(_Forgetful(), log, _scan(), Counts(b"secret"))
    for block in _blocks(path):
        piece.add(block)
    piece.finish(Generation(id=1))


def kept(path: Path) -> None:
    now = time.time()
    state = path.with_suffix(".state")
    state.unlink(missing_ok=True)
    with Store(str(state), 60) as store:
        Ingest(store, str(path), None, now, now, 0, inf, named=None).run()


# The goal of each is 2.5.
STAGES: dict[str, Callable[[Path], None]] = {
    "reference scanner": reference_scanner,
    "the expression finds": expression,
    "events": scanner,
    "counted": counted,
    "in the state file": kept,
}


def measured(path: Path, rounds: int = ROUNDS) -> dict[str, float]:
    """Return the least CPU seconds of each stage on a log; they run in turn."""
    least = dict.fromkeys(STAGES, inf)
    for _ in range(rounds):
        for name, stage in STAGES.items():
            start = time.process_time()
            stage(path)
            least[name] = min(least[name], time.process_time() - start)
    return least


def main() -> None:
    megabytes, *names = sys.argv[1:] or ["40"]
    race.pin()
    print("|", " | ".join(["CPU time by that of the", *list(STAGES)[1:]]), "|")
    print("| --- |" + " ---: |" * (len(STAGES) - 1))
    with tempfile.TemporaryDirectory() as place:
        for name in names or shapes.SHAPES:
            log = ground.one_day(
                Path(place, "mail.log"), int(megabytes) * ground.MEGABYTE,
                truth=shapes.SHAPES[name](),
            )  # fmt: skip
            first, *others = measured(log.path).values()
            print("|", " | ".join([name, *(f"{seconds / first:.2f}" for seconds in others)]), "|")
            log.path.unlink()


if __name__ == "__main__":
    main()
