"""Output: an outcome as Nagios and Icinga read it.

The first line holds the words and all perfdata; Icinga 2 misreads labels that
come on later lines. What is shown may hold words from the log, which strangers
write: nothing of it may end a line, start perfdata or become markup.
"""

from __future__ import annotations

from check_postfix.plugin.threshold import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

STATES = ("OK", "WARNING", "CRITICAL", "UNKNOWN")

# In bytes. NRPE 2 cuts off after 1,024, later ones after 65,536. Where numbers beyond all
# reason fill the perfdata, the words give way.
_PACKET = 1020
LONGEST_WORDS = 400
_LEAST_WORDS = 110
LONGEST_LINE = 400
_MOST_LINES = 100


class Perfdata:
    """One label of the perfdata. Thresholds are as written, "" where there are none."""

    __slots__ = ("critical", "label", "maximum", "minimum", "uom", "value", "warning")

    def __init__(
        self,
        label: str,
        value: float,
        uom: str,
        warning: str,
        critical: str,
        minimum: float | None,
        maximum: float | None,
    ) -> None:
        self.label = label
        self.value = value
        self.uom = uom
        self.warning = warning
        self.critical = critical
        self.minimum = minimum
        self.maximum = maximum

    def called(self, label: str) -> Perfdata:
        """Return the same number under this label."""
        return Perfdata(
            label, self.value, self.uom, self.warning, self.critical, self.minimum, self.maximum
        )

    def __str__(self) -> str:
        bounds = ("" if b is None else number(b) for b in (self.minimum, self.maximum))
        parts = [number(self.value) + self.uom, self.warning, self.critical, *bounds]
        return f"{self.label}={';'.join(parts).rstrip(';')}"


class Outcome:
    """What a check says.

    name:     the check's
    state:    0 to 3
    summary:  the first line without name, state and remarks
    perfdata: in the order in which it is shown
    lines:    the long output
    remarks:  what must be known to understand the summary
    """

    def __init__(
        self,
        name: str,
        state: int,
        summary: str,
        perfdata: Sequence[Perfdata] = (),
        lines: Sequence[str] = (),
        remarks: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.exit_code = state
        self.summary = summary
        self.remarks = list(remarks)
        self.metrics = perfdata
        self.values = {label.label: label.value for label in perfdata}
        self.perfdata = " ".join(str(label) for label in perfdata)
        self.lines: list[str] = []
        self.add(lines)

    def add(self, lines: Sequence[str]) -> None:
        """Add lines to the long output."""
        room = _MOST_LINES - len(self.lines)
        self.lines += [plain(line, LONGEST_LINE) for line in lines[:room]]

    def add_trouble(self, trouble: str) -> None:
        """Say what kept a check from doing all of its work, which takes nothing from an alarm."""
        self.remarks.append(trouble)
        self.exit_code = self.exit_code or STATES.index("UNKNOWN")

    @property
    def words(self) -> str:
        """The first line without its perfdata."""
        state = STATES[self.exit_code]
        remarks = f" ({'; '.join(self.remarks)})" if self.remarks else ""
        return plain(f"{self.name.upper()} {state} - {self.summary}{remarks}", self.room)

    @property
    def room(self) -> int:
        """How long the words may be, in bytes."""
        return max(_LEAST_WORDS, min(LONGEST_WORDS, _PACKET - len(self.perfdata)))

    @property
    def line(self) -> str:
        """The first line with its perfdata."""
        return f"{self.words} | {self.perfdata}" if self.perfdata else self.words

    def __str__(self) -> str:
        return "\n".join([self.line, *self.lines]) + "\n"


def plain(text: str, longest: int) -> str:
    """Return text that is one line and nothing but text, and no more bytes of UTF-8 than this.

    Control, format and bidirectional characters become `?`; `|` starts perfdata
    and becomes `/`. Of the rest Icinga Web makes markup: angle brackets, which
    become parentheses; `&`, an entity, which may well be one of the above; and
    a backslash before an n or t, the end of a line or a tab.
    """
    # What is cut off anyway need not be looked at: a character is at least a byte.
    start = text[: longest + 1]
    clean = "".join(character if character.isprintable() else "?" for character in start).translate(
        _HARMLESS
    )
    encoded = clean.encode()
    if len(encoded) <= longest:
        return clean
    return encoded[: longest - 3].decode(errors="ignore") + "..."


_HARMLESS = str.maketrans("|<>&\\", "/()+/")
