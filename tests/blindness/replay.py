"""A replay: a log comes into being line by line, and whole runs of all checks come between.

The clocks are told, so a month takes minutes. Each check runs at its own second of the cycle, on
what was logged until then; all share a state.
"""

from __future__ import annotations

import gzip
import math
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from check_postfix.plugin import Check
from check_postfix.plugin.run import outcome_of
from tests.support import perfdata
from tests.support.clocks import Clocks, in_zone
from tests.support.definitions import log_checks
from tests.support.server import OK

# Between one check's run and the next one's, in seconds
_APART = 7
# Lines that are written at once: those of a big server's week would not fit in memory.
_AT_ONCE = 10_000
# As rsyslog and logrotate of Debian have it: what everybody may read is told.
_MODE = 0o640
# A run's seconds: what is said is looked at, not how soon, and a disk may stand still for ten.
_TIMEOUT = "120"


class Rotation(NamedTuple):
    """What logrotate does at midnight: every so many days, so many generations, delaycompress."""

    days: int
    keeps: int


DAILY = Rotation(1, 7)
WEEKLY = Rotation(7, 4)


class Seen(NamedTuple):
    """What a run said.

    text: the first line's words, each number in them N
    """

    check: str
    exit_code: int
    text: str

    @property
    def remark(self) -> str:
        """What stands in brackets, but for what is usual is the median of."""
        found = re.search(r" \((?!N days|last N)([^()]*)\)$", self.text)
        return found[1] if found else ""


class Replay:
    """A log that is replayed.

    directory: empty
    lines:     (seconds since 1970 at which it is logged, line with its newline), in that order
    zone:      this machine's; its name as text
    rotation:  None if the log is never rotated
    arguments: of all checks, besides log and state
    checks:    that run; all that read a log by default
    """

    def __init__(
        self,
        directory: Path,
        lines: Iterable[tuple[float, bytes]],
        zone: tzinfo = UTC,
        rotation: Rotation | None = None,
        arguments: Iterable[str] = (),
        checks: Iterable[Check] = (),
    ) -> None:
        self.log = directory / "mail.log"
        self.seen: Counter[Seen] = Counter()
        self.first: dict[Seen, tuple[float, str]] = {}
        files = ["--log", str(self.log), "--state", str(directory / "s")]
        self._arguments = [*files, "--timeout", _TIMEOUT, *arguments]
        self._lines = iter(lines)
        self._next: tuple[float, bytes] | None = next(self._lines, None)
        self._checks = [*checks] or log_checks()
        self._zone = zone
        self._rotation = rotation
        self._clocks = Clocks(0)
        self._newest = 0.0
        self._make_log()

    def run(
        self, start: float, end: float, every: float, longest_pause: float = math.inf
    ) -> Counter[Seen]:
        """Let all checks run every so many seconds; return how often they said what.

        After so long a pause of the log they run no more until it goes on.
        The words with their numbers, as they were said the first time, and when, are in `first`.
        """
        self._clocks.wall = start
        midnight = self._midnight(start)
        with in_zone(str(self._zone)), self._clocks.told():
            cycle = start
            while cycle < end:
                for number, check in enumerate(self._checks):
                    now = cycle + number * _APART
                    while midnight <= now:
                        self._append_until(midnight)
                        self._rotate(midnight)
                        midnight = self._midnight(midnight)
                    self._append_until(now)
                    self._clocks.go_on(now - self._clocks.wall)
                    text, code = outcome_of(check, self._arguments)
                    words = text.partition(" | ")[0].partition("\n")[0]
                    said = Seen(check.executable, code, re.sub(r"\d+(?:\.\d+)?", "N", words))
                    self.seen[said] += 1
                    self.first.setdefault(said, (now, words))
                cycle += every
                if self._next and self._next[0] - self._newest > longest_pause < now - self._newest:
                    cycle = max(cycle, self._next[0])
        return self.seen

    @property
    def now(self) -> float:
        """When the last run was."""
        return self._clocks.wall

    def says(self, check: str, *arguments: str) -> dict[str, perfdata.Label]:
        """Return the perfdata of one more run, right after the last one.

        check: the executable's name
        """
        declared = next(one for one in log_checks() if one.executable == check)
        with in_zone(str(self._zone)), self._clocks.told():
            text, _ = outcome_of(declared, [*self._arguments, *arguments])
        return perfdata.of(text)

    def _append_until(self, now: float) -> None:
        if self._next is None or self._next[0] > now:
            return
        with self.log.open("ab") as file:
            while written := [line for _, line in islice(self._until(now), _AT_ONCE)]:
                file.write(b"".join(written))
        os.utime(self.log, (now, now))

    def _until(self, now: float) -> Iterator[tuple[float, bytes]]:
        while self._next is not None and self._next[0] <= now:
            line = self._next
            self._newest = line[0]
            self._next = next(self._lines, None)
            yield line

    def _midnight(self, after: float) -> float:
        """Return when logrotate runs next."""
        # On the wall clock: a day on which summer time ends has 25 hours.
        tomorrow = datetime.fromtimestamp(after, self._zone) + timedelta(days=1)
        return tomorrow.replace(hour=0, minute=7, second=0, microsecond=0).timestamp()

    def _rotate(self, now: float) -> None:
        rotation = self._rotation
        if not rotation:
            return
        if int(datetime.fromtimestamp(now, self._zone).strftime("%j")) % rotation.days:
            return
        for number in range(rotation.keeps, 1, -1):
            older = self._generation(number, ".gz")
            if older.exists():
                older.replace(self._generation(number + 1, ".gz"))
        self._generation(rotation.keeps + 1, ".gz").unlink(missing_ok=True)
        first = self._generation(1)
        if first.exists():
            modified = first.stat().st_mtime
            second = self._generation(2, ".gz")
            second.write_bytes(gzip.compress(first.read_bytes(), 1))
            second.chmod(_MODE)
            os.utime(second, (modified, modified))
            first.unlink()
        self.log.rename(first)
        self._make_log()
        os.utime(self.log, (now, now))

    def _make_log(self) -> None:
        self.log.touch()
        self.log.chmod(_MODE)

    def _generation(self, number: int, extension: str = "") -> Path:
        return self.log.with_name(f"{self.log.name}.{number}{extension}")

    def not_ok(self) -> dict[str, int]:
        """Return what was said that is not OK -> how often."""
        return {said.text: times for said, times in self.seen.items() if said.exit_code != OK}


def report(replay: Replay) -> Iterator[str]:
    """Yield a table by check, and the first lines that were not OK or had a remark."""
    yield "| check | runs | OK | OK, remarked | WARNING | CRITICAL | UNKNOWN |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for check in log_checks():
        of = {said: n for said, n in replay.seen.items() if said.check == check.executable}
        by_state = Counter[int]()
        for said, n in of.items():
            by_state[said.exit_code] += n
        remarked = sum(n for said, n in of.items() if said.exit_code == OK and said.remark)
        yield (
            f"| {check.executable} | {sum(of.values()):,} | {by_state[0] - remarked:,}"
            f" | {remarked:,} | {by_state[1]:,} | {by_state[2]:,} | {by_state[3]:,} |"
        )
    yield ""
    remarks: Counter[str] = Counter()
    for said, n in sorted(replay.seen.items(), key=lambda pair: (-pair[0].exit_code, -pair[1])):
        if said.exit_code != OK:
            when, words = replay.first[said]
            yield f"{n:7,} x {words}   [first {datetime.fromtimestamp(when, UTC):%F %H:%M}Z]"
        elif said.remark:
            remarks[re.sub(r"(?:N [dh]\b ?)+(?:N min)?|N min", "TIME", said.remark)] += n
    yield from (f"{n:7,} x OK ... ({remark})" for remark, n in remarks.most_common())
