"""Sights: by which a message counts once for each watched address, when it is first tried for it.

A message for a list has a line for each of its members, which may take hours; and where the queue
is flushed, soon after it came in, they are repeated. They are all of one queue ID. So what is
remembered of a message is when it was tried last, until it leaves the queue; a try that follows on
that within a day is of the same message. (Whom later retries are for is not looked at.)

A log is read piece by piece, and not in its order. In each piece a message counts at the first try
that stands there. When the piece before it is known, and has tries of the message as well, that is
taken back.
"""

from __future__ import annotations

from itertools import islice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    # Origin, and queue ID
    MessageKey = tuple[int, bytes]
    # Message -> address -> minute
    Tries = dict[MessageKey, dict[str, int]]

LONGEST_MINUTES = 24 * 60
# Messages of which so much is remembered at most.
MOST_FIRST = 10_000
MOST_LAST = 20_000


class Sights:
    """Tries to deliver messages to watched addresses, in a piece of log.

    first: of messages that may have begun before the piece, the first try for each address
    last:  of messages in the queue, the last one
    """

    __slots__ = ("first", "last")

    def __init__(self) -> None:
        self.first: Tries = {}
        self.last: Tries = {}

    def add(self, key: MessageKey, address: str, minute: int, may_be_older: bool) -> bool:
        """Take in a try; tell whether its message counts by it.

        may_be_older: whether the message may have begun before the piece
        """
        tries = self.last.pop(key, {})
        self.last[key] = tries  # the newest stand last
        before = tries.get(address)
        tries[address] = minute
        if before is not None and minute - before <= LONGEST_MINUTES:
            return False
        if may_be_older and (key in self.first or len(self.first) < MOST_FIRST):
            self.first.setdefault(key, {}).setdefault(address, minute)
        return True

    def taken_back(
        self, later: Sights, may_be_older: Callable[[MessageKey], bool]
    ) -> Iterator[tuple[MessageKey, str, int]]:
        """Yield the tries of the piece after this one by which no message counts after all.

        may_be_older: tells whether a message may have begun before this piece
        """
        for key, tries in later.first.items():
            before = self.last.get(key, {})
            for address, minute in tries.items():
                if address in before and minute - before[address] <= LONGEST_MINUTES:
                    yield key, address, minute
                elif may_be_older(key) and (key in self.first or len(self.first) < MOST_FIRST):
                    self.first.setdefault(key, {}).setdefault(address, minute)
            if key not in later.last:  # it has left the queue there
                self.last.pop(key, None)

    def followed_by(self, later: Sights) -> None:
        """Remember what was tried last in the piece after this one."""
        for key, tries in later.last.items():
            self.last[key] = self.last.pop(key, {}) | tries

    def forget_some(self) -> None:
        """Forget the older half of the messages, if they are too many."""
        if len(self.last) > MOST_LAST:
            self.last = dict(islice(self.last.items(), len(self.last) // 2, None))
