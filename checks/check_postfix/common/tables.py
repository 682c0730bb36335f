"""Tables of the long output: who or what had the most of something."""

from __future__ import annotations

from check_postfix.maillog.counts.families import MANY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from check_postfix.common.filter import Filter
    from check_postfix.maillog.window.window import Window

# A longer name is cut, so that the table stays one. In characters.
_WIDTH = 60


def table(
    title: str,
    pairs: Sequence[tuple[str, int]],
    rows: int,
    notes: Mapping[str, str] | None = None,
    width: int = _WIDTH,
) -> list[str]:
    """Return the lines of a table: a title, the first rows, and how many are left out.

    pairs: (name, number), most first; the name MANY stands for many
    notes: from a name to what follows it
    width: characters of a name that are shown
    """
    if not pairs:
        return []
    notes = notes or {}
    shown = [
        (number, "others" if name == MANY else name[:width] + notes.get(name, ""))
        for name, number in pairs[:rows]
    ]
    if len(pairs) > rows:
        rest = sum(number for _, number in pairs[rows:])
        shown.append((rest, f"in {len(pairs) - rows} more"))
    digits = max(len(str(number)) for number, _ in shown)
    return [f"{title}:", *(f"  {number:>{digits}}  {name}" for number, name in shown)]


def relay_note(relay: str) -> str:
    """Return what Postfix means by the relay `none`, which follows it."""
    return " (no server was reached)" if relay == "none" else ""


def by_field(
    window: Window,
    family: str,
    what: str,
    titles: Mapping[str, str],
    filter: Filter,
    rows: int,
    notes: Mapping[str, Callable[[str], str]],
) -> list[str]:
    """Return a table of a family of events by each of some of its fields.

    what:   what is counted, in words
    titles: from a field to what its values are, in words
    filter: which events take part
    notes:  from a field to what gives the note of one of its values
    """
    lines = []
    for field, title in titles.items():
        note = notes.get(field)
        pairs, noted = [], {}
        for (value,), number in window.keys(family, field, filter=filter):
            name = window.name(field, value)
            pairs.append((name, number))
            noted[name] = note(value) if note else ""
        lines += table(f"{what} by {title}", pairs, rows, noted)
    return lines
