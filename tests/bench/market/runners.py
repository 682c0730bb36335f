"""The runners: how each program is started for the same job."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

from tests.bench.ground import Log, one_day
from tests.bench.race import Runner
from tests.bench.workload import BSD

from .programs import Market

HERE = Path(__file__).parent
BENCH = HERE.parent
OURS = "check_postfix"
FLOOR = "floor: imports only"
ONE_PATTERN = "check_logfiles, 1 pattern"
FOUR_SEARCHES = "check_logfiles, 4 searches"
LOGTAIL = "logtail2 + grep -cE"
PYGTAIL = "pygtail + 1 regex"
PFLOGSUMM = "pflogsumm"
MAILLOGGER = "maillogger"
MTAIL = "mtail --one_shot"
LNAV = "lnav -n, SQL"
NAIVE = "naive Python loop"
NAIVE_BARE = "naive loop, one word"
FIVE_GREPS = "five greps"
PERL = "perl -ne, by minute"
GREP = "grep -c, 1 word"
REFERENCE = "reference scanner"
EXPRESSION = "our expression alone"
ZCAT_GREP = "zcat + grep -cE"
ZCAT_PFLOGSUMM = "zcat + pflogsumm"

_STATUSES = "status=(sent|deferred|bounced)"
_WORDS = ("status=sent", "status=deferred", "status=bounced", "reject: ", "authentication failed")
# Reads, and counts by minute, what the naive loop does.
_PERL = (
    r"$n{$1}{$2}++ if /^(.{12}|.{16}):\d\d\S* \S+ postfix\S*: .* status=(\w+)/;"
    r"END { my %s; for my $m (values %n) { $s{$_} += $m->{$_} for keys %$m }"
    r' print "$_ $s{$_}\n" for sort keys %s }'
)


class Runners:
    """Makes runners that keep their states below a directory."""

    def __init__(self, market: Market, states: Path) -> None:
        self._market = market
        self._states = states
        states.mkdir()

    def ours(self, log: Path, fresh: bool = False, check: str = "deferred") -> Runner:
        """check_postfix itself; fresh: with no state."""
        state = self._states / "ours.sqlite3"
        command = [self._market.check(check), "--log", str(log), "--state", str(state)]
        return Runner(
            OURS, command, _forget(state) if fresh else _nothing, _number(r"\bdeferred=(\d+)")
        )

    def floor(self) -> list[Runner]:
        """What starting Python and importing what every plugin needs costs."""
        imports = "import nagiosplugin, sqlite3, argparse, re"
        return [
            Runner("bare Python", [self._market.ours, "-c", "pass"]),
            Runner(FLOOR, [self._market.ours, "-c", imports]),
        ]

    def check_logfiles(
        self, log: Path, fresh: bool = False, since: float | None = None
    ) -> list[Runner]:
        """check_logfiles; fresh: from the beginning of the log; since: from its oldest archive."""
        if "check_logfiles" not in self._market.programs:
            return []
        searches = {
            ONE_PATTERN: ["status=deferred"],
            FOUR_SEARCHES: [
                "status=deferred",
                "status=bounced",
                "reject:",
                "authentication failed",
            ],
        }
        runners = []
        for name, patterns in searches.items():
            seek = self._states / f"check_logfiles_{len(patterns)}"
            shutil.rmtree(seek, ignore_errors=True)
            seek.mkdir()
            config = seek.with_suffix(".cfg")
            config.write_text(_check_logfiles_config(seek, log, patterns))
            before = _nothing
            if fresh or since is not None:
                before = _seek_again(seek, log, len(patterns), since)
            command = f"{self._market.perl('check_logfiles')} -f {config}"
            runners.append(
                Runner(name, command, before, _number(r"deferred0?_criticals'=(\d+)"), 3)
            )
        return runners

    def followers(self, log: Path, fresh: bool = False) -> list[Runner]:
        """The small programs that remember an offset."""
        runners = []
        if "logtail2" in self._market.programs:
            offset = self._states / "logtail2"
            runners.append(
                Runner(
                    LOGTAIL,
                    f"{self._market.perl('logtail2')} -f {log} -o {offset}"
                    f" | grep -cE '{_STATUSES}' || :",
                    _forget(offset) if fresh else _nothing,
                )
            )
        if "pygtail" in self._market.versions:
            offset = self._states / "pygtail"
            runners.append(
                Runner(
                    PYGTAIL,
                    [self._market.peers, str(HERE / "follow.py"), str(log), str(offset)],
                    _forget(offset) if fresh else _nothing,
                    _number(r"(\d+)"),
                )
            )
        return runners

    def whole(self, log: Path, for_maillogger: Log) -> list[Runner]:
        """What reads a whole log, each time from its beginning."""
        greps = "; ".join(f"grep -c '{word}' {log}" for word in _WORDS)
        minutes = _number(r"(?m)^deferred (\d+)")
        runners = [
            Runner(NAIVE, [self._market.ours, str(HERE / "naive.py"), str(log)], said=minutes),
            Runner(
                NAIVE_BARE,
                [self._market.ours, str(HERE / "naive.py"), "--bare", str(log)],
                said=minutes,
            ),
            self.reference(log),
            Runner(EXPRESSION, [self._market.ours, str(HERE / "expression.py"), str(log)]),
            Runner(FIVE_GREPS, greps, said=_number(r"(?s)^\d+\n(\d+)")),
            Runner(GREP, ["grep", "-c", "status=deferred", str(log)], said=_number(r"(\d+)")),
            Runner(PERL, ["perl", "-ne", _PERL, str(log)], said=minutes),
        ]
        runners += self.pflogsumm(log)
        if "mtail" in self._market.programs:
            programs = self._states / "mtail"
            programs.mkdir()
            example = self._market.unpacked / "usr/share/doc/mtail/examples/postfix.mtail"
            shutil.copy(example, programs)
            command = f"{self._market.programs['mtail']} --one_shot --progs {programs} --logs {log}"
            runners.append(Runner(MTAIL, f"{command} --log_dir {programs}", rounds=3))
        if "maillogger" in self._market.versions:
            target = self._states / "maillogger"
            program = Path(self._market.peers).with_name("maillogger")
            count = f"grep -c ',deferred,' {target}.csv"
            runners.append(
                Runner(
                    MAILLOGGER,
                    f"{program} {for_maillogger.path} {target} && {count}",
                    _forget(target.with_suffix(".csv")),
                    _number(r"(\d+)\s*\Z"),
                    rounds=3,
                    truth=for_maillogger.truth.totals["deferred"],
                )
            )
        if "lnav" in self._market.programs:
            home = shlex.quote(str(self._states))
            query = "SELECT count(*) FROM syslog_log WHERE log_body LIKE '%status=deferred%'"
            command = (
                f"HOME={home} {self._market.programs['lnav']} -n -c {shlex.quote(';' + query)}"
            )
            runners.append(Runner(LNAV, f"{command} {log}", said=_number(r"(\d+)\s*\Z"), rounds=3))
        return runners

    def pflogsumm(self, log: Path) -> list[Runner]:
        """What comes nearest to us in what it counts."""
        if "pflogsumm" not in self._market.programs:
            return []
        return [
            Runner(
                PFLOGSUMM,
                f"{self._market.perl('pflogsumm')} {log}",
                said=_number(r"\((\d+)  deferrals"),
                rounds=3,
            )
        ]

    def reference(self, log: Path) -> Runner:
        """What pure Python can do."""
        return Runner(
            REFERENCE,
            [self._market.ours, str(BENCH / "reference.py"), str(log)],
            said=_number(r"(?m)^deferred (\d+)"),
        )

    def unpacking(self, files: list[Path]) -> list[Runner]:
        """What reads compressed logs, oldest first."""
        cat = "zcat -f " + " ".join(map(str, files))
        runners = [Runner(ZCAT_GREP, f"{cat} | grep -cE '{_STATUSES}'")]
        if "pflogsumm" in self._market.programs:
            runners.append(
                Runner(
                    ZCAT_PFLOGSUMM,
                    f"{cat} | {self._market.perl('pflogsumm')}",
                    said=_number(r"\((\d+)  deferrals"),
                    rounds=3,
                )
            )
        return runners


def for_maillogger(path: Path, size: int) -> Log:
    """Return a log that maillogger can read: it knows one host name and one kind of queue ID."""
    return one_day(path, size, BSD._replace(host="mail"))


def _nothing() -> None:
    pass


def _forget(path: Path) -> Callable[[], None]:
    return lambda: path.unlink(missing_ok=True)


def _number(pattern: str) -> Callable[[str], int | None]:
    def said(output: str) -> int | None:
        found = re.search(pattern, output)
        return int(found[1]) if found else None

    return said


def _check_logfiles_config(seek: Path, log: Path, patterns: list[str]) -> str:
    tags = "".join(
        f"  {{ tag => 'deferred{number}', logfile => '{log}', criticalpatterns => ['{pattern}'],\n"
        "    options => 'noprotocol,allyoucaneat', rotation => 'mail\\.log\\.\\d+(\\.gz)?' },\n"
        for number, pattern in enumerate(patterns)
    )
    return f"$seekfilesdir = '{seek}'; $protocolsdir = '{seek}';\n@searches = (\n{tags});\n"


def _seek_again(seek: Path, log: Path, searches: int, since: float | None) -> Callable[[], None]:
    """Make check_logfiles forget where it was, or believe that it was there at that time."""

    def again() -> None:
        for old in seek.iterdir():
            old.unlink()
        if since is None:
            return
        for number in range(searches):
            name = f"{seek.name}.{str(log).replace('/', '_')}.deferred{number}"
            (seek / name).write_text(
                f"$state = {{ devino => '1:1', logoffset => 0, logtime => {int(since)},"
                f" logfile => '{log}', servicestateid => 0, serviceoutput => 'OK',"
                f" tag => 'deferred{number}', runcount => 1, runtime => {int(since)} }};\n1;\n"
            )

    return again
