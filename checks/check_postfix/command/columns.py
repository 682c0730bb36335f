"""Columns: a table in plain text, as wide as what stands in it."""

from __future__ import annotations

from check_postfix.plugin import Option, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROWS = Option("--rows", "rows of each table", default="10", parse=values.count, metavar="N")
# A longer text is cut, so that the table stays one. In characters.
_WIDTH = 76


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    """Yield the lines of a table: heads, then rows.

    The last column is text, and stands at the left; all others stand at the right.
    """
    cells = [list(heads), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(heads) - 1)]
    for row in cells:
        numbers = [cell.rjust(width) for cell, width in zip(row, widths, strict=False)]
        last = row[-1] if len(row[-1]) <= _WIDTH else row[-1][: _WIDTH - 3] + "..."
        yield "  ".join(["", *numbers, last]).rstrip()
