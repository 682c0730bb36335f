"""Key quota: which keys of an hour are kept apart, where there are too many.

Strangers choose the keys, and as many as they like. Whatever they choose, the most frequent
keys of each minute are kept. Of the others only their number is kept, so sums stay exact.
"""

from __future__ import annotations

from operator import itemgetter

from check_postfix.maillog.counts.families import FAMILIES, MANY, SEPARATOR, of_origin
from check_postfix.maillog.store import packed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    # What a key is called beside those of other origins, number
    Row = tuple[str, int]

_NUMBER = itemgetter(1)

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
    keyed: Mapping[int, Mapping[str, int]],
    there: Mapping[int, int],
    is_full: bool = False,
) -> dict[int, dict[str, int]]:
    """Return what is kept of an hour that has too many keys.

    keyed: minute -> key, as Counts calls that of an origin -> number
    there: minute -> how many keys of it are kept already
    is_full: whether there is no room left for what strangers choose
    Returns: the same as `keyed`, with fewer keys
    """
    left = KEYS_PER_HOUR - sum(max(0, n - KEYS_PER_MINUTE) for n in there.values())
    left = 0 if is_full else left
    kept: dict[int, dict[str, int]] = {}
    for minute, numbers in sorted(keyed.items()):
        rows = list(numbers.items())
        own = 0 if is_full else max(0, KEYS_PER_MINUTE - there.get(minute, 0))
        cut = own + max(0, left)
        rows = _in_detail(family, rows, own + max(0, left - int(KEYS_PER_HOUR * _DETAIL)))
        left -= max(0, min(len(rows), cut) - own)
        if len(rows) > cut:
            rows = _most_first(rows)
            rows = [*rows[:cut], *_coarse(family, rows[cut:])]
        of_minute = kept[minute] = {}
        for name, n in rows:
            of_minute[name] = of_minute.get(name, 0) + n
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
    clients = [_of_client(family, name) for name, _ in rows]
    different = len(set(clients))
    if different == len(rows):
        return rows
    spare = max(0, most - different)
    alike: dict[str, list[Row]] = {}
    for client, row in zip(clients[spare:], rows[spare:], strict=True):
        alike.setdefault(client, []).append(row)
    return rows[:spare] + [
        some[0] if len(some) == 1 else (client, sum(n for _, n in some))
        for client, some in alike.items()
    ]


def _coarse(family: str, rows: list[Row]) -> list[Row]:
    """Return the rows of one minute with nothing in their keys that has many values."""
    added: dict[str, int] = {}
    for name, n in rows:
        coarse = _without_strangers(family, name)
        added[coarse] = added.get(coarse, 0) + n
    frequent = sorted(added, key=lambda name: (-added[name], name))
    for name in frequent[COARSE_KEYS:]:
        number = added.pop(name)
        rest = _of_many(family, name)
        added[rest] = added.get(rest, 0) + number
    return list(added.items())


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
    others = [(of_origin(0, key), numbers[key]) for key in ordered[len(kept) :]]
    for name, number in _coarse(family, others):
        key = packed.own(name)
        kept[key] = kept.get(key, 0) + number
    return kept


def _without_strangers(family: str, name: str) -> str:
    """Return a key in which MANY stands for each field that strangers can fill at will."""
    return _without(_PLACES_OF_STRANGERS[family], name)


def _of_client(family: str, name: str) -> str:
    """Return a key in which MANY stands for each field that one client may have many of."""
    return _without(_PLACES_BESIDE_CLIENT[family], name)


def _has_details(family: str) -> bool:
    """Tell whether a family's keys have fields that one client may have many of."""
    return bool(_PLACES_BESIDE_CLIENT[family])


def _places(names: tuple[str, ...]) -> dict[str, list[int]]:
    """Return family -> the places of these fields in what its keys are called."""
    return {
        family: [place for place, name in enumerate(of_family, 1) if name in names]
        for family, of_family in FAMILIES.items()
    }


_PLACES_OF_STRANGERS = _places(_OF_STRANGERS)
_PLACES_BESIDE_CLIENT = _places(_BESIDE_CLIENT)


def _without(places: list[int], name: str) -> str:
    values = name.split(SEPARATOR)
    for place in places:
        values[place] = MANY
    return SEPARATOR.join(values)


def _of_many(family: str, name: str) -> str:
    """Return a family's key with MANY in each field, of the same origin."""
    return SEPARATOR.join([name[: name.index(SEPARATOR)], *[MANY] * len(FAMILIES[family])])
