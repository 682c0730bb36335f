"""Plain: a report as text, for a terminal, a pipe and mail; nothing is needed for it."""

from __future__ import annotations

import unicodedata

from check_postfix.command.report.section import LEFT, TEXT, written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from check_postfix.command.report.section import Report, Section

# Of a bar, in signs
_BAR = 20
_EIGHTHS = " ▏▎▍▌▋▊▉█"
# No text column is narrower.
_NARROWEST = 24
_GAP = "  "
BOLD, RED, YELLOW, GREEN, DIM = "1", "31", "33", "32", "2"


def no_paint(text: str, _: str) -> str:
    """Return a text as it is."""
    return text


def coloured(text: str, how: str) -> str:
    """Return a text in a colour of the terminal, which it ends itself."""
    return f"\033[{how}m{text}\033[0m" if text else text


def lines(
    report: Report, width: int = 0, paint: Callable[[str, str], str] = no_paint
) -> Iterator[str]:
    """Yield a report, line by line.

    width: of the terminal; text that does not fit is shortened there. 0 for a pipe or mail,
           where nothing is
    """
    yield paint(report.title, BOLD)
    yield from report.says
    yield ""
    yield paint("Problems", BOLD)
    if not report.problems:
        yield paint("  none", GREEN)
    for problem in report.problems:
        yield "  " + paint(problem.says, RED if problem.weight > 1 else YELLOW)
        yield "    next: " + problem.then
    for section in report.sections:
        yield ""
        yield paint(section.title, BOLD)
        yield from (f"  {words}" for words in section.says)
        yield from _table(section, width, paint)
        if section.more:
            yield f"  and {section.more:,} more"
    yield ""
    yield paint("What could not be read", BOLD)
    yield from (f"  {words}" for words in report.unread or ["everything was read"])


def _table(section: Section, width: int, paint: Callable[[str, str], str]) -> Iterator[str]:
    columns = section.columns
    shown = section.shown
    cells = [[written(row[place], columns[place].kind) for place in shown] for row in section.rows]
    if not cells:
        return
    head = [columns[place].title for place in shown]
    kinds = [columns[place].kind for place in shown]
    widths = [max(map(signs, column)) for column in zip(head, *cells, strict=True)]
    bars = _bars(section) if section.chart == "hours" else [""] * len(cells)
    if width:
        room = width - len(_GAP) * len(widths) - (_BAR if any(bars) else 0)
        texts = [place for place, kind in enumerate(kinds) if kind == TEXT]
        for place in reversed(texts):
            rest = room - sum(widths) + widths[place]
            widths[place] = min(widths[place], max(_NARROWEST, rest))
    if any(head):
        yield paint(_line(head, kinds, widths), DIM)
    for row, bar in zip(cells, bars, strict=True):
        yield _line(row, kinds, widths, bar)


def _line(cells: list[str], kinds: list[str], widths: list[int], bar: str = "") -> str:
    parts = [
        _fit(cell, width) if kind in LEFT else cell.rjust(width)
        for cell, kind, width in zip(cells, kinds, widths, strict=True)
    ]
    return (_GAP + _GAP.join([*parts, bar])).rstrip()


def _bars(section: Section) -> list[str]:
    """Return a bar for each row: as long as all its numbers together."""
    most = max(section.sums, default=0) or 1
    bars = []
    for number in section.sums:
        whole, rest = divmod(number * _BAR * 8 // most, 8)
        bars.append("█" * whole + _EIGHTHS[rest].strip())
    return bars


def signs(text: str) -> int:
    """Return how many places a text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1
        for sign in text
    )


def _fit(text: str, width: int) -> str:
    """Return a text of this width, shortened or filled up."""
    if (there := signs(text)) <= width:
        return text + " " * (width - there)
    kept = ""
    for sign in text:
        if signs(kept + sign) >= width:
            break
        kept += sign
    return kept + "…" + " " * (width - signs(kept) - 1)
