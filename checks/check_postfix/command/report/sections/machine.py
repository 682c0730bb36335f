"""Sections of this machine: what it could not reach, warned of, and when it was started."""

from __future__ import annotations

from check_postfix.command.report.book import SEPARATOR
from check_postfix.command.report.section import COUNT, TEXT, WARNINGS, WORDS, Column, Section
from check_postfix.command.report.sections.rows import Shown, parted
from check_postfix.command.text import clean
from check_postfix.maillog.events.recogniser import COMMANDS
from check_postfix.maillog.events.recogniser.health import STARTERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# The worst first
_SEVERITIES = ("panic", "fatal", "error", "warning")


class Machine(Shown):
    """What this machine had trouble with."""

    def each(self) -> Iterator[Section]:
        """Yield them, in their order."""
        yield self._unreachable()
        yield self._warnings()
        yield self._master()

    def _unreachable(self) -> Section:
        columns = [
            Column("number", "number", COUNT),
            Column("cause", "cause", TEXT),
            Column("host", "host", TEXT),
        ]
        rows = [
            (row[0], clean(cause), self._names.relay(host))
            for (cause, host), row in parted(self._top(self._book.unreachable, 0, "unreachable"))
        ]
        section = Section("unreachable", "Hosts that could not be reached", columns, rows)
        return self._with_more(section, self._book.unreachable)

    def _warnings(self) -> Section:
        columns = [
            Column("number", "number", COUNT),
            Column("severity", "", WORDS),
            Column("program", "program", TEXT),
            Column("example", "for example", TEXT),
        ]
        book = self._book
        if self._names.anonymise:
            rows = [
                (number, severity, program, "")
                for (severity, program), number in book.severities.most_common()
            ]
            said = _of_commands((row[1], row[2]) for row in rows)
            return Section("warnings", WARNINGS, columns, rows, said)
        found = []
        for name, row in self._top(book.warnings, 0, "warnings"):
            severity, program, words = name.split(SEPARATOR, 2)
            example = clean(book.warned.get(name, words))
            found.append((row[0], severity.decode(), clean(program), example))
        found.sort(key=lambda row: _SEVERITIES.index(row[1]))
        said = _of_commands((severity, program) for _, severity, program, _ in found)
        section = Section("warnings", WARNINGS, columns, list(found), said)
        return self._with_more(section, book.warnings)

    def _master(self) -> Section:
        columns = [Column("number", "number", COUNT), Column("said", "said", TEXT)]
        rows = [(row[0], clean(name)) for name, row in self._top(self._book.master, 0, "warnings")]
        return self._with_more(
            Section("master", "Starts and stops", columns, rows), self._book.master
        )


def _of_commands(rows: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return what is said of Postfix's commands that have ended with an error.

    rows: severity and program
    """
    names = {program for severity, program in rows if severity in ("fatal", "panic")}
    of_callers = COMMANDS - STARTERS
    commands = sorted(name for name in names if name.rpartition("/")[2].encode() in of_callers)
    if not commands:
        return ()
    verb = "is a command" if len(commands) == 1 else "are commands"
    return (
        f"{', '.join(commands)} {verb}: what they end with concerns their caller (postqueue is"
        " called by check_postfix_queue as well), and is not counted by check_postfix_log",
    )
