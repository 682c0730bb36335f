"""Message sums: what messages came to that only several of their lines tell."""

from __future__ import annotations

from collections import Counter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# Counters besides the kinds of event.
ACCEPTED = "accepted"  # messages received that reached the queue manager
BYTES_RECEIVED = "bytes_received"  # their sizes
RECIPIENTS_SUBMITTED = "recipients_submitted"  # of those whose client had logged in
ABORTED = "aborted"  # messages received that their client did not finish
BYTES_DELIVERED = "bytes_delivered"  # a message's size for each sent line
BYTES_FILTERED = "bytes_filtered"  # the same of what a content filter hands back

_COUNTERS = (
    ACCEPTED, BYTES_RECEIVED, RECIPIENTS_SUBMITTED, ABORTED, BYTES_DELIVERED, BYTES_FILTERED,
)  # fmt: skip


class Sums:
    """What messages came to, by minute and origin.

    senders: (minute, origin, what, sender) -> number
    watched: (minute, origin, watched address) -> messages that were first tried for it then; fewer
             than none where it turns out that they had been before
    came_from: (minute, origin, watched address, sender) of those whose sender is known
    """

    __slots__ = ("_numbers", "came_from", "senders", "watched")

    def __init__(self) -> None:
        self._numbers: dict[tuple[int, int], dict[str, int]] = {}
        self.senders: dict[tuple[int, int, str, str], int] = {}
        self.watched: Counter[tuple[int, int, str]] = Counter()
        self.came_from: Counter[tuple[int, int, str, str]] = Counter()

    def of(self, minute: int, origin: int) -> dict[str, int]:
        """Return the numbers of a minute and origin, by counter; add to them."""
        numbers = self._numbers.get((minute, origin))
        if numbers is None:
            numbers = self._numbers[minute, origin] = dict.fromkeys(_COUNTERS, 0)
        return numbers

    def items(self) -> Iterator[tuple[tuple[int, int, str], int]]:
        """Yield ((minute, origin, counter), number) of all that are not 0."""
        for key, numbers in self._numbers.items():
            for counter, number in numbers.items():
                if number:
                    yield (*key, counter), number

    def clear(self) -> None:
        """Begin anew."""
        self._numbers.clear()
        self.senders.clear()
        self.watched.clear()
        self.came_from.clear()

    def add_of_sender(self, minute: int, origin: int, what: str, sender: str, number: int) -> None:
        """Add a number to what messages of a sender came to."""
        where = minute, origin, what, sender
        self.senders[where] = self.senders.get(where, 0) + number
