"""A terminal: a report drawn by rich, as wide as there is room."""

from __future__ import annotations

from check_postfix.command.report.section import LEFT, TEXT, written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from check_postfix.command.report.section import Report, Section

# Of a bar, in signs
_BAR = 20


def lines(report: Report, width: int, is_coloured: bool = True) -> Iterator[str]:
    """Yield a report, line by line.

    width: of the terminal
    """
    from rich.console import Console

    # Nothing that stands in a log is markup, an emoji or a link.
    console = Console(
        width=width, markup=False, highlight=False, emoji=False, soft_wrap=False,
        force_terminal=True, color_system="standard" if is_coloured else None,
    )  # fmt: skip
    with console.capture() as drawn:
        _draw(console, report)
    yield from (line.rstrip() for line in drawn.get().splitlines())


def _draw(console, report: Report) -> None:  # type: ignore[no-untyped-def]
    console.print(report.title, style="bold")
    for words in report.says:
        console.print(words, style="dim")
    _title(console, "Problems")
    if not report.problems:
        console.print("  none", style="green")
    for problem in report.problems:
        console.print(f"  {problem.says}", style="red" if problem.weight > 1 else "yellow")
        console.print(f"    next: {problem.then}")
    for section in report.sections:
        _title(console, section.title)
        for words in section.says:
            console.print(f"  {words}")
        if section.rows:
            console.print(_table(section))
        if section.more:
            console.print(f"  and {section.more:,} more", style="dim")
    _title(console, "What could not be read")
    for words in report.unread or ["everything was read"]:
        console.print(f"  {words}", style="yellow" if report.unread else "green")


def _title(console, words: str) -> None:  # type: ignore[no-untyped-def]
    console.print()
    console.print(words, style="bold cyan")


def _table(section: Section):  # type: ignore[no-untyped-def]
    from rich.table import Table
    from rich.text import Text

    shown = section.shown
    has_text = any(section.columns[place].kind == TEXT for place in shown)
    table = Table(box=None, pad_edge=True, expand=has_text, header_style="dim", padding=(0, 1))
    texts = [place for place in shown if section.columns[place].kind == TEXT]
    for place in shown:
        column = section.columns[place]
        table.add_column(
            column.title, justify="left" if column.kind in LEFT else "right", no_wrap=True,
            overflow="ellipsis", ratio=1 if texts and place == texts[-1] else None,
        )  # fmt: skip
    has_bars = section.chart == "hours"
    if has_bars:
        table.add_column("", no_wrap=True)
    most = max(section.sums, default=0) or 1
    for row, number in zip(section.rows, section.sums, strict=True):
        cells = [Text(written(row[place], section.columns[place].kind)) for place in shown]
        if has_bars:
            cells.append(Text("█" * round(number * _BAR / most), style="blue"))
        table.add_row(*cells)
    return table
