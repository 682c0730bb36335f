"""The JSON form of a listing: what `postqueue -j` prints (Postfix 3.1 and later).

One object a line, nothing for an empty queue (postfix/src/postqueue/showq_json.c). There is no
footer, so an end that came too early shows only in postqueue's exit status.
"""

from __future__ import annotations

import json
import sys

from check_postfix.mailqueue.errors import QueueError
from check_postfix.mailqueue.listing import QueuedMessage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TypeVar

    T = TypeVar("T")

# Postfix prints times and sizes as a C long. A size is never negative: where it has no sound
# record of it, showq takes that of the file.
LONG = range(-(2**63), 2**63)
SIZES = range(2**63)

# The size of what an error may quote, in characters.
QUOTED = 60


def messages(lines: Iterable[bytes]) -> Iterator[QueuedMessage]:
    r"""Yield the message of each line.

    lines:  split on b"\n" alone, since U+2028 and U+0085 pass through postqueue unescaped
    Raises: QueueError when a line is no message
    """
    for line in lines:
        if line:
            yield _message(line)


def _message(line: bytes) -> QueuedMessage:
    # Postfix 3.1 to 3.8 let some invalid UTF-8 through.
    text = line.decode("utf-8", "replace")
    try:
        entry = json.loads(text)
        # Postfix 3.11 lists those who have bounced until their sender is notified.
        left = [
            recipient
            for recipient in _checked(entry["recipients"], list)
            if "bounce_reason" not in recipient
        ]
        reasons = (_checked(one["delay_reason"], str) for one in left if "delay_reason" in one)
        message = QueuedMessage(
            queue=sys.intern(_checked(entry["queue_name"], str)),
            queue_id=_checked(entry["queue_id"], str),
            arrival=_number(entry["arrival_time"], LONG),
            size=_number(entry["message_size"], SIZES),
            forced_expire=_checked(entry.get("forced_expire", False), bool),
            recipients=tuple([_checked(recipient["address"], str) for recipient in left]),
            reason=next(reasons, ""),
            sender=_checked(entry.get("sender", ""), str),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise QueueError(
            "postqueue: expected one JSON object a message (queue_name, queue_id, arrival_time,"
            f" message_size, recipients), got {text[:QUOTED]!a};"
            " see that this postqueue is the one of Postfix"
        ) from None
    return message


def _checked(value: object, kind: type[T]) -> T:
    if type(value) is not kind:
        raise TypeError
    return value


def _number(value: object, possible: range) -> int:
    number = _checked(value, int)
    if number not in possible:
        raise ValueError
    return number
