"""A section of a report: what it says, whatever it is drawn on.

Numbers stay numbers here; a column says what they are. Every text is clean: nothing in it acts.
"""

from __future__ import annotations

from collections import namedtuple

from check_postfix.plugin.values import exact_span

# What stands in a column
TEXT, WORDS, COUNT, SHARE, BYTES, SECONDS = "text", "words", "count", "share", "bytes", "seconds"
LEFT = (TEXT, WORDS)

_SIZES = ("B", "kB", "MB", "GB", "TB")
_THOUSAND = 1000


# Where a problem sends its reader
WARNINGS = "Warnings and errors"


class Column(namedtuple("Column", "key title kind")):
    """A column.

    key:  its name in JSON
    kind: TEXT of the log, our own WORDS, or what its numbers are: COUNT, SHARE in percent, BYTES,
          SECONDS
    """

    __slots__ = ()

    key: str
    title: str
    kind: str


class Section(
    namedtuple("Section", "key title columns rows says more chart", defaults=((), 0, ""))
):
    """A section.

    key:     its name in JSON
    columns: of its table
    rows:    of its table; None stands for a number that there is not
    says:    sentences below the title
    more:    how many rows were left out
    chart:   `hours`: one stacked bar for each row; `bars`: the first number as a bar; or nothing
    """

    __slots__ = ()

    key: str
    title: str
    columns: list[Column]
    rows: list[tuple[object, ...]]
    says: tuple[str, ...]
    more: int
    chart: str

    @property
    def shown(self) -> list[int]:
        """The places of the columns in which anything stands."""
        return [
            place
            for place in range(len(self.columns))
            if any(row[place] not in ("", None) for row in self.rows)
        ]

    @property
    def sums(self) -> list[int]:
        """What the numbers of each row come to."""
        return [sum(number for number in row if isinstance(number, int)) for row in self.rows]


class Problem(namedtuple("Problem", "weight says then")):
    """A problem.

    weight: 2 for what needs somebody today, 1 for what should be looked at
    then:   the next step
    """

    __slots__ = ()

    weight: int
    says: str
    then: str


class Report(namedtuple("Report", "title says problems sections totals counters unread")):
    """A whole report.

    says:     which log, which time
    totals:   name -> number
    counters: kind of the recogniser -> number
    unread:   what could not be read, in sentences
    """

    __slots__ = ()

    title: str
    says: list[str]
    problems: list[Problem]
    sections: list[Section]
    totals: dict[str, int]
    counters: dict[str, int]
    unread: list[str]


def written(value: object, kind: str) -> str:
    """Return a value as people read it."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    assert isinstance(value, int | float)
    if kind == COUNT:
        return f"{value:,.0f}"
    if kind == SHARE:
        return f"{value:.1f} %"
    if kind == BYTES:
        return size(value)
    return seconds(value)


def size(number: float) -> str:
    """Return bytes as people read them."""
    unit = 0
    while number >= _THOUSAND and unit < len(_SIZES) - 1:
        number /= _THOUSAND
        unit += 1
    return f"{number:.1f} {_SIZES[unit]}" if unit else f"{number:.0f} B"


def seconds(number: float) -> str:
    """Return a time as people read it; a short one to the hundredth, as Postfix writes it."""
    return exact_span(round(number, 2))
