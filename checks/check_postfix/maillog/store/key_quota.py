"""Key quota: which keys of an hour are kept apart, where there are too many.

Strangers choose the keys, and as many as they like. Whatever they choose, the most frequent
keys of each minute are kept. Of the others only their number is kept, so sums stay exact.
"""

from __future__ import annotations

from operator import itemgetter

from check_postfix.maillog.counts.families import FAMILIES, MANY, SEPARATOR
from check_postfix.maillog.store import packed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    # Stream, key, number
    Row = tuple[int, str, int]

_NUMBER = itemgetter(2)

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

# One client may have many of these; they must not crowd out other clients.
_BESIDE_CLIENT = ("client_name", "account", "network")
_OF_STRANGERS = (
    "domain", "relay", "client", "queue_id", "times", "sender", "recipient", "source",
    *_BESIDE_CLIENT,
)  # fmt: skip


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
        rows = by_minute[minute]
        own = 0 if is_full else max(0, KEYS_PER_MINUTE - there.get(minute, 0))
        cut = own + max(0, left)
        rows = _in_detail(family, rows, own + max(0, left - int(KEYS_PER_HOUR * _DETAIL)))
        left -= max(0, min(len(rows), cut) - own)
        if len(rows) > cut:
            rows = _most_first(rows)
            rows = [*rows[:cut], *_coarse(family, rows[cut:])]
        of_minute: dict[int, dict[str, int]] = {}
        for origin, key, n in rows:
            if origin in of_minute:
                numbers = of_minute[origin]
                numbers[key] = numbers.get(key, 0) + n
            else:
                kept[minute, origin] = of_minute[origin] = {key: n}
    return kept


def _most_first(rows: list[Row]) -> list[Row]:
    # Of two sorts by one thing each, Python needs to make no pairs.
    return sorted(sorted(rows), key=_NUMBER, reverse=True)


def _in_detail(family: str, rows: list[Row], most: int) -> list[Row]:
    """Return the rows of one minute; if they are too many, one for each client of the last.

    most: how many there may be before the details of a client are added up
    """
    if len(rows) <= most or not _has_details(family):
        return rows
    rows = _most_first(rows)
    clients = [(origin, _of_client(family, key)) for origin, key, _ in rows]
    different = len(set(clients))
    if different == len(rows):
        return rows
    spare = max(0, most - different)
    alike: dict[tuple[int, str], list[Row]] = {}
    for client, row in zip(clients[spare:], rows[spare:], strict=True):
        alike.setdefault(client, []).append(row)
    return rows[:spare] + [
        some[0] if len(some) == 1 else (*client, sum(n for _, _, n in some))
        for client, some in alike.items()
    ]


def _coarse(family: str, rows: list[Row]) -> list[Row]:
    """Return the rows of one minute with nothing in their keys that has many values."""
    added: dict[tuple[int, str], int] = {}
    for origin, key, n in rows:
        where = origin, _without_strangers(family, key)
        added[where] = added.get(where, 0) + n
    frequent = sorted(added, key=lambda where: (-added[where], where))
    for origin, key in frequent[COARSE_KEYS:]:
        rest = origin, _of_many(family)
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


def _without_strangers(family: str, key: str) -> str:
    """Return a key in which MANY stands for each field that strangers can fill at will."""
    return _without(_PLACES_OF_STRANGERS[family], key)


def _of_client(family: str, key: str) -> str:
    """Return a key in which MANY stands for each field that one client may have many of."""
    return _without(_PLACES_BESIDE_CLIENT[family], key)


def _has_details(family: str) -> bool:
    """Tell whether a family's keys have fields that one client may have many of."""
    return bool(_PLACES_BESIDE_CLIENT[family])


def _places(names: tuple[str, ...]) -> dict[str, list[int]]:
    return {
        family: [place for place, name in enumerate(of_family) if name in names]
        for family, of_family in FAMILIES.items()
    }


_PLACES_OF_STRANGERS = _places(_OF_STRANGERS)
_PLACES_BESIDE_CLIENT = _places(_BESIDE_CLIENT)


def _without(places: list[int], key: str) -> str:
    values = key.split(SEPARATOR)
    if len(places) == len(values):
        return SEPARATOR.join([MANY] * len(values))
    for place in places:
        values[place] = MANY
    return SEPARATOR.join(values)


def _of_many(family: str) -> str:
    """Return a family's key with MANY in each field."""
    return SEPARATOR.join([MANY] * len(FAMILIES[family]))
