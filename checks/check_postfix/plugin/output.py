"""Output: an outcome as Nagios and Icinga read it.

The first line holds the words and all perfdata; Icinga 2 misreads labels that
come on later lines. What is shown may hold words from the log, which strangers
write: nothing of it may end a line, start perfdata or become markup.
"""

from __future__ import annotations

from collections import namedtuple

from check_postfix.plugin.threshold import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

STATES = ("OK", "WARNING", "CRITICAL", "UNKNOWN")

# NRPE 2 cuts off behind 1,024 bytes: these leave room for perfdata.
_LONGEST_WORDS = 400
_LONGEST_LINE = 200
_MOST_LINES = 100


class Perfdata(namedtuple("Perfdata", "label value uom warning critical minimum maximum")):
    """One label of the perfdata. Thresholds are as written, "" where there are none."""

    __slots__ = ()

    def __str__(self) -> str:
        limits = ["" if limit is None else number(limit) for limit in self[5:]]
        parts = [number(self.value) + self.uom, self.warning, self.critical, *limits]
        return f"{self.label}={';'.join(parts).rstrip(';')}"


class Outcome:
    """What a check says.

    name:     the check's
    state:    0 to 3
    words:    the first line without name and state
    perfdata: in the order in which it is shown
    lines:    the long output
    """

    def __init__(
        self,
        name: str,
        state: int,
        words: str,
        perfdata: Sequence[Perfdata] = (),
        lines: Sequence[str] = (),
    ) -> None:
        self.exit_code = state
        self.words = plain(f"{name.upper()} {STATES[state]} - {words}", _LONGEST_WORDS)
        self.perfdata = " ".join(str(label) for label in perfdata)
        self.lines: list[str] = []
        self.add(lines)

    def add(self, lines: Sequence[str]) -> None:
        """Add lines to the long output."""
        room = _MOST_LINES - len(self.lines)
        self.lines += [plain(line, _LONGEST_LINE) for line in lines[:room]]

    @property
    def line(self) -> str:
        """The first line with its perfdata."""
        return f"{self.words} | {self.perfdata}" if self.perfdata else self.words

    def __str__(self) -> str:
        return "\n".join([self.line, *self.lines]) + "\n"


def plain(text: str, longest: int) -> str:
    """Return text that is one line and nothing but text.

    Control, format and bidirectional characters become `?`; `|` starts perfdata
    and becomes `/`; angle brackets, which Icinga Web takes for HTML, become
    parentheses.
    """
    clean = "".join(character if character.isprintable() else "?" for character in text).translate(
        _HARMLESS
    )
    return clean if len(clean) <= longest else clean[: longest - 3] + "..."


_HARMLESS = str.maketrans("|<>", "/()")
