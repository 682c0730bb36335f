"""The contenders: who claims to read each new line of a log, told what its documentation asks for.

Each keeps what its runs have put out: that is what somebody was told, and what is
compared with the truth. Only check_postfix, which tells sums, is asked for its sums by
minute at the end; a minute has one line.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.support import kept

from .gate import Gate
from .market import Market
from .modes import Mode
from .race import environment
from .scene import numbers

_TAILS = str(Path(__file__).with_name("tails.py"))
_SECONDS = 60
# Longer than any contender takes from its start to its first look at a log.
_PATIENCE = 3


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
            end = time.monotonic() + _PATIENCE
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
                f" {errors.decode()[-2000:]}"
            )
        self.take(output)

    def take(self, output: bytes) -> None:
        """Keep what a run has put out."""
        self._seen.update(numbers(output))


class CheckPostfix(Contender):
    """Ourselves."""

    name = "check_postfix"
    told = "--log, --state, --window 30d; olddir elsewhere: --archives"
    good = (0, 1, 2)

    def command(self, now: float) -> list[str]:
        del now
        return [
            *self.program, "--log", str(self.log), "--state", str(self._state), "--window", "30d",
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


class Pygtail(Contender):
    """A Python library."""

    name = "pygtail"
    plugin = False
    told = (
        "partial last line: full_lines; olddir: log_patterns names the other directory;"
        " never paranoid, which loses lines when it is killed"
    )

    def command(self, now: float) -> list[str]:
        del now
        options = ["full_lines"] if self.mode.partial else []
        if self.mode.old:
            options.append(f"log_patterns={self.mode.old}/%s.1")
        return [*self.program, str(self.log), str(self.place / "offset"), *options]

    @staticmethod
    def does_not_promise(mode: Mode) -> bool:
        # "a port of logtail2", which guesses one name
        return mode.many


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


class Logtail2(Contender):
    """logcheck's."""

    name = "logtail2"
    plugin = False
    told = "its detectrotate heuristics; olddir: one more of them, as its README advises"

    def prepare(self) -> None:
        """Point it at heuristics of our own: its directory of them is fixed in its text."""
        original = Path(self.program[-1])
        ours = self.place / "detectrotate"
        shutil.copytree(original.parents[1] / "share/logtail/detectrotate", ours)
        if self.mode.old:
            (ours / "00-olddir.dtr").write_text(
                f'sub {{ return -e "{self.old}/mail.log.1" ? "{self.old}/mail.log.1" : ""; }}\n'
            )
        text = original.read_text().replace("/usr/share/logtail/detectrotate", str(ours))
        script = self.place / "logtail2"
        script.write_text(text)
        self.program[-1] = str(script)

    def command(self, now: float) -> list[str]:
        del now
        return [*self.program, "-f", str(self.log), "-o", str(self.place / "offset")]

    @staticmethod
    def does_not_promise(mode: Mode) -> bool:
        # it guesses the name of one uncompressed archive, and takes a shorter log for tampering
        return mode.packed or mode.many or mode.cuts


class CheckLogfiles(Contender):
    """ConSol's plugin."""

    name = "check_logfiles"
    told = (
        "allyoucaneat, rotation => 'mail\\.log[.-]\\d+(\\.gz)?', report=long;"
        " olddir: archivedir; nocreate: nologfilenocry"
    )
    good = (0, 1, 2)

    def prepare(self) -> None:
        """Write its configuration, and a module that has Perl's time() tell the scene's."""
        options = "noprotocol,allyoucaneat" + (",nologfilenocry" if self.mode.absent else "")
        (self.place / "check.cfg").write_text(
            f"$seekfilesdir = '{self.place}'; $protocolsdir = '{self.place}';\n"
            "$options = 'report=long,maxlength=1000000000';\n"
            f"@searches = ({{ tag => 'sent', logfile => '{self.log}', archivedir => '{self.old}',\n"
            "  criticalpatterns => ['status=sent'], rotation => 'mail\\.log[.-]\\d+(\\.gz)?',\n"
            f"  options => '{options}' }});\n"
        )
        (self.place / "Scene.pm").write_text(
            "package Scene;\n"
            "sub import { my $now = $_[1]; *CORE::GLOBAL::time = sub () { $now } }\n"
            "1;\n"
        )

    def command(self, now: float) -> list[str]:
        perl, *arguments = self.program
        clock = ["-I", str(self.place), f"-MScene={int(now)}"]
        return [perl, *clock, *arguments, "-f", str(self.place / "check.cfg")]

    @staticmethod
    def does_not_promise(mode: Mode) -> bool:
        del mode
        return False

    def take(self, output: bytes) -> None:
        """Keep the lines of its long output; the first line shows the last of them once more."""
        first, _, rest = output.partition(b"\n")
        lines = numbers(rest)
        found = re.search(rb"'sent_criticals'=(\d+)", output)
        if found and int(found[1]) != len(lines):
            raise RuntimeError(f"{self.name} says {first!r}, and shows {len(lines)} lines")
        self._seen.update(lines)


class Entry(NamedTuple):
    """Who takes part, and how its program is started."""

    contender: type[Contender]
    program: Sequence[str]


def ours(check: str) -> Entry:
    """Return ourselves.

    check: path of the executable check_postfix_deferred
    """
    return Entry(CheckPostfix, [check])


def field(market: Market) -> list[Entry]:
    """Return those who could be had."""
    entries = [ours(market.check("deferred"))]
    for contender in (CheckLogfiles, Logtail2):
        if contender.name in market.programs:
            entries.append(Entry(contender, shlex.split(market.perl(contender.name))))
    if "pygtail" in market.versions:
        entries.append(Entry(Pygtail, [market.peers, _TAILS, "pygtail"]))
    # we need it ourselves
    entries.append(Entry(LogTail, [market.ours, _TAILS, "LogTail"]))
    return entries
