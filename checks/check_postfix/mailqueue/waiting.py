"""Who waits: the recipients of a listing by domain, and for how long.

This is what fits on a telephone. The age table tells more and is twice as wide.
"""

from __future__ import annotations

from collections import namedtuple

from check_postfix.mailqueue.age import domain
from check_postfix.mailqueue.listing import age

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from check_postfix.mailqueue.listing import Listing


class Waiting(namedtuple("Waiting", "domain recipients oldest")):
    """One recipient domain.

    recipients: still to be served
    oldest:     age of the oldest message for it, in seconds
    """

    __slots__ = ()

    domain: str
    recipients: int
    oldest: int


def waiting(listing: Listing, now: float, queues: Iterable[str]) -> list[Waiting]:
    """Return who waits in these queues: most recipients first, then the oldest.

    now: epoch seconds
    """
    found: dict[str, Waiting] = {}
    for message in listing.within(queues):
        since = age(message, now)
        for recipient in message.recipients:
            name = domain(recipient)
            _, recipients, oldest = found.get(name, (name, 0, 0))
            found[name] = Waiting(name, recipients + 1, max(oldest, since))
    return sorted(found.values(), key=lambda one: (-one.recipients, -one.oldest, one.domain))
