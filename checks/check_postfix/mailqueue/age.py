"""The age table: how old the mail for each domain is, as `qshape` prints it.

The rules are those of postfix/auxiliary/qshape/qshape.pl (the same from 2.11 to 3.11) with its
defaults. Same numbers and lines as qshape, except that
- it needs no root;
- rows of equal rank stand in alphabetical order instead of a random one;
- TOTAL is first even where one short domain has all the mail;
- mail in maildrop is counted: qshape does not recognise those files;
- a domain that begins with a dot ("..example") has a row: qshape hides it as a parent domain;
- an address without "@" that Postfix quotes is counted in quotes: qshape reads the raw address.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import namedtuple

from check_postfix.mailqueue.listing import age

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from check_postfix.mailqueue.listing import Listing

# The lower end of each bucket but the first, which starts at 0, in minutes.
LIMITS = (5, 10, 20, 40, 80, 160, 320, 640, 1280)
HEADS = ("T", *map(str, LIMITS), f"{LIMITS[-1]}+")
LIMITS_IN_SECONDS = tuple(60 * limit for limit in LIMITS)

# qshape's default width, and what it leaves a domain's name at least; in characters.
WIDTH = 80
NAME_WIDTH = 18

# Perl's lc() of bytes leaves what is not ASCII as it is.
ASCII_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


class Row(namedtuple("Row", "domain total counts")):
    """How many recipients in one domain wait, in all and by age.

    domain:  as domain() makes it; "TOTAL" for the sum of all rows
    total:   recipients
    counts:  recipients by age of their message: up to 5, 10, 20 ... 1280 minutes, and older
    """

    __slots__ = ()

    domain: str
    total: int
    counts: tuple[int, ...]


def table(
    listing: Listing, now: float, queues: Iterable[str] = ("incoming", "active")
) -> list[Row]:
    """Return the row TOTAL, then a row for each domain: most recipients first, then shorter names.

    now:  epoch seconds
    What is counted is the recipients still to be served in these queues. Messages that
    `postsuper -e` or -f has marked are left out, as qshape does (it skips files of their mode).
    """
    total = [0] * len(HEADS[1:])
    counts: dict[str, list[int]] = {}
    for message in listing.within(queues):
        if message.forced_expire:
            continue
        bucket = bisect_right(LIMITS_IN_SECONDS, age(message, now))
        for recipient in message.recipients:
            of_domain = counts.setdefault(domain(recipient), [0] * len(total))
            of_domain[bucket] += 1
            total[bucket] += 1
    rows = [Row(name, sum(row), tuple(row)) for name, row in counts.items()]
    rows.sort(key=lambda row: (-row.total, len(row.domain), row.domain))
    return [Row("TOTAL", sum(total), tuple(total)), *rows]


def domain(address: str) -> str:
    """Return what qshape counts an address under: its domain, or all of it where it has none."""
    name = address.translate(ASCII_LOWER) or "MAILER-DAEMON"
    name = name.rpartition("@")[2].replace("..", ".")
    # One outer dot goes, at each end, but never the last character.
    if len(name) > 1:
        name = name.removeprefix(".")
    if len(name) > 1:
        name = name.removesuffix(".")
    return name


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
