"""Most: where most of some failures were, and why, for the first line of an alarm.

It says only what is proven. `most` is more than half of all failures, those included of which
nothing is known but their number. Where no place has so many, one cause may have.
"""

from __future__ import annotations

from check_postfix.maillog.counts.families import MANY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    # The value of each field, then the cause; and how many failures had these
    Row = tuple[tuple[str, ...], int]

# A longer name is cut at its start: its end tells whose it is. In characters.
_LONGEST = 40
# What names nobody.
NOBODY = ("", "none", "unknown", MANY)


class Field:
    """A field whose values are places.

    before: what stands before one of them: `to`
    nouns:  what several of them are: `domains`
    name:   from a value to what is shown of it, which is short
    """

    __slots__ = ("before", "name", "nouns")

    def __init__(self, before: str, nouns: str, name: Callable[[str], str]) -> None:
        self.before = before
        self.nouns = nouns
        self.name = name


def most(fields: Sequence[Field], rows: Sequence[Row], whole: int, noun: str = "") -> str:
    """Return where most failures were and why: `most to example.net: 4.4.1 connection refused`.

    fields:  of the rows; an earlier one goes before a later one, unless that has all
    rows:    of the failures of which more is known
    whole:   how many failures there were
    noun:    for them, where the words before it do not tell
    Returns: nothing where nothing is known
    """
    if not rows:
        return ""
    noun = noun and f" {noun}"
    half = whole // 2 + 1
    if having_all := [at for at in range(len(fields)) if _largest(rows, at)[1] >= whole]:
        return f"all{noun} {_common_place(fields, rows, having_all)}"
    places = [_place(field, rows, at) for at, field in enumerate(fields)]
    for place, number in places:
        if number >= half:
            return f"most{noun} {place}"
    cause, number = _largest(rows, -1)
    if number >= half:
        several = _several(fields[0], [row for row in rows if row[0][-1] == cause])
        return f"{'all' if number >= whole else 'most'}{noun}{several}: {cause}"
    place, number = places[0]
    if number > 1:
        or_more = " or more" if any(key[0] == MANY for key, _ in rows) else ""
        return f"{number}{or_more}{noun} {place}"
    return _several(fields[0], rows).strip()


def shortened(name: str) -> str:
    """Return a name that is short enough for the first line."""
    return name if len(name) <= _LONGEST else "+" + name[len(name) - _LONGEST + 1 :]


def _common_place(fields: Sequence[Field], rows: Sequence[Row], having_all: Sequence[int]) -> str:
    """Return the place of all failures by each of some fields, and their cause, in words.

    A relay in the domain that it is for is no news beside it.
    """
    first, *others = having_all
    domain, _ = _largest(rows, first)
    named = [(fields[at], _largest(rows, at)[0]) for at in others]
    besides = [
        f" {field.before} {field.name(value)}"
        for field, value in named
        if value != domain and not value.endswith(f".{domain}")
    ]
    return _place(fields[first], rows, first, "".join(besides))[0]


def _place(field: Field, rows: Sequence[Row], at: int, besides: str = "") -> tuple[str, int]:
    """Return the place with most failures and their cause in words, and how many these are.

    besides: words after the place
    """
    value, number = _largest(rows, at)
    of_place = [row for row in rows if row[0][at] == value]
    cause, of_cause = _largest(of_place, -1)
    _, of_next = _largest([row for row in of_place if row[0][-1] != cause], -1)
    if 2 * of_cause > number:
        why = f": {cause}"
    else:
        why = f": most often {cause}" if of_cause > of_next else ""
    return f"{field.before} {field.name(value)}{besides}{why}", number


def _largest(rows: Sequence[Row], at: int) -> tuple[str, int]:
    """Return the value with most failures, and how many these are; 0 if there is none."""
    sums: dict[str, int] = {}
    for key, number in rows:
        if key[at] not in NOBODY:
            sums[key[at]] = sums.get(key[at], 0) + number
    return min(sums.items(), key=lambda pair: (-pair[1], pair[0]), default=("", 0))


def _several(field: Field, rows: Sequence[Row]) -> str:
    """Return over how many places failures are spread: ` to 40 domains`."""
    there = {key[0] for key, _ in rows}
    known = there.difference(NOBODY)
    if len(known) < 2:
        return ""
    return f" {field.before} {len(known)}{' or more' if there - known else ''} {field.nouns}"
