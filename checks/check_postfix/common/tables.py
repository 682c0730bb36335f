"""Tables of the long output: who or what had the most of something."""

from __future__ import annotations

from check_postfix.maillog.counts.counts import MANY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# A name longer than this is cut, so that the table stays one.
_WIDTH = 60


def table(
    title: str,
    pairs: Sequence[tuple[str, int]],
    rows: int,
    beside: Mapping[str, str] | None = None,
) -> list[str]:
    """Return the lines of a table: a title, the first rows, and how many are left out.

    pairs:  (name, number), most first; the name MANY stands for many
    beside: from a name to what is said right behind it
    """
    if not pairs:
        return []
    beside = beside or {}
    shown = [
        (number, "others" if name == MANY else name[:_WIDTH] + beside.get(name, ""))
        for name, number in pairs[:rows]
    ]
    if len(pairs) > rows:
        rest = sum(number for _, number in pairs[rows:])
        shown.append((rest, f"in {len(pairs) - rows} more"))
    width = max(len(str(number)) for number, _ in shown)
    return [f"{title}:", *(f"  {number:>{width}}  {name}" for number, name in shown)]
