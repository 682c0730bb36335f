"""Key quota: which keys of an hour are kept apart, where there are too many.

Strangers choose the keys, and as many as they like. Whatever they choose, the most frequent
keys of each minute are kept. Of the others only their number is kept, so sums stay exact.
"""

from __future__ import annotations

from check_postfix.maillog.counts.counts import of_client, of_many, without_strangers
from check_postfix.maillog.store import packed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    # Stream, key, number
    Row = tuple[int, str, int]

# Keys kept of a family: so many an hour for whoever comes first, and so many more in each
# minute for the most frequent. That is 10,000 an hour, and a flood at its start cannot take
# what the rest of the hour needs.
KEYS_PER_HOUR = 5_200
KEYS_PER_MINUTE = 80
# Bytes of a state file. What is counted while it is larger is kept without what strangers choose,
# so that long names cannot fill a disk. Such keys need some 50 MB more in 48 hours, if strangers
# do their worst.
MOST_BYTES = 64 << 20
# The names of one client, and the accounts that it tries, may take so much of an hour's keys.
# The rest is for other clients.
_DETAIL = 0.5
# Of the others, the most frequent are kept without the fields that have many values; of the
# rest only the number is kept, so that sums stay exact.
COARSE_KEYS = 20


def is_short(number: int) -> bool:
    """Tell whether so many keys in an hour are too many to keep each as it is."""
    return number > KEYS_PER_HOUR * _DETAIL


def shared_out(
    family: str,
    keyed: Mapping[tuple[int, int], Mapping[str, int]],
    there: Mapping[int, int],
    is_full: bool = False,
) -> dict[tuple[int, int], dict[str, int]]:
    """Return what is kept of an hour that has too many keys.

    keyed: (minute, origin) -> key -> number
    there: minute -> how many keys of it are kept already
    is_full: whether there is no room left for what strangers choose
    Returns: the same as `keyed`, with fewer keys
    """
    left = KEYS_PER_HOUR - sum(max(0, n - KEYS_PER_MINUTE) for n in there.values())
    left = 0 if is_full else left
    by_minute: dict[int, list[Row]] = {}
    for (minute, origin), numbers in keyed.items():
        rows = by_minute.setdefault(minute, [])
        rows += [(origin, key, n) for key, n in numbers.items()]
    kept: dict[tuple[int, int], dict[str, int]] = {}
    for minute in sorted(by_minute):
        rows = sorted(by_minute[minute], key=_most_first)
        own = 0 if is_full else max(0, KEYS_PER_MINUTE - there.get(minute, 0))
        cut = own + max(0, left)
        rows = _in_detail(family, rows, own + max(0, left - int(KEYS_PER_HOUR * _DETAIL)))
        left -= max(0, min(len(rows), cut) - own)
        for origin, key, n in [*rows[:cut], *_coarse(family, rows[cut:])]:
            of_origin = kept.setdefault((minute, origin), {})
            of_origin[key] = of_origin.get(key, 0) + n
    return kept


def _most_first(row: Row) -> tuple[int, Row]:
    return -row[2], row


def _in_detail(family: str, rows: list[Row], most: int) -> list[Row]:
    """Return the rows of one minute; if they are too many, one for each client of the last.

    rows: most frequent first, as those returned
    most: how many there may be before the details of a client are added up
    """
    if len(rows) <= most:
        return rows
    clients = [(origin, of_client(family, key)) for origin, key, _ in rows]
    spare = max(0, most - len(set(clients)))
    alike: dict[tuple[int, str], list[Row]] = {}
    for client, row in zip(clients[spare:], rows[spare:], strict=True):
        alike.setdefault(client, []).append(row)
    added = [
        some[0] if len(some) == 1 else (*client, sum(n for _, _, n in some))
        for client, some in alike.items()
    ]
    return sorted([*rows[:spare], *added], key=_most_first)


def _coarse(family: str, rows: list[Row]) -> list[Row]:
    """Return the rows of one minute with nothing in their keys that has many values."""
    added: dict[tuple[int, str], int] = {}
    for origin, key, n in rows:
        where = origin, without_strangers(family, key)
        added[where] = added.get(where, 0) + n
    frequent = sorted(added, key=lambda where: (-added[where], where))
    for origin, key in frequent[COARSE_KEYS:]:
        rest = origin, of_many(family)
        added[rest] = added.get(rest, 0) + added.pop((origin, key))
    return [(*where, n) for where, n in added.items()]


def most_frequent(family: str, numbers: Mapping[str, int]) -> dict[str, int]:
    """Return the most frequent keys, of half as many bytes as may be held.

    The others are added up without what strangers choose.
    """
    ordered = sorted(numbers, key=lambda key: (-numbers[key], key))
    kept: dict[str, int] = {}
    left = packed.MOST_HELD // 2
    for key in ordered:
        left -= packed.held(key)
        if left < 0:
            break
        kept[key] = numbers[key]
    for _, key, number in _coarse(family, [(0, key, numbers[key]) for key in ordered[len(kept) :]]):
        kept[key] = kept.get(key, 0) + number
    return kept
