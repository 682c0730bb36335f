"""The page of a report, and the HTML of its mail; drawn by jinja2.

The page is one file that needs no other: no script, no network, no font. A policy in it forbids
all of these, and all styles but its own, whatever might get into it. Pictures are SVG whose
places are percentages and whose text keeps its size, so that they read on a telephone too.
"""

from __future__ import annotations

import base64
import hashlib

from check_postfix.command.report.page_template import LETTER, PAGE, STYLE
from check_postfix.command.report.section import LEFT, TEXT, written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from check_postfix.command.report.section import Report, Section

_EXAMPLE = "example"
_SERIES = ("sent", "deferred", "bounced", "rejected")
# As mail programs know them: by no name of a style sheet
_COLOURS = {"sent": "#2f7d5b", "deferred": "#c98a00", "bounced": "#c2402a", "rejected": "#7a7f87"}
_HEIGHT = 170
# Above the longest bar, for its number
_ROOM = 14
_HUNDRED = 100
# So many labels below the bars, at most
_LABELS = 8
# Of a bar's place, in percent
_GAP = 24


def page(report: Report) -> str:
    """Return the page."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    return _drawn(PAGE, report, style=_Trusted(STYLE), style_hash=digest)


def letter(report: Report) -> str:
    """Return the HTML of the mail."""
    return _drawn(LETTER, report, colours=_COLOURS)


class _Trusted(str):
    """Our own text, which is not escaped."""

    __slots__ = ()

    def __html__(self) -> str:
        return self


def _drawn(template: str, report: Report, **more: object) -> str:
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    sections = [_section(section) for section in report.sections]
    drawn = environment.from_string(template)
    return str(drawn.render(report=report, sections=sections, **more))


def _section(section: Section) -> dict[str, Any]:
    shown = [place for place in section.shown if section.columns[place].key != _EXAMPLE]
    examples = [place for place, column in enumerate(section.columns) if column.key == _EXAMPLE]
    columns = [section.columns[place] for place in shown]
    listed: list[tuple[Any, ...]] = section.rows
    most = max((row[0] for row in listed), default=0) if section.chart == "bars" else 0
    rows = [
        {
            "cells": [
                {
                    "words": written(row[place], section.columns[place].kind),
                    "how": _how(section.columns[place].kind),
                }
                for place in shown
            ],
            "example": row[examples[0]] if examples else "",
            "bar": round(row[0] * _HUNDRED / most, 1) if most else 0,
        }
        for row in listed
    ]
    return {
        "title": section.title,
        "says": section.says,
        "columns": [{"title": column.title, "left": column.kind in LEFT} for column in columns],
        "has_head": any(column.title for column in columns),
        "has_bars": section.chart == "bars",
        "rows": rows,
        "more": f"{section.more:,}" if section.more else "",
        "chart": _chart(section) if section.chart == "hours" else None,
    }


def _how(kind: str) -> str:
    """Return the classes of a cell."""
    if kind == TEXT:
        return "left text"
    return "left" if kind in LEFT else ""


def _chart(section: Section) -> dict[str, Any] | None:
    keys = [column.key for column in section.columns]
    places = {name: keys.index(name) for name in _SERIES}
    titles = {name: section.columns[place].title for name, place in places.items()}
    rows: list[tuple[Any, ...]] = section.rows
    numbers = [{name: row[place] for name, place in places.items()} for row in rows]
    most = max((sum(of_row.values()) for of_row in numbers), default=0)
    if not most:
        return None
    number = len(rows)
    scale = (_HEIGHT - _ROOM) / most
    bars = []
    for place, (row, of_row) in enumerate(zip(rows, numbers, strict=True)):
        told = ", ".join(f"{titles[name]} {value:,}" for name, value in of_row.items())
        bars.append(
            {
                "label": row[0],
                "number": f"{sum(of_row.values()):,}",
                "title": f"{row[0]}: {told}",
                "x": round((place + _GAP / 2 / _HUNDRED) * _HUNDRED / number, 2),
                "width": round((_HUNDRED - _GAP) / number, 2),
                "parts": _parts(of_row, scale),
                "cells": _cells(of_row, most),
            }
        )
    every = -(-number // _LABELS)
    labels = [{"x": bar["x"], "words": bar["label"]} for bar in bars[::every]]
    step = _step(most)
    lines = [
        {"y": round(_HEIGHT - level * scale, 1), "words": f"{level:,}"}
        for level in range(step, most + 1, step)
    ]
    key = [
        (name, title, f"{sum(of_row[name] for of_row in numbers):,}")
        for name, title in titles.items()
    ]
    zero = {"y": _HEIGHT, "words": ""}
    return {"height": _HEIGHT, "bars": bars, "labels": labels, "lines": [*lines, zero], "key": key}


def _parts(numbers: dict[str, int], scale: float) -> list[dict[str, Any]]:
    """Return the parts of a bar, from its foot up.

    numbers: by series
    scale:   height of 1
    """
    parts = []
    base = float(_HEIGHT)
    for name, number in numbers.items():
        height = number * scale
        base -= height
        if number:
            parts.append({"name": name, "y": round(base, 1), "height": round(height, 1)})
    return parts


def _cells(numbers: dict[str, int], most: int) -> list[dict[str, Any]]:
    """Return a bar as cells of a table, in percent, for mail programs that draw nothing.

    numbers: by series
    most:    what the longest bar stands for
    """
    cells: list[dict[str, Any]] = [
        {"name": name, "percent": max(1, round(number * _HUNDRED / most))}
        for name, number in numbers.items()
        if number
    ]
    rest = _HUNDRED - sum(cell["percent"] for cell in cells)
    return [*cells, {"name": "", "percent": rest}] if rest > 0 else cells


def _step(most: int) -> int:
    """Return a round number that goes into another two to five times."""
    step = int(10 ** (len(str(most)) - 1))
    for part in (5, 2, 1):
        if step * part * 2 <= most:
            return step * part
    return max(1, step // 2)
