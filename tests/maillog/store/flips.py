"""Flip single bits of a state file: no number may be wrong without a word.

The long form, from the project's root:

    PYTHONPATH=checks python -m tests.maillog.store.flips --flips 10000

flips so many bits of the state, each for itself, before a run that finds nothing new, and as many
before one that finds new lines; then as many of a state and the journal of a transaction that was
killed. It prints what became of them.
"""

from __future__ import annotations

import argparse
import gzip
import os
import random
import signal
import sqlite3
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from check_postfix import auth, bounces, deferred, rejects
from check_postfix.plugin.run import outcome_of
from tests.blindness.traffic import Size, Traffic
from tests.support.clocks import Clocks

# Friday, 2026-03-06 15:30:00 UTC
NOW = 1_772_811_000
_HOUR = 3600
_DAYS = 3
_SIZE = Size(300, 0.1, False, rejects=300, guesses=100, dead=0.05)
CHECKS = [deferred.CHECK, bounces.CHECK, rejects.CHECK, auth.CHECK]
WINDOWS = ["1h", "12h", "40h"]
# So many times as many flips as are asked for are tried until one is said.
_MOST = 10
# What is printed of damage.
_SAID = "state file was damaged and is built again"


class Flip(NamedTuple):
    """A bit that flips, and the run that comes after.

    offset: of its byte
    bit:    0 to 7
    check, window: of the run
    """

    offset: int
    bit: int
    check: Any
    window: str


class Server:
    """A log of some days with its archives, and the state that checks have made of it."""

    def __init__(self, directory: str) -> None:
        self.log = Path(directory, "mail.log")
        self.state = Path(directory, "state")
        self.journal = Path(directory, "state-journal")
        self.clocks = Clocks(NOW - _DAYS * 24 * _HOUR)
        self._traffic = Traffic(_SIZE, seed=7)
        for day in range(_DAYS):
            if day:
                self._rotate()
            for _ in range(3):
                self.go_on(8 * _HOUR)
                self.run(deferred.CHECK, "1h")

    def go_on(self, seconds: float) -> None:
        """Let time pass, in which lines are written."""
        start = self.clocks.wall
        self.clocks.go_on(seconds)
        with self.log.open("a") as file:
            for when, tag, text in self._traffic.lines(start, self.clocks.wall):
                stamp = _stamp(when)
                file.write(f"{stamp} mx1 {tag}[9]: {text}\n")

    def _rotate(self) -> None:
        first = self.log.with_name("mail.log.1")
        if first.exists():
            second = self.log.with_name("mail.log.2.gz")
            second.write_bytes(gzip.compress(first.read_bytes()))
        self.log.rename(first)

    def run(self, check: Any, window: str) -> tuple[str, int]:
        """Run a check; return what it prints, and its exit code."""
        where = ["--log", str(self.log), "--state", str(self.state)]
        with self.clocks.told():
            return outcome_of(check, [*where, "--window", window, "-v", "--timeout", "60"])

    def die_in_transaction(self) -> None:
        """Write to the state, and be killed when the file has changed and nothing is committed."""
        child = os.fork()
        if not child:
            try:
                self._write_and_die()
            finally:
                os._exit(1)
        os.waitpid(child, 0)
        assert self.journal.stat().st_size > 0

    def _write_and_die(self) -> None:
        real = sqlite3.connect

        class Connection(sqlite3.Connection):
            def execute(self, query: str, *values: Any) -> sqlite3.Cursor:
                if query == "COMMIT":
                    # What is dirty goes into the file, as it does where much has changed.
                    super().execute("PRAGMA cache_spill=1")
                    super().execute("PRAGMA cache_size=1")
                    super().execute("CREATE TABLE filler AS SELECT * FROM keyed")
                    os.kill(os.getpid(), signal.SIGKILL)
                return super().execute(query, *values)

        def connect(*arguments: Any, **more: Any) -> sqlite3.Connection:
            return real(*arguments, factory=Connection, **more)

        sqlite3.connect = connect  # type: ignore[assignment]
        self.run(deferred.CHECK, "1h")


def _stamp(when: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(when, UTC).isoformat(timespec="seconds")


class Results(NamedTuple):
    """What became of flips.

    outcomes: as before, said, or what is wrong -> number
    wrong:    the flips that were neither harmless nor said, and what was printed
    """

    outcomes: Counter[str]
    wrong: list[tuple[Flip, str, str]]


def flip(server: Server, file: Path, number: int, seed: int) -> Results:
    """Flip so many bits of a file, each for itself; more if all of them are harmless.

    file: the server's state, or its journal
    """
    chance = random.Random(seed)
    files = [path for path in (server.state, server.journal) if path.exists()]
    whole = {path: path.read_bytes() for path in files}
    expected: dict[tuple[str, str], tuple[str, int]] = {}
    aside = Path(f"{server.state}.damaged"), Path(f"{server.state}.damaged-journal")

    def restore() -> None:
        for path in (*aside, server.state, server.journal):
            path.unlink(missing_ok=True)
        for path, data in whole.items():
            path.write_bytes(data)
            path.chmod(0o600)

    for check in CHECKS:
        for window in WINDOWS:
            restore()
            expected[check.name, window] = server.run(check, window)
            said, code = expected[check.name, window]
            assert code != 3, said
            assert _SAID not in said
    results = Results(Counter(), [])
    tried = 0
    # Most bits stand for what this run does not read: go on until one is found, or none ever is.
    while tried < number or ("said" not in results.outcomes and tried < _MOST * number):
        tried += 1
        one = Flip(
            chance.randrange(len(whole[file])), chance.randrange(8), chance.choice(CHECKS),
            chance.choice(WINDOWS),
        )  # fmt: skip
        restore()
        data = bytearray(whole[file])
        data[one.offset] ^= 1 << one.bit
        file.write_bytes(data)
        wanted = expected[one.check.name, one.window]
        found = server.run(one.check, one.window)
        outcome = _judged(found, wanted)
        if outcome == "said":
            again = server.run(one.check, one.window)
            if again[1] == 3 or _SAID in again[0]:
                outcome, found = "not healed", (again[0] + found[0], 3)
        results.outcomes[outcome] += 1
        if outcome not in ("as before", "said"):
            results.wrong.append((one, found[0], wanted[0]))
    restore()
    return results


def _judged(found: tuple[str, int], wanted: tuple[str, int]) -> str:
    if found == wanted:
        return "as before"
    if "internal error" in found[0]:
        return "internal error"
    return "said" if _SAID in found[0] or found[1] == 3 else "wrong and silent"


def all_ways(directory: str, number: int, seed: int) -> dict[str, Results]:
    """Flip so many bits in each of the ways that are told of above."""
    server = Server(directory)
    found = {"nothing new": flip(server, server.state, number, seed)}
    server.go_on(120)
    found["new lines"] = flip(server, server.state, number, seed + 1)
    server.die_in_transaction()
    found["a hot journal, in the state"] = flip(server, server.state, number, seed + 2)
    found["a hot journal, in it"] = flip(server, server.journal, number, seed + 3)
    return found


def _first(text: str) -> str:
    return text.partition("\n")[0]


def main() -> int:
    """Run the long form."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--flips", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        found = all_ways(directory, options.flips, options.seed)
    for way, results in found.items():
        told = ", ".join(f"{n} {outcome}" for outcome, n in sorted(results.outcomes.items()))
        print(f"{options.flips} flips (seed {options.seed}), {way}: {told}")
        for one, text, wanted in results.wrong[:5]:
            where = one.offset, one.bit, one.check.name, one.window
            print(f"  {where}: {_first(text)}\n    instead of {_first(wanted)}", file=sys.stderr)
    return int(any(results.wrong for results in found.values()))


if __name__ == "__main__":
    sys.exit(main())
