"""The contenders: who claims to read each new line of a log, set up as its documentation asks."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

from tests.bench.contender import Contender, Entry, log_tail, ours
from tests.bench.modes import Mode
from tests.bench.scene import numbers

from .programs import Market

_TAIL = str(Path(__file__).with_name("tail.py"))


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


def field(market: Market) -> list[Entry]:
    """Return those who could be had."""
    entries = [ours(market.check("deferred"))]
    for contender in (CheckLogfiles, Logtail2):
        if contender.name in market.programs:
            entries.append(Entry(contender, shlex.split(market.perl(contender.name))))
    if "pygtail" in market.versions:
        entries.append(Entry(Pygtail, [market.peers, _TAIL]))
    entries.append(log_tail(market.ours))  # it comes with nagiosplugin, which we need
    return entries
