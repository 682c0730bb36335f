"""A contender: who follows a log and should tell of each of its lines once.

Each keeps what its runs have put out: that is what somebody was told, and what is
compared with the truth. Only check_postfix, which prints sums, is asked for its sums by
minute at the end; a minute has one line. Beside it stands nagiosplugin's LogTail, so that
a test can see a loss; everybody else is in market/contenders.py.
"""

from __future__ import annotations

import re
import subprocess
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.support import kept

from .gate import Gate
from .modes import Mode
from .race import environment
from .scene import numbers

_LOG_TAIL = str(Path(__file__).with_name("log_tail.py"))
_SECONDS = 60
# Longer than any contender takes from its start to its first look at a log.
_SECONDS_TO_LOOK = 3


class Contender(ABC):
    """Follows one log.

    name:    in the tables
    told:    how it is configured
    plugin:  whether nobody listens to it if it is killed; what a pipe has passed on is there
    good:    exit codes that are no failure
    program: how it is started
    place:   a directory for what it keeps
    log:     what it follows
    old:     the directory of the archives
    """

    name = ""
    told = ""
    plugin = True
    good: Sequence[int] = (0,)

    def __init__(
        self, program: Sequence[str], place: Path, log: Path, old: Path, mode: Mode
    ) -> None:
        self.program = list(program)
        self.place = place
        self.log = log
        self.old = old
        self.mode = mode
        self._seen: Counter[int] = Counter()
        self._usual = 0.0
        place.mkdir()
        self.prepare()

    def prepare(self) -> None:  # noqa: B027 - some need nothing
        """Write what it is configured by."""

    @abstractmethod
    def command(self, now: float) -> Sequence[str]:
        """Return how it is started at this time of the scene."""

    @staticmethod
    @abstractmethod
    def does_not_promise(mode: Mode) -> bool:
        """Tell whether its documentation says, or lets one see, that it does not do this."""

    def seen(self) -> Counter[int]:
        """Return the numbers of the lines that were put out, and how often."""
        return self._seen

    # -- as a follower

    def run(self, now: float) -> None:
        start = time.monotonic()
        with self._started(now) as process:
            self._finish(process)
        self._usual = time.monotonic() - start

    def run_while(self, now: float, meanwhile: Callable[[], None], at: int) -> None:
        with Gate(self.log.parent, at) as gate, self._started(now) as process:
            end = time.monotonic() + _SECONDS_TO_LOOK
            while not gate.holds_somebody(0.01) and process.poll() is None:
                if time.monotonic() > end:
                    break
            meanwhile()
            gate.open()
            self._finish(process)

    def be_killed(self, now: float, part: float) -> None:
        with self._started(now) as process:
            try:
                output = process.communicate(timeout=part * self._usual)
            except subprocess.TimeoutExpired:
                process.kill()
                passed_on = process.communicate()[0]
                if not self.plugin:
                    self.take(passed_on)
            else:
                self._take(process, *output)

    def _started(self, now: float) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self.command(now), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def _finish(self, process: subprocess.Popen[bytes]) -> None:
        try:
            output = process.communicate(timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        self._take(process, *output)

    def _take(self, process: subprocess.Popen[bytes], output: bytes, errors: bytes) -> None:
        if process.returncode not in self.good and not (self.mode.absent and not self.log.exists()):
            raise RuntimeError(
                f"{self.name}, {self.mode.name}: exit code {process.returncode}:"
                f" {output.decode()[:400]} {errors.decode()[-2000:]}"
            )
        self.take(output)

    def take(self, output: bytes) -> None:
        """Keep what a run has put out."""
        self._seen.update(numbers(output))


class CheckPostfix(Contender):
    """Ourselves."""

    name = "check_postfix"
    told = "--log, --state, --window 30d, --max-silence 365d; olddir elsewhere: --archives"
    good = (0, 1, 2)

    def command(self, now: float) -> list[str]:
        del now
        return [
            *self.program, "--log", str(self.log), "--state", str(self._state), "--window", "30d",
            "--max-silence", "365d",
            "--timeout", str(_SECONDS),
            *(["--archives", str(self.old)] if self.mode.old.startswith("..") else []),
        ]  # fmt: skip

    @staticmethod
    def does_not_promise(mode: Mode) -> bool:
        del mode
        return False

    def take(self, output: bytes) -> None:
        """Keep the number of lines that it says were sent."""
        if found := re.search(rb"\bsent=(\d+)", output):
            self._said = int(found[1])

    def seen(self) -> Counter[int]:
        seen = Counter(kept.by_minute(self._state, "sent"))
        if seen.total() != self._said:
            raise RuntimeError(f"{self.name} says sent={self._said}, but keeps {seen.total()}")
        return seen

    @property
    def _state(self) -> Path:
        return self.place / "state.sqlite3"


class LogTail(Contender):
    """nagiosplugin's own."""

    name = "nagiosplugin LogTail"
    told = "LogTail and Cookie; there is nothing to configure"

    def command(self, now: float) -> list[str]:
        del now
        return [*self.program, str(self.log), str(self.place / "cookie")]

    @staticmethod
    def does_not_promise(mode: Mode) -> bool:
        # "Otherwise, the position saved in the cookie is reset"
        return mode.rotates


class Entry(NamedTuple):
    """Who takes part, and how its program is started."""

    contender: type[Contender]
    program: Sequence[str]


def ours(check: str) -> Entry:
    """Return ourselves.

    check: path of the executable check_postfix_deferred
    """
    return Entry(CheckPostfix, [check])


def log_tail(python: str) -> Entry:
    """Return nagiosplugin's LogTail, run by an interpreter that knows nagiosplugin."""
    return Entry(LogTail, [python, _LOG_TAIL])
