"""The age table: how old the mail for each domain is, as `qshape` prints it.

The rules are those of postfix/auxiliary/qshape/qshape.pl (the same from 2.11 to 3.11) with its
defaults. Same numbers and lines as qshape, except that
- it needs no root;
- rows of equal rank stand in alphabetical order instead of a random one;
- TOTAL is first even where one short domain has all the mail;
- mail in maildrop is counted: qshape does not recognise those files;
- a domain that begins with a dot ("..example") has a row: qshape hides it as a parent domain;
- an address without "@" that Postfix quotes is counted in quotes: qshape reads the raw address;
- domains beyond the first 10,000 of a queue share one row, "others".
"""

from __future__ import annotations

from collections import namedtuple
from operator import add

from check_postfix.mailqueue.listing import LIMITS, ON_ITS_WAY, OTHERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from check_postfix.mailqueue.listing import Listing

HEADS = ("T", *map(str, LIMITS), f"{LIMITS[-1]}+")

# qshape's default width, and what it leaves a domain's name at least; in characters.
WIDTH = 80
NAME_WIDTH = 18


class Row(namedtuple("Row", "domain total counts")):
    """How many recipients in one domain wait, in all and by age.

    domain:  as listing.domain() makes it; "TOTAL" for the sum of all rows
    total:   recipients
    counts:  recipients by age of their message: up to 5, 10, 20 ... 1280 minutes, and older
    """

    __slots__ = ()

    domain: str
    total: int
    counts: tuple[int, ...]


def table(listing: Listing, queues: Iterable[str] = ON_ITS_WAY) -> list[Row]:
    """Return the row TOTAL, then a row for each domain: most recipients first, then shorter names.

    What is counted is the recipients still to be served in these queues. Messages that
    `postsuper -e` or -f has marked are left out, as qshape does (it skips files of their mode).
    """
    counts: dict[str, list[int]] = {}
    for sums in listing.within(queues):
        for name, waiting in sums.domains.items():
            known = counts.get(name)
            by_age = waiting.by_age
            counts[name] = [*map(add, known, by_age)] if known else by_age
    rows = [
        Row("others" if name == OTHERS else name, sum(row), tuple(row))
        for name, row in counts.items()
        if any(row)
    ]
    rows.sort(key=lambda row: (-row.total, len(row.domain), row.domain))
    total = [sum(column) for column in zip(*counts.values(), strict=True)] or [0] * len(HEADS[1:])
    return [Row("TOTAL", sum(total), tuple(total)), *rows]


def render(rows: Sequence[Row], limit: int) -> list[str]:
    """Return the table as lines: heads, TOTAL, at most limit domains, how many more there are.

    The lines are WIDTH wide, wider only when 18 characters of a name and large counts ask for it.
    A name that is too long keeps its end, after a "+".
    """
    total, *domains = rows
    widths = [
        _column_width(head, count)
        for head, count in zip(HEADS, (total.total, *total.counts), strict=True)
    ]
    name_width = max(NAME_WIDTH, WIDTH - sum(widths))
    lines = [_line("", HEADS, widths, name_width)]
    for row in (total, *domains[:limit]):
        counts = map(str, (row.total, *row.counts))
        lines.append(_line(_shortened(row.domain, name_width), counts, widths, name_width))
    if hidden := len(domains[limit:]):
        lines.append(f"{hidden} more".rjust(name_width))
    return lines


def _column_width(head: str, count: int) -> int:
    width = max(len(head), len(str(count)))
    return width + 1 if width > 2 else 3


def _line(name: str, cells: Iterable[str], widths: Sequence[int], name_width: int) -> str:
    columns = (cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
    return name.rjust(name_width) + "".join(columns)


def _shortened(name: str, width: int) -> str:
    return name if len(name) <= width else "+" + name[len(name) - width + 1 :]
