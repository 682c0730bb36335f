"""Who waits: the recipients of a listing by domain, and for how long.

This is what fits on a telephone. The age table tells more and is twice as wide.
"""

from __future__ import annotations

from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from check_postfix.mailqueue.listing import Listing


class Domain(namedtuple("Domain", "domain recipients oldest")):
    """One recipient domain; OTHERS for all that are not kept apart.

    recipients: still to be served
    oldest:     age of the oldest message for it, in seconds
    """

    __slots__ = ()

    domain: str
    recipients: int
    oldest: int


def waiting(listing: Listing, queues: Iterable[str]) -> list[Domain]:
    """Return who waits in these queues: most recipients first, then the oldest."""
    found: dict[str, Domain] = {}
    for sums in listing.within(queues):
        for name, here in sums.domains.items():
            _, recipients, oldest = found.get(name, (name, 0, 0))
            found[name] = Domain(name, recipients + here.recipients, max(oldest, here.oldest))
    return sorted(found.values(), key=lambda one: (-one.recipients, -one.oldest, one.domain))
