"""Messages told: what one process tells another of the messages of a part of a log.

Of most that wait only their queue IDs take room; columns of them are quickly handed over.
"""

from __future__ import annotations

from array import array
from collections import namedtuple

from check_postfix.maillog.counts.messages import Messages
from check_postfix.maillog.counts.orphan import Orphan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Any

    from check_postfix.maillog.counts.message_sums import Sums
    from check_postfix.maillog.counts.messages import MessageKey

    # Origins and queue IDs
    Columns = tuple[array[int], bytes]
    # Of messages, and what is known of each
    WithValues = tuple[Columns, list[Any]]


class MessagesTold(
    namedtuple("MessagesTold", "received active put_off first last ended orphans minutes others")
):
    """The messages of a part, by the names that `Messages` and `Sights` have for them.

    orphans, minutes: the orphans; of those of which one line says that they were sent, and nothing
             else is known, its minute, of the others 0
    others:  place among these -> what is known of another, in the order of Orphan.__slots__
    """

    __slots__ = ()

    received: WithValues
    active: WithValues
    put_off: WithValues
    first: WithValues
    last: WithValues
    ended: Columns
    orphans: Columns
    minutes: array[int]
    others: dict[int, tuple[Any, ...]]


def tell(messages: Messages) -> MessagesTold:
    """Return what a process has found, to be told to another."""
    minutes: list[int] = []
    others: dict[int, tuple[Any, ...]] = {}
    for place, orphan in enumerate(messages.orphans.values()):
        if isinstance(orphan, int):
            minutes.append(orphan)
        else:
            minutes.append(0)
            others[place] = tuple([getattr(orphan, name) for name in Orphan.__slots__])
    return MessagesTold(
        _with_values(messages.received),
        _with_values(messages.active),
        _with_values(messages.put_off),
        _with_values(messages.sights.first),
        _with_values(messages.sights.last),
        _columns(messages.ended),
        _columns(messages.orphans),
        array("q", minutes),
        others,
    )


def heard(told: MessagesTold, numbers: Sequence[int], sums: Sums) -> Messages:
    """Return the messages that another process tells of.

    numbers: our number of each origin
    sums:    what halves come to is added to these
    """
    messages = Messages(sums)
    messages.received = _messages(told.received, numbers)
    messages.active = _messages(told.active, numbers)
    messages.put_off = _messages(told.put_off, numbers)
    messages.sights.first = _messages(told.first, numbers)
    messages.sights.last = _messages(told.last, numbers)
    messages.ended = set(_keys(told.ended, numbers))
    keys = _keys(told.orphans, numbers)
    messages.orphans = dict(zip(keys, told.minutes, strict=True))
    for place, known in told.others.items():
        orphan = messages.orphans[keys[place]] = Orphan()
        for name, value in zip(Orphan.__slots__, known, strict=True):
            setattr(orphan, name, value)
    return messages


def _columns(keys: Collection[MessageKey]) -> Columns:
    origins = array("q", [origin for origin, _ in keys])
    return origins, b" ".join([queue_id for _, queue_id in keys])


def _with_values(messages: Mapping[MessageKey, Any]) -> WithValues:
    return _columns(messages), list(messages.values())


def _keys(columns: Columns, numbers: Sequence[int]) -> list[MessageKey]:
    origins, ids = columns
    if not origins:
        return []
    return list(zip([numbers[origin] for origin in origins], ids.split(b" "), strict=True))


def _messages(told: WithValues, numbers: Sequence[int]) -> dict[MessageKey, Any]:
    columns, values = told
    return dict(zip(_keys(columns, numbers), values, strict=True))
